"""One data set to the train, validation and test arrays of one job."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fitlab.data.dataset import Dataset, refuse
from fitlab.data.deal import Rows, deal, part_sizes
from fitlab.data.teachers import draw
from fitlab.data.truth import truth_of
from fitlab.errors import Problem, SpecError
from fitlab.records import Array, Floats, Split
from fitlab.seeds import stream
from fitlab.spec.datasets import Data
from fitlab.spec.options import PARTS, Part
from fitlab.spec.tables import Table
from fitlab.spec.teachers import Teacher, TeacherData

Drawn = dict[str, tuple[Rows, Floats, Array]]  # part -> its rows (n,), X (n, D), y (n,)


def split(dataset: Dataset, data: Data, seed_stream: int) -> Split:
    """Deal the rows of ``dataset`` to train, validation and test, then disturb labels, impute and scale.

    seed_stream: what the seed of the job says about the split (``Job.stream("split")``).
    The test part and its label noise depend on ``split_seed`` alone; train and validation are drawn from the
    rest by the seed. For one seed a smaller ``train_size`` is a part of a larger one, and a lower noise rate
    disturbs a part of the rows of a higher one.
    Raises SpecError for parts that get no rows and for options that do not fit the task.
    """
    if isinstance(data, Teacher) and data.fresh:
        drawn = _fresh(dataset, data, seed_stream)
    else:
        drawn = _dealt(dataset, data, seed_stream)
    _, X_train, y_train = drawn["train"]
    with np.errstate(all="ignore"):  # an overflow is refused below
        scale_X = _scaler(X_train, data)
        scale_y, unit = _target_scaler(y_train, _target_scaled(dataset, data))
        X = {part: scale_X(features) for part, (_, features, _) in drawn.items()}
        y = {part: scale_y(labels) for part, (_, _, labels) in drawn.items()}
    if not all(np.isfinite(array).all() for array in (*X.values(), *y.values())):
        raise refuse("scaling", "numbers too large to be scaled", data.scaling, "smaller numbers, or scaling: none")
    own = dataset.weights
    weights = {} if own is None else {part: own[rows] for part, (rows, _, _) in drawn.items()}
    return Split(
        dataset.task, dataset.classes, X["train"], y["train"], X["val"], y["val"], X["test"], y["test"],
        {part: rows for part, (rows, _, _) in drawn.items()}, truth_of(dataset, data, unit), weights,
    )  # fmt: skip


def problems(dataset: Dataset, data: Data) -> list[Problem]:
    """Return everything about a data section that does not fit the data set, not only the first."""
    found: list[Problem] = []
    for check in (part_sizes, _stratified, _noisy, _target_scaled):
        try:
            check(dataset, data)
        except SpecError as error:
            found += error.problems
    return found


def _dealt(dataset: Dataset, data: Data, seed_stream: int) -> Drawn:
    """Deal the rows of one data set. Label noise strikes rows, wherever they are dealt to."""
    strata = dataset.y if _stratified(dataset, data) else None
    rows = deal(dataset, data, part_sizes(dataset, data), strata, seed_stream)
    noise = data.label_noise
    noisy = dataset.y
    if _noisy(dataset, data):
        rng = np.random.default_rng(stream("label_noise", data.split_seed))
        hit = rng.random(len(dataset.y)) < noise.rate
        redrawn = rng.integers(len(dataset.classes), size=len(dataset.y))
        noisy = np.where(hit, redrawn, dataset.y)
    labels: dict[str, Array] = {part: noisy if part in noise.parts else dataset.y for part in PARTS}
    return {part: (index, dataset.X[index], labels[part][index]) for part, index in rows.items()}


def _fresh(dataset: Dataset, data: TeacherData, seed_stream: int) -> Drawn:
    """Draw the parts from a teacher: the test part by split_seed, the others by the seed too."""
    _stratified(dataset, data)
    n_train, n_val, n_test = part_sizes(dataset, data)
    counts: dict[Part, int] = {"train": n_train, "val": n_val, "test": n_test}
    parts: Drawn = {}
    for part, n in counts.items():
        seed = stream(f"fresh/{part}", data.split_seed, *(() if part == "test" else (seed_stream,)))
        X, y = draw(data, data.n_samples if part == "train" else n, seed, part)  # all: a smaller one is its beginning
        if _noisy(dataset, data) and part in data.label_noise.parts:
            hit = np.random.default_rng(stream("label_noise", seed)).random(len(y)) < data.label_noise.rate
            redrawn = np.random.default_rng(stream("label", seed)).integers(len(dataset.classes), size=len(y))
            y = np.where(hit, redrawn, y)
        parts[part] = np.arange(n), np.ascontiguousarray(X[:n]), y[:n]
    return parts


def _stratified(dataset: Dataset, data: Data) -> bool:
    drawn = isinstance(data, Teacher) and data.fresh
    classification = dataset.task == "classification"
    if data.stratify is True and not classification:
        raise refuse("stratify", "only classes can be stratified", "true for a regression", "auto or false")
    if data.stratify is True and drawn:
        allowed = "auto or false, or fresh: false"
        raise refuse("stratify", "rows that are drawn anew are not stratified", "true", allowed)
    return classification and data.stratify is not False and data.split.kind == "random" and not drawn


def _noisy(dataset: Dataset, data: Data) -> bool:
    rate = data.label_noise.rate
    if rate > 0 and dataset.task != "classification":
        raise refuse("label_noise", "only class labels can be redrawn", f"{rate} for a regression", "0")
    return rate > 0


def _target_scaled(dataset: Dataset, data: Data) -> bool:
    if data.target_scaling != "none" and dataset.task != "regression":
        raise refuse("target_scaling", "classes have no scale", data.target_scaling, "none")
    return data.target_scaling != "none"


def _scaler(X: Floats, data: Data) -> Callable[[Floats], Floats]:
    """Return what fills the gaps of features and scales them, both fitted on the training part X (N, D) alone."""
    fill = np.array
    if isinstance(data, Table) and data.missing != "refuse":
        fill = SimpleImputer(strategy=data.missing, keep_empty_features=True).fit(X).transform
    match data.scaling:
        case "standard":
            scale = StandardScaler().fit(fill(X)).transform
        case "minmax":
            scale = MinMaxScaler().fit(fill(X)).transform
        case _:
            return fill
    return lambda features: scale(fill(features))


def _target_scaler(y: Array, scaled: bool) -> tuple[Callable[[Array], Array], float]:
    """Return what scales a target, fitted on the training part y (N,) alone, and by how much."""
    if not scaled:
        return np.array, 1.0
    scaler = StandardScaler().fit(y[:, None])
    return lambda values: scaler.transform(values[:, None])[:, 0], float(scaler.scale_[0])
