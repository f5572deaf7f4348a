"""The corrected resampled t interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from fitlab.stats import corrected_t_interval, t_interval

losses = np.random.default_rng(0).normal(size=10)


def test_it_is_the_formula_of_nadeau_and_bengio() -> None:
    ours = corrected_t_interval(losses, 90, 10, 0.95)
    half = scipy.stats.t.ppf(0.975, 9) * math.sqrt((1 / 10 + 1 / 9) * losses.var(ddof=1))
    assert (ours.low, ours.high) == pytest.approx((losses.mean() - half, losses.mean() + half))
    assert (ours.n, ours.method) == (10, "corrected t")


def test_without_overlap_it_is_the_t_interval_and_with_more_it_is_wider() -> None:
    plain = t_interval(losses)
    none = corrected_t_interval(losses, 10**15, 1)
    assert (none.low, none.high) == pytest.approx((plain.low, plain.high))
    widths = [i.high - i.low for i in (corrected_t_interval(losses, 100, n) for n in (1, 20, 100))]
    assert widths == sorted(widths)


def test_it_assumes_the_correlation_that_it_says() -> None:
    """Equicorrelated losses with rho = n_val/(n_train + n_val): there it covers, the plain interval does not."""
    rng, draws = np.random.default_rng(1), 4000
    shared, own = rng.normal(size=(draws, 1)), rng.normal(size=(draws, 5))
    x = math.sqrt(0.25) * shared + math.sqrt(0.75) * own
    corrected = np.mean([i.low <= 0 <= i.high for i in (corrected_t_interval(row, 75, 25) for row in x)])
    plain = np.mean([i.low <= 0 <= i.high for i in map(t_interval, x)])
    assert abs(corrected - 0.90) <= 4 * math.sqrt(0.09 / draws)
    assert plain < 0.78


def test_bad_input_is_refused() -> None:
    assert math.isnan(corrected_t_interval([1.0], 3, 1).low)
    with pytest.raises(ValueError, match="n_train"):
        corrected_t_interval(losses, 0, 1)
    with pytest.raises(ValueError, match="level"):
        corrected_t_interval(losses, 3, 1, 1.0)
    with pytest.raises(ValueError, match="finite"):
        corrected_t_interval([], 3, 1)
