"""Data sets: fingerprints, and what is refused of the user's own arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from fitlab import data
from fitlab.errors import SpecError
from fitlab.spec import read_spec

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


def section(**options: object):
    return read_spec({"name": "x", "data": options, "model": {"kind": "mlp"}}).spec.data


def with_value(array: np.ndarray, value: object) -> np.ndarray:
    changed = array.astype(object if isinstance(value, str) else float)
    changed.flat[3] = value
    return changed


def test_bundled_sets_are_scikit_learns() -> None:
    features, target = load_digits(return_X_y=True)
    ours = data.load(section(kind="digits"))
    assert (features == ours.X).all()
    assert (ours.y == target).all()


@given(kept=st.sets(st.integers(0, 9), min_size=2))
def test_of_some_classes_there_are_all_rows_and_no_others(kept: set[int]) -> None:
    features, target = load_digits(return_X_y=True)
    ours = data.load(section(kind="digits", classes=sorted(kept)))
    there = np.isin(target, list(kept))
    assert (features[there] == ours.X).all()
    assert (ours.classes[ours.y] == target[there]).all()
    assert ours.classes.tolist() == sorted(kept)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "digits", "classes": [1, 10]}, r"not among the classes(?s:.*)given:   \[10\](?s:.*)0, 1, 2, 3"),
        ({"kind": "digits", "classes": [1]}, "at least"),
        ({"kind": "digits", "classes": [1, 1]}, "twice"),
        ({"kind": "diabetes", "classes": [1, 2]}, "a regression has no classes"),
    ],
)
def test_classes_that_are_not_there_are_refused(options: dict, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        data.load(section(**options))


def test_a_fingerprint_knows_every_value_and_nothing_else() -> None:
    one = data.load(section(kind="make_moons", noise=0.1, random_state=1))
    assert one.fingerprint == data.load(section(kind="make_moons", noise=0.1, random_state=1, test=0.5)).fingerprint
    others = [
        section(kind="make_moons", noise=0.1, random_state=2),
        section(kind="make_moons", noise=0.2, random_state=1),
        section(kind="make_moons", noise=0.1, random_state=1, n_samples=101),
    ]
    assert len({one.fingerprint, *(data.load(other).fingerprint for other in others)}) == 4
    arrays = section(kind="arrays")
    assert data.load(arrays, (X, Y)).fingerprint == data.load(arrays, (np.asfortranarray(X), list(Y))).fingerprint
    assert data.load(arrays, (X, Y)).fingerprint != data.load(arrays, (X, 1 - Y)).fingerprint


def test_tasks_are_told_from_the_target() -> None:
    arrays = section(kind="arrays")
    assert data.load(arrays, (X, Y)).task == "classification"
    assert data.load(arrays, (X, Y + 0.5)).task == "regression"
    assert data.load(section(kind="arrays", task="regression"), (X, Y)).task == "regression"
    assert data.load(arrays, (X, Y * 1e300 + 1)).task == "classification"
    assert data.load(arrays, (X, np.array([0.5, 1, 2, 3, 4, 5], dtype=object))).task == "regression"
    labels = data.load(arrays, (X, np.array(list("ababab"))))
    assert labels.classes.tolist() == ["a", "b"]
    assert labels.y.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("features", "target", "says"),
    [
        (with_value(X, np.nan), Y, "NaN or infinite values"),
        (with_value(X, np.inf), Y, "row 1, column 1"),
        (with_value(X, "text"), Y, "features must be numbers"),
        (X, with_value(Y, np.nan), "y holds NaN"),
        (X, Y[:5], "one value for each row"),
        (X[:, 0], Y, "a table with rows and columns"),
        (X[:, :0], Y, "a table with rows and columns"),
        (X, np.zeros(6, int), "only one class"),
        (X, np.full(6, 2.5), "the same value in every row"),
        (2**60 + np.arange(12).reshape(6, 2), Y, "above 2.53"),
        (X, np.array([1, "a", 2, None, 3, 4], dtype=object), "mixes labels"),
        (X, np.array([None] * 6), "or None"),
        (X, np.arange(6), "6 classes in 6 rows"),
        (X, np.zeros(6, complex), "numbers or labels"),
        (X + 1j, Y, "features must be numbers"),
        (X.astype("datetime64[s]"), Y, "features must be numbers"),
    ],
)
def test_arrays_that_cannot_be_learned_from_are_refused(features: np.ndarray, target: np.ndarray, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        data.load(section(kind="arrays"), (features, target))


def test_arrays_go_with_kind_arrays_only() -> None:
    with pytest.raises(SpecError, match="arrays come from Python"):
        data.load(section(kind="arrays"))
    with pytest.raises(SpecError, match="another kind of data"):
        data.load(section(kind="iris"), (X, Y))
    with pytest.raises(SpecError, match="a pair"):
        data.load(section(kind="arrays"), (X, Y, Y))
    with pytest.raises(SpecError, match="needs numbers"):
        data.load(section(kind="arrays", task="regression"), (X, np.array(list("ababab"))))
