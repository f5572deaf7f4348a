"""Teachers: rows drawn from a law that is known, and what follows from it.

N samples, D features. A draw is made of two streams, of points and of noise, by its seed alone: other
coefficients, noise or features are seen by the same luck (common random numbers).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, default_rng

from fitlab.data.dataset import refuse_more_than_a_machine_holds
from fitlab.laws import SCALED_BY, expected, fixed_points, visible
from fitlab.records import Array, Floats, Task
from fitlab.seeds import canonical, stream
from fitlab.spec.options import DataOptions, Part
from fitlab.spec.teachers import (
    Classifying,
    FixedDesign,
    FixedX,
    MlpTeacher,
    PolynomialFixedX,
    Sine,
    TeacherData,
    ThresholdTeacher,
    TwoBumps,
)

VERSION = 1  # other versions draw other rows
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


def _points(teacher: TeacherData, n: int, rng: Generator, part: Part) -> Floats:
    match teacher:
        case FixedDesign() | PolynomialFixedX() | Sine():
            return fixed_points(teacher, n, part)
        case ThresholdTeacher():
            return rng.standard_normal((n, 1))
        case TwoBumps():
            return rng.uniform(-5, 5, (n, 1))
        case _:
            return rng.standard_normal((n, teacher.n_features))
