"""Panels of a landscape: Configs as cells or as points, in the colours of their losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from fitlab.plots.keys import WIDE, Axis
from fitlab.plots.placing import dress, spot
from fitlab.plots.rows import Row
from fitlab.plots.shared import FAINT, small

COLOURS = "cividis_r"  # low is light; safe for colour-blind readers, and it rises in grey, too
ABSENT = "not in the sweep"
HATCHES = {"pruned": "/////", "failed": "xxxxx", "diverged": "\\\\\\\\\\", ABSENT: "....."}
LOST = {"pruned": "_", "failed": "x", "diverged": "+"}  # markers of scattered Configs without a value
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


def norm_of(rows: Sequence[Row]) -> Normalize:
    """Return the scale of colours that all panels share: logarithmic where values spread far."""
    values = [row.value.estimate for row in rows if row.value is not None] or [0.0]
    low, high = min(values), max(values)
    if low > 0 and high > WIDE * low:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1)


def _shade(norm: Normalize, value: float) -> tuple[float, ...]:
    found: tuple[float, ...] = colormaps[COLOURS](norm(value))
    return found


def _ink(shade: tuple[float, ...]) -> str:
    """Return black or white, whichever is read on a colour (luminance of ITU-R BT.709)."""
    return "black" if np.dot(shade[:3], (0.2126, 0.7152, 0.0722)) > DARK else "white"


def draw_cells(ax: Axes, rows: Sequence[Row], x: Axis, y: Axis | None, norm: Normalize, side: float) -> None:
    """Draw a cell for every combination of values, with the verdict in it. side: of a cell, in points."""
    shape = (1 if y is None else y.levels, x.levels)
    values = np.full(shape, np.nan)
    there = {(int(spot(y, row.point, True)), x.place(row.point)): row for row in rows}
    for at, row in there.items():
        values[at] = np.nan if row.value is None else row.value.estimate
    edges = [np.arange(count + 1) - 0.5 for count in shape[::-1]]
    ax.pcolormesh(*edges, np.ma.masked_invalid(values), norm=norm, cmap=COLOURS, edgecolors="white", lw=0.4)
    for at in np.ndindex(shape):
        if not np.isfinite(values[at]):
            _hatch(ax, at, there[at].state if at in there else ABSENT)
    for at, row in there.items():
        _mark(ax, at, row, norm, side)
        if row.selected:
            ax.add_patch(Rectangle((at[1] - 0.5, at[0] - 0.5), 1, 1, **_outline(side)))
    for way, one in (("x", x), ("y", y)):
        dress(ax, way, one, cells=True, side=side)  # type: ignore[arg-type]  # two words, one after the other
    ax.tick_params(length=0, labelsize=small())
    ax.spines[:].set_visible(False)


def _outline(side: float) -> dict[str, Any]:
    """Return the outline of the selected cell, thinner where cells are small."""
    width = min(1.3, 0.15 * side)
    return {**OUTLINE, "linewidth": width, "path_effects": [withStroke(linewidth=2.3 * width, foreground="white")]}


def _hatch(ax: Axes, at: tuple[int, ...], state: str) -> None:
    ax.add_patch(Rectangle((at[1] - 0.46, at[0] - 0.46), 0.92, 0.92, **hatched(state)))


def hatched(state: str) -> dict[str, Any]:
    """Return how a cell without a value looks."""
    return {"facecolor": "white", "edgecolor": FAINT, "linewidth": 0, "hatch": HATCHES.get(state, HATCHES[ABSENT])}


def _mark(ax: Axes, at: tuple[int, ...], row: Row, norm: Normalize, side: float) -> None:
    """Draw a verdict's glyph into its cell, black or white, whichever is read there."""
    if row.mark.label is None or GLYPH * side < SIZES[0]:
        return
    ink = "black" if row.value is None else _ink(_shade(norm, row.value.estimate))
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


def draw_points(ax: Axes, rows: Sequence[Row], x: Axis, y: Axis | None, norm: Normalize) -> None:
    """Draw each Config where it lies, in the colour of its loss."""
    for row in sorted(rows, key=lambda row: (row.value is not None, row.selected)):
        at = [spot(one, row.point, False) for one in (x, y)]
        inside = FAINT if row.value is None else _shade(norm, row.value.estimate)
        edge: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 1.6 if row.selected else 0.4}
        known: dict[str, Any] = {
            "marker": row.mark.glyph,
            "markersize": 7 if row.selected else 4.5,
            "markerfacecolor": inside,
            **edge,
        }
        ax.plot(*at, **(lost(row.state) if row.value is None else {**known, "linestyle": "none"}))
    for way, one in (("x", x), ("y", y)):
        dress(ax, way, one, cells=False)  # type: ignore[arg-type]  # two words, one after the other
    ax.tick_params(labelsize=small())


def lost(state: str) -> dict[str, Any]:
    """Return how a scattered Config without a value looks."""
    return {"marker": LOST.get(state, "1"), "markersize": 4, "markeredgecolor": FAINT, "linestyle": "none"}
