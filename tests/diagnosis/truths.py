"""Families whose truth is known in closed form, trained in a blink, as Candidates under S seeds."""

from __future__ import annotations

import numpy as np

from fitlab.diagnosis import Candidate, Candidates
from fitlab.records import Floats, Outcome

ONCE = np.array([1], dtype=np.int64)


def candidate(train: Floats, val: Floats, epoch: Floats | None = None, **more: object) -> Candidate:
    """A completed Config. train, val: (S, P), or (S,) without an epoch axis."""
    train, val = (np.asarray(x, dtype=np.float64) for x in (train, val))
    if train.ndim == 1:
        train, val, epoch = train[:, None], val[:, None], ONCE
    axis = np.arange(train.shape[1], dtype=np.int64) if epoch is None else np.asarray(epoch, dtype=np.int64)
    return Candidate(axis, train, val, (Outcome.COMPLETED,) * len(train), **more)


def linear(designs: list[Floats], mean: Floats, sigma: float, smooth: list, seeds: int, stream: int) -> Candidates:
    """Fixed design: each Config is a linear smoother H; y and y_val = mean + noise at the same points."""
    rng = np.random.default_rng(stream)
    y, y_val = mean + sigma * rng.standard_normal((2, seeds, len(mean)))
    configs = []
    for c, hat in enumerate(designs):
        fitted = y @ hat.T
        train, val = ((fitted - y) ** 2).mean(axis=1), ((fitted - y_val) ** 2).mean(axis=1)
        configs.append(candidate(train, val, capacity=smooth[c]))
    null = y.mean(axis=1, keepdims=True)
    return Candidates(
        tuple(configs), ((null - y) ** 2).mean(axis=1), ((null - y_val) ** 2).mean(axis=1), "squared_error"
    )


def ridge(seeds: int, stream: int, penalties: tuple[float, ...], axis: bool = False) -> Candidates:
    """Ridge regression on a fixed design, 50 points and 20 features, unit noise: the best penalty is 20."""
    X = np.random.default_rng(0).standard_normal((50, 20))
    hats = [X @ np.linalg.solve(X.T @ X + penalty * np.eye(20), X.T) for penalty in penalties]
    capacity = [-penalty if axis else None for penalty in penalties]
    return linear(hats, X @ np.full(20, 20**-0.5), 1.0, capacity, seeds, stream)


def polynomial(seeds: int, stream: int, degrees: tuple[int, ...], axis: bool = False) -> Candidates:
    """Polynomials at fixed points of cos 1.5πx, noise .1: degree 4 is best, 15 is worse by less than the margin."""
    x = np.random.RandomState(0).rand(30)
    hats = []
    for degree in degrees:
        q = np.linalg.qr(np.polynomial.legendre.legvander(2 * x - 1, degree))[0]
        hats.append(q @ q.T)
    return linear(hats, np.cos(1.5 * np.pi * x), 0.1, [d if axis else None for d in degrees], seeds, stream)


def constant(configs: list[Candidate], null: Floats, kind: str = "log_loss") -> Candidates:
    """Candidates beside a constant predictor. null: (2, S) its training and validation losses."""
    return Candidates(tuple(configs), null[0], null[1], kind)


def bins(seeds: int, stream: int, counts: tuple[int, ...]) -> Candidates:
    """Class frequencies in equal bins of a line of 200 points, P(1) = logistic(3 sin 6x); log-loss."""
    rng = np.random.default_rng(stream)
    x = np.linspace(0, 1, 200, endpoint=False)
    p = 1 / (1 + np.exp(-3 * np.sin(6 * x)))
    y, y_val = (rng.random((2, seeds, len(x))) < p).astype(float)

    def losses(q: Floats) -> tuple[Floats, Floats]:
        return tuple(-np.log(np.where(labels == 1, q, 1 - q)).mean(axis=1) for labels in (y, y_val))

    configs = []
    for count in counts:
        member = np.eye(count)[(x * count).astype(int)]
        share = (y @ member + 0.1) / (member.sum(axis=0) + 0.2)
        configs.append(candidate(*losses(share @ member.T)))
    null = losses(np.repeat(y.mean(axis=1, keepdims=True), len(x), axis=1))
    return constant(configs, np.array(null))
