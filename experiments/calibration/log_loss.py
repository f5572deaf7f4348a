"""Ten families of log-loss: probabilities of the true law are known, risks are integrated under them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.random import Generator
from scipy.special import expit, softmax
from sklearn.tree import DecisionTreeClassifier

from experiments.calibration.problems import Kind, Predict, Problem, epochs_of, still, with_later
from experiments.calibration.squared import Features, gaussian, legendre, nearest, once, scaled, uniform, unit
from fitlab.records import Array, Floats

KIND: Kind = "log_loss"


def problems() -> list[Problem]:
    """Every family under every one of its settings."""
    families = (
        logistic_penalty(),
        logistic_descent(),
        polynomial_logistic(),
        random_features(),
        neighbours(),
        naive_bayes(),
        histogram(),
        tree(),
        discriminant(),
        softmax_descent(),
    )
    return [problem for family in families for problem in family]


def binary(score: Floats) -> Floats:
    """Return the probabilities (N, 2) of log odds (N,)."""
    return np.stack([expit(-score), expit(score)], axis=-1)


def logit(weights: Floats, features: Features = lambda X: X) -> Predict:
    """A logistic model of features; weights: (D,)."""
    return lambda X, which: still(binary(features(X) @ weights))[which]


def newton_path(X: Floats, y: Array, penalties: Sequence[float], free: int = 0) -> list[Floats]:
    """Return the weights of logistic regression for falling penalties, each begun at the one before.

    Minimises the summed log-loss + penalty / 2 · |w|², the first ``free`` weights being unpenalised, by Newton steps.
    """
    w = np.zeros(X.shape[1])
    path = []
    for penalty in penalties:
        weight = np.full(len(w), penalty)
        weight[:free] = 1e-6
        for _ in range(30):
            p = expit(X @ w)
            hessian = (X.T * (p * (1 - p))) @ X + np.diag(weight)
            step = np.linalg.solve(hessian, X.T @ (p - y) + weight * w)
            w = w - step * min(1.0, 5 / (np.abs(X @ step).max() + 1e-300))
            if np.abs(step).max() < 1e-8:
                break
        path.append(w)
    return path


def logistic_penalty() -> Iterator[Problem]:
    """Logistic regression along its penalty; the last settings are pure noise."""
    penalties = (1e5, 300, 30, 5, 0.5, 0.02, 1e-4)
    for n, signal in product((60, 200), (1.5, 4.0, 0.0)):
        yield Problem(
            "logistic, penalty",
            KIND,
            n,
            n // 2,
            inputs=gaussian(20),
            law=partial(lambda signal, X: binary(X @ unit(20, signal)), signal),
            learn=lambda X, y, rng: [logit(w) for w in newton_path(X, y, penalties)],
        )


def logistic_descent() -> Iterator[Problem]:
    """Logistic regression by gradient descent, measured along its epochs."""
    D = 30
    longest = (2, 8, 30, 100, 300, 1000)

    for n, signal in product((60, 150), (1.0, 3.0, 0.0)):
        yield Problem(
            "logistic, epochs",
            KIND,
            n,
            n // 2,
            inputs=scaled(D),
            law=partial(lambda signal, X: binary(X @ unit(D, signal)), signal),
            learn=descended(longest, 0.3, 2),
            epochs=epochs_of(longest),
            axis="epochs",
        )


def descended(longest: Sequence[int], rate: float, K: int) -> Callable[[Floats, Array, Generator], list[Predict]]:
    """Softmax regression by gradient descent from zero: one path, on which each Config ends at its epoch."""
    epochs = [with_later(times) for times in epochs_of(longest)]
    kept = np.unique(np.concatenate(epochs))
    places = [np.searchsorted(kept, times) for times in epochs]

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        hot = np.eye(K)[y]
        w = np.zeros((X.shape[1], K))
        path = np.empty((len(kept), *w.shape))
        at = 0
        for t in range(int(kept[-1]) + 1):
            if t == kept[at]:
                path[at] = w
                at += 1
            scores = X @ w
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            w = w - rate / len(X) * (X.T @ (p - hot))
        return [along(path, place) for place in places]

    def along(path: Floats, place: Array) -> Predict:
        return lambda X, which: softmax(X @ path[place[which]], axis=-1)

    return learn


def wave(X: Floats, height: float) -> Floats:
    """Two classes whose odds go up and down over one input."""
    return binary(height * np.sin(2.5 * np.pi * X[:, 0]))


def polynomial_logistic() -> Iterator[Problem]:
    """Logistic regression on polynomials of rising degree, hardly penalised."""
    degrees = (0, 1, 3, 5, 8, 12, 18)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [logit(newton_path(legendre(d)(X), y, (1e-3,), free=1)[0], legendre(d)) for d in degrees]

    for n, height in product((80, 250), (1.0, 4.0)):
        yield Problem(
            "polynomial logistic, degree",
            KIND,
            n,
            n // 2,
            inputs=uniform,
            law=partial(wave, height=height),
            learn=learn,
        )


def random_features() -> Iterator[Problem]:
    """Logistic regression on a rising number of random ReLU features, drawn anew by each seed."""
    counts = (1, 4, 10, 25, 60, 150)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        drawn = rng.standard_normal((X.shape[1] + 1, counts[-1]))

        def first(H: int) -> Features:
            return lambda Z: np.c_[np.ones(len(Z)), np.maximum(np.c_[Z, np.ones(len(Z))] @ drawn[:, :H], 0)]

        return [logit(newton_path(first(H)(X), y, (1e-2,), free=1)[0], first(H)) for H in counts]

    for n, height in ((100, 2.0), (250, 2.0), (250, 6.0)):
        yield Problem(
            "random ReLU features, logistic",
            KIND,
            n,
            n // 2,
            inputs=gaussian(2),
            law=partial(lambda height, X: binary(height * np.tanh(2 * X[:, 0] * X[:, 1])), height),
            learn=learn,
        )


def smoothed(counts: Array, alpha: float) -> Floats:
    """Return the shares of classes (…, K) with ``alpha`` added to every count."""
    return np.asarray((counts + alpha) / (counts + alpha).sum(axis=-1, keepdims=True))


def neighbours() -> Iterator[Problem]:
    """Smoothed votes of the k nearest; the last setting is pure noise."""
    counts = (120, 60, 30, 12, 5, 2, 1)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        votes = once(lambda Z: np.eye(2)[y[nearest(X, Z)]].cumsum(axis=1))

        def of(k: int) -> Predict:
            return lambda Z, which: still(smoothed(votes(Z)[:, k - 1], 0.05))[which]

        return [of(k) for k in counts]

    for height in (1.0, 4.0, 0.0):
        yield Problem(
            "nearest neighbours, votes",
            KIND,
            120,
            80,
            inputs=uniform,
            law=partial(wave, height=height),
            learn=learn,
        )


def naive_bayes() -> Iterator[Problem]:
    """Naive Bayes on inputs cut into ever finer bins of equal width, hardly smoothed."""
    bins = (1, 2, 4, 8, 20, 60)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [cut(X, y, B) for B in bins]

    def cut(X: Floats, y: Array, B: int) -> Predict:
        def place(Z: Floats) -> Array:
            return np.asarray(((Z.clip(-2.5, 2.499) + 2.5) / 5 * B).astype(int))

        D = X.shape[1]
        counts = np.zeros((2, D, B))
        np.add.at(counts, (y[:, None], np.arange(D)[None], place(X)), 1)
        inside = np.log(smoothed(counts, 0.1))
        prior = np.log(smoothed(np.bincount(y, minlength=2).astype(float), 0.5))

        def predict(Z: Floats, which: slice) -> Floats:
            said = prior + inside[:, np.arange(D)[None], place(Z)].sum(axis=-1).T  # (N, 2)
            return still(softmax(said, axis=1))[which]

        return predict

    for n, distance in ((80, 0.5), (300, 0.5), (300, 1.0), (80, 0.0)):
        yield Problem(
            "naive Bayes, bins",
            KIND,
            n,
            100,
            inputs=mixture(6, distance),
            law=partial(lambda distance, X: binary(2 * distance * X.sum(axis=1)), distance),
            learn=learn,
        )


def mixture(dimension: int, distance: float) -> Callable[[Generator, int], Floats]:
    """Two classes around ±distance in every coordinate, N(0, 1) each, half and half."""
    return lambda rng, rows: rng.standard_normal((rows, dimension)) + rng.choice([-distance, distance], (rows, 1))


def histogram() -> Iterator[Problem]:
    """Smoothed shares in the cells of ever finer squares; the last setting is pure noise."""
    sides = (1, 2, 4, 7, 12, 25)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [celled(X, y, B) for B in sides]

    def celled(X: Floats, y: Array, B: int) -> Predict:
        def place(Z: Floats) -> Array:
            cut = (Z * B).astype(int)
            return np.asarray(cut[:, 0] * B + cut[:, 1])

        counts = np.bincount(place(X) * 2 + y, minlength=2 * B * B).reshape(-1, 2)
        shares = smoothed(counts, 0.05)
        return lambda Z, which: still(shares[place(Z)])[which]

    for n, height in ((150, 2.0), (600, 2.0), (600, 5.0), (150, 0.0)):
        yield Problem(
            "histogram, cells",
            KIND,
            n,
            n // 2,
            inputs=lambda rng, rows: rng.random((rows, 2)),
            law=partial(
                lambda height, X: binary(height * np.sin(2 * np.pi * X[:, 0]) * np.sin(2 * np.pi * X[:, 1])), height
            ),
            learn=learn,
        )


def tree() -> Iterator[Problem]:
    """Classification trees of rising depth, hardly smoothed; the last setting is pure noise."""
    depths = (0, 1, 2, 3, 5, 8, 14)

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        return [grown(X, y, depth) for depth in depths]

    def grown(X: Floats, y: Array, depth: int) -> Predict:
        if depth == 0:
            shares = smoothed(np.bincount(y, minlength=2).astype(float), 0.1)
            return lambda Z, which: still(np.tile(shares, (len(Z), 1)))[which]
        fitted = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
        leaf = fitted.apply(X)
        counts = np.zeros((fitted.tree_.node_count, 2))
        np.add.at(counts, (leaf, y), 1)
        shares = smoothed(counts, 0.1)
        return lambda Z, which: still(shares[fitted.apply(Z)])[which]

    for n, height in ((150, 1.5), (400, 1.5), (400, 4.0), (150, 0.0)):
        yield Problem(
            "tree depth, classes",
            KIND,
            n,
            n // 2,
            inputs=gaussian(3),
            law=partial(
                lambda height, X: binary(height * np.sign(np.sin(2 * X[:, 0])) * np.sign(X[:, 1] + 0.5)), height
            ),
            learn=learn,
        )


def discriminant() -> Iterator[Problem]:
    """Quadratic discriminant analysis, its covariances shrunk less and less to the same multiple of the identity."""
    K, D = 3, 8
    shrinkages = (1.0, 0.7, 0.4, 0.15, 0.05, 0.01, 0.001)
    turns = [np.linalg.qr(np.random.default_rng(k).standard_normal((D, D)))[0] for k in range(K)]
    spreads = np.geomspace(0.3, 3, D)
    middles = np.random.default_rng(9).standard_normal((K, D))

    def densities(X: Floats, distance: float) -> Floats:
        scaled = [(X - distance * middles[k]) @ turns[k] / np.sqrt(spreads) for k in range(K)]
        return np.stack([-0.5 * np.square(z).sum(axis=1) for z in scaled], axis=1)

    def inputs(rng: Generator, rows: int, distance: float) -> Floats:
        of = rng.integers(K, size=rows)
        z = rng.standard_normal((rows, D)) * np.sqrt(spreads)
        return np.stack([distance * middles[k] + turns[k] @ row for k, row in zip(of, z, strict=True)])

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        means = np.stack([X[y == k].mean(axis=0) for k in range(K)])
        covariances = np.stack([np.cov(X[y == k].T) for k in range(K)])
        sphere = np.eye(D) * np.trace(covariances, axis1=1, axis2=2).mean() / D
        prior = np.log(np.bincount(y, minlength=K) / len(y))
        return [shrunk(means, (1 - s) * covariances + s * sphere, prior) for s in shrinkages]

    def shrunk(means: Floats, covariances: Floats, prior: Floats) -> Predict:
        inverses, volumes = np.linalg.inv(covariances), np.linalg.slogdet(covariances)[1]

        def predict(X: Floats, which: slice) -> Floats:
            away = X[:, None] - means  # (N, K, D)
            distance = np.einsum("nkd,kde,nke->nk", away, inverses, away)
            return still(softmax(prior - 0.5 * (distance + volumes), axis=1))[which]

        return predict

    for n, distance in ((60, 0.7), (150, 0.7), (150, 0.0)):
        yield Problem(
            "discriminant, shrinkage",
            KIND,
            n,
            80,
            inputs=partial(lambda distance, rng, rows: inputs(rng, rows, distance), distance),
            law=partial(lambda distance, X: softmax(densities(X, distance), axis=1), distance),
            learn=learn,
        )


def softmax_descent() -> Iterator[Problem]:
    """Softmax regression on ten noisy prototypes, as digits are, along its epochs; some labels are drawn at random."""
    K, D = 10, 25
    prototypes = np.random.default_rng(3).standard_normal((K, D))
    longest = (2, 10, 50, 250, 1000)

    def law(X: Floats, spread: float, noise: float) -> Floats:
        near = -0.5 * np.square(X[:, None] - prototypes).sum(axis=-1) / spread**2
        return np.asarray((1 - noise) * softmax(near, axis=1) + noise / K)

    for n, spread, noise in ((150, 1.5, 0.1), (300, 1.5, 0.4), (150, 3.0, 0.0)):
        yield Problem(
            "softmax, epochs",
            KIND,
            n,
            n // 2,
            inputs=partial(
                lambda spread, rng, rows: (
                    prototypes[rng.integers(K, size=rows)] + spread * rng.standard_normal((rows, D))
                ),
                spread,
            ),
            law=partial(lambda spread, noise, X: law(X, spread, noise), spread, noise),
            learn=descended(longest, 0.2, K),
            epochs=epochs_of(longest),
            axis="epochs",
        )
