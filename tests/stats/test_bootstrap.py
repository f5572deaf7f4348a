"""Bootstrap intervals: against closed forms and scipy, and why means over seeds take Student's t."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from numpy.testing import assert_allclose

from fitlab.stats import bootstrap_interval, moderated_half_widths

skewed = np.random.default_rng(0).exponential(size=60)


@pytest.mark.parametrize(("seeds", "covers", "t_covers"), [(3, 0.750, 0.95), (5, 0.834, 0.95)])
def test_a_percentile_bootstrap_of_few_seeds_covers_less_than_it_says(
    seeds: int, covers: float, t_covers: float
) -> None:
    """The bootstrap's law of the mean is enumerated: all S**S resamples, so nothing here is drawn but the seeds."""
    draws = 60_000 if PROVE else 6_000
    x = np.random.default_rng(seeds).normal(size=(draws, seeds))
    resamples = np.array(list(itertools.product(range(seeds), repeat=seeds)))
    weights = np.stack([(resamples == i).mean(axis=1) for i in range(seeds)])  # (S, S**S)
    parts = np.array_split(x, draws // 500)
    bounds = [np.quantile(part @ weights, [0.025, 0.975], axis=1, method="inverted_cdf") for part in parts]
    low, high = np.concatenate(bounds, axis=1)
    error = math.sqrt(covers * (1 - covers) / draws)
    assert (
        abs(np.mean((low <= 0) & (high >= 0)) - covers) <= 0.005 + 4 * error
    )  # at S = 3 it is P(lowest < 0 < highest) = 1 − 2/8
    covered = np.mean(np.abs(x.mean(axis=1)) <= moderated_half_widths(x, 0.95, prior_df=0))
    assert abs(covered - t_covers) <= 4 * math.sqrt(0.05 * 0.95 / draws)


def test_the_enumerated_bootstrap_is_the_one_that_we_have() -> None:
    x = np.array([0.2, 1.0, 2.5])
    every = np.array(list(itertools.product(x, repeat=3))).mean(axis=1)
    ours = bootstrap_interval(x, 0, method="percentile", level=0.5)
    assert_allclose([ours.low, ours.high], np.quantile(every, [0.25, 0.75], method="inverted_cdf"))
    assert ours.method == "percentile bootstrap"


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_the_interval_of_a_mean_of_many_is_the_normal_one(method: str) -> None:
    x = np.random.default_rng(1).normal(size=2000)
    ours = bootstrap_interval(x, 0, method=method, level=0.95, resamples=4000)
    half = scipy.stats.norm.ppf(0.975) * x.std() / math.sqrt(2000)
    assert_allclose([ours.low, ours.high], [x.mean() - half, x.mean() + half], atol=0.12 * half)
    assert (ours.estimate, ours.n) == (x.mean(), 2000)


def test_one_stratum_is_none_and_order_within_scipys_is_kept() -> None:
    plain = bootstrap_interval(skewed, 5, np.median)
    one = bootstrap_interval(skewed, 5, np.median, strata=np.zeros(60))
    theirs = scipy.stats.bootstrap(
        (skewed,), np.median, confidence_level=0.9, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    assert (plain.low, plain.high) == (one.low, one.high) == (theirs.low, theirs.high)


def test_strata_keep_their_sizes() -> None:
    """Means of strata far apart: what varies is only what varies within them."""
    x = np.concatenate([skewed[:30], 100 + skewed[30:]])
    labels = np.repeat(["b", "a"], 30)
    ours = bootstrap_interval(x, 0, strata=labels, method="percentile")
    within = math.sqrt(skewed[:30].var() / 30 + skewed[30:].var() / 30) / 2
    assert ours.high - ours.low == pytest.approx(2 * scipy.stats.norm.ppf(0.95) * within, rel=0.1)
    loose = bootstrap_interval(x, 0, method="percentile")
    assert loose.high - loose.low > 10 * (ours.high - ours.low)
    assert ours.method == "stratified percentile bootstrap"
    assert ours.estimate == pytest.approx(x.mean())


def test_row_numbers_stand_for_several_columns() -> None:
    rng = np.random.default_rng(2)
    columns = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=200)

    def correlation(rows: np.ndarray, axis: int) -> np.ndarray:
        a, b = np.moveaxis(columns[rows.astype(int)], -1, 0)
        a, b = a - a.mean(axis=axis, keepdims=True), b - b.mean(axis=axis, keepdims=True)
        return (a * b).sum(axis=axis) / np.sqrt((a**2).sum(axis=axis) * (b**2).sum(axis=axis))

    ours = bootstrap_interval(np.arange(200), 0, correlation, resamples=2000)
    fisher = scipy.stats.pearsonr(*columns.T).confidence_interval(0.9)
    assert ours.estimate == pytest.approx(np.corrcoef(columns.T)[0, 1])
    assert_allclose([ours.low, ours.high], fisher, atol=0.03)


def test_the_seed_decides() -> None:
    ours, again, other = (bootstrap_interval(skewed, seed, resamples=500) for seed in (0, 0, 1))
    assert ours == again != other


def test_what_never_varies_has_no_width_and_bad_input_is_refused() -> None:
    still = bootstrap_interval([1.0, 1.0, 5.0, 5.0], 0, strata=[0, 0, 1, 1])
    assert (still.low, still.estimate, still.high) == (3.0, 3.0, 3.0)
    for values, more, said in (
        ([], {}, "finite"),
        ([1.0, math.nan], {}, "finite"),
        ([1.0, 2.0], {"strata": [0]}, "one label"),
        ([1.0, 2.0], {"level": 0}, "level"),
    ):
        with pytest.raises(ValueError, match=said):
            bootstrap_interval(values, 0, **more)
