"""A map of the loss over what was swept: small multiples of cells, with the verdict of each Config in its cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from fitlab.diagnosis.naming import counted, listed, shown
from fitlab.plots.drawn import Origin, figure_shows, figure_under, origin_of
from fitlab.plots.keys import WIDE, Axis, words
from fitlab.plots.marks import HOLLOW, explained
from fitlab.plots.placing import dress, spot
from fitlab.plots.rows import FROM_A_SEARCH, Row, Rows, as_loss, rows_of, said
from fitlab.plots.shared import FAINT, draw_legend, entitle, new_figure, nothing, small
from fitlab.seeds import canonical
from fitlab.sweep import Sweep

COLOURS = "cividis_r"  # low is light; safe for colour-blind readers, and it rises in grey, too
ABSENT = "not in the sweep"
HATCHES = {"pruned": "/////", "failed": "xxxxx", "diverged": "\\\\\\\\\\", ABSENT: "....."}
LOST = {"pruned": "_", "failed": "x", "diverged": "+"}  # markers of scattered Configs without a value
FEW, MANY = 4, 12  # values of a key that has panels by itself: of scattered points, of cells
ACROSS = 4  # panels beside each other
ROOMY = 8.0  # points: cells of a new figure are no smaller, if its width allows
BESIDE, ABOVE = 1.1, 0.35  # inches that legend and names take, and the title of a panel
GLYPH = 0.42  # of the side of a cell
SIZES = (1.4, 6.0)  # of a glyph, points; of smaller cells none is drawn
OUTLINE: dict[str, Any] = {  # black with a white line around it is seen on every colour
    "facecolor": "none",
    "edgecolor": "black",
    "linewidth": 1.3,
    "zorder": 4,
}
SELECTED: dict[str, Any] = {
    "marker": "o",
    "markerfacecolor": "white",
    "markeredgecolor": "black",
    "markeredgewidth": 1.6,
    "linestyle": "none",
}
DARK = 0.5  # from this luminance on a colour is light


@dataclass(frozen=True, eq=False)
class Landscape:
    """What ``landscape`` draws: the Configs that are shown, and over which axes."""

    found: Rows
    x: Axis
    y: Axis | None
    panels: Axis | None
    fixed: Mapping[str, Any]  # key -> the value at which it is held: only Configs with it are shown
    left_out: int  # Configs with other values of these
    origin: Origin | None = None

    @property
    def cells(self) -> bool:
        """Whether every combination has a cell; else Configs are points where they lie."""
        return self.found.grid

    @property
    def missing(self) -> bool:
        """Whether a cell has no Config."""
        every = math.prod(one.levels for one in (self.x, self.y, self.panels) if one is not None)
        return len(self.found.rows) < every

    @property
    def remark(self) -> str:
        """What has to stand on the figure itself."""
        held = ", ".join(f"{words(key)} {shown(value)}" for key, value in self.fixed.items())
        lines = [*([FROM_A_SEARCH] if self.found.search else []), *([f"at {held}"] if held else [])]
        return "\n".join(lines)

    @property
    def shown(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """The title of each panel with its Configs."""
        panels = self.panels
        if panels is None:
            return (("", self.found.rows),)
        inside: list[list[Row]] = [[] for _ in range(panels.levels)]
        for row in self.found.rows:
            inside[panels.place(row.point)].append(row)
        return tuple((f"{panels.label} {text}", tuple(rows)) for text, rows in zip(panels.texts, inside, strict=True))

    def table(self) -> pd.DataFrame:
        """Return a row per Config that is shown: config, name, the keys, the metric with its bounds, verdict …"""
        return self.found.table([one for one in (self.x, self.y, self.panels) if one is not None])

    @property
    def _glyphs(self) -> str:
        hollow = ", hollow where it is no more than a leaning" if self.cells else ""
        missing = any(row.value is None for row in self.found.rows) or (self.cells and self.missing)
        lost = f"; {'hatched' if self.cells else 'grey'}: no value" if missing else ""
        outlined = "; outlined: the selected Config" if any(row.selected for row in self.found.rows) else ""
        judged = any(row.mark.label is not None for row in self.found.rows)
        return f"{f'Glyph: its verdict{hollow}' if judged else 'Not diagnosed'}{outlined}{lost}."

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        over = listed(one.label for one in (self.x, self.y, self.panels) if one is not None)
        held = listed(f"{words(key)} {shown(value)}" for key, value in self.fixed.items())
        whose = "selected" if any(row.selected for row in self.found.rows) else "best"
        hidden = f"as in the {whose} Config: {counted(self.left_out, 'Config')} not shown"
        fixed = f" Held at {held}, {hidden}." if held else ""
        search = f" {FROM_A_SEARCH[0].upper()}{FROM_A_SEARCH[1:]}." if self.found.search else ""
        metric, many = said(self.found.metric).capitalize(), counted(len(self.found.rows), "Config")
        return f"{metric} at the end of training over {over}: {many}{self.found.over}. {self._glyphs}{fixed}{search}"


def landscape(
    source: Sweep | Landscape | pd.DataFrame,
    *,
    x: str | None = None,
    y: str | None = None,
    panels: str | None = None,
    metric: str = "loss/val",
    figure: FigureBase | None = None,
) -> FigureBase:
    """Draw a final metric over up to three swept keys as small multiples of cells, with a verdict's glyph in each.

    x, y, panels: swept keys, or their last parts; by default the capacity axis, then the keys with the most values.
    Further keys are held at the values of the selected Config. Colours are the same in all panels; logarithmic where
    values spread over more than 30 times. Cells without a value are hatched. Of other methods than a grid Configs are
    points where they lie, all of them, and a search says so on the figure. source: a Sweep, or a DataFrame with a row
    per Config: columns of swept values, the metric, and, where it has them, verdict, selected and state.
    What is drawn is ``landscape_of(…).table()``. Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, Landscape) else landscape_of(source, x=x, y=y, panels=panels, metric=metric)
    shades = _shades(found)
    figure, across = _room(found) if figure is None else (figure, _across(found, *_inches(figure)))
    down = math.ceil(len(found.shown) / across)
    places = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    side = min(_sides(found, across, *_inches(figure)))
    for ax, (title, rows) in zip(places.ravel(), found.shown, strict=False):
        if found.cells:
            _draw_cells(ax, found, rows, shades, side)
        else:
            _draw_points(ax, found, rows, shades)
        if title:
            entitle(ax, title)
    for place in range(len(found.shown), down * across):
        places.ravel()[place].set_axis_off()
        places.ravel()[place - across].tick_params(labelbottom=True)  # nothing stands below it
    _name(figure, found)
    _draw_key(figure, found)
    if any(row.value is not None for row in found.found.rows):
        _draw_scale(figure, places, found, shades)  # it takes its room from where panels then are
    return figure_shows(figure, found)


def _draw_key(figure: FigureBase, found: Landscape) -> None:
    """Draw the legend above the panels; a figure whose layout makes no room for it gets some."""
    handles, labels = _explained(found)
    size, (width, height), remark = small(), _inches(figure), found.remark
    columns = max(1, int(width * 72 / (size * (max(map(len, labels), default=1) / 2 + 4))))
    legend = draw_legend(figure, handles, labels, loc="outside upper center", ncols=columns, title=remark or None)
    legend.get_title().set_parse_math(False)
    if figure_under(figure).get_layout_engine() is None:
        lines = math.ceil(len(labels) / columns) + len(remark.splitlines()) + 3  # and the titles of panels
        figure.subplots_adjust(top=1 - 1.5 * size * lines / (72 * height), left=0.17, bottom=0.14, hspace=0.4)


def _inches(figure: FigureBase) -> tuple[float, float]:
    """Return width and height of a figure, or of the part of one that it is."""
    box, whole = figure.bbox, figure_under(figure)  # type: ignore[attr-defined]  # both kinds of figure have one
    return box.width / whole.dpi, box.height / whole.dpi


def _sides(found: Landscape, across: int, width: float, height: float) -> tuple[float, float]:
    """Return about how wide and high a cell is, in points. across: panels beside each other."""
    rows, down = (1 if found.y is None else found.y.levels), math.ceil(len(found.shown) / across)
    return 72 * 0.72 * width / (across * found.x.levels), 72 * 0.55 * height / (down * rows)


def _across(found: Landscape, width: float, height: float) -> int:
    """Return how many panels stand beside each other, so that cells are as large as can be."""
    most = min(ACROSS, len(found.shown))
    return max(range(most, 0, -1), key=lambda across: min(_sides(found, across, width, height)))


def _room(found: Landscape) -> tuple[FigureBase, int]:
    """Return a new figure that is as wide as settings have it, high enough for its cells, and panels in a row."""
    width, height = rcParams["figure.figsize"]
    most = min(ACROSS, len(found.shown)) if found.cells else len(found.shown)
    fitting = (one for one in range(most, 0, -1) if _sides(found, one, width, height)[0] >= ROOMY)
    across = next(fitting, 1) if found.cells else min(ACROSS, most)
    rows, down = (found.y.levels if found.y and found.cells else 1), math.ceil(len(found.shown) / across)
    return new_figure(width, max(height, BESIDE + down * (ABOVE + rows * ROOMY / 72))), across


def _name(figure: FigureBase, found: Landscape) -> None:
    size = {"fontsize": small() + 1, "parse_math": False}
    figure.supxlabel(found.x.label, **size)
    if found.y is not None:
        figure.supylabel(found.y.label, **size)


# ── colours ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Shades:
    """The scale of colours that all panels share."""

    norm: Normalize
    low: float
    high: float

    def of(self, value: float) -> tuple[float, ...]:
        """Return the colour of a value."""
        shade: tuple[float, ...] = colormaps[COLOURS](self.norm(value))
        return shade

    @property
    def log(self) -> bool:
        """Whether it is logarithmic."""
        return isinstance(self.norm, LogNorm)


def _shades(found: Landscape) -> Shades:
    values = [row.value.estimate for row in found.found.rows if row.value is not None] or [0.0]
    low, high = min(values), max(values)
    log = low > 0 and high > WIDE * low
    return Shades(LogNorm(low, high) if log else Normalize(low, high if high > low else low + 1), low, high)


def _draw_scale(figure: FigureBase, places: Any, found: Landscape, shades: Shades) -> None:
    drawn = ScalarMappable(shades.norm, colormaps[COLOURS])
    bar = figure.colorbar(
        drawn, ax=places.ravel().tolist(), aspect=16, pad=0.02, shrink=1.0 if len(places) == 1 else 0.6
    )
    bar.set_label(said(found.found.metric), fontsize=small() + 1, parse_math=False)
    steps = (1, 2, 5) if shades.high < 100 * shades.low else (1,)
    bar.set_ticks(LogLocator(subs=steps) if shades.log else MaxNLocator(5))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.ax.tick_params(labelsize=small(), length=2)
    bar.ax.spines[:].set_linewidth(0.4)


def _ink(shade: tuple[float, ...]) -> str:
    """Return black or white, whichever is read on a colour (luminance of ITU-R BT.709)."""
    return "black" if np.dot(shade[:3], (0.2126, 0.7152, 0.0722)) > DARK else "white"


# ── panels ──────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_cells(ax: Axes, found: Landscape, rows: Sequence[Row], shades: Shades, side: float) -> None:
    shape = (1 if found.y is None else found.y.levels, found.x.levels)
    values = np.full(shape, np.nan)
    there = {(int(spot(found.y, row.point, True)), found.x.place(row.point)): row for row in rows}
    for at, row in there.items():
        values[at] = np.nan if row.value is None else row.value.estimate
    edges = [np.arange(count + 1) - 0.5 for count in shape[::-1]]
    ax.pcolormesh(*edges, np.ma.masked_invalid(values), norm=shades.norm, cmap=COLOURS, edgecolors="white", lw=0.4)
    for at in np.ndindex(shape):
        if not np.isfinite(values[at]):
            _hatch(ax, at, there[at].state if at in there else ABSENT)
    for at, row in there.items():
        _mark(ax, at, row, shades, side)
        if row.selected:
            ax.add_patch(Rectangle((at[1] - 0.5, at[0] - 0.5), 1, 1, **_outline(side)))
    for way, one in (("x", found.x), ("y", found.y)):
        dress(ax, way, one, cells=True, side=side)  # type: ignore[arg-type]  # two words, one after the other
    ax.tick_params(length=0, labelsize=small())
    ax.spines[:].set_visible(False)


def _outline(side: float) -> dict[str, Any]:
    """Return the outline of the selected cell, thinner where cells are small."""
    width = min(1.3, 0.15 * side)
    return {**OUTLINE, "linewidth": width, "path_effects": [withStroke(linewidth=2.3 * width, foreground="white")]}


def _hatch(ax: Axes, at: tuple[int, ...], state: str) -> None:
    ax.add_patch(Rectangle((at[1] - 0.46, at[0] - 0.46), 0.92, 0.92, **_hatched(state)))


def _hatched(state: str) -> dict[str, Any]:
    return {"facecolor": "white", "edgecolor": FAINT, "linewidth": 0, "hatch": HATCHES.get(state, HATCHES[ABSENT])}


def _mark(ax: Axes, at: tuple[int, ...], row: Row, shades: Shades, side: float) -> None:
    """Draw a verdict's glyph into its cell, black or white, whichever is read there."""
    if row.mark.label is None or GLYPH * side < SIZES[0]:
        return
    ink = "black" if row.value is None else _ink(shades.of(row.value.estimate))
    size = min(GLYPH * side, SIZES[1])
    face = "none" if row.mark.leaning else ink
    ax.plot(
        at[1],
        at[0],
        row.mark.glyph,
        color=ink,
        markerfacecolor=face,
        markersize=size,
        markeredgewidth=min(0.6, 0.2 * size),
    )


def _draw_points(ax: Axes, found: Landscape, rows: Sequence[Row], shades: Shades) -> None:
    """Draw each Config where it lies, in the colour of its loss."""
    for row in sorted(rows, key=lambda row: (row.value is not None, row.selected)):
        at = [spot(one, row.point, False) for one in (found.x, found.y)]
        inside = FAINT if row.value is None else shades.of(row.value.estimate)
        edge: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 1.6 if row.selected else 0.4}
        known: dict[str, Any] = {
            "marker": row.mark.glyph,
            "markersize": 7 if row.selected else 4.5,
            "markerfacecolor": inside,
            **edge,
        }
        ax.plot(*at, **(_lost(row.state) if row.value is None else {**known, "linestyle": "none"}))
    for way, one in (("x", found.x), ("y", found.y)):
        dress(ax, way, one, cells=False)  # type: ignore[arg-type]  # two words, one after the other
    ax.tick_params(labelsize=small())


def _lost(state: str) -> dict[str, Any]:
    """Return how a scattered Config without a value looks."""
    return {"marker": LOST.get(state, "1"), "markersize": 4, "markeredgecolor": FAINT, "linestyle": "none"}


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def _explained(found: Landscape) -> tuple[list[Line2D | Patch], list[str]]:
    """Return the lines of the legend: verdicts that occur, the selected Config, and why there is no value."""
    rows = found.found.rows
    judged = [row.mark for row in rows if row.mark.label is not None and (found.cells or row.value is not None)]
    black = {"color": "black", "markerfacecolor": "black" if found.cells else "white", "markeredgecolor": "black"}
    handles, labels = explained(judged, **black, markeredgewidth=0.6, markersize=4.5)
    lines: dict[str, Line2D | Patch] = dict(zip(labels, handles, strict=True))
    if not found.cells:
        lines.pop(HOLLOW, None)
    if any(row.selected for row in rows):
        lines["selected"] = Patch(**OUTLINE) if found.cells else Line2D([], [], **SELECTED)
    for state in dict.fromkeys(row.state for row in rows if row.value is None):
        lines[state] = Patch(**_hatched(state)) if found.cells else Line2D([], [], **_lost(state))
    if found.cells and found.missing:
        lines[ABSENT] = Patch(**_hatched(ABSENT))
    return [*lines.values()], [*lines]


def landscape_of(
    source: Sweep | pd.DataFrame,
    *,
    x: str | None = None,
    y: str | None = None,
    panels: str | None = None,
    metric: str = "loss/val",
) -> Landscape:
    """Return what ``landscape`` draws. Raises ValueError where there is nothing."""
    found = rows_of(source, metric)
    over = _over(found, x, y, panels)
    rest = [one for one in found.axes if one not in over] if found.grid else []
    fixed = _held(found, rest)
    rows = tuple(
        row for row in found.rows if all(canonical(row.point.get(k, v)) == canonical(v) for k, v in fixed.items())
    )
    origin = origin_of(source) if isinstance(source, Sweep) else None
    if origin is not None:
        origin = replace(
            origin, configs=tuple(one for one in origin.configs if one[:12] in {row.config for row in rows})
        )
    return Landscape(replace(found, rows=rows), *over, fixed, len(found.rows) - len(rows), origin)


def _over(found: Rows, x: str | None, y: str | None, panels: str | None) -> tuple[Axis, Axis | None, Axis | None]:
    """Return the axes that are asked for, and of the others the first ones that are left."""
    if not found.axes:
        raise nothing(
            "all Configs have the same swept values, so that there is no axis", (r.name for r in found.rows[:8])
        )
    given = [None if key is None else found.axis(key) for key in (x, y, panels)]
    if len({one.key for one in given if one}) < sum(one is not None for one in given):
        raise nothing("x, y and panels are to be different keys", (one.key for one in found.axes))
    free = [one for one in found.axes if one not in given]
    across = given[0] or free.pop(0)
    up = given[1] or (free.pop(0) if free else None)
    few = [one for one in free if one.levels <= (MANY if found.grid else FEW)]
    return across, up, given[2] or (few[0] if few else None)


def _held(found: Rows, rest: Sequence[Axis]) -> dict[str, Any]:
    """Return the values at which further keys are held: those of the selected Config, else of the best.

    A key that this one does not have is held at the value of the best that has it.
    """

    def rank(row: Row) -> tuple[bool, float]:
        loss = math.inf if row.value is None else as_loss(found.metric, row.value.estimate)
        return (not row.selected, loss)

    ordered = sorted(found.rows, key=rank)
    return {one.key: next(row.point[one.key] for row in ordered if one.key in row.point) for one in rest}
