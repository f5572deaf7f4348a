"""Bias and variance: parts add up, agree with definitions and closed forms, and their intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from fitlab.stats import Decomposition, log_loss_parts, part_interval, squared_error_parts, zero_one_parts

seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(2, 6), st.integers(1, 12), st.integers(2, 4))  # S, N, K


def total(parts: Decomposition) -> np.ndarray:
    """Return the sum of the parts in every cell, with bias and noise apart where they are known."""
    left = parts.bias_and_noise if parts.bias is None else parts.bias + parts.noise
    return left + parts.variance + (0 if parts.interaction is None else parts.interaction)


def simplex(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.dirichlet(np.full(shape[-1], 0.5), size=shape[:-1]) * (1 - 1e-9) + 1e-9 / shape[-1]


def drawn(kind: str, seed: int, shape: tuple[int, int, int], known: str) -> tuple[Decomposition, np.ndarray]:
    """Return the parts of random predictions and what each seed loses at each row, by definition."""
    rng, (s, n, k) = np.random.default_rng(seed), shape
    codes = rng.integers(k, size=n)
    noise = 0.3 if known == "level" else None
    if kind == "squared":
        f, y, truth = (10 * rng.standard_normal(size) + 1e3 for size in ((s, n), n, n))
        return squared_error_parts(f, y, truth if known == "rows" else None, noise), (f - y) ** 2
    if kind == "log":
        p, truth = simplex(rng, s, n, k), simplex(rng, n, k)
        lost = np.array([[-np.log(p[i, j, codes[j]]) for j in range(n)] for i in range(s)])
        return log_loss_parts(p, codes, truth if known == "rows" else None, noise), lost
    f, truth = rng.integers(k, size=(s, n)), rng.integers(k, size=n)
    return zero_one_parts(f, codes, k, truth if known == "rows" else None, noise), (f != codes).astype(float)


@pytest.mark.parametrize("known", ["nothing", "level", "rows"])
@pytest.mark.parametrize("kind", ["squared", "log", "zero-one"])
@given(seed=seeds, shape=shapes)
def test_the_parts_add_up_to_the_measured_error_everywhere(
    kind: str, known: str, seed: int, shape: tuple[int, int, int]
) -> None:
    parts, lost = drawn(kind, seed, shape, known)
    assert parts.error == pytest.approx(lost, rel=1e-12, abs=1e-12)
    assert total(parts) == pytest.approx(lost, rel=1e-9, abs=1e-9)
    assert total(parts).mean() == pytest.approx(lost.mean(), rel=1e-12)
    assert (parts.bias is None) == (parts.noise is None) == (known == "nothing")
    assert parts.variance.mean() >= -1e-12
    assert (parts.interaction is None) == (kind != "zero-one")


@given(seeds, shapes)
def test_squared_error_is_the_textbooks(seed: int, shape: tuple[int, int, int]) -> None:
    s, n, _ = shape
    rng = np.random.default_rng(seed)
    f, y, truth = rng.standard_normal((s, n)), rng.standard_normal(n), rng.standard_normal(n)
    parts = squared_error_parts(f, y, truth)
    variance = f.var(axis=0, ddof=1).mean()
    assert parts.variance.mean() == pytest.approx(variance)
    assert parts.bias_and_noise.mean() == pytest.approx(((f.mean(axis=0) - y) ** 2).mean() - variance / s)
    assert parts.bias.mean() == pytest.approx(((f.mean(axis=0) - truth) ** 2).mean() - variance / s)
    for s_left_out in range(s if s > 2 else 0):  # pseudo-values, by definition
        rest = np.delete(f, s_left_out, axis=0)
        pseudo = s * f.var(axis=0) - (s - 1) * rest.var(axis=0)
        assert parts.variance[s_left_out] == pytest.approx(pseudo)


@given(seeds, shapes)
def test_log_loss_has_the_geometric_mean_as_centre(seed: int, shape: tuple[int, int, int]) -> None:
    s, n, k = shape
    rng = np.random.default_rng(seed)
    p, truth = simplex(rng, s, n, k), simplex(rng, n, k)

    def parts_of(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        q = np.exp(np.log(some).mean(axis=0))
        q /= q.sum(axis=-1, keepdims=True)
        variance = (q * np.log(q / some)).sum(axis=-1).mean(axis=0)
        return variance, (truth * np.log(truth / q)).sum(axis=-1)

    variance, bias = parts_of(p)
    left_out = [parts_of(np.delete(p, i, axis=0)) for i in range(s)]
    parts = log_loss_parts(p, rng.integers(k, size=n), truth)
    for ours, whole, without in zip(
        (parts.variance, parts.bias), (variance, bias), zip(*left_out, strict=True), strict=True
    ):
        corrected = s * whole - (s - 1) * np.mean(without, axis=0)
        assert ours.mean(axis=0) == pytest.approx(corrected, abs=1e-9)
    assert (parts.variance.mean(axis=0) >= variance - 1e-12).all()  # the correction never lowers it


def test_the_correction_makes_log_loss_variance_that_of_many_seeds() -> None:
    rng = np.random.default_rng(1)
    logits = rng.standard_normal((4000, 20, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    y = np.zeros(20, dtype=int)
    many = log_loss_parts(p, y).variance.mean()
    few = np.array([log_loss_parts(p[i : i + 4], y).variance.mean() for i in range(0, 4000, 4)])
    q = np.exp(np.log(p).reshape(1000, 4, 20, 3).mean(axis=1))
    plain = -np.log(q.sum(axis=-1)).mean()
    error = few.std() / np.sqrt(1000)
    assert abs(few.mean() - many) < 0.05 * abs(plain - many) + 4 * error


@given(seeds, shapes)
def test_zero_one_loss_is_domingos(seed: int, shape: tuple[int, int, int]) -> None:
    s, n, k = shape
    rng = np.random.default_rng(seed)
    f, y = rng.integers(k, size=(s, n)), rng.integers(k, size=n)
    parts = zero_one_parts(f, y, k)
    for i in range(n):
        votes = np.bincount(f[:, i], minlength=k)
        mains = np.flatnonzero(votes == votes.max())
        variance = np.mean([(f[:, i] != m).mean() for m in mains])
        net = np.mean([(f[:, i] != m).mean() if m == y[i] else -(f[:, i] == y[i]).mean() for m in mains])
        assert parts.variance[:, i].mean() == pytest.approx(variance)
        assert parts.bias_and_noise[:, i].mean() == pytest.approx(np.mean(mains != y[i]))
        assert (parts.variance + parts.interaction)[:, i].mean() == pytest.approx(net)
        if k == 2 and len(mains) == 1:
            assert parts.interaction[:, i].mean() == pytest.approx(-2 * variance * (mains[0] != y[i]))


@pytest.mark.parametrize(("n", "p", "lam", "sigma"), [(50, 20, 20.0, 1.0), (80, 12, 5.0, 0.5), (30, 25, 30.0, 2.0)])
def test_ridge_of_a_fixed_design_has_the_parts_of_its_closed_form(n: int, p: int, lam: float, sigma: float) -> None:
    X = np.random.default_rng(0).standard_normal((n, p))
    truth = X @ np.full(p, 1 / np.sqrt(p))
    u, d, _ = np.linalg.svd(X, full_matrices=False)
    s = d**2 / (d**2 + lam)
    bias, variance = np.sum(((1 - s) * (u.T @ truth)) ** 2) / n, sigma**2 * np.sum(s**2) / n
    rng, count = np.random.default_rng(5), 200_000 if PROVE else 40_000
    targets = truth + sigma * rng.standard_normal((count, n))
    f = (targets @ (u * s)) @ u.T
    parts = squared_error_parts(f, truth + sigma * rng.standard_normal(n), truth)
    assert parts.bias.mean() == pytest.approx(bias, rel=0.015)
    assert parts.variance.mean() == pytest.approx(variance, rel=0.015)
    if (n, p, lam, sigma) == (50, 20, 20.0, 1.0):
        assert (bias, variance) == pytest.approx((0.079985, 0.171230), abs=1e-6)


@pytest.mark.parametrize("s", [5, 20])
def test_intervals_cover_bias_and_variance_of_all_seeds_and_rows(s: int) -> None:
    """Rows with a bias and a spread of their own, drawn anew each time: both seeds and rows are samples."""
    rng, times = np.random.default_rng(3), 4000 if PROVE else 800
    n, hits = 200, {"bias": 0, "variance": 0, "error": 0}
    true = {"bias": 0.25, "variance": 1.25, "error": 0.25 + 1.25 + 1.0}
    for _ in range(times):
        scale, shift = np.sqrt(rng.exponential(1.25, n)), 0.5 * rng.standard_normal(n)
        f = shift + scale * rng.standard_normal((s, n))
        parts = squared_error_parts(f, rng.standard_normal(n), np.zeros(n))
        for name in hits:
            found = part_interval(getattr(parts, name), 0.90)
            hits[name] += found.low <= true[name] <= found.high
    for name, hit in hits.items():
        assert binom.cdf(hit, times, 0.88) > 1e-4, (name, hit / times)


def test_rows_that_are_all_there_are_add_nothing_and_weights_weigh() -> None:
    table = np.random.default_rng(0).standard_normal((4, 30)) + np.arange(30)
    fixed, both = part_interval(table, rows_drawn=False), part_interval(table)
    assert fixed.high - fixed.low < both.high - both.low
    twice = part_interval(np.repeat(table, 2, axis=1), rows_drawn=False)
    assert (twice.low, twice.high) == pytest.approx((fixed.low, fixed.high))
    weights = np.arange(1.0, 31.0)
    assert part_interval(table, weights=weights).estimate == pytest.approx(
        np.average(table, axis=1, weights=weights).mean()
    )
    assert np.isnan(part_interval(table[:1]).low)


def test_what_cannot_be_decomposed_is_refused() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        squared_error_parts(np.zeros((1, 3)), np.zeros(3))
    with pytest.raises(ValueError, match="do not fit 4 test rows"):
        squared_error_parts(np.zeros((2, 3)), np.zeros(4))
    with pytest.raises(ValueError, match="above 0"):
        log_loss_parts(np.full((2, 3, 2), [0.0, 1.0]), np.zeros(3, int))
