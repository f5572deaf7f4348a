"""Which Configs do what: a glyph for each over one or two swept keys, in the colour of its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fitlab.diagnosis.naming import counted, listed
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import Axis
from fitlab.plots.marks import UNJUDGED, explained
from fitlab.plots.placing import dress, name, spot
from fitlab.plots.rows import FROM_A_SEARCH, Row, Rows, rows_of
from fitlab.plots.shared import axes_or_new, bare, draw_legend, entitle, extent, nothing
from fitlab.sweep import Sweep

ROW = 5  # Configs of one place that stand in one row; of more in several
INSIDE = 0.76  # of the side of a cell, that its glyphs take
SIZES = (1.4, 6.0)  # of a glyph, points
WIDE = 1.6  # width of axes by their height, about
RING: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": "black", "markeredgewidth": 0.9}


@dataclass(frozen=True, eq=False)
class VerdictMap:
    """What ``verdict_map`` draws."""

    found: Rows
    x: Axis
    y: Axis | None
    inside: tuple[Axis, ...]  # of Configs that share a place: the keys in whose order they stand there
    at: tuple[tuple[float, float], ...]  # where each Config is drawn
    most: tuple[int, int]  # columns and rows of glyphs that a place has at most
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per Config: config, name, swept keys, verdict, selected, and where it is drawn: at_x, at_y."""
        table = self.found.table().assign(at_x=[x for x, _ in self.at], at_y=[y for _, y in self.at])
        return table.assign(verdict=table["verdict"].replace("", UNJUDGED))

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        over = listed(one.label for one in (self.x, self.y) if one is not None)
        counts = [f"{sum(row.verdict == text for row in self.found.rows)} {text or UNJUDGED}" for text in self._texts]
        shared = (
            f" Where several share a place, in the order of {listed(k.label for k in self.inside)}."
            if self.inside
            else ""
        )
        ringed = " Ringed: the selected Config." if any(row.selected for row in self.found.rows) else ""
        search = f" {FROM_A_SEARCH[0].upper()}{FROM_A_SEARCH[1:]}." if self.found.search else ""
        hollow = "; hollow: no more than a leaning" if any(row.mark.leaning for row in self.found.rows) else ""
        many = counted(len(self.found.rows), "Config")
        return f"Verdicts of {many} over {over}{hollow}: {listed(counts)}.{shared}{ringed}{search}"

    @property
    def _texts(self) -> list[str]:
        rows = sorted(self.found.rows, key=lambda row: row.mark.order)
        return [*dict.fromkeys(row.verdict for row in rows)]


def verdict_map(
    source: Sweep | VerdictMap | pd.DataFrame,
    *,
    x: str | None = None,
    y: str | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the verdict of every Config over two swept keys, or one: a glyph and a colour for each, hollow leanings.

    x, y: swept keys, or their last parts; by default the capacity axis, then the keys with the most values. Where
    Configs share both, they stand beside each other, in the order of the other keys; those that do not have a key
    stand at ``absent``. Of other methods than a grid, numbers are where they lie. source: a Sweep, or a DataFrame with
    a row per Config: columns of swept values and verdict, as ``sweep.table()`` has them.
    What is drawn is ``verdicts_of(…).table()``. Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, VerdictMap) else verdicts_of(source, x=x, y=y)
    ax = axes_or_new(ax)
    cells = found.found.grid
    for way, one in (("x", found.x), ("y", found.y)):
        dress(ax, way, one, cells)  # type: ignore[arg-type]  # two words, one after the other
        name(ax, way, one)  # type: ignore[arg-type]
    size = _size(ax, found)
    last_first = sorted(zip(found.found.rows, found.at, strict=True), key=lambda one: one[0].mark.order, reverse=True)
    for row, at in last_first:  # what is not assessed hides nothing
        ax.plot(*at, **row.mark.sized(size))
        if row.selected:
            ax.plot(*at, linestyle="none", **RING, markersize=size + 4)
    if cells:
        _separate(ax, found)
    if found.found.search:
        entitle(ax, FROM_A_SEARCH)
    bare(ax)
    if legend:
        handles, labels = _explained(found)
        draw_legend(ax, handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return shows(ax, found)


def _size(ax: Axes, found: VerdictMap) -> float:
    """Return the size of a glyph that leaves room between those that share a place, in points."""
    if not found.found.grid:
        return 4.5
    (width, height), (columns, rows) = extent(ax), found.most
    across = 0.75 * width * INSIDE / (found.x.levels * columns)
    up = 0.9 * height * INSIDE / ((found.y.levels if found.y else 1) * rows)
    return min(max(min(across, up), SIZES[0]), SIZES[1])


def _separate(ax: Axes, found: VerdictMap) -> None:
    """Draw a faint line between the places of a grid."""
    for draw, one in ((ax.axvline, found.x), (ax.axhline, found.y)):
        for place in range(1, one.levels if one is not None else 1):
            draw(place - 0.5, color="#E0E0E0", linewidth=0.5, zorder=0)
    ax.tick_params(length=0)


def _explained(found: VerdictMap) -> tuple[list[Line2D], list[str]]:
    handles, labels = explained((row.mark for row in found.found.rows), markersize=5)
    if any(row.selected for row in found.found.rows):
        handles.append(Line2D([], [], linestyle="none", **RING, markersize=7))
        labels.append("selected")
    return handles, labels


def verdicts_of(source: Sweep | pd.DataFrame, *, x: str | None = None, y: str | None = None) -> VerdictMap:
    """Return what ``verdict_map`` draws. Raises ValueError where there is nothing."""
    if isinstance(source, pd.DataFrame) and "verdict" not in source:
        raise nothing("the DataFrame lacks verdict", source.columns)
    found = rows_of(_with_metric(source) if isinstance(source, pd.DataFrame) else source)
    if not any(row.verdict for row in found.rows):
        raise nothing(
            "no Config has a verdict: diagnose it first (fitlab.diagnose)", (row.name for row in found.rows[:8])
        )
    if not found.axes:
        raise nothing(
            "all Configs have the same swept values, so that there is no axis", (r.name for r in found.rows[:8])
        )
    free = [one for one in found.axes if one.key not in {found.axis(key).key for key in (x, y) if key}]
    across = found.axis(x) if x else free.pop(0)
    up = found.axis(y) if y else (free.pop(0) if free else None)
    inside = tuple(free) if found.grid else ()
    at, most = _places(found, across, up, inside)
    return VerdictMap(found, across, up, inside, at, most, origin_of(source) if isinstance(source, Sweep) else None)


def _with_metric(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the losses that a map does not need."""
    return frame if "loss/val" in frame else frame.assign(**{"loss/val": math.nan})


def _places(
    found: Rows, x: Axis, y: Axis | None, inside: Sequence[Axis]
) -> tuple[tuple[tuple[float, float], ...], tuple[int, int]]:
    """Return where each Config is drawn, and the columns and rows of glyphs at a place."""
    spots = [(spot(x, row.point, found.grid), spot(y, row.point, found.grid)) for row in found.rows]
    if not found.grid:
        return tuple(spots), (1, 1)
    shared: dict[tuple[float, float], list[Row]] = {}
    for one, row in zip(spots, found.rows, strict=True):
        shared.setdefault(one, []).append(row)
    most = max(map(len, shared.values()))
    columns = most if most <= ROW and most * x.levels <= 30 else _columns(most, x, y)
    rows = math.ceil(most / columns)
    moved: dict[int, tuple[float, float]] = {}
    for (across, up), members in shared.items():
        ordered = sorted(members, key=lambda row: [one.place(row.point) for one in inside])
        for rank, row in enumerate(ordered):
            right, down = rank % columns, rank // columns
            moved[id(row)] = (across + _aside(right, columns), up - _aside(down, rows))
    return tuple(moved[id(row)] for row in found.rows), (columns, rows)


def _columns(most: int, x: Axis, y: Axis | None) -> int:
    """Return into how many columns glyphs of one place go, so that they are as large as can be."""
    shape = WIDE * (1 if y is None else y.levels) / x.levels  # width of a place by its height
    return max(range(1, most + 1), key=lambda columns: min(shape / columns, 1 / math.ceil(most / columns)))


def _aside(place: int, count: int) -> float:
    """Return how far from the middle of its cell the one at ``place`` of ``count`` stands."""
    return INSIDE * ((place + 0.5) / count - 0.5)
