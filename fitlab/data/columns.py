"""One column of a table: numbers, categories or neither, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types

from fitlab.data.dataset import EXACT
from fitlab.records import Array, Floats

MAX_CATEGORIES = 1000
FEW = 20  # categories that no column is refused for
DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}([ T]\d.*)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?")
COMMA = re.compile(r"[+-]?\d+(,\d+)?")
Flaw = Literal[
    "date", "thousands", "comma", "mixed", "large", "infinite", "missing", "constant", "identifier", "unknown"
]


@dataclass(frozen=True)
class Complaint:
    """Why a column cannot be learned from."""

    flaw: Flaw
    detail: str  # the column, and what is in it


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers, NaN where one is missing."""

    values: Floats  # (N,)
    whole: bool  # whether its type holds whole numbers alone
    exact: bool = True  # whether the values are those that were read, not their neighbours


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of categories as text, None where one is missing."""

    values: Array  # (N,) of str or None


Content = Numbers | Labels | Complaint


def content(name: str, column: pd.Series[Any], typed: bool, categorical: bool = False) -> Content:
    """Return what a column holds. typed: its source says so; else text with numbers among it is suspect."""
    if categorical:
        return _labels(column)
    if types.is_bool_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
        return _labels(column)
    if types.is_numeric_dtype(column) and not types.is_complex_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        whole = types.is_integer_dtype(column)
        return Numbers(values, whole, not whole or not (np.abs(values) >= EXACT).any())
    if types.is_datetime64_any_dtype(column) or types.is_timedelta64_dtype(column):
        return Complaint("date", f"{name} ({column.dtype})")
    return _objects(name, column, column.dropna(), typed)


def _objects(name: str, column: pd.Series[Any], values: pd.Series[Any], typed: bool) -> Content:
    """Judge a column by its values, of which there are some besides the missing ones or none."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float, Decimal}:
        exact = not any(isinstance(value, int) and abs(value) >= EXACT for value in values)
        return Numbers(np.asarray(column, dtype=np.float64), kinds == {int} and len(values) == len(column), exact)
    if kinds <= {bool}:
        return _labels(column)
    if kinds <= {str}:
        return _text(name, column, values, typed)
    if kinds <= {date, datetime, time}:
        return Complaint("date", f"{name} ({values.iloc[0]})")
    if str in kinds:
        return _mixed(name, values)
    return Complaint("unknown", f"{name} ({', '.join(sorted(kind.__name__ for kind in kinds))})")


def _text(name: str, column: pd.Series[Any], values: pd.Series[Any], typed: bool) -> Content:
    if all(DATE.fullmatch(value.strip()) for value in values.unique()):
        return Complaint("date", f"{name} ({values.iloc[0]})")
    if not typed and all(THOUSANDS.fullmatch(value.strip()) for value in values.unique()):
        return Complaint("thousands", f"{name} ({next(value for value in values if ',' in value)})")
    if not typed and all(COMMA.fullmatch(value.strip()) for value in values.unique()):
        return Complaint("comma", f"{name} ({values.iloc[0]})")
    if not typed and pd.to_numeric(values, errors="coerce").notna().any():
        return _mixed(name, values)
    return _labels(column)


def _mixed(name: str, values: pd.Series[Any]) -> Complaint:
    text = values[pd.to_numeric(values, errors="coerce").isna()]
    if text.empty:
        return Complaint("mixed", f"{name} (numbers, some of them written as text)")
    share = f"{len(values) - len(text)} of {len(values)} values are numbers"
    return Complaint("mixed", f"{name} ({share}, data row {_row(text)} holds {text.iloc[0]!r})")


def _labels(column: pd.Series[Any]) -> Labels:
    there = column.notna().to_numpy()
    text = np.array([str(value) if known else None for value, known in zip(column, there, strict=True)], dtype=object)
    return Labels(text)


def _row(part: pd.Series[Any]) -> int:
    """Return the number of the first row of a part, counted from 1 below the header."""
    return int(part.index[0]) + 1


@dataclass(frozen=True, eq=False)
class Encoded:
    """A feature as numbers: itself, or a column of ones and zeros for each category."""

    names: tuple[str, ...]
    values: Floats  # (N, len(names))


def encode(name: str, held: Content, missing_refused: bool, constant_refused: bool) -> Encoded | Complaint:
    """Return a feature as numbers, or what is wrong with it. Categories are sorted as text.

    A missing number stays NaN, a missing category becomes one of its own, where they are not refused.
    """
    match held:
        case Complaint():
            return held
        case Numbers(values=values):
            gaps = np.isnan(values)
            flaw = _flaw_of_numbers(name, held, values[~gaps])
        case Labels(values=values):
            gaps = np.array([value is None for value in values])
            flaw = _flaw_of_labels(name, values[~gaps])
    if flaw is not None:
        return flaw
    if gaps.any() and missing_refused:
        detail = f"{name} ({gaps.sum()} of {len(gaps)}, the first in data row {gaps.argmax() + 1})"
        return Complaint("missing", detail)
    known = set(values[~gaps].tolist())
    if constant_refused and len(known) + (gaps.any() and isinstance(held, Labels)) < 2:
        return Complaint("constant", f"{name} ({next(iter(known)) if known else 'all missing'})")
    if isinstance(held, Numbers):
        return Encoded((name,), values[:, None])
    categories = sorted(known)
    ones = [values == category for category in categories] + ([gaps] if gaps.any() else [])
    names = [f"{name}={category}" for category in categories] + ([f"{name} is missing"] if gaps.any() else [])
    return Encoded(tuple(names), np.column_stack(ones).astype(np.float64))


def _flaw_of_numbers(name: str, held: Numbers, values: Floats) -> Complaint | None:
    if not held.exact:
        return Complaint("large", f"{name} (up to {np.abs(values).max():.4g})")
    infinite = np.isinf(values)
    if infinite.any():
        return Complaint("infinite", f"{name} ({infinite.sum()} of {len(values)})")
    return None


def _flaw_of_labels(name: str, values: Array) -> Complaint | None:
    count = len(set(values.tolist()))
    if count > MAX_CATEGORIES or count > max(FEW, len(values) / 2):
        return Complaint("identifier", f"{name} ({count} different values in {len(values)} rows)")
    return None


def instants(column: pd.Series[Any]) -> Array | None:
    """Return times that can be put in order, (N,) numbers or microseconds since 1970; None where they cannot be."""
    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and not types.is_complex_dtype(column):
        numbers = column.to_numpy(np.float64)
        return numbers if np.isfinite(numbers).all() else None
    try:
        return pd.to_datetime(column, utc=True, format="ISO8601").dt.as_unit("us").astype(np.int64).to_numpy()
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None
