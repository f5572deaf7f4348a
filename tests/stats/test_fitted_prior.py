"""Smyth's prior: found again where it is the truth, and its two ends."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import polygamma

from fitlab.stats import fitted_prior, moderated_half_widths
from fitlab.stats.fitted_prior import _inverse_trigamma


def sweep(rng: np.random.Generator, rows: int, seeds: int, v0: float, d0: float) -> np.ndarray:
    """Values whose variances follow the prior's law: v₀·d₀/chi²(d₀)."""
    return np.sqrt(v0 * d0 / rng.chisquare(d0, (rows, 1))) * rng.normal(size=(rows, seeds))


@pytest.mark.parametrize("d0", [1.0, 4.0, 15.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_truth_is_found_again(d0: float, seeds: int) -> None:
    values = sweep(np.random.default_rng(0), 200_000, seeds, 2.5, d0)
    values[::3, -1] = np.nan  # some seeds are missing
    assert fitted_prior(values) == pytest.approx((2.5, d0), rel=0.06)


def test_equal_variances_are_trusted_wholly() -> None:
    v0, d0 = fitted_prior(3 * np.random.default_rng(1).normal(size=(50, 5)))
    assert (v0, d0) == (pytest.approx(9, rel=0.2), 10_000)


def test_the_more_unlike_the_less_trust_and_two_rows_are_no_sweep() -> None:
    noise, spread = np.random.default_rng(2).normal(size=(40, 5)), np.random.default_rng(3).normal(size=(40, 1))
    trust = [fitted_prior(np.exp(scale * spread) * noise)[1] for scale in (0.3, 1, 3, 10)]
    assert trust == sorted(trust, reverse=True)
    few = noise[:4].copy()
    few[2], few[3] = np.nan, 7.0
    v0, d0 = fitted_prior(few)
    assert (np.isnan(v0), d0) == (True, 0)
    assert moderated_half_widths(few, 0.9, d0, v0)[:2] == pytest.approx(moderated_half_widths(few[:2], 0.9, 0))


@given(st.floats(0.005, 5000))
def test_trigamma_is_inverted(y: float) -> None:
    assert _inverse_trigamma(float(polygamma(1, y))) == pytest.approx(y, rel=1e-9)


@pytest.mark.parametrize("d0", [2.0, 4.0])
def test_moderated_intervals_cover_on_average_with_the_prior_known_or_fitted(d0: float) -> None:
    rng, draws, rows = np.random.default_rng(4), 4000 if PROVE else 400, 20
    known, fitted = [], []
    for _ in range(draws):
        values = sweep(rng, rows, 5, 1.0, d0)
        v, d = fitted_prior(values)
        off = np.abs(values.mean(axis=1))
        known.append(off <= moderated_half_widths(values, 0.9, d0, 1.0))
        fitted.append(off <= moderated_half_widths(values, 0.9, d, v))
    error = np.sqrt(0.09 / (draws * rows))
    assert abs(np.mean(known) - 0.90) <= 4 * error
    assert abs(np.mean(fitted) - 0.90) <= 0.015 + 4 * error  # two numbers are estimated from 20 rows


def test_the_noisiest_quarter_is_covered_less_and_a_fitted_prior_helps() -> None:
    """Log variances with a standard deviation of 2, five seeds: what the docstring of fitted_prior says."""
    rng, draws = np.random.default_rng(5), 4000 if PROVE else 400
    hits: dict[str, list[np.ndarray]] = {"t": [], "median": [], "fitted": []}
    for _ in range(draws):
        noise = np.sort(np.exp(rng.normal(size=(20, 1))), axis=0)
        values = noise * rng.normal(size=(20, 5))
        v0, d0 = fitted_prior(values)
        for name, more in (("t", (0,)), ("median", (4,)), ("fitted", (d0, v0))):
            hits[name].append(np.abs(values.mean(axis=1)) <= moderated_half_widths(values, 0.9, *more))
    for name, noisiest in (("t", 0.90), ("median", 0.78), ("fitted", 0.85)):
        assert abs(np.mean(hits[name]) - 0.90) < 0.02
        assert abs(np.mean([row[-5:] for row in hits[name]]) - noisiest) < 0.005 + 4 * np.sqrt(0.16 / (5 * draws))
