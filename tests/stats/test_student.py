"""Intervals against scipy, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st

from fitlab.stats import t_interval

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
