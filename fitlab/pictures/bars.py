"""Histograms of weights and biases, layer beside layer; where they began, as an outline."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from fitlab.parameters.maps import Histogram
from fitlab.parameters.measured import BIAS
from fitlab.pictures.drawing import EDGE, FAINT, INK, LARGE, PAPER, SMALL, number, width, write

BAR, TALL, GAP = 6, 110, 28  # width of a bar, height of the tallest, between panels; in pixels
FILL = {BIAS: (230, 159, 0)}  # Okabe and Ito 2008: biases orange, weights blue
WEIGHTS = (0, 114, 178)


def histogram_picture(found: Sequence[Histogram], first: Sequence[Histogram], title: str) -> Image.Image:
    """Draw the histograms of one epoch, weights above biases. first: those of the first epoch, drawn as outlines."""
    names = list(dict.fromkeys(one.layer for one in found))
    roles = list(dict.fromkeys(one.role for one in found))
    across, down = BAR * len(found[0].counts) + GAP, TALL + 3 * SMALL + 16
    whole = max(across * len(names) - GAP, width(title, LARGE))
    image = Image.new("RGB", (whole + 2 * EDGE, down * len(roles) + 2 * EDGE + 20), PAPER)
    draw = ImageDraw.Draw(image)
    write(draw, EDGE, EDGE - 4, title, LARGE)
    before = {(one.layer, one.role): one for one in first}
    for one in found:
        left = EDGE + across * names.index(one.layer)
        top = EDGE + 22 + down * roles.index(one.role)
        _panel(draw, one, before.get((one.layer, one.role)), left, top)
    return image


def _panel(draw: ImageDraw.ImageDraw, one: Histogram, first: Histogram | None, left: int, top: int) -> None:
    most = max(1, one.counts.max(initial=0), 0 if first is None else first.counts.max(initial=0))
    count = int(one.counts.sum())
    said = {"weight": f"{one.layer}, {count} weights", "bias": f"{count} biases"}[one.role]
    write(draw, left, top, said)
    write(draw, left, top + SMALL + 2, f"at most {most} a bin", faint=True)
    base = top + 2 * SMALL + 6 + TALL
    heights = [round(TALL * int(c) / most) for c in one.counts]
    for i, height in enumerate(heights):
        if height:
            x = left + BAR * i
            draw.rectangle((x, base - height, x + BAR - 2, base - 1), fill=FILL.get(one.role, WEIGHTS))
    if first is not None and first is not one:
        outline = [
            (left + BAR * (i + side) - 1, base - round(TALL * int(c) / most))
            for i, c in enumerate(first.counts)
            for side in (0, 1)
        ]
        draw.line(outline, fill=INK, width=1)
    right = left + BAR * len(one.counts)
    draw.line((left, base, right, base), fill=FAINT)
    middle = (left + right) // 2
    draw.line((middle, base, middle, base + 3), fill=FAINT)
    for x, value in ((left, one.edges[0]), (middle, 0.0), (right, one.edges[-1])):
        text = number(float(value))
        start = {left: left, right: right - width(text)}.get(x, x - width(text) // 2)
        write(draw, start, base + 4, text, faint=True)
