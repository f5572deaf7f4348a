"""Configs as points of what was swept: one number of each, its verdict, or why there is no number.

From a Sweep, or from anybody's table of results: a row a Config.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fitlab.diagnosis.gather import places
from fitlab.diagnosis.naming import name_of, pairs, percent
from fitlab.metrics import is_score
from fitlab.plots.keys import Axis, plain, varied
from fitlab.plots.marks import Mark, mark_of, verdict_text
from fitlab.plots.shared import nothing, refuse_other
from fitlab.plots.sources import numeric
from fitlab.recorded import CONSTANT
from fitlab.records import Config, Interval, Outcome
from fitlab.seeds import canonical
from fitlab.spec.recorded import CAPACITY, NAME
from fitlab.spec.sweeps import Grid, Tpe
from fitlab.sweep import Sweep

FROM_A_SEARCH = "from a search: what was pruned or never proposed is not on it"
PARTS = {"train": "train", "val": "validation", "test": "test"}
UNKNOWN = "no value"
NOT_KEYS = {"config", "name", "n", "verdict", "state", "selected", *Outcome}


def said(metric: str) -> str:
    """Return a metric in words: ``validation loss``."""
    name, _, part = metric.partition("/")
    if metric == "gap/loss":
        return "validation loss − train loss"
    return f"{PARTS[part]} {name}" if part in PARTS else metric


def as_loss(metric: str, value: float) -> float:
    """Return a value of a metric such that less is better."""
    return -value if is_score(metric) else value


@dataclass(frozen=True, eq=False)
class Row:
    """One Config."""

    config: str  # the beginning of its digest, or the label of its row
    name: str
    point: Mapping[str, Any]  # swept key -> value
    value: Interval | None  # of the metric, the mean over seeds
    verdict: str  # its text; empty: not diagnosed
    state: str = ""  # why there is no value: pruned, failed, diverged …
    selected: bool = False

    @property
    def mark(self) -> Mark:
        """How its verdict looks."""
        return mark_of(self.verdict)

    @property
    def cells(self) -> dict[str, Any]:
        """What a table says of it, but its place and its value."""
        return {"verdict": self.verdict, "state": self.state, "selected": self.selected}


@dataclass(frozen=True, eq=False)
class Rows:
    """The Configs of a sweep, or of a table."""

    metric: str
    rows: tuple[Row, ...]
    axes: tuple[Axis, ...]  # the keys that differ, in the order in which figures take them
    grid: bool  # every combination was to be trained, so that each has a cell
    search: bool  # a sampler chose what to train
    level: float | None  # of the intervals; None: not known

    @property
    def seeds(self) -> int:
        """Over how many a value is, at most."""
        return max((row.value.n for row in self.rows if row.value is not None), default=0)

    def axis(self, key: str) -> Axis:
        """Return the axis of a key, or of its last part. Raises ValueError where it is not swept."""
        found = [one for one in self.axes if key in (one.key, one.key.rsplit(".", 1)[-1])]
        if len(found) != 1:
            raise nothing(f"{key!r} is not a key that differs between Configs", (one.key for one in self.axes))
        return found[0]

    @property
    def over(self) -> str:
        """What values are means over, as captions say it."""
        if self.seeds < 2:
            return ""
        bounds = "" if self.level is None else f" ({percent(self.level)} Student-t intervals in the table)"
        return f", mean over {self.seeds} seeds{bounds}"

    def table(self, axes: Sequence[Axis] | None = None) -> pd.DataFrame:
        """Return a row per Config: config, name, the keys of ``axes``, the metric with its bounds, n, verdict …"""
        keys = [one.key for one in (self.axes if axes is None else axes)]
        return pd.DataFrame(
            [{**_start(row, keys), **_measured(self.metric, row.value), **row.cells} for row in self.rows]
        )


def _start(row: Row, keys: Sequence[str]) -> dict[str, Any]:
    return {"config": row.config, "name": row.name, **{key: row.point.get(key, math.nan) for key in keys}}


def _measured(metric: str, value: Interval | None) -> dict[str, Any]:
    known = value or Interval(math.nan, math.nan, math.nan, math.nan, 0, "")
    return {metric: known.estimate, f"{metric}/low": known.low, f"{metric}/high": known.high, "n": known.n}


def rows_of(source: Sweep | pd.DataFrame, metric: str = "loss/val", keys: Sequence[str] = ()) -> Rows:
    """Return the Configs of a sweep with a final metric, or the rows of a table.

    A table has a row per Config: columns of swept values, the metric, and where it has them verdict, state, selected,
    name, and the metric's ``…/low`` and ``…/high``; ``sweep.table()`` is one. keys: those columns that are swept
    values; by default all whose names are none of these, have no slash, and are no outcome.
    Raises ValueError where no row has the metric, or a column is not there.
    """
    refuse_other(source, Sweep, pd.DataFrame)
    found = _of_sweep(source, metric) if isinstance(source, Sweep) else _of_frame(source, metric, keys)
    if all(row.value is None for row in found.rows) and not any(row.verdict for row in found.rows):
        there = source.metrics if isinstance(source, Sweep) else source.columns
        states = {row.state for row in found.rows}
        raise nothing(f"no Config has {metric} ({', '.join(sorted(states)) or 'there is none'})", there)
    return found


def _of_sweep(sweep: Sweep, metric: str) -> Rows:
    if metric not in (*sweep.metrics, "gap/loss") and sweep.metrics:
        raise nothing(f"{metric} was not measured", [*sweep.metrics, "gap/loss"])
    chosen = sweep.verdicts.selection.config if sweep.verdicts.selection else None
    rows = tuple(_row(sweep, config, metric, config.digest == chosen) for config in sweep.configs)
    orders = {key: _order(sweep, key) for key in dict.fromkeys(key for row in rows for key in row.point)}
    axes = varied([row.point for row in rows], orders, sweep.spec.diagnosis.capacity_axis)
    method = sweep.spec.sweep
    return Rows(
        metric, rows, tuple(axes), isinstance(method, Grid), isinstance(method, Tpe), sweep.spec.diagnosis.level
    )


def _row(sweep: Sweep, config: Config, metric: str, selected: bool) -> Row:
    value = sweep.intervals(config).get(metric)
    point = {key: one for key, one in config.swept.items() if key != CAPACITY}
    verdict, state = verdict_text(sweep, config), "" if value else _state(sweep, config)
    return Row(config.digest[:12], name_of(config), point, value, verdict, state, selected)


def _state(sweep: Sweep, config: Config) -> str:
    """Return why a Config has no value: the worst outcome of its Fits."""
    outcomes = {fit.outcome for fit in sweep.of(config)}
    for outcome in (Outcome.DIVERGED, Outcome.PRUNED, Outcome.FAILED, Outcome.INTERRUPTED):
        if outcome in outcomes:
            return str(outcome)
    return UNKNOWN if outcomes else "not trained"


def _order(sweep: Sweep, key: str) -> dict[str, float]:
    """Return the places of values that have an order of capacity: sizes of layers, and names of recorded Configs."""
    if key == NAME:
        return {canonical(c.swept[NAME]): float(c.swept[CAPACITY]) for c in sweep.configs if CAPACITY in c.swept}
    if not any(isinstance(config.swept.get(key), list | tuple) for config in sweep.configs):
        return {}
    found = places(sweep, sweep.configs, key)
    return {canonical(c.swept[key]): found[c.digest] for c in reversed(sweep.configs) if c.digest in found}


# ── tables from elsewhere ───────────────────────────────────────────────────────────────────────────────────


def _of_frame(frame: pd.DataFrame, metric: str, keys: Sequence[str]) -> Rows:
    keys = keys or [c for c in map(str, frame.columns) if c not in NOT_KEYS and c != metric and "/" not in c]
    lacking = [column for column in (metric, *keys) if column not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}", frame.columns)
    frame = numeric(frame, metric, f"{metric}/low", f"{metric}/high", "n")
    labels = frame.get("config", frame.index)
    told = zip(labels, frame.to_dict("records"), strict=True)
    rows = tuple(_told(str(label), row, metric, keys) for label, row in told if label != CONSTANT)
    axes = varied([row.point for row in rows], {})
    combinations = [canonical([*row.point.values()]) for row in rows]
    return Rows(metric, rows, tuple(axes), len({*combinations}) == len(combinations) and _full(rows, axes), False, None)


def _told(label: str, row: Mapping[Any, Any], metric: str, keys: Sequence[str]) -> Row:
    cells = {key: plain(row[key]) for key in keys}
    point = {key: value for key, value in cells.items() if value is not None}
    known, verdict = math.isfinite(row[metric]), row.get("verdict", "")
    low, high = (float(row.get(f"{metric}/{end}", math.nan)) for end in ("low", "high"))
    value = Interval(float(row[metric]), low, high, math.nan, _count(row.get("n", 1)), "") if known else None
    state = str(row.get("state") or UNKNOWN) if value is None else ""
    verdict = verdict if isinstance(verdict, str) else ""
    mark_of(verdict)  # what is no verdict is refused here, before anything is drawn
    return Row(
        label, str(row.get("name") or pairs(point)), point, value, verdict, state, bool(row.get("selected", False))
    )


def _count(n: float) -> int:
    return int(n) if math.isfinite(n) and n >= 1 else 1


def _full(rows: Sequence[Row], axes: Sequence[Axis]) -> bool:
    """Whether at least half of all combinations are there: then it reads as a grid."""
    return 2 * len(rows) >= math.prod(one.levels for one in axes)
