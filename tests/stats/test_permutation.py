"""Permutation nulls: exact where all orders can be counted, honest about gaps that are never negative."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE

from fitlab.stats import bootstrap_interval, max_min_gap, permutation_null


def test_the_gap_is_the_largest_mean_minus_the_smallest() -> None:
    groups = np.array([0, 1, 2, 0, 1, 2, 2])
    x = np.random.default_rng(0).normal(size=(4, 7))
    means = np.stack([x[:, groups == g].mean(axis=1) for g in range(3)])
    assert max_min_gap(x, groups) == pytest.approx(means.max(axis=0) - means.min(axis=0))


def test_it_is_the_exact_test_but_for_drawing() -> None:
    values, groups = np.array([1.0, 2, 4, 8, 16, 32]), ["a", "a", "b", "b", "c", "c"]
    codes = np.repeat([0, 1, 2], 2)
    every = np.array([max_min_gap(np.array(order), codes) for order in itertools.permutations(values)])
    observed = max_min_gap(values, codes)
    ours = permutation_null(values, groups, seed=0, resamples=20_000)
    exact = np.mean(every >= observed)
    assert ours.observed == observed
    assert ours.pvalue == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)
    assert ours.mean == pytest.approx(every.mean(), abs=4 * every.std() / math.sqrt(20_000))
    assert ours.bound == np.quantile(every, 0.95, method="higher")


def test_two_groups_are_scipys_permutation_test() -> None:
    a, b = np.random.default_rng(1).normal(loc=[[0], [0.6]], size=(2, 15))
    theirs = scipy.stats.permutation_test(
        (a, b), lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)), alternative="greater", rng=0
    )
    ours = permutation_null(np.r_[a, b], np.repeat([0, 1], 15), seed=0)
    assert ours.pvalue == pytest.approx(theirs.pvalue, abs=8 * math.sqrt(theirs.pvalue / 9999))


@pytest.mark.parametrize("groups", [2, 10])
def test_equal_groups_are_found_unequal_in_alpha_and_by_a_bootstrap_always(groups: int) -> None:
    draws, rng = 1000 if PROVE else 150, np.random.default_rng(2)
    codes = np.repeat(np.arange(groups), 20)
    wrong, fooled = [], []
    for i in range(draws):
        errors = (rng.random(codes.size) < 0.3).astype(float)
        wrong.append(permutation_null(errors, codes, seed=i, resamples=199).pvalue <= 0.05)
        if i < 30:
            interval = bootstrap_interval(
                np.arange(codes.size),
                i,
                lambda rows, axis, e=errors: max_min_gap(e[rows.astype(int)], codes),
                strata=codes,
                method="percentile",
                resamples=399,
            )
            fooled.append(interval.low > 0)
    assert np.mean(wrong) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / draws)
    assert np.mean(fooled) > 0.05 if groups == 2 else all(fooled)


def test_strata_explain_what_they_explain() -> None:
    """Group and stratum go together, and the stratum alone moves the values: within strata there is no gap."""
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1], 100)
    groups = (rng.random(200) < np.where(strata, 0.8, 0.2)).astype(int)
    values = 3.0 * strata + rng.normal(size=200)
    assert permutation_null(values, groups, 0, resamples=999).pvalue == 0.001
    assert permutation_null(values, groups, 0, strata=strata, resamples=999).pvalue > 0.05


def test_the_seed_decides_and_order_of_rows_does_not() -> None:
    rng = np.random.default_rng(4)
    values, groups = rng.normal(size=30), np.repeat(["x", "y", "z"], 10)
    ours, again, other = (permutation_null(values, groups, seed, resamples=500) for seed in (0, 0, 1))
    assert ours == again != other
    order = rng.permutation(30)
    assert permutation_null(values[order], groups[order], 0).observed == pytest.approx(ours.observed)


def test_bad_input_is_refused() -> None:
    for values, groups, more, said in (
        ([1.0, 2.0], [0], {}, "groups need one label"),
        ([1.0, 2.0], [0, 0], {}, "two groups"),
        ([1.0, math.nan], [0, 1], {}, "finite"),
        ([1.0, 2.0], [0, 1], {"strata": [0]}, "strata need one label"),
        ([1.0, 2.0], [0, 1], {"level": 1.0}, "level"),
    ):
        with pytest.raises(ValueError, match=said):
            permutation_null(values, groups, 0, **more)
