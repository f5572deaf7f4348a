"""What all plots share: axes where the user gave none, colours, and how numbers and absences are said."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Any

from matplotlib import pyplot, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.legend import Legend

from fitlab.verdicts import Label

# Okabe and Ito 2008, safe for colour-blind readers; with a marker each, so that they differ in grey, too
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAINT = "#8C8C8C"
TRAIN, VAL = SERIES[:2]
LETTER = 0.5  # width of a letter as a share of the size of text, on average
SMALLEST = 6.0  # points: no text is smaller
GLYPHS = dict(zip(Label, "os^Dv*PXp", strict=True))  # verdicts differ in grey, too
DIVERGING = "RdBu_r"  # blue is negative, red positive


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure."""
    return pyplot.subplots(layout="constrained")[1] if ax is None else ax


def new_figure(width: float, height: float) -> Figure:
    """Return a new figure of so many inches for several axes, which make room for each other."""
    return pyplot.figure(figsize=(width, height), layout="constrained")


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes are in. Raises ValueError where they were removed from it."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise nothing("these axes are in no figure any more")
    return figure


def extent(ax: Axes) -> tuple[float, float]:
    """Return width and height of axes in points, as they are before room is made for what stands around them."""
    points = 72 / figure_of(ax).dpi
    return points * ax.bbox.width, points * ax.bbox.height


def colour(place: int) -> str:
    """Return the colour of the series at a place."""
    return SERIES[place % len(SERIES)]


def marker(place: int) -> str:
    """Return the marker of the series at a place."""
    return MARKERS[place % len(MARKERS)]


class NothingToDrawError(ValueError):
    """What was asked for cannot be drawn, because it is not there."""


def nothing(what: str, there: Iterable[object] = ()) -> NothingToDrawError:
    """Return the error that says what cannot be drawn, and what there is instead."""
    found = ", ".join(map(str, there))
    return NothingToDrawError(f"nothing to draw: {what}" + (f"; there is {found}" if found else ""))


def refuse_other(source: object, *kinds: type) -> None:
    """Raise NothingToDrawError for what is of none of these kinds, a pandas DataFrame the last of them."""
    if not isinstance(source, kinds):
        *others, _ = (kind.__name__ for kind in kinds)
        raise nothing(f"{', '.join(others)} or a DataFrame of pandas is wanted, got {type(source).__name__}")


def small() -> float:
    """Return the size of text that is less than the rest: of legends and remarks, in points."""
    declared = rcParams["legend.fontsize"]  # a venue declares points, matplotlib a word
    return max(SMALLEST, declared if isinstance(declared, float | int) else 0.83 * rcParams["font.size"])


def draw_legend(where: Axes | FigureBase, *handles: Any, **settings: Any) -> Legend:
    """Draw a legend in small text, without a line around it. handles: lines and labels, if not those drawn."""
    size = small()
    style = {"fontsize": size, "title_fontsize": size, "handlelength": 1.6, "edgecolor": "none", "framealpha": 0.8}
    legend = where.legend(*handles, **{**style, **settings})
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)
    return legend


def across(ax: Axes) -> float:
    """Return the width of axes in points."""
    return float(72 * ax.get_position().width * figure_of(ax).get_figwidth())


def entitle(ax: Axes, text: str) -> None:
    """Write a title that is no wider than the axes: in small text, in as many lines as it takes."""
    size = small()
    ax.set_title(wrapped(text, across(ax), size), fontsize=size, parse_math=False)


def wrapped(text: str, points: float, size: float) -> str:
    """Return text in as many lines as it takes in a width of ``points``. size: of the text"""
    return "\n".join(_even(text, max(12, int(points / (LETTER * size)))))


def _even(text: str, letters: int) -> list[str]:
    """Return text in as few lines of so many letters as it takes, about equally long."""
    lines = wrap(text, letters)
    longest = max(map(len, text.split()), default=1)
    for fewer in range(min(max(longest, len(text) // max(1, len(lines))), letters), letters):
        if len(found := wrap(text, fewer)) == len(lines):
            return found
    return lines


def bare(ax: Axes) -> None:
    """Take the upper and right lines away."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
