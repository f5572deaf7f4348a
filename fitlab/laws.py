"""The laws that teachers draw from: what is expected of y at x, coefficients, and points that are fixed.

Numbers alone: closed forms are computed from them, without what reads data sets. N samples, D features.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState, default_rng
from numpy.typing import NDArray

from fitlab.records import Floats
from fitlab.seeds import stream
from fitlab.spec.options import Part
from fitlab.spec.teachers import (
    DecayingTeacher,
    FixedDesign,
    GaussianLogistic,
    LinearTeacher,
    MlpTeacher,
    PolynomialFixedX,
    Sine,
    TeacherData,
    ThresholdTeacher,
    TwoBumps,
)

GRID = np.linspace(0.05, 0.95, 50)  # where the sine is validated and tested
SCALED_BY = 10_000  # points at which the variance of a random network is taken


def expected(teacher: TeacherData, X: Floats) -> Floats:
    """Return E[y | x], for classes P(y = 1 | x). X: (N, D) all features → (N,)."""
    match teacher:
        case LinearTeacher() | DecayingTeacher() | FixedDesign():
            return np.asarray(X @ coefficients(teacher))
        case PolynomialFixedX():
            return np.cos(1.5 * np.pi * X[:, 0])
        case Sine():
            return np.sin(4 * X[:, 0])
        case TwoBumps():
            return np.asarray(np.exp(-(X[:, 0] ** 2)) + 1.5 * np.exp(-((X[:, 0] - 2) ** 2)))
        case MlpTeacher():
            return _network(teacher, X)
        case ThresholdTeacher():
            return np.asarray(X[:, 0] > teacher.threshold, dtype=np.float64)
        case GaussianLogistic():
            return sigmoid(teacher.intercept + teacher.signal * (X @ coefficients(teacher)))


def coefficients(teacher: LinearTeacher | DecayingTeacher | FixedDesign | GaussianLogistic) -> Floats:
    """Return w (D,), of length 1."""
    d = teacher.n_features
    match teacher:
        case DecayingTeacher():
            w = 1 / np.arange(1, d + 1)
        case FixedDesign():
            w = np.ones(d)
        case _:
            w = default_rng(stream("coefficients", teacher.random_state)).standard_normal(d)
    return np.asarray(w / np.linalg.norm(w))


def visible(teacher: TeacherData, X: Floats) -> Floats:
    """Return the features that the learner sees. X: (N, D)."""
    return X[:, : teacher.n_visible] if isinstance(teacher, DecayingTeacher) else X


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def fixed_points(teacher: FixedDesign | PolynomialFixedX | Sine, n: int, part: Part = "train") -> Floats:
    """Return the n points (n, D) of a part, the same for every seed: all of them, and round again."""
    match teacher:
        case FixedDesign():
            design = default_rng(teacher.random_state).standard_normal((teacher.n_samples, teacher.n_features))
        case PolynomialFixedX():
            design = RandomState(teacher.random_state).rand(teacher.n_samples)[:, None]
        case Sine():
            uniform = RandomState(teacher.random_state).rand(teacher.n_samples)
            design = (uniform if part == "train" else GRID)[:, None]
    return np.asarray(design[around(n, len(design))])


def around(n: int, period: int) -> NDArray[np.int64]:
    """Count 0, 1, … period - 1 and round again, n times in all."""
    return np.arange(n) % period


def _network(teacher: MlpTeacher, X: Floats) -> Floats:
    """Return a random tanh network at X: weights of variance 4/D and 1/H, its output of variance 1."""
    rng = default_rng(stream("coefficients", teacher.random_state))
    d, h = teacher.n_features, teacher.n_hidden
    inner = rng.standard_normal((d, h)) * 2 / np.sqrt(d)  # 2: far enough to bend
    outer = rng.standard_normal(h)
    scale = (np.tanh(rng.standard_normal((SCALED_BY, d)) @ inner) @ outer).std()
    return np.asarray(np.tanh(X @ inner) @ outer / scale)
