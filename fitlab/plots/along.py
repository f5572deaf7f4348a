"""Values of a swept key as places on an axis: numbers on a linear or logarithmic one, all else side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator

from fitlab.diagnosis.naming import shown
from fitlab.plots.shared import LETTER, across
from fitlab.records import Floats

Kind = Literal["linear", "log", "ticks"]
DECADE = 10.0  # from this ratio of its largest to its smallest value on, an axis may be logarithmic
MOST = 12  # values that are all written at the axis
BLANK = 1.5  # letters between labels


@dataclass(frozen=True, eq=False)
class Places:
    """Where P values stand."""

    kind: Kind
    at: Floats  # (P,) the numbers themselves, or 0 … P - 1
    labels: tuple[str, ...]  # (P,)
    falling: bool = False  # the numbers fall from left to right


def number_of(value: Any) -> float | None:
    """Return the number that a swept value is: itself, or that of a list of one, such as [32]; None: it is none."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(value) if real and math.isfinite(value) else None


def places_of(values: Sequence[Any], log: bool | None = None, falling: bool = False) -> Places:
    """Return the places of distinct values, in their order. log: declared; None: where steps are more even so."""
    numbers = [number_of(value) for value in values]
    if any(number is None for number in numbers) or not _rises(numbers, falling):
        return Places("ticks", np.arange(len(values), dtype=np.float64), tuple(map(shown, values)))
    at = np.array(numbers, dtype=np.float64)
    decided = _more_even(at) if log is None else log and bool((at > 0).all())
    if (at == 0).any() and decided is None:  # no place for 0 on a logarithmic axis, no room on a linear one
        return Places("ticks", np.arange(len(at), dtype=np.float64), tuple(map(shown, numbers)))
    return Places("log" if decided else "linear", at, tuple(map(shown, numbers)), falling)


def _rises(numbers: Sequence[float | None], falling: bool) -> bool:
    steps = np.diff(np.array(numbers, dtype=np.float64))
    return bool((steps < 0).all() if falling else (steps > 0).all())


def _more_even(at: Floats) -> bool | None:
    """Whether steps are more even on a logarithmic axis; None where they were, were it not for a zero."""
    some = np.sort(at[at > 0])
    if len(some) < 2 or (at < 0).any() or some[-1] < DECADE * some[0]:
        return False
    steps = [np.diff(one) for one in (some, np.log(some))]
    uneven, on_log = (float(one.std() / one.mean()) for one in steps)
    found = on_log <= uneven
    return None if found and len(some) < len(at) else found


def set_places(ax: Axes, places: Places, key: str) -> None:
    """Make the horizontal axis one of these places. Values are written at it where there is room for all of them."""
    if places.kind == "log":
        ax.set_xscale("log")
    elif places.kind == "ticks":
        ax.set_xlim(-0.5, len(places.at) - 0.5)
    if places.falling:
        ax.xaxis.set_inverted(True)
    if places.kind == "ticks" or (len(places.at) <= MOST and _fit(ax, places)):
        _write(ax, places)
    elif places.kind == "linear":
        whole = all(at.is_integer() for at in places.at.tolist())
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=whole))
    ax.set_xlabel(called(key), parse_math=False)


def called(key: str) -> str:
    """Return what an axis of a swept key is called: the key without its section, such as ``label_noise.rate``."""
    return key.partition(".")[2].removeprefix("parameters.") or key


def _write(ax: Axes, places: Places) -> None:
    """Write values at the axis: turned where they are wide, every second or third of very many."""
    step = int(np.ceil(len(places.at) * 1.3 * _tick_size() / across(ax)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(places.at[::step], list(places.labels[::step]), parse_math=False)
    if not _fit(ax, places):
        ax.tick_params(axis="x", labelrotation=35 if step == 1 else 90)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor", va="center" if step > 1 else "top")


def _fit(ax: Axes, places: Places) -> bool:
    """Whether the labels of all places fit beside each other."""
    at = np.log(places.at) if places.kind == "log" else places.at
    if len(at) < 2:
        return True
    room = across(ax) * 0.9 * np.abs(np.diff(at)) / (np.ptp(at) if places.kind != "ticks" else len(at))
    wide = np.array([len(one) + BLANK for one in places.labels]) * LETTER * _tick_size()
    return bool((room >= (wide[1:] + wide[:-1]) / 2).all())


def _tick_size() -> float:
    size = rcParams["xtick.labelsize"]
    return float(size) if isinstance(size, float | int) else 0.9 * float(rcParams["font.size"])
