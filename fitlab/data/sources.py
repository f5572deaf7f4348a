"""From the data section of a spec to one checked Dataset with a fingerprint."""

from __future__ import annotations

import numpy as np
from sklearn import datasets

from fitlab.data.dataset import Arrays, Dataset, dataset_of, refuse, refuse_more_than_a_machine_holds
from fitlab.data.frames import read_frame
from fitlab.data.tables import dataset_of_frame
from fitlab.data.teachers import draw, law, task_of
from fitlab.seeds import canonical, stream
from fitlab.spec import datasets as spec
from fitlab.spec import tables, teachers
from fitlab.spec.generators import GeneratedData, MakeBlobs, MakeClassification, MakeGaussianQuantiles
from fitlab.spec.options import DataOptions
from fitlab.spec.recorded import RecordedData

WIDE = 2_000  # features whose covariance is drawn or decomposed: work of their number cubed
MANY = 10_000  # clusters, which are drawn one after the other


def source_key(data: spec.Data) -> str:
    """Return what identifies the data set behind a data section, however it is split, disturbed and scaled."""
    return canonical(data.model_dump(mode="json", exclude=set(DataOptions.model_fields)))


def load(data: spec.Data, arrays: Arrays | None = None) -> Dataset:
    """Load or draw the data set that ``data`` names.

    arrays: (X, y) for ``kind: arrays``. X: (N, D) numbers, y: (N,).
    Raises SpecError for what cannot be read, features that are not finite numbers, shapes that do not match,
    or a single class.
    """
    if arrays is not None and not isinstance(data, spec.Arrays):
        raise refuse("kind", "arrays were given for another kind of data", data.kind, "arrays")
    if isinstance(data, RecordedData):
        raise refuse("kind", "curves that were trained elsewhere come without data")
    match data:
        case spec.Arrays():
            return _given(data, arrays)
        case spec.Bundled():
            return _bundled(data)
        case tables.Table():
            return dataset_of_frame(data, read_frame(data))
        case teachers.Teacher():
            return _taught(data)
        case _:
            return _generated(data)


def _bundled(data: spec.Bundled) -> Dataset:
    X, y = getattr(datasets, f"load_{data.kind}")(return_X_y=True)
    if data.kind == "diabetes":
        if data.classes != "all":
            raise refuse("classes", "a regression has no classes", str([*data.classes]), "all")
        return dataset_of(data.kind, X, y, "regression")
    if data.classes != "all":
        there = np.unique(y).tolist()
        unknown = [one for one in data.classes if one not in there]
        if unknown:
            raise refuse("classes", "not among the classes", str(unknown), ", ".join(map(str, there)))
        kept = np.isin(y, data.classes)
        X, y = X[kept], y[kept]
    return dataset_of(data.kind, X, y, "classification")


def _given(data: spec.Arrays, arrays: Arrays | None) -> Dataset:
    if arrays is None:
        raise refuse("kind", "arrays come from Python", hint="fitlab.run(spec, data=(X, y))")
    try:
        X, y = arrays
    except (TypeError, ValueError):
        raise refuse("X", "data are two things", type(arrays).__name__, "a pair (X, y)") from None
    return dataset_of(data.kind, X, y, data.task)


def _refuse_what_takes_too_long(data: GeneratedData) -> None:
    """Raise SpecError for what a generator would work on for hours, deaf to Ctrl-C, or in more memory than there is."""
    limits: dict[str, int] = {}
    match data:
        case MakeGaussianQuantiles():
            limits = {"n_features": WIDE}
        case MakeBlobs():
            limits = {"centers": MANY}
        case MakeClassification():
            limits = {"n_informative": WIDE, "n_classes": MANY, "n_clusters_per_class": MANY}
            clusters = data.n_classes * data.n_clusters_per_class
            refuse_more_than_a_machine_holds(
                ("n_informative", data.n_informative**2), ("n_clusters_per_class", clusters)
            )
        case _:
            pass
    for key, most in limits.items():
        if (given := getattr(data, key)) > most:
            raise refuse(key, "this would take too long to draw", str(given), f"at most {most}")


def _generated(data: GeneratedData) -> Dataset:
    arguments = data.model_dump(exclude={*DataOptions.model_fields, "kind"})
    width = ("n_features", arguments.get("n_features", 2))
    for rows in ("n_samples", "centers"):
        refuse_more_than_a_machine_holds((rows, arguments.get(rows, 1)), width)
    _refuse_what_takes_too_long(data)
    try:
        X, y = getattr(datasets, data.kind)(**arguments)
    except (ValueError, MemoryError) as error:
        said = str(error) or "out of memory"
        raise refuse("kind", f"{data.kind} refuses its parameters: {said}") from None
    return dataset_of(data.kind, X, y, "auto")


def _taught(data: teachers.TeacherData) -> Dataset:
    """Draw n_samples rows by random_state: the data set itself, or the probe of a law that is drawn from afresh."""
    X, y = draw(data, data.n_samples, stream("teacher", data.random_state))
    task = task_of(data)
    if not data.fresh:
        return dataset_of(data.kind, X, y, task)
    classes = np.arange(2) if task == "classification" else np.empty(0)
    X, y = np.round(X, 9), np.round(y, 9)  # the last bits of sums and sines differ between processors
    return Dataset(data.kind, task, X, y, classes, law=law(data))
