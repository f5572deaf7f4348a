"""The figures of a report: drawn once, in a style of their own, then written as often as they are needed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context, rcdefaults
from matplotlib.figure import Figure

from fitlab.plots.drawn import caption
from fitlab.plots.kinds import KINDS, draw_kinds
from fitlab.plots.paper import style
from fitlab.sweep import Sweep

REPORTED = (  # of each row the first that applies
    ("learning_curves",),
    ("landscape", "verdict_map"),
    ("gap_vs_excess",),
    ("capacity_curve",),
    ("sample_size_curve",),
    ("norms_vs_gap",),
)
ELSE = "validation_curve", {"capacity_curve", "sample_size_curve"}  # drawn where none of these is
WIDE, TALL = 4.0, 2.8  # inches
LARGE = 160_000  # bytes of an svg: a larger one is logged as png
DPI = 170
SIZES = ("font.size", "axes.labelsize", "axes.titlesize", "legend.fontsize", "xtick.labelsize", "ytick.labelsize")
SETTINGS: dict[str, Any] = {
    **dict.fromkeys(SIZES, 8.5),
    "svg.fonttype": "path",  # looks the same whatever fonts a reader has
    "font.sans-serif": ["DejaVu Sans"],
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, what stands below it, and what it is for those who do not see it."""

    kind: str
    stem: str
    caption: str
    alt: str
    figure: Figure


@contextmanager
def page_style() -> Iterator[None]:
    """Draw in the report's own style within ``with``, whatever the user's settings are."""
    with rc_context():
        rcdefaults()
        with rc_context(style("nature", WIDE, height=TALL) | SETTINGS):  # type: ignore[arg-type]  # names as text
            yield


def pictures_of(sweep: Sweep) -> tuple[list[Picture], list[tuple[str, str]]]:
    """Return the figures of a report, and of each kind that does not apply, why. Call it within ``page_style``."""
    drawn, absent = list[Picture](), list[tuple[str, str]]()
    for row in REPORTED:
        _draw(sweep, row, drawn, absent)
    kind, others = ELSE
    if not others & {one.kind for one in drawn}:
        _draw(sweep, (kind,), drawn, absent)
    return drawn, absent


def _draw(sweep: Sweep, row: Sequence[str], drawn: list[Picture], absent: list[tuple[str, str]]) -> None:
    """Add the figures of the first kind that applies to those drawn, or why none does."""
    why = []
    for kind in row:
        for one in draw_kinds(sweep, {kind: KINDS[kind]}):
            if one.figure is None:
                why.append((kind.replace("_", " "), one.why))
                continue
            said = caption(one.figure)
            drawn.append(Picture(kind, one.stem, said, _alt(kind, said), one.figure))
        if any(one.kind == kind for one in drawn):
            return
    absent += why


def _alt(kind: str, said: str) -> str:
    """Return what a figure is, for those who do not see it: its kind, and the beginning of its caption."""
    first = said.partition(":")[0]
    return f"{KINDS[kind].shows[:1].upper()}{KINDS[kind].shows[1:]}: {first if len(first) < 200 else kind}"


def data_uri(picture: Picture) -> str:
    """Return a figure as a data URI: svg, or png where that is large. The same figure gives the same text."""
    svg = _written(picture.figure, "svg", metadata={"Date": None, "Creator": None})
    kind, data = ("svg+xml", svg) if len(svg) <= LARGE else ("png", _written(picture.figure, "png", dpi=DPI))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _written(figure: Figure, kind: str, **settings: Any) -> bytes:
    into = io.BytesIO()
    figure.savefig(into, format=kind, **settings)
    return into.getvalue()
