"""Small models on fresh draws: losses of two fixed Configs, paired within seeds, thousands of seeds at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Floats = np.ndarray
Family = Callable[[np.random.Generator, int], tuple[Floats, Floats]]  # (rng, S) -> two times (S,) losses


def ridge(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Squared error of ridge regression, alpha .1 and 50: 10 features, 40 samples to train, 40 to validate."""
    X, noise = rng.standard_normal((seeds, 80, 10)), rng.standard_normal((seeds, 80))
    y = X.sum(axis=2) / np.sqrt(10) + noise

    def loss(alpha: float) -> Floats:
        A, b = X[:, :40], y[:, :40]
        w = np.linalg.solve(A.mT @ A + alpha * np.eye(10), A.mT @ b[..., None])
        return np.mean((y[:, 40:] - (X[:, 40:] @ w)[..., 0]) ** 2, axis=1)

    return loss(0.1), loss(50.0)


def neighbours(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Squared error of 1 and 10 nearest neighbours on sin 4x, sigma .3: 50 samples to train, 50 to validate."""
    x = rng.random((seeds, 100)) * 2
    y = np.sin(4 * x) + 0.3 * rng.standard_normal((seeds, 100))
    nearest = np.argsort(np.abs(x[:, 50:, None] - x[:, None, :50]), axis=2)[:, :, :10]
    target = np.take_along_axis(y[:, None, :50], nearest, axis=2)
    return tuple(np.mean((y[:, 50:] - target[:, :, :k].mean(axis=2)) ** 2, axis=1) for k in (1, 10))


def logistic(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Log-loss of logistic regression, penalty .3 and 30: 5 features, 60 samples to train, 60 to validate."""
    X = rng.standard_normal((seeds, 120, 5))
    y = (rng.random((seeds, 120)) < 1 / (1 + np.exp(-X[..., 0] - X[..., 1]))).astype(float)

    def loss(alpha: float) -> Floats:
        A, b, w = X[:, :60], y[:, :60], np.zeros((seeds, 5, 1))
        for _ in range(8):  # Newton
            p = 1 / (1 + np.exp(-(A @ w)))
            gradient = A.mT @ (p - b[..., None]) + alpha * w
            w = w - np.linalg.solve(A.mT @ (A * p * (1 - p)) + alpha * np.eye(5), gradient)
        score = (X[:, 60:] @ w)[..., 0]
        return np.mean(np.logaddexp(0, score) - y[:, 60:] * score, axis=1)

    return loss(0.3), loss(30.0)


def polynomial(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Squared error of polynomials of degree 1 and 4 on cos 1.5 pi x, sigma .1: 30 samples to train, 30 to validate."""
    x = rng.random((seeds, 60))
    y = np.cos(1.5 * np.pi * x) + 0.1 * rng.standard_normal((seeds, 60))

    def loss(degree: int) -> Floats:
        X = np.polynomial.legendre.legvander(2 * x - 1, degree)
        A, b = X[:, :30], y[:, :30]
        w = np.linalg.solve(A.mT @ A, A.mT @ b[..., None])
        return np.mean((y[:, 30:] - (X[:, 30:] @ w)[..., 0]) ** 2, axis=1)

    return loss(1), loss(4)


FRESH: dict[str, Family] = {"ridge": ridge, "neighbours": neighbours, "logistic": logistic}


def drawn(family: Family, seed: int, seeds: int) -> dict[str, Floats]:
    """Losses of both Configs and their difference, (S,) each, a few thousand seeds at a time."""
    rng = np.random.default_rng(seed)
    a, b = (np.concatenate(parts) for parts in zip(*[family(rng, 2000) for _ in range(seeds // 2000)], strict=True))
    return {"one Config": a, "the other": b, "their difference": a - b}
