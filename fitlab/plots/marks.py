"""How a verdict looks wherever it is drawn: its colour, its glyph, hollow where it is no more than a leaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from matplotlib.lines import Line2D

from fitlab.plots.shared import FAINT, GLYPHS, nothing
from fitlab.records import Config
from fitlab.sweep import Sweep
from fitlab.verdicts import COLOURS, Label

UNJUDGED = "not diagnosed"
LEANING = "inconclusive, leaning "
HOLLOW = "hollow: leaning"


@dataclass(frozen=True)
class Mark:
    """The look of one verdict."""

    label: Label | None  # of an inconclusive one what it leans to; None: not diagnosed
    leaning: bool = False

    @property
    def word(self) -> str:
        """What the legend says."""
        return UNJUDGED if self.label is None else str(self.label).replace("_", " ")

    @property
    def colour(self) -> str:
        """The fixed colour of its label."""
        return FAINT if self.label is None else COLOURS[self.label]

    @property
    def glyph(self) -> str:
        """The fixed marker of its label."""
        return "o" if self.label is None else GLYPHS[self.label]

    @property
    def style(self) -> dict[str, Any]:
        """Settings of a marker on white."""
        edge = {"markeredgecolor": self.colour, "markeredgewidth": 0.9}
        filled = {"markeredgecolor": "white", "markeredgewidth": 0.3}
        face = {"markerfacecolor": "white" if self.leaning else self.colour, "color": self.colour}
        return {"marker": self.glyph, "linestyle": "none", **face, **(edge if self.leaning else filled)}

    def sized(self, size: float) -> dict[str, Any]:
        """Return the settings of a marker of so many points: small ones have thin edges."""
        return {**self.style, "markersize": size, "markeredgewidth": min(self.style["markeredgewidth"], 0.2 * size)}

    @property
    def order(self) -> tuple[int, bool]:
        """Its place: verdicts in their order, what is not diagnosed last."""
        return (len(Label) if self.label is None else [*Label].index(self.label), self.leaning)


def verdict_text(sweep: Sweep, config: Config) -> str:
    """Return the verdict of a Config in words; empty where there is none."""
    verdict = sweep.verdicts.by_config.get(config.digest)
    return "" if verdict is None else verdict.text


def mark_of(text: Any) -> Mark:
    """Return the look of a verdict's text, such as ``overfit``, ``inconclusive, leaning overfit`` or ``overfit?``.

    Of none, too.
    Raises ValueError for what is no verdict.
    """
    if not isinstance(text, str) or text in ("", UNJUDGED):  # pandas writes NaN where there is no text
        return Mark(None)
    leaning = text.startswith(LEANING) or text.endswith("?")
    word = text.removeprefix(LEANING).removesuffix("?")
    if word.replace(" ", "_") not in {*Label}:
        raise nothing(f"{text!r} is no verdict", (str(one).replace("_", " ") for one in Label))
    return Mark(Label(word.replace(" ", "_")), leaning)


def explained(marks: Iterable[Mark], **style: Any) -> tuple[list[Line2D], list[str]]:
    """Return the lines of a legend of the verdicts that occur, in their order, and what each is.

    style: instead of what a mark has on white.
    """
    found = sorted({*marks}, key=lambda one: one.order)
    lines = {one.word: Line2D([], [], **{**Mark(one.label).style, **style}) for one in found}
    if any(one.leaning for one in found):
        hollow = {**Mark(None, leaning=True).style, **style, "markerfacecolor": "white"}
        lines[HOLLOW] = Line2D([], [], **hollow)
    return [*lines.values()], [*lines]
