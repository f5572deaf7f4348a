"""One data set to the train, validation and test arrays of one job."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fitlab.data.sources import Dataset
from fitlab.errors import Problem, SpecError
from fitlab.records import Array, Floats, Split
from fitlab.seeds import stream
from fitlab.spec import datasets as spec

Rows = NDArray[np.int64]


def split(dataset: Dataset, data: spec.Data, seed_stream: int) -> Split:
    """Deal the rows of ``dataset`` to train, validation and test, then disturb labels and scale.

    seed_stream: what the seed of the job says about the split (``Job.stream("split")``).
    The test part and the label noise depend on ``split_seed`` alone; train and validation are drawn from the
    rest by the seed. For one seed a smaller ``train_size`` is a part of a larger one, and a lower noise rate
    disturbs a part of the rows of a higher one.
    Raises SpecError for parts that get no rows and for options that do not fit the task.
    """
    n_train, n_val, n_test = part_sizes(dataset, data)
    strata = dataset.y if _stratified(dataset, data) else None
    fixed = (dataset.fingerprint, data.split_seed)
    order = _order(len(dataset.y), strata, stream("test", *fixed))
    rest = order[n_test:]
    drawn = rest[_order(len(rest), None if strata is None else strata[rest], stream("split", *fixed, seed_stream))]
    rows = {"train": drawn[n_val : n_val + n_train], "val": drawn[:n_val], "test": order[:n_test]}

    labels = _labels(dataset, data)
    X_train, y_train = dataset.X[rows["train"]], labels["train"][rows["train"]]
    with np.errstate(all="ignore"):  # an overflow is refused below
        scale_X, scale_y = _scalers(X_train, y_train, data.scaling, _target_scaled(dataset, data))
        X = {part: scale_X(dataset.X[index]) for part, index in rows.items()}
        y = {part: scale_y(labels[part][index]) for part, index in rows.items()}
    if not all(np.isfinite(array).all() for array in (*X.values(), *y.values())):
        raise _refuse("scaling", "numbers too large to be scaled", data.scaling, "smaller numbers, or scaling: none")
    return Split(
        dataset.task, dataset.classes, X["train"], y["train"], X["val"], y["val"], X["test"], y["test"], rows
    )  # fmt: skip


def problems(dataset: Dataset, data: spec.Data) -> list[Problem]:
    """Return everything about a data section that does not fit the data set, not only the first."""
    found: list[Problem] = []
    for check in (part_sizes, _stratified, _noisy, _target_scaled):
        try:
            check(dataset, data)
        except SpecError as error:
            found += error.problems
    return found


def part_sizes(dataset: Dataset, data: spec.Data) -> tuple[int, int, int]:
    """Return the rows of train, validation and test.

    A share is of all rows: rounded up for validation and test, down for training, as in scikit-learn.
    Raises SpecError where a part would be empty or more rows are asked for than there are.
    """
    n = len(dataset.y)
    n_val, n_test = (size if isinstance(size, int) else math.ceil(size * n) for size in (data.validation, data.test))
    left = n - n_val - n_test
    match data.train_size:
        case "all":
            n_train = left
        case int(count):
            n_train = count
        case share:
            n_train = math.floor(share * n)
    if left < 1:
        given = f"validation {n_val} + test {n_test} of {n} rows"
        raise _refuse("validation", "no rows are left for training", given, "less for validation or test")
    if n_train < 1:
        raise _refuse("train_size", "the training part would be empty", f"{data.train_size} of {n} rows")
    if n_train > left:
        given = f"{n_train} rows; {n} less {n_val} for validation and {n_test} for test leave {left}"
        raise _refuse("train_size", "more rows than there are", given, f"at most {left}")
    return n_train, n_val, n_test


def _stratified(dataset: Dataset, data: spec.Data) -> bool:
    classification = dataset.task == "classification"
    if data.stratify is True and not classification:
        raise _refuse("stratify", "only classes can be stratified", "true for a regression", "auto or false")
    return classification and data.stratify is not False


def _order(n: int, strata: Array | None, seed: int) -> Rows:
    """Draw an order of n rows; with strata every prefix holds each class in its share, to a row or so."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(n)
    if strata is None:
        return shuffled
    codes = strata[shuffled]
    position = np.empty(n)
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        position[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return shuffled[np.argsort(position, kind="stable")]


def _noisy(dataset: Dataset, data: spec.Data) -> bool:
    rate = data.label_noise.rate
    if rate > 0 and dataset.task != "classification":
        raise _refuse("label_noise", "only class labels can be redrawn", f"{rate} for a regression", "0")
    return rate > 0


def _target_scaled(dataset: Dataset, data: spec.Data) -> bool:
    if data.target_scaling != "none" and dataset.task != "regression":
        raise _refuse("target_scaling", "classes have no scale", data.target_scaling, "none")
    return data.target_scaling != "none"


def _labels(dataset: Dataset, data: spec.Data) -> dict[str, Array]:
    """Return the target of all rows as each part sees it."""
    noise = data.label_noise
    noisy = dataset.y
    if _noisy(dataset, data):
        rng = np.random.default_rng(stream("label_noise", dataset.fingerprint, data.split_seed))
        hit = rng.random(len(dataset.y)) < noise.rate
        drawn = rng.integers(len(dataset.classes), size=len(dataset.y))
        noisy = np.where(hit, drawn, dataset.y)
    return {part: noisy if part in noise.parts else dataset.y for part in spec.PARTS}


def _scalers(
    X: Floats, y: Array, scaling: str, target_scaled: bool
) -> tuple[Callable[[Floats], Floats], Callable[[Array], Array]]:
    """Return what scales features and target, both fitted on the training part alone."""
    match scaling:
        case "standard":
            scale_X = StandardScaler().fit(X).transform
        case "minmax":
            scale_X = MinMaxScaler().fit(X).transform
        case _:
            scale_X = np.array
    if not target_scaled:
        return scale_X, np.array
    scaler = StandardScaler().fit(y[:, None])
    return scale_X, lambda values: scaler.transform(values[:, None])[:, 0]


def _refuse(key: str, message: str, given: str, allowed: str | None = None) -> SpecError:
    return SpecError([Problem(("data", key), message, given, allowed)])
