"""A problem whose truth is known: the law of its data, and learners along an axis from simple to complex.

Letters as everywhere: N samples, D features, K classes, S seeds, C Configs; P measured epochs, R replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fitlab.records import Array, Floats
from fitlab.trainers.measures import CLIP

# Inputs (N, D) and which of the points in time -> outputs, (points, N) values or (points, N, K) probabilities.
Predict = Callable[[Floats, slice], Floats]
Kind = Literal["squared_error", "log_loss"]
MEASURED = slice(None, -1)
LAST = slice(-2, -1)


@dataclass(frozen=True, eq=False)
class Problem:
    """A law of data and C learners, all of them trained on the same rows.

    Each learner gives one output more than it is measured at: the one after twice its epochs, which no rule sees and
    from which the truth knows whether more epochs would help. Without an epoch axis both are the same.
    """

    family: str
    kind: Kind
    n: int  # rows for training
    n_val: int
    inputs: Callable[[Generator, int], Floats]  # rows -> (N, D)
    law: Callable[[Floats], Floats]  # (N, D) -> means (N,), or probabilities of classes (N, K)
    learn: Callable[[Floats, Array, Generator], Sequence[Predict]]  # X (N, D), y (N,) -> one for each of C Configs
    noise: float = 0.0  # standard deviation of y around its mean; of classes the law says it
    epochs: tuple[tuple[int, ...], ...] | None = None  # (C,) of (P_c,): where each Config is measured, beginning at 0
    axis: Literal["capacity", "epochs"] = "capacity"  # what grows from Config to Config
    diverges: tuple[int, ...] = ()  # Configs that theory says diverge
    descends_twice: bool = False  # risk along the axis has two valleys: the side of the best one is not the direction
    fixed: bool = False  # inputs are the same in every draw, for validation as well

    def sample(self, rng: Generator, rows: int) -> tuple[Floats, Array]:
        """Draw X (N, D) and y (N,)."""
        X = self.inputs(rng, rows)
        return X, self.targets(rng, X)

    def targets(self, rng: Generator, X: Floats) -> Array:
        """Draw y (N,) for given inputs."""
        law = self.law(X)
        if self.kind == "squared_error":
            return np.asarray(law + self.noise * rng.standard_normal(len(X)))
        return np.asarray((law.cumsum(axis=1) < rng.random((len(X), 1))).sum(axis=1).clip(max=law.shape[1] - 1))


@dataclass(frozen=True, eq=False)
class Draws:
    """What R seeds show of C Configs and of the constant predictor."""

    train: tuple[Floats, ...]  # (C,) of (R, P_c)
    val: tuple[Floats, ...]
    scores: Floats  # (R, C, 2, 2) after the last epoch: train and val; accuracy and Brier, or R² twice
    null_train: Floats  # (R,)
    null_val: Floats
    null_scores: Floats  # (R, 2, 2)


@dataclass(frozen=True, eq=False)
class Risks:
    """Expected losses on fresh data over R fresh training draws; inf where training diverges."""

    end: Floats  # (R, C) after the last epoch
    later: Floats  # (R, C) after twice as many
    null: Floats  # (R,) of the constant predictor
    bias: Floats  # (C,) noise + bias of the Bregman decomposition; risk minus this is the variance over training draws


def losses(kind: str, y: Array, outputs: Floats) -> Floats:
    """Return the mean loss (points,) of outputs (points, N[, K]), as the trainers measure it."""
    if kind == "squared_error":
        return np.asarray(np.square(outputs - y).mean(axis=-1))
    return np.asarray(-np.log(outputs[:, np.arange(len(y)), y].clip(CLIP, 1 - CLIP)).mean(axis=-1))


def scores(kind: str, y: Array, output: Floats) -> tuple[float, float]:
    """Return accuracy and Brier score of (N, K), or R² twice of (N,)."""
    if kind == "squared_error":
        r2 = 1 - float(np.square(y - output).mean() / y.var())
        return r2, r2
    hot = np.eye(output.shape[1])[y]
    return float((output.argmax(axis=1) == y).mean()), float(np.square(output - hot).sum(axis=1).mean())


def constant(problem: Problem, y: Array, rows: int) -> Floats:
    """What the constant predictor says of every row, as one point in time: (1, N) or (1, N, K)."""
    if problem.kind == "squared_error":
        return np.full((1, rows), y.mean())
    classes = problem.law(problem.inputs(np.random.default_rng(0), 2)).shape[1]
    shares = np.bincount(y, minlength=classes) / len(y)
    return np.broadcast_to(np.maximum(shares, 1 / (len(y) + classes)), (1, rows, classes))


def draws(problem: Problem, rng: Generator, count: int, pool: tuple[Floats, Array] | None = None) -> Draws:
    """Train every Config under ``count`` seeds, each on fresh data, or on another split of the ``pool``."""
    rows = [_one(problem, rng, pool) for _ in range(count)]
    configs = range(len(rows[0][0]))
    return Draws(
        tuple(np.stack([row[0][c] for row in rows]) for c in configs),
        tuple(np.stack([row[1][c] for row in rows]) for c in configs),
        np.stack([row[2] for row in rows]),
        *(np.array([row[i] for row in rows]) for i in (3, 4, 5)),
    )


def _parts(problem: Problem, rng: Generator, pool: tuple[Floats, Array] | None) -> tuple[Array, ...]:
    if pool is not None:
        order = rng.permutation(problem.n + problem.n_val)
        parts = order[: problem.n], order[problem.n :]
        return tuple(array[part] for part in parts for array in pool)
    return (*problem.sample(rng, problem.n), *problem.sample(rng, problem.n_val))


def _one(
    problem: Problem, rng: Generator, pool: tuple[Floats, Array] | None
) -> tuple[list[Floats], list[Floats], Floats, float, float, Floats]:
    X, y, X_val, y_val = _parts(problem, rng, pool)
    kind = problem.kind
    with np.errstate(all="ignore"):  # some diverge
        outputs = [(model(X, MEASURED), model(X_val, MEASURED)) for model in problem.learn(X, y, rng)]
        train = [losses(kind, y, fitted) for fitted, _ in outputs]
        val = [losses(kind, y_val, predicted) for _, predicted in outputs]
        scored = [[scores(kind, y, fitted[-1]), scores(kind, y_val, predicted[-1])] for fitted, predicted in outputs]
    null = constant(problem, y, len(y)), constant(problem, y, len(y_val))
    null_scores = np.array([scores(kind, y, null[0][0]), scores(kind, y_val, null[1][0])])
    return (
        train,
        val,
        np.array(scored),
        float(losses(kind, y, null[0])[0]),
        float(losses(kind, y_val, null[1])[0]),
        null_scores,
    )


def risks(problem: Problem, rng: Generator, count: int, rows: int = 500) -> Risks:
    """Train on ``count`` fresh draws and integrate the loss under the law, over ``rows`` fresh inputs each.

    No y is drawn for it. The central prediction is the one at 300 inputs, the same for all draws.
    """
    kept = problem.inputs(rng, 300)
    end, later, null, summed = [], [], [], np.zeros(())
    for _ in range(count):
        X, y = problem.sample(rng, problem.n)
        fresh = problem.inputs(rng, rows)
        law = problem.law(fresh)
        with np.errstate(all="ignore"):
            models = problem.learn(X, y, rng)
            both = [model(fresh, slice(-2, None)) for model in models]
            end.append(_integrated(problem, law, np.stack([output[0] for output in both])))
            later.append(_integrated(problem, law, np.stack([output[1] for output in both])))
            central = np.stack([model(kept, LAST)[0] for model in models])
            summed = summed + (central if problem.kind == "squared_error" else np.log(central.clip(CLIP, 1 - CLIP)))
        null.append(float(_integrated(problem, law, constant(problem, y, len(fresh)))[0]))
    with np.errstate(all="ignore"):
        bias = _integrated(problem, problem.law(kept), _normalised(problem, summed / count))
    return Risks(np.array(end), np.array(later), np.array(null), bias)


def _integrated(problem: Problem, law: Floats, outputs: Floats) -> Floats:
    """Return the expected loss (C,) of outputs (C, N[, K]) given the law of y."""
    if problem.kind == "squared_error":
        risk = np.square(outputs - law).mean(axis=-1) + problem.noise**2
    else:
        risk = -(law * np.log(outputs.clip(CLIP, 1 - CLIP))).sum(axis=-1).mean(axis=-1)
    return np.asarray(np.where(np.isfinite(risk), risk, np.inf))


def _normalised(problem: Problem, centre: Floats) -> Floats:
    """Return the central prediction: the mean, or the normalised geometric mean of probabilities (Heskes 1998)."""
    if problem.kind == "squared_error":
        return centre
    powers = np.exp(centre - centre.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def still(outputs: Floats) -> Floats:
    """Give the one output (N[, K]) of a learner without epochs its two points in time."""
    return np.stack([outputs, outputs])


def grid(last: int, points: int = 40) -> tuple[int, ...]:
    """Return where a Config of ``last`` epochs is measured: at 0 and at up to ``points`` equal steps."""
    return tuple(int(t) for t in np.unique(np.linspace(0, last, min(last, points) + 1).round().astype(int)))


def epochs_of(longest: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the measured epochs of Configs that are trained for so many."""
    return tuple(grid(last) for last in longest)


def with_later(epochs: Sequence[int]) -> NDArray[np.int64]:
    """Return the measured epochs and twice the last."""
    return np.array([*epochs, 2 * epochs[-1]])
