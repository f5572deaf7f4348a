"""Teachers: rows drawn from a law that is known, and what follows from it.

N samples, D features. A draw is made of two streams, of points and of noise, by its seed alone: other
coefficients, noise or features are seen by the same luck (common random numbers).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, RandomState, default_rng
from numpy.typing import NDArray

from fitlab.data.dataset import refuse_more_than_a_machine_holds
from fitlab.records import Array, Floats, Task
from fitlab.seeds import canonical, stream
from fitlab.spec.options import DataOptions, Part
from fitlab.spec.teachers import (
    Classifying,
    DecayingTeacher,
    FixedDesign,
    FixedX,
    GaussianLogistic,
    LinearTeacher,
    MlpTeacher,
    PolynomialFixedX,
    Sine,
    TeacherData,
    ThresholdTeacher,
)

VERSION = 1  # other versions draw other rows
GRID = np.linspace(0.05, 0.95, 50)  # where the sine is validated and tested
SCALED_BY = 10_000  # points at which the variance of a random network is taken
ROWS: dict[Part, str] = {"train": "n_samples", "val": "validation", "test": "test"}  # part -> the key that sizes it


def law(teacher: TeacherData) -> str:
    """Return what identifies the law of a teacher: its version and the parameters that are not at their default."""
    given = teacher.model_dump(mode="json", exclude=set(DataOptions.model_fields), exclude_defaults=True)
    return canonical([VERSION, given])


def task_of(teacher: TeacherData) -> Task:
    """Return the task that a teacher sets."""
    return "classification" if isinstance(teacher, Classifying) else "regression"


def draw(teacher: TeacherData, n: int, seed: int, part: Part = "train") -> tuple[Floats, Array]:
    """Draw n rows. Returns X (n, D) as the learner sees it and y (n,): class codes or targets.

    A teacher of fixed points has them all, one after the other and round again, in every part.
    Raises SpecError for more than a machine holds.
    """
    _refuse_too_many(teacher, n, part)
    X = _points(teacher, n, default_rng(stream("points", seed)), part)
    rng = default_rng(stream("noise", seed))
    if isinstance(teacher, Classifying):
        return X, (rng.random(n) < expected(teacher, X)).astype(np.int64)
    y = expected(teacher, X) + teacher.noise * rng.standard_normal(n)
    return visible(teacher, X), y


def _refuse_too_many(teacher: TeacherData, n: int, part: Part) -> None:
    widths = {"n_features": 1, "n_hidden": 1} | teacher.model_dump(include={"n_features", "n_hidden"})
    rows = max(n, teacher.n_samples if isinstance(teacher, FixedX) else 0)
    for wide in widths.items():
        refuse_more_than_a_machine_holds((ROWS[part], rows), wide)
    if isinstance(teacher, MlpTeacher):
        refuse_more_than_a_machine_holds(*widths.items())
        refuse_more_than_a_machine_holds(("n_features", SCALED_BY), ("n_features", teacher.n_features))
        refuse_more_than_a_machine_holds(("n_hidden", SCALED_BY), ("n_hidden", teacher.n_hidden))


def expected(teacher: TeacherData, X: Floats) -> Floats:
    """Return E[y | x], for classes P(y = 1 | x). X: (N, D) all features → (N,)."""
    match teacher:
        case LinearTeacher() | DecayingTeacher() | FixedDesign():
            return np.asarray(X @ coefficients(teacher))
        case PolynomialFixedX():
            return np.cos(1.5 * np.pi * X[:, 0])
        case Sine():
            return np.sin(4 * X[:, 0])
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


def _points(teacher: TeacherData, n: int, rng: Generator, part: Part) -> Floats:
    match teacher:
        case FixedDesign():
            design = default_rng(teacher.random_state).standard_normal((teacher.n_samples, teacher.n_features))
        case PolynomialFixedX():
            design = RandomState(teacher.random_state).rand(teacher.n_samples)[:, None]
        case Sine():
            uniform = RandomState(teacher.random_state).rand(teacher.n_samples)
            design = (uniform if part == "train" else GRID)[:, None]
        case ThresholdTeacher():
            return rng.standard_normal((n, 1))
        case _:
            return rng.standard_normal((n, teacher.n_features))
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
