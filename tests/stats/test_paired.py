"""Paired tests against scipy, by counting, and by how often they are wrong."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st

from fitlab.stats import paired_t_interval, paired_t_test, sign_flip_test

ALTERNATIVES = ("two-sided", "less", "greater")
numbers = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=10)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_the_t_test_is_scipys(alternative: str) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    theirs = scipy.stats.ttest_rel(a, b, alternative=alternative)
    ours = paired_t_test(a, b, alternative)
    assert (ours.statistic, ours.pvalue, ours.n) == pytest.approx((theirs.statistic, theirs.pvalue, 7))


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 0.99))
def test_the_test_rejects_where_the_interval_excludes_0(seed: int, level: float) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 4))
    interval = paired_t_interval(a, b, level)
    assert (paired_t_test(a, b).pvalue < 1 - level) == (not interval.low <= 0 <= interval.high)


@given(numbers, st.sampled_from(ALTERNATIVES))
def test_the_sign_flip_test_counts_all_patterns_of_signs(pairs: list[tuple[float, float]], alternative: str) -> None:
    a, b = np.round(np.array(pairs).T)  # whole numbers: ties are ties
    flipped = [np.dot(signs, a - b) for signs in itertools.product((1, -1), repeat=len(a))]
    observed = (a - b).sum()
    less, greater = np.mean(np.array(flipped) <= observed), np.mean(np.array(flipped) >= observed)
    expected = {"less": less, "greater": greater, "two-sided": min(1, 2 * min(less, greater))}[alternative]
    ours = sign_flip_test(a, b, 0, alternative)
    assert ours.pvalue == pytest.approx(expected)
    assert (ours.n, ours.method) == (len(a), "exact sign-flip")


@pytest.mark.parametrize("seeds", [3, 5, 6])
def test_no_two_sided_p_value_is_below_what_the_seeds_allow(seeds: int) -> None:
    assert sign_flip_test(np.arange(1, seeds + 1), np.zeros(seeds), 0).pvalue == pytest.approx(2 / 2**seeds)


def test_drawn_signs_are_near_the_exact_ones_and_follow_the_seed() -> None:
    a = np.random.default_rng(3).normal(0.4, size=15)
    ours, again, other = (sign_flip_test(a, np.zeros(15), seed) for seed in (0, 0, 1))
    signs = np.array(list(itertools.product((1, -1), repeat=15)))
    exact = np.mean(np.abs(signs @ a) >= abs(a.sum()) - 1e-12)
    assert "drawn" in ours.method
    assert abs(ours.pvalue - exact) <= 2 * 4 * math.sqrt(exact * (1 - exact) / 9999) + 2 / 9999
    assert ours == again != other


@pytest.mark.parametrize("test", [paired_t_test, lambda a, b: sign_flip_test(a, b, 0)], ids=["t", "signs"])
def test_equal_configs_are_told_apart_no_more_often_than_alpha(test) -> None:
    draws = 4000 if PROVE else 300
    x = np.random.default_rng(4).normal(size=(draws, 2, 7))
    rejected = np.mean([test(*pair).pvalue <= 0.05 for pair in x])
    assert rejected <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / draws)


def test_what_never_varies_is_certain() -> None:
    zeros, ones = np.zeros(3), np.ones(3)
    assert paired_t_test(zeros, zeros).pvalue == 1
    assert [paired_t_test(ones, zeros, a).pvalue for a in ALTERNATIVES] == [0, 1, 0]
    assert paired_t_test(zeros, ones).statistic == -math.inf


@pytest.mark.parametrize("test", [paired_t_test, lambda a, b, *c: sign_flip_test(a, b, 0, *c)], ids=["t", "signs"])
def test_bad_input_is_refused(test) -> None:
    for a, b, said in (([1.0], [2.0], "two seeds"), ([1.0, math.nan], [2.0, 1.0], "two seeds"), ([1.0], [], "same")):
        with pytest.raises(ValueError, match=said):
            test(a, b)
    with pytest.raises(ValueError, match="alternative"):
        test([1.0, 2.0], [2.0, 1.0], "more")
