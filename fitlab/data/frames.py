"""Reading tables: a file or OpenML to a frame of named columns, or a message that says why not."""

from __future__ import annotations

import csv
import difflib
import os
import warnings
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import pandas as pd
from sklearn.datasets import fetch_openml

from fitlab.data.dataset import refuse
from fitlab.errors import SpecError
from fitlab.spec.tables import Csv, OpenML, Parquet, TableData

MAX_SHOWN = 60  # characters of a path that is none
RETRIES, DELAY = 1, 0.5  # of a download; seconds
SEPARATORS = {",": "','", ";": "';'", "|": "'|'", "\t": '"\\t"'}  # and how they are written in a spec
TOO_MANY = "a row with more fields than the header has names"


@dataclass(frozen=True, eq=False)
class Frame:
    """A table as it was read: N rows, named columns."""

    columns: pd.DataFrame
    target: str  # the column to predict
    typed: bool  # whether the source says what a column holds; a CSV file does not


def read_frame(data: TableData) -> Frame:
    """Read the table that ``data`` names. Raises SpecError where that cannot be done."""
    match data:
        case Csv():
            return Frame(_read_csv(_there(data), data), data.target, typed=False)
        case Parquet():
            return Frame(_read_parquet(_there(data)), data.target, typed=True)
        case OpenML():
            return _fetch(data)


def _there(data: Csv | Parquet) -> Path:
    try:
        path = Path(data.path).expanduser()
        if path.is_file():
            return path
        message = "it is a folder" if path.is_dir() else "not a file" if path.exists() else "no such file"
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, a user or a character that there is not
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refuse("path", f"not a path: {reason}", data.path[:MAX_SHOWN]) from None
    beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f"did you mean {path.parent / near[0]}?" if near else "a path starts in the folder where fitlab is run"
    raise refuse("path", message, str(path.absolute()), hint=hint if message == "no such file" else None)


def _as_text(data: Csv) -> list[str]:
    """Return the columns whose text counts: 01 is not 1. A number to learn from, and a time, stay numbers."""
    numbers = {data.time} | (set(data.features) - set(data.categorical) if data.features != "all" else set())
    return [name for name in (*data.categorical, data.group) if name is not None and name not in numbers]


def _read_csv(path: Path, data: Csv) -> pd.DataFrame:
    separator = data.separator
    header: list[str] | None = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, delimiter=separator), None)
        if not header or not any(header):
            raise refuse("path", "an empty file, or no header in its first line", str(path.absolute()))
        _named(header)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more fields than the header has
            return pd.read_csv(
                path,
                sep=separator,
                decimal=data.decimal,
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
                dtype=dict.fromkeys(_as_text(data), str),
                keep_default_na=False,  # NA is a country, None an answer
                na_values=["", *data.na_values],
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        reason = TOO_MANY if isinstance(error, pd.errors.ParserWarning) else _line(error).split("C error: ")[-1]
        hint = _separator_hint(header, separator)
        raise refuse("path", f"not a table: {reason}", str(path.absolute()), hint=hint) from None
    except UnicodeDecodeError as error:
        raise refuse("path", f"not UTF-8 text: {_line(error)}", str(path.absolute()), hint="save it as UTF-8") from None
    except OSError as error:
        raise refuse("path", f"cannot be read: {error.strerror or error}", str(path.absolute())) from None


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except Exception as error:  # whatever damaged bytes make pyarrow raise, and pandas, which has metadata of its own
        raise refuse("path", f"not a Parquet file that can be read: {_line(error)}", str(path.absolute())) from None
    named = [name for name in frame.index.names if name is not None]  # pandas keeps them as columns of the file
    twice = [str(name) for name in named if name in frame.columns]
    if twice:
        raise refuse("path", "an index with the name of a column", ", ".join(twice), "each name once")
    return (frame.reset_index(level=named) if named else frame).reset_index(drop=True)


def _named(names: list[str]) -> None:
    """Raise SpecError where pandas would make names up."""
    nameless = [i + 1 for i, name in enumerate(names) if not name.strip()]
    if nameless:
        hint = "was it written with an index? DataFrame.to_csv(path, index=False)"
        raise refuse("path", "a column without a name", f"column {nameless[0]} of {len(names)}", hint=hint)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refuse("path", "column names that stand there twice", ", ".join(twice), "each name once")


def _separator_hint(header: list[str] | None, separator: str) -> str | None:
    """Say which separator was meant, where the first line has another one."""
    line = separator.join(header or ())
    found = [mark for mark in SEPARATORS if mark != separator and line.count(mark) > line.count(separator)]
    return f"did you mean separator: {SEPARATORS[found[0]]}?" if found else None


def _fetch(data: OpenML) -> Frame:
    named = {"data_id": data.data_id} if data.data_id else {"name": data.name, "version": data.version}
    called = f"data_id {data.data_id}" if data.data_id else f"{data.name}, version {data.version}"
    key = "data_id" if data.data_id else "name"
    column = "default-target" if data.target is None else None  # None: the target is found among all columns
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retries and of several active versions
            found = fetch_openml(
                **named, target_column=column, as_frame=True, parser="auto", n_retries=RETRIES, delay=DELAY
            )
    except (OSError, HTTPException) as error:
        home = Path(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")).expanduser()
        kept = f"it is kept in {home} once it is fetched"
        raise refuse(key, f"OpenML's data set cannot be fetched: {_line(error)}", called, hint=kept) from None
    except (ValueError, KeyError) as error:
        raise refuse(key, f"not to be had from OpenML: {_line(error)}", called) from None
    return Frame(found.frame, data.target or _default_target(found.target_names), typed=True)


def _default_target(names: list[str] | None) -> str:
    if not names or len(names) != 1:
        given = ", ".join(names) if names else "none"
        raise refuse("target", "missing key: OpenML has no one default target for it", given, "the name of a column")
    return names[0]


def _line(error: BaseException) -> str:
    """Return the first line of what an error says, or the error within says."""
    reason = getattr(error, "reason", error)
    return (str(reason) or type(reason).__name__).splitlines()[0]


def unknown_column(key: str, name: str, frame: Frame, separator: str = ",") -> SpecError:
    """Make the error of a column that is not there."""
    names = [str(column) for column in frame.columns.columns]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else None
    if len(names) == 1 and not frame.typed:
        hint = _separator_hint(names, separator) or hint
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return refuse(key, "no such column", name, shown, hint)
