"""Parallel coordinates: a line a Config through its swept values to what it came to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from fitlab.diagnosis.naming import counted, listed
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import ABSENT, WIDE, Axis, written
from fitlab.plots.marks import explained
from fitlab.plots.rows import FROM_A_SEARCH, Row, Rows, as_loss, rows_of, said
from fitlab.plots.shared import FAINT, LETTER, axes_or_new, draw_legend, entitle, extent, nothing, small
from fitlab.records import Floats
from fitlab.sweep import Sweep

By = Literal["verdict", "loss"]
BEST = 0.1  # share of Configs that are drawn on top of the others
FEW = 6  # values of a key that are all written
MOST = 12  # values of a key that is no number, that are all written
APART = 0.07  # of the length of an axis: numbers that are closer are not both written
SPREAD = 0.05  # of the length of an axis: how far lines through one value stand apart
MANY = 10  # of the best lines: more of them are thinner
BELOW = -0.14  # where what is absent stands
LOST = "no value"
COLOURS = "cividis"  # low is dark: on white the best are seen best; its lightest end is left out
LIGHTEST = 0.9


@dataclass(frozen=True, eq=False)
class Ladder:
    """One axis: where its numbers or values stand between 0 and 1, and which are written."""

    label: str
    at: Floats  # (C,) of each Config; NaN where there is no value
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, eq=False)
class Parallel:
    """What ``parallel_coordinates`` draws. C Configs."""

    found: Rows
    by: By
    ladders: tuple[Ladder, ...]  # swept keys, the metric last
    best: tuple[bool, ...]  # (C,) whether it is in the best decile
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per Config: config, name, swept keys, the metric with its bounds, n, verdict, best."""
        return self.found.table().assign(best=self.best)

    @property
    def lines(self) -> Floats:
        """Where each Config crosses each axis. (C, A)"""
        return np.stack([one.at for one in self.ladders], axis=1)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        keys, rows = listed(one.label for one in self.ladders[:-1]), self.found.rows
        lost = sum(row.value is None for row in rows)
        without = f"; {counted(lost, 'Config')} without a value end before it" if lost else ""
        colours = "the verdict" if self.by == "verdict" else f"the {said(self.found.metric)}, dark is low"
        search = f" {FROM_A_SEARCH[0].upper()}{FROM_A_SEARCH[1:]}." if self.found.search else ""
        return (
            f"A line a Config ({len(rows)}) through {keys} to its {said(self.found.metric)}{self.found.over}{without}. "
            f"Colour: {colours}; heavy: the best tenth ({sum(self.best)}). Lines through one value are spread, the "
            f"better the lower.{search}"
        )


def parallel_coordinates(
    source: Sweep | Parallel | pd.DataFrame,
    *,
    metric: str = "loss/val",
    by: By | None = None,
    keys: Sequence[str] = (),
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a line for every Config through its swept values to a final metric, the best tenth of them on top.

    Axes are logarithmic where numbers spread over more than 30 times; what is no number stands evenly; where a Config
    does not have a key its line passes below the axis, at ``absent``. by: colours of verdicts, or of the metric; by
    default of verdicts where there are some. keys: those that have an axis, in this order; default: all that differ.
    source: a Sweep, or a DataFrame with a row per Config: columns of swept values, the metric, and where it has it
    verdict. What is drawn is ``parallel_of(…).table()``. Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, Parallel) else parallel_of(source, metric=metric, by=by, keys=keys)
    ax = axes_or_new(ax)
    _draw_ladders(ax, found)
    shades = _shades(found)
    rows, lines, best = found.found.rows, found.lines, np.array(found.best)
    lost = np.array([row.value is None for row in rows])
    alpha = 0.75 * _faint(3 * MANY, len(rows))
    for which, style in (
        (lost, {"linewidths": 0.5, "alpha": 0.6 * alpha + 0.1, "zorder": 1}),
        (~lost & ~best, {"linewidths": 0.7, "alpha": alpha, "zorder": 2}),
        (best, {"linewidths": 1.4 if best.sum() <= MANY else 0.9, "alpha": _faint(MANY, best.sum()), "zorder": 3}),
    ):
        _draw_lines(ax, lines[which], [shade for shade, one in zip(shades, which, strict=True) if one], style)
    if found.by == "verdict":
        _draw_ends(ax, found)
    if found.found.search:
        entitle(ax, FROM_A_SEARCH)
    if legend:
        handles, labels = _explained(found)
        draw_legend(ax, handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return shows(ax, found)


def _faint(few: int, count: int) -> float:
    """Return how opaque lines are: fully, if they are few."""
    return float(np.clip(few / max(count, 1), 0.2, 0.95))


def _shades(found: Parallel) -> list[Any]:
    """Return the colour of each line."""
    rows = found.found.rows
    if found.by == "verdict":
        return [FAINT if row.value is None else row.mark.colour for row in rows]
    scale = colormaps[COLOURS]
    return [
        FAINT if row.value is None else scale(LIGHTEST * at) for row, at in zip(rows, found.ladders[-1].at, strict=True)
    ]


def _draw_lines(ax: Axes, lines: Floats, shades: Sequence[Any], style: dict[str, Any]) -> None:
    """Draw lines as far as they go. lines: (M, A)"""
    places = np.arange(lines.shape[1])
    paths = [np.stack([places, one], axis=1)[np.isfinite(one)] for one in lines]
    if paths:
        ax.add_collection(LineCollection(paths, colors=shades, **style), autolim=False)


def _draw_ends(ax: Axes, found: Parallel) -> None:
    """Draw the glyph of each verdict where its line ends."""
    last, size = len(found.ladders) - 1, 3.5 if len(found.found.rows) <= 10 * MANY else 2.0
    for row, at in zip(found.found.rows, found.ladders[-1].at, strict=True):
        if math.isfinite(at):
            ax.plot(last, at, **row.mark.sized(size), zorder=4, clip_on=False)


def _draw_ladders(ax: Axes, found: Parallel) -> None:
    """Draw the axes themselves, with their names below and their numbers beside them."""
    last, size = len(found.ladders) - 1, small()
    absent = any(text == ABSENT for one in found.ladders for _, text in one.ticks)
    for place, one in enumerate(found.ladders):
        ax.axvline(place, color="black", linewidth=0.6, zorder=1.5)
        for at, text in one.ticks:
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.4}
            style: dict[str, Any] = {"fontsize": size, "va": "center", "bbox": box, "zorder": 5, "parse_math": False}
            right = place == last
            ax.plot(place, at, marker="_", color="black", markersize=4, markeredgewidth=0.6, zorder=1.6)
            ax.text(place + (0.09 if right else -0.04), at, text, ha="left" if right else "right", **style)
    letters = max(8, int(0.9 * extent(ax)[0] / (LETTER * size * (last + 1))))
    names = ["\n".join(wrap(one.label, letters, break_long_words=False)) for one in found.ladders]
    ax.set_xticks(range(last + 1), names, fontsize=size, parse_math=False)
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.set_xlim(-0.45, last + 0.35)
    ax.set_ylim(BELOW - 0.06 if absent else -0.06, 1.06)
    ax.spines[:].set_visible(False)


def _explained(found: Parallel) -> tuple[list[Line2D], list[str]]:
    rows = [row for row in found.found.rows if row.value is not None]
    handles, labels = explained((row.mark for row in rows), markersize=4.5) if found.by == "verdict" else ([], [])
    handles.append(Line2D([], [], color="black", linewidth=1.4))
    labels.append("best tenth")
    if len(rows) < len(found.found.rows):
        handles.append(Line2D([], [], color=FAINT, linewidth=0.6))
        labels.append(LOST)
    return handles, labels


def parallel_of(
    source: Sweep | pd.DataFrame, *, metric: str = "loss/val", by: By | None = None, keys: Sequence[str] = ()
) -> Parallel:
    """Return what ``parallel_coordinates`` draws. Raises ValueError where there is nothing."""
    found = rows_of(source, metric, keys if isinstance(source, pd.DataFrame) else ())
    if by not in (None, "verdict", "loss"):
        raise nothing(f"by is verdict or loss, not {by!r}")
    judged = any(row.mark.label is not None for row in found.rows)
    axes = [found.axis(key) for key in keys] or [*found.axes]
    if not axes:
        raise nothing(
            "all Configs have the same swept values, so that there is no axis", (r.name for r in found.rows[:8])
        )
    values = np.array([math.nan if row.value is None else row.value.estimate for row in found.rows])
    losses = np.array([as_loss(metric, value) for value in values])
    known = losses[np.isfinite(losses)]
    if not len(known):
        raise nothing(f"no Config has {metric}", dict.fromkeys(row.state for row in found.rows))
    limit = np.sort(known)[max(1, round(BEST * len(known))) - 1]
    ladders = (*(_ladder(one, found.rows, losses) for one in axes), _objective(metric, values))
    origin = origin_of(source) if isinstance(source, Sweep) else None
    return Parallel(found, by or ("verdict" if judged else "loss"), ladders, tuple((losses <= limit).tolist()), origin)


# ── axes ────────────────────────────────────────────────────────────────────────────────────────────────────


def _ladder(one: Axis, rows: Sequence[Row], losses: Floats) -> Ladder:
    """Return a key as an axis between 0 and 1; lines through one value of few are spread, the better the lower."""
    stands, ticks = _stands(one)
    stands = np.append(stands, BELOW)
    places = np.array([one.place(row.point) for row in rows])
    at = stands[places] + _aside(places, losses)
    return Ladder(one.label, at, (*ticks, *([(BELOW, ABSENT)] if one.absent else [])))


def _stands(one: Axis) -> tuple[Floats, list[tuple[float, str]]]:
    """Return where the values of a key stand, (L,), and what is written. Few numbers are all written, if need be apart.

    Numbers that are many, or far enough from each other, stand to scale; else on a logarithmic one, else evenly.
    """
    count = len(one.values)
    texts = written(one.values)
    if one.numeric and count > 1:
        numbers = np.array(one.values, dtype=np.float64)
        if count > FEW:
            return _scaled(numbers, one.log), _numbers(float(numbers[0]), float(numbers[-1]), one.log)
        for log in (one.log, True) if numbers[0] > 0 else (False,):
            stands = _scaled(numbers, log)
            if np.diff(stands).min() >= APART:
                return stands, [*zip(stands.tolist(), texts, strict=True)]
    stands = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    return stands, [*zip(stands.tolist(), texts, strict=True)][:: -(-count // MOST)]


def _aside(places: np.ndarray, losses: Floats) -> Floats:
    """Return how far each line stands from its value: those that share one in the order of their losses."""
    moved = np.zeros(len(places))
    for place in np.unique(places):
        sharing = np.flatnonzero(places == place)
        ranks = np.argsort(np.argsort(losses[sharing], kind="stable"), kind="stable")
        moved[sharing] = SPREAD * (ranks - (len(sharing) - 1) / 2) / len(sharing)
    return moved


def _objective(metric: str, values: Floats) -> Ladder:
    """Return the metric as an axis, on a logarithmic scale where it spreads far."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return Ladder(said(metric), np.where(np.isfinite(values), 0.5, np.nan), ((0.5, f"{low:.3g}"),))
    log = low > 0 and high > WIDE * low
    return Ladder(said(metric), _scaled(values, log), tuple(_numbers(low, high, log)))


def _scaled(values: Floats, log: bool) -> Floats:
    """Return values between 0 and 1. Not all of them are equal."""
    on = np.log(values) if log else values
    return np.asarray((on - np.nanmin(on)) / (np.nanmax(on) - np.nanmin(on)))


def _numbers(low: float, high: float, log: bool) -> list[tuple[float, str]]:
    """Return round numbers between two, where they stand, and how they are written."""
    locator = LogLocator(numticks=7) if log else MaxNLocator(5)
    ticks = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high] or [low, high]
    scaled = _scaled(np.array([low, high, *ticks]), log)[2:]
    return [*zip(scaled.tolist(), written(ticks), strict=True)]
