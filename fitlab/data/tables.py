"""From a frame of named columns to a Dataset: which columns, and everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar

import numpy as np

from fitlab.data.columns import Complaint, Encoded, Flaw, Labels, Numbers, content, encode, instants
from fitlab.data.dataset import Dataset, refuse, told_task
from fitlab.data.frames import Frame, unknown_column
from fitlab.errors import Problem, SpecError
from fitlab.records import Array, Floats, Task
from fitlab.spec.tables import Csv, TableData

P = ParamSpec("P")
T = TypeVar("T")
SHOWN = 5  # columns in a message
OTHERS = ("group", "time", "sample_weight")  # keys that name a column with a part of its own
WORDS: dict[Flaw, tuple[str, str, str, str]] = {  # flaw -> key, message, allowed, hint
    "date": (
        "features",
        "dates: neither numbers nor categories",
        "numbers, text, true and false",
        "list the columns to use in features; to split by a date: time: COLUMN with split: {kind: time}",
    ),
    "thousands": (
        "features",
        "numbers with commas between thousands",
        "numbers such as 1000",
        "take the commas out; or decimal: ',' if they stand before decimals",
    ),
    "comma": (
        "decimal",
        "numbers with a decimal comma",
        "numbers with a decimal point, while decimal is '.'",
        "decimal: ','",
    ),
    "mixed": (
        "features",
        "numbers and text in one column",
        "one or the other",
        "a missing value is an empty field, or a word that is named: na_values: [NA]; "
        "name the column in categorical if its values are categories",
    ),
    "large": (
        "features",
        "whole numbers above 2^53, which no learner tells apart",
        "smaller ones",
        "an identifier? leave it out; a category? name it in categorical",
    ),
    "infinite": ("features", "infinite values", "finite numbers", "correct the table, or leave the column out"),
    "missing": (
        "missing",
        "missing values",
        "none, while missing is refuse",
        "mean, median or most_frequent fill them with what the training part says",
    ),
    "constant": (
        "constant",
        "the same value in every row: it tells nothing",
        "columns that vary",
        "list the columns to use in features, or constant: keep",
    ),
    "identifier": (
        "features",
        "too many different values for a category: a name, an identifier or free text",
        "fewer than half as many as rows, at most 1000",
        "list the columns to use in features",
    ),
    "unknown": ("features", "neither numbers nor text", "numbers, text, true and false", "leave the column out"),
}


def dataset_of_frame(data: TableData, frame: Frame) -> Dataset:
    """Return the checked Dataset of a table; features keep NaN where ``missing`` says how to fill it.

    Raises SpecError with every problem: columns that are not there, and what cannot be learned from.
    """
    names = _chosen(data, frame)
    problems: list[Problem] = []
    features = _tried(problems, _features, data, frame, names)
    target = _tried(problems, _target, data, frame)
    groups = _tried(problems, _groups, data.group, frame)
    times = _tried(problems, _times, data.time, frame)
    weights = _tried(problems, _weights, data.sample_weight, frame)
    if features is None or target is None or problems:
        raise SpecError(problems)
    task, y, classes = target
    X = np.column_stack([one.values for one in features])
    names = [name for one in features for name in one.names]
    return Dataset(data.kind, task, X, y, classes, tuple(names), groups, times, weights)


def _tried(problems: list[Problem], make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return what ``make`` makes; where it cannot, keep its problems, so that all are told at once."""
    try:
        return make(*args, **kwargs)
    except SpecError as error:
        problems += error.problems
        return None


def _chosen(data: TableData, frame: Frame) -> list[str]:
    """Return the columns to learn from. Raises SpecError for names that are not there or stand in two places."""
    there = [str(name) for name in frame.columns.columns]
    frame.columns.columns = there
    if not len(frame.columns):
        raise refuse(_source(data), "a table without rows", f"{len(there)} columns, 0 rows")
    problems = list(_column_problems(data, frame, there))
    if problems:
        raise SpecError(problems)
    if data.features != "all":
        return list(data.features)
    chosen = [name for name in there if name not in {frame.target, data.group, data.time, data.sample_weight}]
    if not chosen:
        raise refuse("features", "no column is left to learn from", ", ".join(there))
    return chosen


def _source(data: TableData) -> str:
    return "path" if data.kind != "openml" else "data_id" if data.data_id else "name"


def _column_problems(data: TableData, frame: Frame, there: list[str]) -> Iterator[Problem]:
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        yield from refuse(_source(data), "column names that stand there twice", ", ".join(twice), "each once").problems
    features = () if data.features == "all" else data.features
    named = [("target", frame.target), *((key, getattr(data, key)) for key in OTHERS)]
    named += [("features", name) for name in features] + [("categorical", name) for name in data.categorical]
    separator = data.separator if isinstance(data, Csv) else ","
    for key, name in named:
        if name is not None and name not in there:
            yield from unknown_column(key, name, frame, separator).problems
    if frame.target in features:
        hint = "what is to be predicted cannot be known"
        yield from refuse("features", "the target is among the features", frame.target, hint=hint).problems
    for key in OTHERS:
        if getattr(data, key) == frame.target:
            yield from refuse(key, "this column is the target", frame.target, "another column").problems
    if data.sample_weight in features:
        yield from refuse("features", "the weight of rows is among the features", data.sample_weight).problems


def _features(data: TableData, frame: Frame, names: Sequence[str]) -> list[Encoded]:
    encoded: list[Encoded] = []
    flawed: list[Complaint] = []
    for name in names:
        held = content(name, frame.columns[name], frame.typed, name in data.categorical)
        match encode(name, held, data.missing == "refuse", data.constant == "refuse"):
            case Encoded() as fine:
                encoded.append(fine)
            case Complaint() as complaint:
                flawed.append(complaint)
    if flawed:
        raise SpecError(_told(flawed))
    return encoded


def _told(flawed: Sequence[Complaint]) -> Iterator[Problem]:
    """Yield one problem for all columns with the same flaw."""
    for flaw, (key, message, allowed, hint) in WORDS.items():
        details = [one.detail for one in flawed if one.flaw == flaw]
        more = f" and {len(details) - SHOWN} more" if len(details) > SHOWN else ""
        if details:
            yield from refuse(key, message, ", ".join(details[:SHOWN]) + more, allowed, hint).problems


def _target(data: TableData, frame: Frame) -> tuple[Task, Array, Array]:
    """Return task, target and classes. Raises SpecError for gaps and for what is neither numbers nor labels."""
    name = frame.target
    held = content(name, frame.columns[name], frame.typed, name in data.categorical)
    match held:
        case Complaint():
            hint = WORDS["mixed"][3] if held.flaw == "mixed" else None
            raise refuse("target", WORDS[held.flaw][1], held.detail, "numbers or labels", hint)
        case Numbers(values=values):
            gaps = np.isnan(values)
        case Labels(values=values):
            gaps = np.array([value is None for value in values])
    if gaps.any():
        given = f"{name}: {gaps.sum()} of {len(gaps)}, the first in data row {gaps.argmax() + 1}"
        raise refuse("target", "missing target values", given, hint="leave these rows out of the table")
    if isinstance(held, Numbers) and np.isinf(held.values).any():
        raise refuse("target", "infinite target values", f"{name}: {np.isinf(held.values).sum()} of {len(gaps)}")
    if isinstance(held, Labels) and data.task == "regression":
        given = f"{name} holds text such as {values[0]!r}"
        raise refuse("task", "a regression needs a target of numbers", given, "classification, or auto")
    exactly = isinstance(held, Numbers) and held.whole
    listed = frame.columns[name].tolist() if exactly else values.tolist()
    return told_task(np.asarray(listed), data.task, key="target")


def _groups(name: str | None, frame: Frame) -> Array | None:
    """Return which rows belong together, as text (N,)."""
    if name is None:
        return None
    column = frame.columns[name]
    _refuse_gaps("group", name, column.isna().to_numpy())
    return np.array([str(value) for value in column], dtype="U")


def _times(name: str | None, frame: Frame) -> Array | None:
    if name is None:
        return None
    column = frame.columns[name]
    _refuse_gaps("time", name, column.isna().to_numpy())
    found = instants(column)
    if found is None:
        given = f"{name} holds {column.iloc[0]!r}"
        raise refuse("time", "neither numbers nor dates", given, "finite numbers, or ISO 8601 dates such as 2026-01-31")
    return found


def _weights(name: str | None, frame: Frame) -> Floats | None:
    """Return how much each row counts, (N,)."""
    if name is None:
        return None
    column = frame.columns[name]
    _refuse_gaps("sample_weight", name, column.isna().to_numpy())
    held = content(name, column, frame.typed)
    if not isinstance(held, Numbers):
        raise refuse("sample_weight", "not numbers", f"{name} holds {column.iloc[0]!r}", "positive numbers")
    wrong = ~((held.values > 0) & np.isfinite(held.values))
    if wrong.any():
        given = f"{name}: {wrong.sum()} of {len(wrong)}, the first in data row {wrong.argmax() + 1}"
        hint = "leave rows that do not count out of the table"
        raise refuse("sample_weight", "weights that are not positive", given, "positive, finite numbers", hint)
    return held.values


def _refuse_gaps(key: str, name: str, gaps: Array) -> None:
    if gaps.any():
        given = f"{name}: {gaps.sum()} of {len(gaps)}, the first in data row {gaps.argmax() + 1}"
        raise refuse(key, "missing values", given, "a value in every row")
