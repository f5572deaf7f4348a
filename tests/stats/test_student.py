"""Intervals against scipy, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st

from fitlab.stats import paired_t_interval, t_bound, t_interval

samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


@given(samples, st.floats(0.01, 0.999))
def test_the_interval_is_scipys(values: list[float], level: float) -> None:
    ours = t_interval(values, level)
    sem = scipy.stats.sem(values)
    if sem == 0:
        assert ours.low == ours.estimate == ours.high
        return
    theirs = scipy.stats.t.interval(level, len(values) - 1, np.mean(values), sem)
    assert (ours.low, ours.high) == pytest.approx(theirs, rel=1e-9, abs=1e-9)
    assert (ours.n, ours.level, ours.method) == (len(values), level, "t")


@given(samples, st.floats(0.1, 10), st.floats(-100, 100))
def test_units_do_not_matter(values: list[float], scale: float, shift: float) -> None:
    a, b = t_interval(values), t_interval([scale * v + shift for v in values])
    tolerance = 1e-9 * (1 + scale) * (1 + max(map(abs, values)))
    assert b.low == pytest.approx(scale * a.low + shift, abs=tolerance)
    assert b.high == pytest.approx(scale * a.high + shift, abs=tolerance)


@given(samples)
def test_numbers_too_large_to_square_have_an_interval(values: list[float]) -> None:
    unit = 2.0**990  # exact: the interval is the same, in other units
    small, large = t_interval(values), t_interval([unit * v for v in values])
    tolerance = 1e-9 * (1 + max(map(abs, values)))
    assert (large.low / unit, large.high / unit) == pytest.approx((small.low, small.high), abs=tolerance)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_it_covers_what_it_promises(seeds: int) -> None:
    draws = 40_000 if PROVE else 8_000
    sample = np.random.default_rng(seeds).normal(size=(draws, seeds))
    covered = np.mean([one.low <= 0 <= one.high for one in map(t_interval, sample)])
    assert abs(covered - 0.90) <= 4 * math.sqrt(0.9 * 0.1 / draws)


def test_one_seed_has_no_spread_and_nothing_has_no_mean() -> None:
    one = t_interval([3.0])
    assert one.estimate == 3.0
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    for bad in ([], [1.0, math.nan], [math.inf]):
        with pytest.raises(ValueError, match="finite"):
            t_interval(bad)
    for level in (0, 1, 1.5):
        with pytest.raises(ValueError, match="level"):
            t_interval([1.0, 2.0], level)


@given(samples, st.floats(0.01, 0.99))
def test_bounds_are_the_ends_of_the_interval_with_both_tails(values: list[float], level: float) -> None:
    both = t_interval(values, level)
    lower, upper = t_bound(values, "lower", (1 + level) / 2), t_bound(values, "upper", (1 + level) / 2)
    assert (lower.low, upper.high) == pytest.approx((both.low, both.high), rel=1e-9, abs=1e-9)
    assert (lower.high, upper.low) == (math.inf, -math.inf)
    assert (lower.method, upper.method) == ("t lower", "t upper")


def test_a_bound_needs_two_seeds_and_a_side() -> None:
    assert math.isnan(t_bound([1.0], "upper").high)
    with pytest.raises(ValueError, match="side"):
        t_bound([1.0, 2.0], "both")  # type: ignore[arg-type]


def test_pairs_are_seeds_that_both_have() -> None:
    a, b = [1.0, 5.0, math.nan, 4.0, 2.0], [2.0, math.nan, 1.0, 1.0, 1.0]
    assert paired_t_interval(a, b, 0.95) == t_interval([-1.0, 3.0, 1.0], 0.95)
    with pytest.raises(ValueError, match="same seeds"):
        paired_t_interval([1.0, 2.0], [1.0])
    for nothing in ([math.nan, 1.0], [math.inf, 1.0]):
        with pytest.raises(ValueError, match="finite"):
            paired_t_interval(nothing, [1.0, math.nan])


def test_an_interval_of_the_differences_sees_what_two_intervals_do_not() -> None:
    luck = np.random.default_rng(0).normal(size=5)
    better, worse = luck, luck + 0.1 + 0.01 * np.random.default_rng(1).normal(size=5)
    assert t_interval(better).high > t_interval(worse).low
    assert paired_t_interval(worse, better).low > 0
