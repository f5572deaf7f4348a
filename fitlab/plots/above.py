"""Title and legend above the axes, where they cover no data, however full these are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from fitlab.plots.shared import SPACING, across, breadth, draw_legend, small, wrapped

ROW = 1.25  # height of a row of a legend, in sizes of text


def head(ax: Axes, title: str, lines: Mapping[str, Artist], legend: bool = True) -> None:
    """Write a title above the axes, and between them the legend, in as many columns as there is room for.

    lines: what the legend says -> what it shows.
    """
    size, height = small(), 0.0
    if legend and lines:
        columns = columns_in([*lines], across(ax))
        rows = math.ceil(len(lines) / columns)
        height = size * (rows * ROW + (rows - 1) * SPACING["labelspacing"])
        draw_legend(ax, lines, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.3)
    ax.set_title(wrapped(title, across(ax), size), fontsize=size, parse_math=False, pad=height + 0.7 * size)


def columns_in(words: Sequence[str], room: float) -> int:
    """Return the most columns in which words stand beside each other. room: points"""
    size, line = small(), SPACING["handlelength"] + SPACING["handletextpad"]
    wide = [breadth(word, size) for word in words]
    for columns in range(len(words), 1, -1):
        rows, longer = divmod(len(words), columns)  # as legends do: the first columns are the longer ones
        starts = [place * rows + min(place, longer) for place in range(columns + 1)]
        letters = sum(max(wide[start:end]) for start, end in pairwise(starts))
        if letters + size * (columns * line + (columns - 1) * SPACING["columnspacing"]) <= 0.97 * room:
            return columns
    return 1
