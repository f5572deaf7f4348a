"""Loss against capacity: where models begin to interpolate, where loss peaks, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from fitlab.diagnosis import capacity_curves
from fitlab.diagnosis.capacity import CapacityCurve
from fitlab.diagnosis.naming import interval, pairs, shown
from fitlab.errors import FitlabError
from fitlab.plots.above import head
from fitlab.plots.along import Places, called, number_of, places_of
from fitlab.plots.curves import LEVEL, PARTS, Band
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import plain
from fitlab.plots.lines import BY_NAME, fits_in, held_by, searched
from fitlab.plots.points import Points, draw_points, explained, points_of, why_not
from fitlab.plots.shared import axes_or_new, bare, figure_of, nothing, refuse_other
from fitlab.plots.sources import numeric
from fitlab.records import Config, Floats, Interval
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Range
from fitlab.sweep import Sweep

SHADE, EXPECTED = "#E6E6E6", "#555555"
APART = 7  # points between a mean and what marks it
PEAK = "peak"
MARKS = {PEAK: ("v", 1), "first minimum": ("^", -1), "second minimum": ("^", -1)}  # and above or below
KNOWN = ("capacity", "n", "interpolates", "role")


@dataclass(frozen=True, eq=False)
class Capacity:
    """What ``capacity_curve`` draws. P Configs, small to large."""

    points: Points
    fixed: Mapping[str, Any]  # what else is swept, with the values that it is held to
    axis: str  # what stands at the horizontal axis
    capacities: Floats  # (P,)
    interpolates: tuple[bool, ...]  # (P,) empty: not known
    roles: tuple[str, ...]  # (P,) peak, first minimum, second minimum, or nothing
    expected: float | None = None  # where theory has the threshold
    rise: Interval | None = None  # to the peak
    second_descent: Interval | None = None  # from there on
    origin: Origin | None = None
    searched: bool = False

    def table(self) -> pd.DataFrame:
        """Return a row per part, Config and line as of a validation curve, with capacity, interpolates and role."""
        table = self.points.table()
        again = len(table) // len(self.capacities)
        known = self.interpolates or (None,) * len(self.capacities)
        return table.assign(
            capacity=np.tile(self.capacities, again), interpolates=[*known] * again, role=[*self.roles] * again
        )

    @property
    def threshold(self) -> tuple[int, int] | None:
        """The places of the largest model that does not interpolate, and of the next, from which on all do."""
        last = max((k for k, fits in enumerate(self.interpolates) if not fits), default=-1)
        return (last, last + 1) if 0 <= last < len(self.interpolates) - 1 else None

    @property
    def title(self) -> str:
        """What else is swept, and whether there is a second descent."""
        held = f"at {pairs(self.fixed)}" if self.fixed else ""
        peak = f"peak at {shown(self.points.values[self.roles.index(PEAK)])}" if PEAK in self.roles else ""
        said = [held, f"{peak}, second descent" if peak else "", "from a search" if self.searched else ""]
        return "; ".join(one for one in said if one)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        held = f", with {pairs(self.fixed)}" if self.fixed else ""
        return (
            f"Loss at the last epoch against {called(self.points.key)} on training (dashed) and validation data "
            f"(solid){held}; {self._said_of_threshold}{self._said_of_peak}{self.points.said}"
        )

    @property
    def _said_of_threshold(self) -> str:
        values, found = self.points.values, self.threshold
        said = ""
        if found:
            below, above = (shown(values[k]) for k in found)
            said = f"shaded: models begin to fit every training row between {below} and {above}; "
        return said + (f"vertical line: where theory has that, {self.expected:g}; " if self.expected else "")

    @property
    def _said_of_peak(self) -> str:
        if PEAK not in self.roles:
            return ""
        numbers = [
            f"{what} {interval(one)}"
            for what, one in (("rises by", self.rise), ("falls again by", self.second_descent))
            if one
        ]
        of = f", paired differences {self.rise.method}" if self.rise else ""
        said = f", to which loss {' and '.join(numbers)}{of}" if numbers else ""
        return f"triangles: the peak{said}, and the lowest losses on either side; "


def capacity_curve(
    source: Sweep | CapacityCurve | Capacity | pd.DataFrame,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw train and validation loss against the declared capacity axis, small to large (Belkin et al. 2019).

    Shaded is where models begin to interpolate as measured, between two values; a vertical line is where theory has
    it. Triangles are a peak, if there is one for certain, and the lowest losses on either side of it.
    What else is swept is held to the values of ``config``, by default the selected one, or to those of ``fixed``.
    source: a Sweep; one of ``fitlab.capacity_curves(sweep)``, which has no single seeds; or its table, of which
    capacity, loss/train and loss/val must be there. What is drawn is ``capacity_of(…).table()``.
    Raises ValueError where there is nothing to draw, saying what there is.
    """
    found = source if isinstance(source, Capacity) else capacity_of(source, config=config, fixed=fixed)
    ax = axes_or_new(ax)
    _thresholds(ax, found)
    draw_points(ax, found.points)
    ax.set_xlabel(found.axis, parse_math=False)
    _marks(ax, found)
    bare(ax)
    head(ax, found.title, {**explained(found.points), **_explained(found)}, legend)
    return shows(ax, found)


def _thresholds(ax: Axes, found: Capacity) -> None:
    at = found.points.places.at
    if found.threshold:
        ax.axvspan(*(at[k] for k in found.threshold), color=SHADE, zorder=0, linewidth=0)
    if found.expected and found.points.places.kind != "ticks":
        ax.axvline(found.expected, color=EXPECTED, linestyle=(0, (5, 1.5)), linewidth=0.8, zorder=0.5)


def _marks(ax: Axes, found: Capacity) -> None:
    """Draw a triangle above the peak, and below the lowest losses on either side."""
    means = found.points.parts["val"].mean
    for place, mean, role in zip(found.points.places.at, means, found.roles, strict=True):
        if role in MARKS:
            shape, side = MARKS[role]
            away = ScaledTranslation(0, side * APART / 72, figure_of(ax).dpi_scale_trans)
            style: dict[str, Any] = {"marker": shape, "markersize": 5, "color": "black", "markeredgecolor": "white"}
            ax.plot(place, mean, linestyle="none", transform=ax.transData + away, clip_on=False, zorder=6, **style)


def _explained(found: Capacity) -> dict[str, Artist]:
    lines: dict[str, Artist] = {}
    if found.threshold:
        lines["threshold"] = Patch(color=SHADE)
    if found.expected and found.points.places.kind != "ticks":
        lines["in theory"] = Line2D([], [], color=EXPECTED, linestyle=(0, (5, 1.5)), linewidth=0.8)
    if PEAK in found.roles:
        style: dict[str, Any] = {"linestyle": "none", "markersize": 5, "color": "black", "markeredgecolor": "white"}
        lines[PEAK] = Line2D([], [], marker="v", **style)
        lines["minima"] = Line2D([], [], marker="^", **style)
    return lines


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────


def capacity_of(
    source: Sweep | CapacityCurve | pd.DataFrame,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> Capacity:
    """Return what ``capacity_curve`` draws. Raises ValueError where there is nothing."""
    match source:
        case CapacityCurve():
            return _of_curve(source)
        case pd.DataFrame():
            return _of_table(source, _axis_of(source), {})
        case _:
            refuse_other(source, Sweep, pd.DataFrame)
            return _of_sweep(source, config, fixed)


def _of_sweep(sweep: Sweep, config: Config | str | None, fixed: Mapping[str, Any] | None) -> Capacity:
    curve = _chosen(sweep, config, fixed)
    drawn = [point.config for point in curve.points]
    swept = {key: value for key, value in curve.swept.items() if key not in BY_NAME}
    line = [one for one in sweep.configs if curve.axis in one.swept and fits_in(one.swept, swept)]
    reasons = [why_not(sweep, one) for one in line if one not in drawn]
    domain = domain_of(sweep.spec).get(curve.axis)  # what was recorded elsewhere has none
    found = _of_curve(curve, domain.log if isinstance(domain, Range) else None)
    points = points_of(sweep, drawn, curve.axis, "loss", found.points.places)
    left = {one: reasons.count(one) for one in dict.fromkeys(reasons)}
    return replace(
        found,
        points=replace(points, left_out=left),
        origin=origin_of(sweep, drawn),
        searched=searched(sweep),
    )


def _chosen(sweep: Sweep, config: Config | str | None, fixed: Mapping[str, Any] | None) -> CapacityCurve:
    """Return the curve that is meant. Raises ValueError where there is none, or several."""
    try:
        curves = [curve for curve in capacity_curves(sweep) if curve.points]
    except FitlabError as error:
        raise nothing(str(error), domain_of(sweep.spec)) from None
    if not curves:
        why = "; ".join(dict.fromkeys(why_not(sweep, one) for one in sweep.configs))
        raise nothing(f"no Config completed under every seed ({why})")
    held = {key: one for key, one in held_by(sweep, config, fixed).items() if key != curves[0].axis}
    found = [curve for curve in curves if fits_in(curve.swept, held)]
    if len(found) == 1:
        return _long_enough(found[0], curves)
    there = dict.fromkeys(pairs({k: v for k, v in one.swept.items() if k not in BY_NAME}) for one in found or curves)
    which = (
        f"which of {len(found)} curves? Give fixed={{key: value}}, or config="
        if found
        else f"no curve at {pairs(held)}"
    )
    raise nothing(which, [*there][:8])


def _long_enough(curve: CapacityCurve, curves: Sequence[CapacityCurve]) -> CapacityCurve:
    """Return the curve; raise ValueError for one point where others are: of a search, which varies all at once."""
    if len(curve.points) == 1 < len(curves):
        raise nothing(
            f"one Config alone completed at {pairs(curve.swept)}; of {len(curves)} curves the longest has "
            f"{max(len(one.points) for one in curves)}: give fixed={{key: value}}, or see parallel_coordinates"
        )
    return curve


def _of_curve(curve: CapacityCurve, log: bool | None = None) -> Capacity:
    if not curve.points:
        raise nothing("no Config on this curve completed under every seed")
    swept = {key: value for key, value in curve.swept.items() if key not in BY_NAME}
    table = curve.table()
    table[curve.axis] = pd.Series([point.value for point in curve.points], table.index, dtype=object)  # None stays
    found = _of_table(table, curve.axis, swept, log, curve.points[0].val.level)
    return replace(found, expected=curve.expected_threshold, rise=curve.rise, second_descent=curve.second_descent)


def _axis_of(frame: pd.DataFrame) -> str:
    """Return the column of values: the one before capacity, else that itself. Raises ValueError without numbers."""
    lacking = [name for name in ("capacity", "loss/train", "loss/val") if name not in frame]
    if lacking:
        raise nothing(
            f"the DataFrame lacks {', '.join(lacking)}, which the table of a capacity curve has", frame.columns
        )
    place = [*frame.columns].index("capacity")
    return str(frame.columns[place - 1]) if place else "capacity"


def _of_table(
    frame: pd.DataFrame, key: str, fixed: Mapping[str, Any], log: bool | None = None, level: float = LEVEL
) -> Capacity:
    """Return what is drawn of the table of a CapacityCurve: a row per Config."""
    names = (f"loss/{split}{end}" for split in PARTS for end in ("", "/low", "/high"))
    frame = numeric(frame, "capacity", *names)
    rows = frame[np.isfinite(frame["loss/val"])].sort_values("capacity", kind="stable")
    if not len(rows):
        raise nothing("no row has a finite loss/val")
    twice = rows[rows["capacity"].duplicated()]
    if len(twice):
        raise nothing(f"several rows have capacity {twice['capacity'].iloc[0]:g}; take one curve of them")
    values = tuple(plain(one) for one in rows[key])
    capacities = rows["capacity"].to_numpy(np.float64)
    places, axis = _places(values, capacities, key, log)
    parts = {split: _band(rows, f"loss/{split}") for split in PARTS}
    points = Points(key, "loss", values, places, (), parts, level)
    fitted = tuple(map(bool, rows["interpolates"])) if "interpolates" in rows else ()
    roles = tuple(one if isinstance(one, str) else "" for one in rows["role"]) if "role" in rows else ("",) * len(rows)
    return Capacity(points, fixed, axis, capacities, fitted, roles)


def _places(values: Sequence[Any], capacities: Floats, key: str, log: bool | None) -> tuple[Places, str]:
    """Return places, and what the axis is called: numbers themselves, else by capacity, where that is a size."""
    if all(number_of(value) is not None for value in values):
        falls = len(values) > 1 and (number_of(values[-1]) or 0) < (number_of(values[0]) or 0)
        return places_of(values, log, falls), called(key)
    if (
        np.isfinite(capacities).all()
        and (capacities > 0).all()
        and all(isinstance(value, list | tuple) for value in values)
    ):
        return places_of(capacities.tolist()), f"weights and biases, by {called(key)}"
    return places_of([*map(canonical, values)]), called(key)


def _band(rows: pd.DataFrame, name: str) -> Band:
    unknown = np.full(len(rows), np.nan)
    mean, low, high = (
        rows[column].to_numpy(np.float64) if column in rows else unknown
        for column in (name, f"{name}/low", f"{name}/high")
    )
    return Band(np.empty((0, len(rows))), mean, low, high)
