"""Laws of loss against sample size: exact forms are found, intervals cover where the form is true."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from fitlab.stats import Law, extrapolation, fitted_laws

SIZES = np.array([15, 20, 25, 35, 50, 70, 100])


def risk(n: float, p: int = 10, sigma: float = 1.0) -> float:
    """Return the risk of least squares on Gaussian features: exactly pow4, and exactly MMF."""
    return sigma**2 * (1 + p / (n - p - 1))


def measured(rng: np.random.Generator, seeds: int, p: int = 10, n_val: int = 1000) -> np.ndarray:
    """Return validation losses (S, P) of least squares on nested samples."""
    table = np.empty((seeds, len(SIZES)))
    for row in table:
        X, V = rng.standard_normal((SIZES[-1], p)), rng.standard_normal((n_val, p))
        y, noise = X.sum(axis=1) + rng.standard_normal(len(X)), rng.standard_normal(n_val)
        for j, n in enumerate(SIZES):
            w = np.linalg.lstsq(X[:n], y[:n], rcond=None)[0]
            row[j] = np.mean((V.sum(axis=1) + noise - V @ w) ** 2)
    return table


@pytest.mark.parametrize("law", ["pow4", "mmf"])
@given(p=st.integers(2, 12), sigma=st.floats(0.1, 10))
def test_an_exact_law_is_found_and_its_inverse_is_its_inverse(law: Law, p: int, sigma: float) -> None:
    exact = np.array([risk(n, p, sigma) for n in SIZES])
    found = fitted_laws(SIZES, exact[None], np.ones(len(SIZES)), law)
    assert found.at(np.array([400, 1000]))[0] == pytest.approx([risk(400, p, sigma), risk(1000, p, sigma)], rel=1e-3)
    assert found.a[0] == pytest.approx(sigma**2, rel=2e-3)
    loss = risk(200, p, sigma)
    assert found.needed(loss)[0] == pytest.approx(200, rel=0.03)
    assert found.at(found.needed(loss))[0, 0] == pytest.approx(loss, rel=1e-9)
    assert np.isinf(found.needed(0.99 * found.a[0])[0])


@pytest.mark.parametrize("law", ["pow4", "mmf", "pow3"])
def test_no_optimiser_finds_a_better_fit(law: Law) -> None:
    rng = np.random.default_rng(2)
    table = measured(rng, 6)
    weights = 1 / table.var(axis=0)
    share, ratio = weights / weights.sum(), SIZES / SIZES[0]
    found = fitted_laws(SIZES, table, weights, law)
    assert found.residual == pytest.approx((share * (found.at(SIZES) - table) ** 2).sum(axis=1), rel=1e-6)

    def left(theta: np.ndarray, y: np.ndarray) -> np.ndarray:
        a, b, u, d = theta
        g = u / (ratio**d - 1 + u) if law == "mmf" else ((ratio - 1 + u) / u) ** -d
        return np.sqrt(share) * (a + b * g - y)

    shape = (1 - 1e-12, 1 + 1e-12) if law == "pow3" else (0.01, 10)
    for y, ours in zip(table, found.residual, strict=True):
        bounds = ([0, 0, shape[0], 0.1], [np.inf, np.inf, shape[1], 4])
        starts = [[0.5, 1, 1, 1], [1, 2, 1, 2], [0.9, 5, 1, 0.5]]
        theirs = min(2 * least_squares(left, start, bounds=bounds, args=(y,)).cost for start in starts)
        assert ours <= theirs * 1.01


def test_the_interval_covers_the_risk_at_four_times_the_largest_size() -> None:
    """Issue 7: pow4 in at least 90 of 100 repetitions; the last value alone is wrong in nearly all."""
    times, least = (100, 90) if PROVE else (20, 17)
    rng, hits, last = np.random.default_rng(11), 0, 0
    for seed in range(times):
        table = measured(rng, 10)
        found = extrapolation(SIZES, table, "pow4", seed=seed, resamples=399).at(4 * SIZES[-1])
        hits += found.low <= risk(400) <= found.high
        mean, error = table[:, -1].mean(), table[:, -1].std(ddof=1) / np.sqrt(10)
        last += abs(mean - risk(400)) < 2.26 * error
    assert hits >= least
    assert last < hits / 2


def test_three_parameters_are_sure_of_something_wrong() -> None:
    """SCIENCE 3: pow3 has no shift, so that it misses what pow4 covers."""
    table = measured(np.random.default_rng(4), 100, n_val=10_000)
    four, three = (extrapolation(SIZES, table, law).at(400) for law in ("pow4", "pow3"))
    assert four.low <= risk(400) <= four.high
    assert not three.low <= risk(400) <= three.high


def test_the_same_seed_gives_the_same_interval_and_one_row_none() -> None:
    table = measured(np.random.default_rng(0), 5)
    one, again, other = (extrapolation(SIZES, table, seed=seed, resamples=99).at(400) for seed in (0, 0, 1))
    assert one == again != other
    single = extrapolation(SIZES, table[:1])
    assert np.isnan(single.at(400).low)
    assert single.at(400).n == 1


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="pow4 has 4 parameters: it takes 5 sizes or more, got 4"):
        extrapolation([1, 2, 3, 4], np.ones((2, 4)))
    with pytest.raises(ValueError, match="distinct and positive"):
        extrapolation([1, 2, 2, 4, 5], np.ones((2, 5)))
    with pytest.raises(ValueError, match="a row a seed"):
        extrapolation([1, 2, 3, 4, 5], np.ones(5))
