"""A data set before any split, checked: numbers that are finite where they must be, and two classes or more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from fitlab.arrays import arrays_digest, plain_array
from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Array, Floats, Task

Arrays = tuple[ArrayLike, ArrayLike]  # X (N, D), y (N,)
AT: Path = ("data",)
MAX_NUMBERS = 2**29  # of an array that is drawn: 4 GiB
EXACT = 2**53  # whole numbers below are told apart as floats


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and target before any split: N samples, D features, K classes."""

    name: str
    task: Task
    X: Floats  # (N, D) NaN where a number is missing and to be imputed
    y: Array  # (N,) class codes 0..K-1 (int64) or targets (float64)
    classes: Array  # (K,) the labels behind the codes; empty for regression
    features: tuple[str, ...] = ()  # (D,) names, where they have some: price, colour=red
    groups: Array | None = None  # (N,) which rows belong together
    times: Array | None = None  # (N,) numbers, or microseconds since 1970
    weights: Floats | None = None  # (N,) how much each row counts, positive
    law: str | None = None  # of a teacher that every seed draws from: the rows above are its probe

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 over features, target and labels, and groups, times, weights and law where there are some."""
        labels = np.array([str(label) for label in self.classes], dtype="U")
        known: dict[str, Array | None] = {
            "X": self.X,
            "y": self.y,
            "classes": labels,
            "groups": self.groups,
            "times": self.times,
            "weights": self.weights,
            "law": None if self.law is None else np.array([self.law]),
        }
        return arrays_digest({name: plain_array(array) for name, array in known.items() if array is not None})


def dataset_of(name: str, X: ArrayLike, y: ArrayLike, task: str) -> Dataset:
    """Return the checked Dataset of plain arrays. X: (N, D) finite numbers, y: (N,), task: auto or a Task.

    Raises SpecError for what cannot be learned from.
    """
    features = _features(X)
    target = np.asarray(y)
    if target.dtype.kind == "O" and target.ndim == 1:
        target = np.asarray(target.tolist())  # numbers that came as objects become numbers again
    if target.ndim != 1 or len(target) != len(features):
        raise refuse("y", "y must hold one value for each row of X", f"X {features.shape}, y {target.shape}")
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        raise refuse("y", "y holds NaN or infinite values", f"{int((~np.isfinite(target)).sum())} of {len(target)}")
    if target.dtype.kind not in "biufUO":
        raise refuse("y", "y must hold numbers or labels", str(target.dtype))
    told, codes, classes = told_task(target, task)
    return Dataset(name, told, features, codes, classes)


def told_task(target: Array, task: str, key: str = "y") -> tuple[Task, Array, Array]:
    """Return the task, the target as a trainer takes it, and the classes (K,). target: (N,) without gaps.

    key: what is to blame. Raises SpecError for a regression on labels or a constant, labels that cannot be sorted,
    a single class, and classes that have not two rows each on average.
    """
    if task == "auto":
        task = "regression" if target.dtype.kind == "f" and (target % 1 != 0).any() else "classification"
    if task == "regression":
        try:
            values = target.astype(np.float64)
        except (TypeError, ValueError):
            raise refuse("task", "a regression needs numbers in y", str(target.dtype), "classification") from None
        if (values == values[0]).all():
            raise refuse(key, "the same value in every row: nothing to predict", str(values[0]), "values that differ")
        return "regression", values, np.empty(0)
    try:
        classes, codes = np.unique(target, return_inverse=True)
    except TypeError:
        alike = "make them all text or all numbers"
        raise refuse(key, "y mixes labels of different types, or None", hint=alike) from None
    if len(classes) < 2:
        raise refuse(key, "only one class: nothing to tell apart", str(classes[0]), "two classes or more")
    if 2 * len(classes) > len(target):
        hint = "task: regression, if it is a quantity" if target.dtype.kind in "iuf" else None
        given = f"{len(classes)} classes in {len(target)} rows"
        raise refuse(key, "more classes than rows can tell of", given, "at most half as many classes as rows", hint)
    return "classification", codes.astype(np.int64), classes


def _features(X: ArrayLike) -> Floats:
    raw = np.asarray(X)
    try:
        if raw.dtype.kind not in "biufO":
            raise TypeError(raw.dtype)
        features = raw.astype(np.float64)
    except (TypeError, ValueError):
        hint = "encode text, dates and the like first; sparse matrices: X.toarray()"
        raise refuse("X", "features must be numbers", str(raw.dtype), hint=hint) from None
    if raw.dtype.kind in "iu" and (np.abs(features) >= EXACT).any():
        hint = "leave identifiers out, encode categories first"
        raise refuse(
            "X", "whole numbers above 2^53, which no learner tells apart", str(raw.dtype), "smaller ones", hint
        )
    if features.ndim != 2 or 0 in features.shape:
        raise refuse("X", "X must be a table with rows and columns", f"shape {features.shape}", "shape (N, D)")
    bad = ~np.isfinite(features)
    if bad.any():
        row, column = map(int, np.argwhere(bad)[0])
        given = f"{int(bad.sum())} of {bad.size} values, the first in row {row}, column {column}"
        raise refuse("X", "features hold NaN or infinite values", given, hint="drop or impute them first")
    return features


def refuse_more_than_a_machine_holds(sizes: tuple[str, int], other: tuple[str, int]) -> None:
    """Raise SpecError for an array of too many numbers, at the larger of its two sizes: (key, count)."""
    (key, most), (_, least) = sorted((sizes, other), key=lambda size: -size[1])
    if most * least > MAX_NUMBERS:
        raise refuse(key, "more numbers than a machine holds", f"{most} × {least}", f"at most {MAX_NUMBERS} in all")


def refuse(
    key: str, message: str, given: str | None = None, allowed: str | None = None, hint: str | None = None
) -> SpecError:
    """Make the error of one key of the data section; X and y are the section itself."""
    path: Path = AT if key in {"X", "y"} else (*AT, key)
    return SpecError([Problem(path, message, given, allowed, hint)])
