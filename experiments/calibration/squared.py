"""Ten families of squared error: the truth in closed form given the training draw, or by integrating over inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.random import Generator
from sklearn.tree import DecisionTreeRegressor

from experiments.calibration.problems import Kind, Predict, Problem, epochs_of, still, with_later
from fitlab.records import Array, Floats

Features = Callable[[Floats], Floats]
KIND: Kind = "squared_error"


def problems() -> list[Problem]:
    """Every family under every one of its settings."""
    families = (
        ridge_fixed(),
        ridge_random(),
        polynomial(),
        neighbours(),
        minimum_norm(),
        random_features(),
        gradient_descent(),
        tree(),
        regressogram(),
        kernel_ridge(),
    )
    return [problem for family in families for problem in family]


def gaussian(dimension: int) -> Callable[[Generator, int], Floats]:
    """Standard normal inputs."""
    return lambda rng, rows: rng.standard_normal((rows, dimension))


def uniform(rng: Generator, rows: int) -> Floats:
    """One input, uniform on [0, 1]."""
    return rng.random((rows, 1))


def linear(weights: Floats, features: Features = lambda X: X, middle: float = 0.0) -> Predict:
    """A linear model of features; weights: (D,)."""
    return lambda X, which: still(features(X) @ weights + middle)[which]


def unit(dimension: int, length: float = 1.0) -> Floats:
    """A fixed direction with all features in it."""
    return np.full(dimension, float(length / np.sqrt(dimension)))


def least_squares(X: Floats, y: Array, smallest: float | None = None) -> Floats:
    """Return the minimum-norm weights (D,); singular values below ``smallest`` of the largest count as zero."""
    return np.asarray(np.linalg.lstsq(X, y, rcond=smallest)[0], np.float64)


def ridge_path(X: Floats, y: Array, penalties: Sequence[float]) -> Floats:
    """Return ridge's weights (C, D) for every penalty, by one singular value decomposition."""
    U, d, Vt = np.linalg.svd(X, full_matrices=False)
    shrunk = d / (d**2 + np.array(penalties)[:, None]) * (U.T @ y)
    return np.asarray(shrunk @ Vt)


def ridge_fixed() -> Iterator[Problem]:
    """Ridge on a fixed design, validated on the same inputs with fresh noise."""
    X = np.random.default_rng(0).standard_normal((50, 20))
    penalties = (1e5, 1000, 100, 20, 5, 1, 0.01)
    for noise in (0.3, 1.0, 2.0):
        yield Problem(
            "ridge, fixed design",
            KIND,
            50,
            50,
            inputs=lambda rng, rows: X,
            law=lambda X: X @ unit(20),
            learn=lambda X, y, rng: [linear(w) for w in ridge_path(X, y, penalties)],
            noise=noise,
            fixed=True,
        )


def ridge_random() -> Iterator[Problem]:
    """Ridge on Gaussian inputs; the last two settings are pure noise."""
    penalties = (1e5, 1000, 200, 50, 10, 1, 0.01)
    for n, (noise, signal) in product((40, 120), ((0.5, 1.0), (1.5, 1.0), (1.0, 0.0))):
        yield Problem(
            "ridge, random design",
            KIND,
            n,
            n // 2,
            inputs=gaussian(30),
            law=partial(lambda signal, X: X @ unit(30, signal), signal),
            learn=lambda X, y, rng: [linear(w) for w in ridge_path(X, y, penalties)],
            noise=noise,
        )


def legendre(degree: int) -> Features:
    """Legendre polynomials on [0, 1]: (N, 1) -> (N, degree + 1)."""
    return lambda X: np.asarray(np.polynomial.legendre.legvander(2 * X[:, 0] - 1, degree), np.float64)


def polynomial() -> Iterator[Problem]:
    """Least squares on polynomials of rising degree."""
    degrees = (0, 1, 2, 4, 6, 9, 12)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [linear(least_squares(legendre(d)(X), y), legendre(d)) for d in degrees]

    for n, noise in product((30, 80), (0.1, 0.4, 1.0)):
        yield Problem(
            "polynomial degree",
            KIND,
            n,
            n,
            inputs=uniform,
            law=lambda X: np.cos(1.5 * np.pi * X[:, 0]),
            learn=learn,
            noise=noise,
        )


def once(work: Features) -> Features:
    """Remember what was computed for an array, which many Configs ask for."""
    known: dict[int, tuple[Floats, Floats]] = {}  # the array is kept, too: its id stays its own

    def remembered(Z: Floats) -> Floats:
        if id(Z) not in known:
            known[id(Z)] = Z, work(Z)
        return known[id(Z)][1]

    return remembered


def nearest(X: Floats, Z: Floats) -> Array:
    """Return for every row of Z the rows of X, nearest first: (len(Z), N)."""
    return np.asarray(np.square(Z[:, None, :] - X[None]).sum(axis=-1).argsort(axis=1, kind="stable"))


def neighbours() -> Iterator[Problem]:
    """Means over the k nearest; the last setting is pure noise."""
    counts = (100, 50, 20, 10, 5, 2, 1)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        def of(k: int) -> Predict:
            return lambda Z, which: still(sums(Z)[:, k - 1] / k)[which]

        sums = once(lambda Z: y[nearest(X, Z)].cumsum(axis=1))

        return [of(k) for k in counts]

    for noise, signal in ((0.1, 1.0), (0.3, 1.0), (0.8, 1.0), (0.5, 0.0)):
        yield Problem(
            "nearest neighbours",
            KIND,
            100,
            60,
            inputs=uniform,
            law=partial(lambda signal, X: signal * np.sin(4 * np.pi * X[:, 0]), signal),
            learn=learn,
            noise=noise,
        )


def minimum_norm() -> Iterator[Problem]:
    """Minimum-norm least squares on the first p of D features: double descent (Belkin, Hsu & Xu 2020)."""
    D = 200
    weights = 1 / np.arange(1, D + 1)
    weights /= np.linalg.norm(weights)
    counts = (1, 3, 7, 15, 25, 34, 46, 60, 100, 200)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [first(least_squares(X[:, :p], y)) for p in counts]

    def first(w: Floats) -> Predict:
        return linear(w, lambda X: X[:, : len(w)])

    for n, noise in ((40, 0.2), (40, 0.5), (40, 1.0)):
        yield Problem(
            "minimum norm, double descent",
            KIND,
            n,
            40,
            inputs=gaussian(D),
            law=lambda X: X @ weights,
            learn=learn,
            noise=noise,
            descends_twice=True,
        )


def random_features() -> Iterator[Problem]:
    """Minimum-norm least squares on random ReLU features, which each seed draws anew: double descent."""
    counts = (2, 6, 15, 30, 60, 120, 300)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        drawn = rng.standard_normal((X.shape[1] + 1, counts[-1]))

        def features(X: Floats) -> Floats:
            return np.asarray(np.maximum(np.c_[X, np.ones(len(X))] @ drawn, 0) / np.sqrt(X.shape[1]))

        def first(H: int) -> Predict:
            w = least_squares(features(X)[:, :H], y, 1e-6)
            return linear(w, lambda Z: features(Z)[:, :H])

        return [first(H) for H in counts]

    for n, noise in ((60, 0.1), (60, 0.5), (60, 1.0)):
        yield Problem(
            "random ReLU features, double descent",
            KIND,
            n,
            60,
            inputs=gaussian(4),
            law=lambda X: np.tanh(X[:, 0]) + 0.5 * X[:, 1] * (X[:, 2] > 0),
            learn=learn,
            noise=noise,
            descends_twice=True,
        )


def gradient_descent() -> Iterator[Problem]:
    """Least squares by gradient descent, at every epoch in closed form: more epochs fit more; two rates diverge.

    w_t = V (1 - (1 - eta h)^t) / h V'X'y/n for the eigenvalues h of X'X/n; beyond eta = 2 / max h it explodes.
    """
    D = 40
    longest = (2, 8, 30, 100, 400, 2000)
    epochs = (*epochs_of(longest), *epochs_of((30, 300)))

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        U, d, Vt = np.linalg.svd(X, full_matrices=False)
        h = d**2 / len(X)
        slow, fast = 0.2, 2.5 / h.max()

        def at(times: Sequence[int], rate: float) -> Predict:
            grown = 1 - (1 - rate * h) ** with_later(times)[:, None]
            path = grown / d * (U.T @ y) @ Vt  # (P + 1, D)
            return lambda X, which: path[which] @ X.T

        return [at(times, slow if c < len(longest) else fast) for c, times in enumerate(epochs)]

    for n, (noise, signal) in product((60, 150), ((0.3, 1.0), (1.5, 1.0), (1.0, 0.0))):
        yield Problem(
            "gradient descent, epochs",
            KIND,
            n,
            n // 2,
            inputs=scaled(D),
            law=partial(lambda signal, X: X @ unit(D, signal), signal),
            learn=learn,
            noise=noise,
            epochs=epochs,
            axis="epochs",
            diverges=(len(longest), len(longest) + 1),
        )


def scaled(dimension: int) -> Callable[[Generator, int], Floats]:
    """Normal inputs whose standard deviations fall from 1.5 to 0.3: some directions are learnt late."""
    scales = np.geomspace(1.5, 0.3, dimension)
    return lambda rng, rows: rng.standard_normal((rows, dimension)) * scales


def tree() -> Iterator[Problem]:
    """Regression trees of rising depth; the last setting is pure noise."""
    depths = (0, 1, 2, 3, 5, 8, 14)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [grown(X, y, depth) for depth in depths]

    def grown(X: Floats, y: Array, depth: int) -> Predict:
        if depth == 0:
            return lambda Z, which: still(np.full(len(Z), y.mean()))[which]
        fitted = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(X, y)
        return lambda Z, which: still(fitted.predict(Z))[which]

    for noise, signal in ((0.1, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.0)):
        yield Problem(
            "tree depth",
            KIND,
            150,
            80,
            inputs=gaussian(3),
            law=partial(lambda signal, X: signal * (np.sin(2 * X[:, 0]) + (X[:, 1] > 0)), signal),
            learn=learn,
            noise=noise,
        )


def regressogram() -> Iterator[Problem]:
    """Means in equal bins; an empty bin says the mean of all."""
    bins = (1, 2, 4, 8, 16, 40, 100)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [binned(X, y, B) for B in bins]

    def binned(X: Floats, y: Array, B: int) -> Predict:
        place = (X[:, 0] * B).astype(int)
        counts = np.bincount(place, minlength=B)
        means = np.where(counts, np.bincount(place, y, B) / np.maximum(counts, 1), y.mean())
        return lambda Z, which: still(means[(Z[:, 0] * B).astype(int)])[which]

    for n, noise in product((60, 200), (0.1, 0.4, 1.0)):
        yield Problem(
            "regressogram bins",
            KIND,
            n,
            n // 2,
            inputs=uniform,
            law=lambda X: np.sin(2 * np.pi * X[:, 0]) * X[:, 0],
            learn=learn,
            noise=noise,
        )


def kernel_ridge() -> Iterator[Problem]:
    """Ridge in a Gaussian kernel's space."""
    penalties = (1e3, 30, 3, 0.3, 1e-2, 1e-4, 1e-7)

    def gram(A: Floats, B: Floats) -> Floats:
        return np.asarray(np.exp(-2 * np.square(A[:, None] - B[None]).sum(axis=-1)))

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        h, V = np.linalg.eigh(gram(X, X))
        dual = [V @ ((V.T @ (y - y.mean())) / (np.maximum(h, 0) + penalty)) for penalty in penalties]
        return [linear(a, lambda Z: gram(Z, X), float(y.mean())) for a in dual]

    for noise in (0.1, 0.5, 1.5):
        yield Problem(
            "kernel ridge",
            KIND,
            80,
            50,
            inputs=gaussian(2),
            law=lambda X: np.sin(2 * X[:, 0]) + 0.5 * X[:, 1],
            learn=learn,
            noise=noise,
        )
