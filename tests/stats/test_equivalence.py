"""Equivalence: the two tests, the interval that decides, and how often it is wrong at the margin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st

from fitlab.stats import equivalence_test, non_inferior, t_bound, t_interval

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.floats(0.01, 3), st.floats(0.01, 0.4))
def test_it_is_two_one_sided_tests_and_it_is_the_interval(seed: int, margin: float, alpha: float) -> None:
    d = np.random.default_rng(seed).normal(size=5)
    result = equivalence_test(d, margin, alpha)
    above = scipy.stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    below = scipy.stats.ttest_1samp(d, margin, alternative="less").pvalue
    assert result.pvalue == pytest.approx(max(above, below), rel=1e-9)
    assert result.interval == t_interval(d, 1 - 2 * alpha)
    assert result.equivalent == (-margin < result.interval.low and result.interval.high < margin)


@pytest.mark.parametrize("count", [3, 5, 10])
def test_a_difference_at_the_margin_passes_in_no_more_than_alpha(count: int) -> None:
    draws = 20_000 if PROVE else 3000
    x = np.random.default_rng(count).normal(loc=2.0, size=(draws, count))
    passed = np.mean([equivalence_test(row, 2.0).equivalent for row in x])
    assert passed <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / draws)


def test_not_significant_is_not_equivalent() -> None:
    wide, narrow = [-2.0, 1.0, 2.0], [-0.02, 0.01, 0.02]
    assert scipy.stats.ttest_1samp(wide, 0).pvalue > 0.5
    assert not equivalence_test(wide, 1.0).equivalent
    assert equivalence_test(narrow, 1.0).equivalent
    assert equivalence_test([0.5, 0.5], 1.0).pvalue == 0
    assert equivalence_test([1.5, 1.5], 1.0).pvalue == 1


@given(seeds, st.floats(-1, 2))
def test_non_inferiority_is_a_one_sided_bound(seed: int, margin: float) -> None:
    d = np.random.default_rng(seed).normal(size=4)
    shown = scipy.stats.ttest_1samp(d, margin, alternative="less").pvalue < 0.05
    assert non_inferior(t_interval(d, 0.90), margin) == shown == non_inferior(t_bound(d, "upper", 0.95), margin)
    assert not non_inferior(t_interval([0.0]), 1e9)


def test_bad_input_is_refused() -> None:
    for margin in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="margin"):
            equivalence_test([1.0, 2.0], margin)
    for alpha in (0, 0.5):
        with pytest.raises(ValueError, match="alpha"):
            equivalence_test([1.0, 2.0], 1.0, alpha)
    with pytest.raises(ValueError, match="two seeds"):
        equivalence_test([1.0], 1.0)
    with pytest.raises(ValueError, match="finite"):
        equivalence_test([1.0, math.nan], 1.0)
