"""Title and legend above the axes, where they cover no data, however full these are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from fitlab.plots.shared import across, draw_legend, small, wrapped

HANDLE, SPACING, BETWEEN, ROW = 1.6, 0.3, 1.2, 1.25  # in sizes of text: lines, rows, columns, and the height of a row


def head(ax: Axes, title: str, lines: Mapping[str, Artist], legend: bool = True) -> None:
    """Write a title above the axes, and between them the legend, in as many columns as there is room for.

    lines: what the legend says -> what it shows.
    """
    size, height = small(), 0.0
    if legend and lines:
        columns = _columns([*lines], across(ax))
        rows = math.ceil(len(lines) / columns)
        height = size * (rows * ROW + (rows - 1) * SPACING)
        draw_legend(
            ax, [*lines.values()], [*lines], ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.3,
            borderpad=0, labelspacing=SPACING, columnspacing=BETWEEN, handlelength=HANDLE, handletextpad=0.5,
        )  # fmt: skip
    ax.set_title(wrapped(title, across(ax), size), fontsize=size, parse_math=False, pad=height + 0.7 * size)


def _columns(words: Sequence[str], room: float) -> int:
    """Return the most columns in which words stand beside each other. room: points"""
    size = small()
    plain = [word.replace("$", r"\$") for word in words]  # no mathematics, as legends write them
    wide = [TextPath((0, 0), word, size=size, prop=FontProperties()).get_extents().width for word in plain]
    for columns in range(len(words), 1, -1):
        rows, longer = divmod(len(words), columns)  # as legends do: the first columns are the longer ones
        starts = [place * rows + min(place, longer) for place in range(columns + 1)]
        letters = sum(max(wide[start:end]) for start, end in pairwise(starts))
        if letters + size * (columns * (HANDLE + 0.5) + (columns - 1) * BETWEEN) <= 0.97 * room:
            return columns
    return 1
