"""What all pictures share: colours, text, and bytes that are the same for the same input."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fitlab.records import Floats

PAPER, INK, FAINT = (255, 255, 255), (34, 34, 34), (140, 140, 140)
SMALL, LARGE = 13, 15  # of text, in pixels
EDGE = 16  # around everything, in pixels
# From blue through white to red: safe for colour-blind readers (RdBu of ColorBrewer, Harrower and Brewer 2003).
ANCHORS = np.array([
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
])  # fmt: skip
Colours = NDArray[np.uint8]


def coloured(values: Floats, scale: float) -> Colours:
    """Return colours (rows, columns, 3): -scale is blue, 0 white, scale red."""
    place = np.clip(values / (scale or 1.0), -1, 1) * 0.5 + 0.5
    at = np.linspace(0, 1, len(ANCHORS))
    return np.stack([np.interp(place, at, ANCHORS[:, i]) for i in range(3)], axis=-1).round().astype(np.uint8)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def width(text: str, size: int = SMALL) -> int:
    """Return the width of a text in pixels."""
    return int(font(size).getlength(text))


def write(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int = SMALL, faint: bool = False) -> None:
    """Write a text with its upper left corner at (x, y)."""
    draw.text((x, y), text, fill=FAINT if faint else INK, font=font(size))


def number(value: float) -> str:
    """Write a number with three digits, in what Pillow's font has."""
    return f"{value:.3g}"


def limited(image: Image.Image) -> Image.Image:
    """Return a picture with so few colours that its files are small and quickly made."""
    return image.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def encoded(image: Image.Image, kind: str) -> bytes:
    """Return a picture of few colours as a file: png or webp."""
    into = io.BytesIO()
    if kind == "webp":
        image.convert("RGB").save(into, "WEBP", lossless=True, quality=20, method=0)
    else:
        image.save(into, "PNG", compress_level=3)
    return into.getvalue()
