"""Validation curves: train and validation loss at the last epoch along one swept key, all else held fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fitlab.diagnosis.naming import pairs
from fitlab.plots.above import head
from fitlab.plots.along import Places, called, number_of, places_of
from fitlab.plots.curves import LEVEL, PARTS, Band
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import plain
from fitlab.plots.lines import key_named, line_of, searched
from fitlab.plots.points import Points, draw_points, explained, points_of, why_not
from fitlab.plots.shared import axes_or_new, bare, nothing, refuse_other
from fitlab.plots.sources import numeric
from fitlab.records import Config, Floats
from fitlab.seeds import canonical, same
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Range
from fitlab.stats import t_interval
from fitlab.sweep import Sweep

WANTED = ("seed", "split", "value")
NO_AXES = {*WANTED, "config", "metric", "epoch", "outcome", "low", "high", "verdict"}
MEAN = "mean"


@dataclass(frozen=True, eq=False)
class Validation:
    """What ``validation_curve`` draws."""

    points: Points
    fixed: Mapping[str, Any]  # what else is swept, with the values that it is held to
    origin: Origin | None = None
    searched: bool = False  # Configs were proposed by what was found before

    def table(self) -> pd.DataFrame:
        """Return a row per part, value and line: key, split, seed (a number, or mean), value, low, high, verdict."""
        return self.points.table()

    @property
    def title(self) -> str:
        """What else is swept, and where it is held."""
        where = f"at {pairs(self.fixed)}" if self.fixed else ""
        return f"{where}; from a search" if self.searched and where else "from a search" if self.searched else where

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        held = f", with {pairs(self.fixed)}" if self.fixed else ""
        search = " The Configs are those that a search proposed." if self.searched else ""
        metric, key = self.points.metric, called(self.points.key)
        return (
            f"{metric.capitalize()} at the last epoch against {key} on training (dashed) and validation data (solid)"
            f"{held}; {self.points.said}{search}"
        )


def validation_curve(
    source: Sweep | Validation | pd.DataFrame,
    along: str | None = None,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
    metric: str = "loss",
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a metric at the last epoch against a swept key: every seed faintly, means with bars, verdicts at them.

    along: the key, or its end, such as ``alpha``; default: the only one that is swept. What else is swept is held to
    the values of ``config``, by default the selected one, or to those of ``fixed``, such as ``{"alpha": 1}``; the
    title says which. Numbers stand on a linear or logarithmic axis, as they were swept; lists of one as their number;
    anything else side by side. source: a Sweep; or a DataFrame with a column ``along``, and seed, split (train, val),
    value, and where there are any metric, epoch (of which the last counts), and other keys, to be ``fixed``.
    What is drawn is ``validation_of(…).table()``. Raises ValueError where there is nothing to draw, saying what is.
    """
    if isinstance(source, Validation):
        found = source
    else:
        found = validation_of(source, along, config=config, fixed=fixed, metric=metric)
    ax = axes_or_new(ax)
    draw_points(ax, found.points)
    bare(ax)
    head(ax, found.title, explained(found.points), legend)
    return shows(ax, found)


def validation_of(
    source: Sweep | pd.DataFrame,
    along: str | None = None,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
    metric: str = "loss",
) -> Validation:
    """Return what ``validation_curve`` draws. Raises ValueError where there is nothing."""
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, along, fixed, metric)
    refuse_other(source, Sweep, pd.DataFrame)
    keys = [*domain_of(source.spec)]
    if along is None and len(keys) != 1:
        raise nothing(f"along which of {len(keys)} swept keys? Give along=", keys)
    key, line, held = line_of(source, along or keys[0], config, fixed)
    known = [one for one in line if f"{metric}/val" in source.intervals(one)]
    if not known:
        why = "; ".join(dict.fromkeys(why_not(source, one) for one in line))
        there = sorted({name.split("/")[0] for name in source.metrics})
        raise nothing(f"no Config with {pairs(held) or key} has {metric} on validation data ({why})", there)
    ordered, places = _ordered(source, key, known)
    reasons = [why_not(source, one) for one in line if one not in known]
    points = points_of(source, ordered, key, metric, places)
    left = {one: reasons.count(one) for one in dict.fromkeys(reasons)}
    return Validation(replace(points, left_out=left), held, origin_of(source, ordered), searched(source))


def _ordered(sweep: Sweep, key: str, configs: Sequence[Config]) -> tuple[list[Config], Places]:
    """Return Configs with numbers ascending, anything else in the order of the spec, and their places."""
    domain = domain_of(sweep.spec)[key]
    values = [one.swept[key] for one in configs]
    if all(number_of(value) is not None for value in values):
        configs = sorted(configs, key=lambda one: number_of(one.swept[key]) or 0)
    log = domain.log if isinstance(domain, Range) else None
    return [*configs], places_of([one.swept[key] for one in configs], log)


# ── from a DataFrame ────────────────────────────────────────────────────────────────────────────────────────


def _of_frame(frame: pd.DataFrame, along: str | None, fixed: Mapping[str, Any] | None, metric: str) -> Validation:
    lacking = [column for column in WANTED if column not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}", frame.columns)
    keys = [str(column) for column in frame.columns if column not in NO_AXES]
    if along is None and len(keys) != 1:
        raise nothing("along which column? Give along=", keys)
    key = key_named(along or keys[0], keys)
    held = {key_named(word, keys): value for word, value in (fixed or {}).items()}
    rows = _last(_chosen(numeric(frame, "value"), held, metric), key)
    values = _values(rows[key])
    wide = {split: _wide(rows[rows["split"] == split], values) for split in PARTS if split in {*rows["split"]}}
    if "val" not in wide:
        raise nothing("no row is of validation data, split val", frame["split"].unique())
    seeds = sorted({seed for one in wide.values() for seed in one.index}, key=lambda one: (len(str(one)), str(one)))
    parts = {split: _band(one.reindex(seeds).to_numpy(np.float64)) for split, one in wide.items()}
    if not np.isfinite(parts["val"].mean).any():
        raise nothing(f"no row of {metric} on validation data has a finite value")
    said = _verdicts(frame, key, values)
    points = Points(key, metric, values, places_of(values), tuple(seeds), parts, LEVEL, verdicts=said)
    return Validation(points, held)


def _chosen(frame: pd.DataFrame, held: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return the rows of one metric and of what is held fixed, without means."""
    rows = frame[frame["seed"].astype(str) != MEAN]
    for column, value in held.items():
        rows = rows[[same(plain(one), value) for one in rows[column]]]
        if not len(rows):
            raise nothing(f"no row has {column} {value}", frame[column].unique())
    if "metric" in rows:
        rows = rows[rows["metric"] == metric]
    if not len(rows):
        raise nothing(f"no row is of {metric}", frame["metric"].unique() if "metric" in frame else ())
    return rows


def _last(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return a row per value, seed and split: of its last epoch. Raises ValueError where there are several."""
    rows = rows.assign(_at=[canonical(plain(value)) for value in rows[key]])
    by = ["_at", "seed", "split"]
    if "epoch" in rows:
        rows = rows[rows["epoch"] == rows.groupby(by)["epoch"].transform("max")]
    twice = rows[rows.duplicated(by)]
    if len(twice):
        one = twice.iloc[0]
        raise nothing(f"several rows have {key} {one[key]}, seed {one['seed']}: give fixed={{column: value}}")
    return rows


def _values(column: pd.Series) -> tuple[Any, ...]:
    """Return the distinct values of a column: numbers ascending, anything else in order of appearance."""
    found = [*{canonical(plain(value)): plain(value) for value in column}.values()]
    if all(number_of(value) is not None for value in found):
        found.sort(key=lambda one: number_of(one) or 0)
    return tuple(found)


def _wide(rows: pd.DataFrame, values: Sequence[Any]) -> pd.DataFrame:
    """Return a row per seed, a column per value."""
    wide = rows.pivot(index="seed", columns="_at", values="value")
    return wide.reindex(columns=[canonical(value) for value in values])


def _band(values: Floats) -> Band:
    """Return means and Student-t intervals of the seeds that there are. values: (S, P)"""
    columns = [column[np.isfinite(column)] for column in values.T]
    found = [t_interval(column, LEVEL) if len(column) else None for column in columns]
    bounds = np.array([(np.nan,) * 3 if one is None else (one.estimate, one.low, one.high) for one in found])
    return Band(values, bounds[:, 0], bounds[:, 1], bounds[:, 2])


def _verdicts(frame: pd.DataFrame, key: str, values: Sequence[Any]) -> tuple[str, ...]:
    """Return brief verdicts where the frame, a table of such a figure, has any."""
    if "verdict" not in frame:
        return ()
    said = {
        canonical(plain(value)): verdict
        for value, verdict in zip(frame[key], frame["verdict"], strict=True)
        if isinstance(verdict, str) and verdict
    }
    return tuple(said.get(canonical(value), "") for value in values) if said else ()
