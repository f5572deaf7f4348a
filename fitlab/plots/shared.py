"""What all plots share: axes where the user gave none, colours, and how numbers and absences are said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito 2008, safe for colour-blind readers; with a marker each, so that they differ in grey, too
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAINT = "#8C8C8C"
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": "small", "title_fontsize": "small", "handlelength": 1.4}
DIVERGING = "RdBu_r"  # blue is negative, red positive


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure."""
    return pyplot.subplots(layout="constrained")[1] if ax is None else ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes are in. Raises ValueError where they were removed from it."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise nothing("these axes are in no figure any more")
    return figure


def colour(place: int) -> str:
    """Return the colour of the series at a place."""
    return SERIES[place % len(SERIES)]


def marker(place: int) -> str:
    """Return the marker of the series at a place."""
    return MARKERS[place % len(MARKERS)]


def nothing(what: str, there: Iterable[object] = ()) -> ValueError:
    """Return the error that says what cannot be drawn, and what there is instead."""
    found = ", ".join(map(str, there))
    return ValueError(f"nothing to draw: {what}" + (f"; there is {found}" if found else ""))


def bare(ax: Axes) -> None:
    """Take the upper and right lines away."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
