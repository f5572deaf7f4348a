"""From the data section of a spec to one checked Dataset with a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from sklearn import datasets

from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Array, Floats, Task, arrays_digest, plain_array
from fitlab.seeds import canonical
from fitlab.spec import datasets as spec

Arrays = tuple[ArrayLike, ArrayLike]  # X (N, D), y (N,)
AT: Path = ("data",)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and target before any split: N samples, D features, K classes."""

    name: str
    task: Task
    X: Floats  # (N, D)
    y: Array  # (N,) class codes 0..K-1 (int64) or targets (float64)
    classes: Array  # (K,) the labels behind the codes; empty for regression

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 over features, target and labels."""
        labels = np.array([str(label) for label in self.classes], dtype="U")
        return arrays_digest({"X": plain_array(self.X), "y": plain_array(self.y), "classes": plain_array(labels)})


def source_key(data: spec.Data) -> str:
    """Return what identifies the data set behind a data section, however it is split, disturbed and scaled."""
    return canonical(data.model_dump(mode="json", exclude=set(spec.DataOptions.model_fields)))


def load(data: spec.Data, arrays: Arrays | None = None) -> Dataset:
    """Load or draw the data set that ``data`` names.

    arrays: (X, y) for ``kind: arrays``. X: (N, D) numbers, y: (N,).
    Raises SpecError for features that are not finite numbers, shapes that do not match, or a single class.
    """
    if isinstance(data, spec.Arrays):
        if arrays is None:
            raise _refuse("kind", "arrays come from Python", hint="fitlab.run(spec, data=(X, y))")
        try:
            X, y = arrays
        except (TypeError, ValueError):
            raise _refuse("X", "data are two things", type(arrays).__name__, "a pair (X, y)") from None
        return _checked(data.kind, X, y, data.task)
    if arrays is not None:
        raise _refuse("kind", "arrays were given for another kind of data", data.kind, "arrays")
    if isinstance(data, spec.Bundled):
        X, y = getattr(datasets, f"load_{data.kind}")(return_X_y=True)
        return _checked(data.kind, X, y, "regression" if data.kind == "diabetes" else "classification")
    arguments = data.model_dump(exclude={*spec.DataOptions.model_fields, "kind"})
    try:
        X, y = getattr(datasets, data.kind)(**arguments)
    except (ValueError, MemoryError) as error:
        said = str(error) or "out of memory"
        raise _refuse("kind", f"{data.kind} refuses its parameters: {said}") from None
    return _checked(data.kind, X, y, "auto")


def _checked(name: str, X: ArrayLike, y: ArrayLike, task: str) -> Dataset:
    features = _features(X)
    target = np.asarray(y)
    if target.dtype.kind == "O" and target.ndim == 1:
        target = np.asarray(target.tolist())  # numbers that came as objects become numbers again
    if target.ndim != 1 or len(target) != len(features):
        raise _refuse("y", "y must hold one value for each row of X", f"X {features.shape}, y {target.shape}")
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        raise _refuse("y", "y holds NaN or infinite values", f"{int((~np.isfinite(target)).sum())} of {len(target)}")
    if target.dtype.kind not in "biufUO":
        raise _refuse("y", "y must hold numbers or labels", str(target.dtype))
    if task == "auto":
        task = "regression" if target.dtype.kind == "f" and (target % 1 != 0).any() else "classification"
    if task == "regression":
        try:
            return Dataset(name, "regression", features, target.astype(np.float64), np.empty(0))
        except (TypeError, ValueError):
            raise _refuse("task", "a regression needs numbers in y", str(target.dtype), "classification") from None
    try:
        classes, codes = np.unique(target, return_inverse=True)
    except TypeError:
        raise _refuse(
            "y", "y mixes labels of different types, or None", hint="make them all text or all numbers"
        ) from None
    if len(classes) < 2:
        raise _refuse("y", "only one class: nothing to tell apart", str(classes[0]), "two classes or more")
    return Dataset(name, "classification", features, codes.astype(np.int64), classes)


def _features(X: ArrayLike) -> Floats:
    raw = np.asarray(X)
    try:
        if raw.dtype.kind not in "biufO":
            raise TypeError(raw.dtype)
        features = raw.astype(np.float64)
    except (TypeError, ValueError):
        hint = "encode text, dates and the like first; sparse matrices: X.toarray()"
        raise _refuse("X", "features must be numbers", str(raw.dtype), hint=hint) from None
    if features.ndim != 2 or 0 in features.shape:
        raise _refuse("X", "X must be a table with rows and columns", f"shape {features.shape}", "shape (N, D)")
    bad = ~np.isfinite(features)
    if bad.any():
        row, column = map(int, np.argwhere(bad)[0])
        given = f"{int(bad.sum())} of {bad.size} values, the first in row {row}, column {column}"
        raise _refuse("X", "features hold NaN or infinite values", given, hint="drop or impute them first")
    return features


def _refuse(
    key: str, message: str, given: str | None = None, allowed: str | None = None, hint: str | None = None
) -> SpecError:
    path: Path = AT if key in {"X", "y"} else (*AT, key)
    return SpecError([Problem(path, message, given, allowed, hint)])
