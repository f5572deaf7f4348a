"""Weights and biases as maps of cells, layer beside layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from fitlab.parameters.maps import Map
from fitlab.parameters.measured import BIAS
from fitlab.pictures.drawing import EDGE, FAINT, LARGE, PAPER, SMALL, coloured, number, width, write

SIDE = 256  # pixels of the longer side of a map, about
GAP = 26  # between layers
LONG, BAR = 40, 10  # a colour bar


def map_picture(maps: Sequence[Map], title: str) -> Image.Image:
    """Draw the arrays of one epoch: inputs down, units across, the biases below; blue is negative, red positive."""
    names = list(dict.fromkeys(one.layer for one in maps))
    columns = [[one for one in maps if one.layer == name] for name in names]
    cell = max(1, SIDE // max(side for one in maps for side in one.values.shape))
    widths = [max(_needed(one, cell) for one in column) for column in columns]
    tall = max(_height(one, cell) for one in maps if one.role != BIAS)
    low = _height(next((one for one in maps if one.role == BIAS), None), cell)
    whole = max(sum(widths) + GAP * (len(widths) - 1), width(title, LARGE))
    image = Image.new("RGB", (whole + 2 * EDGE, tall + low + 2 * EDGE + 24), PAPER)
    draw = ImageDraw.Draw(image)
    write(draw, EDGE, EDGE - 4, title, LARGE)
    left = EDGE
    for column, across in zip(columns, widths, strict=True):
        for one in column:
            _draw(image, draw, one, left, EDGE + 24 + (tall if one.role == BIAS else 0), cell)
        left += across + GAP
    return image


def _words(one: Map) -> tuple[str, str]:
    """Return how a map is headed."""
    rows, units = one.shape
    if one.role == BIAS:
        return "biases", ""
    return one.layer, f"{rows} by {units}{'' if one.values.shape == one.shape else ', largest of blocks'}"


def _needed(one: Map, cell: int) -> int:
    bar = width(f"-{number(one.scale)}") + width(number(one.scale)) + LONG + 8
    return max(int(one.values.shape[1]) * cell, bar, *(width(text) for text in _words(one)))


def _height(one: Map | None, cell: int) -> int:
    """Return the height of a map with its head and colour bar."""
    if one is None:
        return 0
    lines = sum(bool(text) for text in _words(one))
    return lines * (SMALL + 3) + _thick(one, cell) * int(one.values.shape[0]) + 6 + BAR + SMALL + 14


def _thick(one: Map, cell: int) -> int:
    """Return the height of a row of cells: one row of biases is drawn thicker."""
    return max(cell, 14) if one.values.shape[0] == 1 else cell


def _draw(image: Image.Image, draw: ImageDraw.ImageDraw, one: Map, left: int, top: int, cell: int) -> None:
    for i, text in enumerate(text for text in _words(one) if text):
        write(draw, left, top, text, faint=i > 0)
        top += SMALL + 3
    rows, columns = one.values.shape
    size = (columns * cell, rows * _thick(one, cell))
    cells = Image.fromarray(coloured(one.values, one.scale)).resize(size, Image.Resampling.NEAREST)
    image.paste(cells, (left, top + 2))
    draw.rectangle((left - 1, top + 1, left + size[0], top + 2 + size[1]), outline=FAINT)
    _scale(image, draw, one.scale, left, top + size[1] + 8)


def _scale(image: Image.Image, draw: ImageDraw.ImageDraw, scale: float, left: int, top: int) -> None:
    """Draw the colour bar with its ends."""
    low, high = f"-{number(scale)}", number(scale)
    write(draw, left, top - 3, low, faint=True)
    start = left + width(low) + 4
    bar = Image.fromarray(coloured(np.linspace(-1, 1, LONG)[None, :], 1.0)).resize((LONG, BAR))
    image.paste(bar, (start, top))
    write(draw, start + LONG + 4, top - 3, high, faint=True)
