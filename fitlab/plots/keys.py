"""Swept keys as axes of figures: which there are, the order of their values, and how these are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fitlab.diagnosis.gather import SIZES, number
from fitlab.diagnosis.naming import shown
from fitlab.seeds import canonical

WIDE = 30.0  # from this ratio of its numbers on an axis is logarithmic
ABSENT = "absent"
ASIDE = 0.12  # of the length of a continuous axis: how far from it what is absent stands
Point = Mapping[str, Any]  # key -> value; a key that does not exist there is not in it


@dataclass(frozen=True, eq=False)
class Axis:
    """One key with the values that occur, in order; where some points do not have it, ``absent`` stands behind them."""

    key: str
    values: tuple[Any, ...]  # (L,)
    absent: bool = False

    @cached_property
    def _places(self) -> dict[str, int]:
        return {canonical(value): i for i, value in enumerate(self.values)}

    def place(self, point: Point) -> int:
        """Return the place of a point among the values, 0 … L − 1; L where it does not have the key."""
        return self._places[canonical(point[self.key])] if self.key in point else len(self.values)

    def coordinate(self, point: Point) -> float:
        """Return where a point stands on a continuous axis: its number, or the place of what is none."""
        if not self.numeric:
            return float(self.place(point))
        return float(point[self.key]) if self.key in point else self.beside

    @property
    def beside(self) -> float:
        """Where points stand on a continuous axis that do not have the key: below all numbers."""
        low, high = float(self.values[0]), float(self.values[-1])
        return low * (low / high) ** ASIDE if self.log else low - ASIDE * (high - low)

    @property
    def levels(self) -> int:
        """How many places there are."""
        return len(self.values) + self.absent

    @property
    def numeric(self) -> bool:
        """Whether all values are finite numbers."""
        return all(number(value) and math.isfinite(value) for value in self.values)

    @property
    def log(self) -> bool:
        """Whether the numbers spread so far that a logarithmic axis shows them better."""
        return self.numeric and self.values[0] > 0 and self.values[-1] > WIDE * self.values[0]

    @property
    def label(self) -> str:
        """What stands at the axis."""
        return words(self.key)

    @property
    def texts(self) -> list[str]:
        """How the places are written."""
        return [*written(self.values), *([ABSENT] if self.absent else [])]

    def text(self, point: Point) -> str:
        """Return how the value of a point is written."""
        return self.texts[self.place(point)]


def plain(value: Any) -> Any:
    """Return a cell of a table as a spec would have it: what is missing as None, and what no spec knows as text."""
    match value:
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None if math.isnan(value) else str(value)
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
    return None if value is pd.NA or value is pd.NaT else str(value)


def words(key: str) -> str:
    """Return the last part of a key in words: ``learning rate init``."""
    return key.rsplit(".", 1)[-1].rsplit("__", 1)[-1].replace("_", " ")


def written(values: Sequence[Any]) -> list[str]:
    """Write values as short as they stay different: ``0.01``, ``1e-5``, ``64-32`` for layers."""
    brief = [_brief(value) for value in values]
    return brief if len({*brief}) == len(brief) else [shown(value) for value in values]


def _brief(value: Any) -> str:
    match value:
        case bool() | None | str():
            return shown(value)
        case int() | float():
            return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
        case [*layers] if layers and all(isinstance(one, int) for one in layers):
            return "-".join(map(str, layers))
    return shown(value)


def axis(key: str, points: Sequence[Point], order: Mapping[str, float] | None = None) -> Axis:
    """Return a key as an axis. order: canonical value -> its place, of what has an order that is not its own.

    Numbers ascend, None comes behind them; sizes of layers ascend by their units; the rest stands as it occurs.
    """
    found = {canonical(point[key]): point[key] for point in points if key in point}
    has_order = order or key.endswith(SIZES) or all(value is None or number(value) for value in found.values())
    places = {name: _rank(value, (order or {}).get(name)) for name, value in found.items()} if has_order else {}
    values = tuple(found[name] for name in sorted(found, key=lambda name: places.get(name, 0)))  # stable
    return Axis(key, values, any(key not in point for point in points))


def _rank(value: Any, place: float | None) -> float:
    if place is not None:
        return place
    if isinstance(value, list | tuple):
        return float(sum(value))
    return float(value) if number(value) else math.inf


def varied(points: Sequence[Point], orders: Mapping[str, Mapping[str, float]], first: str | None = None) -> list[Axis]:
    """Return the keys that differ between points, as axes: ``first``, then those with the most numbers, then the rest.

    orders: key -> canonical value -> its place.
    """
    keys = dict.fromkeys(key for point in points for key in point)
    found = [one for key in keys if (one := axis(key, points, orders.get(key))).levels > 1]
    return sorted(found, key=lambda one: (one.key != first, -len(one.values) if _ordered(one) else 0))


def _ordered(one: Axis) -> bool:
    return one.key.endswith(SIZES) or all(value is None or number(value) for value in one.values)
