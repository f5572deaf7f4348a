"""Text for LaTeX, where a figure is set in it: names are set as they stand, whatever they have in them."""

from __future__ import annotations

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import FigureBase
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

from fitlab.escaping import escaped, signs


class Escaped(FixedFormatter):
    """Labels of ticks that LaTeX sets as they stand."""


def for_latex(what: Axes | FigureBase) -> None:
    """Make all text in axes or a figure such that LaTeX sets it, if it is used: text without mathematics as it stands.

    Doing it twice changes nothing.
    """
    if not rcParams["text.usetex"]:
        return
    for ax in what.findobj(Axes):
        for axis in (ax.xaxis, ax.yaxis):
            _labels(axis)
    for text in what.findobj(Text):
        if isinstance(text, Text):
            words = text.get_text()
            text.set_text(signs(words) if text.get_parse_math() else _lines(words))
            text.set_parse_math(True)


def _labels(axis: Axis) -> None:
    """Make the labels of ticks that were written one by one such that LaTeX sets them."""
    written = isinstance(axis.get_major_locator(), FixedLocator)
    formatter = axis.get_major_formatter()
    if written and isinstance(formatter, FixedFormatter | FuncFormatter) and not isinstance(formatter, Escaped):
        plain = any(not label.get_parse_math() for label in axis.get_majorticklabels())
        words = formatter.format_ticks([*axis.get_majorticklocs()])
        axis.set_major_formatter(Escaped([_lines(one) if plain else signs(one) for one in words]))


def _lines(text: str) -> str:
    """Return LaTeX that sets text as it stands, each line by itself as matplotlib does."""
    return "\n".join(map(escaped, text.split("\n")))
