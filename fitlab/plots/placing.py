"""Swept keys as the axes of matplotlib: where a Config stands, and what is written there."""

from __future__ import annotations

import math
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from fitlab.plots.keys import ABSENT, Axis, Point
from fitlab.plots.shared import LETTER, small

MOST = 9  # places that are all named; of more every second, third …


def spot(axis: Axis | None, point: Point, cells: bool) -> float:
    """Return where a point stands along an axis. cells: every value has a place of its own, at 0, 1, 2 …"""
    if axis is None:
        return 0.0
    return float(axis.place(point)) if cells else axis.coordinate(point)


def dress(ax: Axes, way: Literal["x", "y"], axis: Axis | None, cells: bool, side: float = math.inf) -> None:
    """Write what stands along one way of axes, and scale it; no axis: nothing does. side: of a cell, in points."""
    line = ax.xaxis if way == "x" else ax.yaxis
    if axis is None:
        line.set_ticks([])
        _limits(ax, way, -0.5, 0.5)
    elif cells or not axis.numeric:
        letters = max(map(len, axis.texts)) + 1
        needed = small() * (LETTER * letters if way == "x" else 1.2)
        every = max(math.ceil(axis.levels / MOST), math.ceil(needed / side))
        line.set_ticks(range(0, axis.levels, every), axis.texts[::every], parse_math=False)
        _limits(ax, way, -0.5, axis.levels - 0.5)
    else:
        (ax.set_xscale if way == "x" else ax.set_yscale)("log" if axis.log else "linear")
        line.set_minor_locator(NullLocator())
        if axis.absent:
            _write_absent(ax, way, axis.beside)


def name(ax: Axes, way: Literal["x", "y"], axis: Axis | None) -> None:
    """Write the name of a key at its axis."""
    if axis is not None:
        (ax.set_xlabel if way == "x" else ax.set_ylabel)(axis.label, parse_math=False)


def _limits(ax: Axes, way: Literal["x", "y"], low: float, high: float) -> None:
    (ax.set_xlim if way == "x" else ax.set_ylim)(low, high)


def _write_absent(ax: Axes, way: Literal["x", "y"], at: float) -> None:
    """Say that what stands at ``at`` of a continuous axis does not have the key."""
    if way == "x":
        ax.text(at, 0.02, ABSENT, fontsize=small(), rotation=90, transform=ax.get_xaxis_transform(), ha="right")
    else:
        ax.text(0.02, at, ABSENT, fontsize=small(), transform=ax.get_yaxis_transform(), va="top")
