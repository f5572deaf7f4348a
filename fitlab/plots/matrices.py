"""Weights and biases themselves: as a map of cells, and as histograms over the epochs that were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fitlab.diagnosis.naming import listed, name_of
from fitlab.parameters.maps import Map, Maps, maps_of
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.shared import (
    DIVERGING,
    FAINT,
    axes_or_new,
    bare,
    draw_legend,
    entitle,
    figure_of,
    nothing,
    refuse_other,
    small,
)
from fitlab.plots.sources import numeric, one_config
from fitlab.records import Config, Fit
from fitlab.sweep import Sweep

NO_INTERVALS = "none: single seeds"
HISTOGRAM = ("epoch", "layer", "role", "low", "high", "count")
LINES = 3  # epochs that histograms show, at most
FEW = 50  # entries, below which bins are four times as wide
SLIM = 4  # from this ratio of its sides on a matrix is stretched
SEQUENCE = "cividis_r"  # early epochs light, late ones dark; safe for colour-blind readers, rises in grey, too


@dataclass(frozen=True)
class Whose:
    """Of which Fit weights are; of Maps from elsewhere it is not known."""

    name: str = ""  # of its Config
    seed: int | None = None
    origin: Origin | None = None

    @property
    def said(self) -> str:
        """The Config and the seed, as titles and captions say them; empty: not known."""
        return "" if self.seed is None else f"{self.name}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Heat:
    """What ``weight_heatmap`` draws."""

    map: Map
    whose: Whose = Whose()
    epoch: int | None = None  # None: not known

    @property
    def origin(self) -> Origin | None:
        """Where the numbers are from."""
        return self.whose.origin

    def table(self) -> pd.DataFrame:
        """Return its cells: layer, role, row, column, value. row and column count the cells, from 0."""
        table = self.map.table().assign(layer=self.map.layer, role=self.map.role)
        return table[["layer", "role", "row", "column", "value"]]

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        one = self.map
        when = "" if self.epoch is None else f" at epoch {self.epoch}"
        blocks = "" if one.values.shape == one.shape else "; each cell is the largest entry of a block"
        of = f" of {self.whose.said}" if self.whose.said else ""
        return (
            f"{_what(one.role).capitalize()} of {one.layer}{of}{when}: "
            f"blue negative, white 0, red positive, on the scale of all kept epochs (±{one.scale:.3g}){blocks}."
        )


def _what(role: str) -> str:
    return "biases" if role == BIAS else "weights"


def weight_heatmap(
    source: Sweep | Fit | Maps | Map | Heat | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epoch: int | None = None,
    config: Config | str | None = None,
    seed: int | None = None,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw one array at one epoch as cells: inputs down, units across; blue is negative, white 0, red positive.

    The scale is that of the array at all kept epochs, so that pictures of several compare. Of an array with more than
    128 rows or columns each cell is the largest entry of a block, and the title says so.
    layer: None is the first. role: weight or bias. epoch: one of those kept; None is the last. Of a Sweep it is the
    selected Config, or ``config``, under its first completed seed, or ``seed``. Of a DataFrame it is the columns row,
    column and value, and where it has them layer and role. What is drawn is ``heat_of(…).table()``.
    Raises ValueError where there is no such array, saying which there are.
    """
    if isinstance(source, Heat):
        found = source
    else:
        found = heat_of(source, layer=layer, role=role, epoch=epoch, config=config, seed=seed)
    ax = axes_or_new(ax)
    draw_map(ax, found.map, colorbar)
    if isinstance(source, Sweep):
        entitle(ax, f"{ax.get_title()}; {found.whose.said}, epoch {found.epoch}")
    return shows(ax, found)


def draw_map(ax: Axes, one: Map, colorbar: bool = True) -> None:
    """Draw one array as cells."""
    top = one.scale or 1.0
    rows, units = one.shape
    drawn = ax.imshow(
        one.values,
        cmap=DIVERGING,
        vmin=-top,
        vmax=top,
        interpolation="nearest",
        aspect="equal" if max(one.shape) <= SLIM * min(one.shape) else "auto",
        extent=(0, units, rows, 0),  # cells of blocks stand where the entries do
    )
    entitle(ax, f"{one.layer}: {rows} × {units}" if one.role == WEIGHT else f"{units} biases")
    ax.set_xlabel("unit" if one.values.shape == one.shape else "unit\n(cell: largest of a block)")
    ax.xaxis.set_major_locator(MaxNLocator(4 if units * 2 > rows else 2, integer=True))  # a slim one has less room
    if rows == 1:
        ax.set_yticks([])
    else:
        ax.set_ylabel("input")
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    if colorbar:
        beside = ax.inset_axes((1 + 0.03, 0, 0.04, 1))  # as high as the cells, and no room taken from other axes
        bar = figure_of(ax).colorbar(drawn, cax=beside, ticks=[-top, 0, top] if rows > 1 else [-top, top])
        bar.ax.set_yticklabels([f"−{top:.3g}", "0", f"+{top:.3g}"] if rows > 1 else [f"−{top:.3g}", f"+{top:.3g}"])
        bar.ax.tick_params(labelsize=small(), length=2)


def heat_of(
    source: Sweep | Fit | Maps | Map | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epoch: int | None = None,
    config: Config | str | None = None,
    seed: int | None = None,
) -> Heat:
    """Return what ``weight_heatmap`` draws. Raises ValueError where there is none."""
    picked, whose = _fit_of(source, config, seed)
    if isinstance(picked, pd.DataFrame):
        return Heat(_told(picked, layer, role))
    if isinstance(picked, Map):
        return Heat(picked)
    maps = picked if isinstance(picked, Maps) else maps_of(picked, () if epoch is None else (epoch,))
    at = epoch if epoch is not None else maps.epochs[-1] if maps.epochs else None
    return Heat(map_at(maps, layer=layer, role=role, epoch=epoch), whose, at)


def _fit_of(source: Any, config: Config | str | None, seed: int | None) -> tuple[Any, Whose]:
    """Return the Fit that is meant of a Sweep, anything else as it is, and whose weights it has."""
    match source:
        case Sweep():
            chosen = one_config(source, config)
            fits = [fit for fit in source.completed(chosen) if fit.kept]
            if not fits:
                raise nothing(f"no completed Fit of {name_of(chosen)} kept weights or biases")
            found = next((fit for fit in fits if seed in (None, fit.job.seed)), None)
            if found is None:
                raise nothing(f"{name_of(chosen)} has no weights under seed {seed}", [fit.job.seed for fit in fits])
            return found, Whose(name_of(chosen), found.job.seed, origin_of(source, [chosen], NO_INTERVALS))
        case Fit():
            return source, Whose(name_of(source.job.config), source.job.seed)
        case _:
            refuse_other(source, Sweep, Fit, Maps, Map, pd.DataFrame)
            return source, Whose()


def _told(frame: pd.DataFrame, layer: str | None, role: str) -> Map:
    """Return the array of a table of cells: row, column, value, and where it has them layer and role."""
    _refuse_lacking(frame, ("row", "column", "value"))
    frame = numeric(frame, "row", "column", "value")
    cells = frame.assign(layer=frame.get("layer", ""), role=frame.get("role", WEIGHT))
    found = cells[
        (cells["role"] == role) & (cells["layer"] == (layer or (cells["layer"].iloc[0] if len(cells) else "")))
    ]
    if not len(found) or not np.isfinite(found["value"]).any():
        raise nothing(f"no {role} of {layer or 'any layer'}", cells["layer"].unique())
    if found.duplicated(["row", "column"]).any():
        raise nothing("a cell is there twice; take one epoch and one seed")
    values = found.pivot(index="row", columns="column", values="value").to_numpy(np.float64)
    rows, columns = values.shape
    return Map(str(found["layer"].iloc[0]), role, values, (rows, columns), float(np.nanmax(np.abs(values))))


def _refuse_lacking(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    lacking = [column for column in columns if column not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}", frame.columns)


def map_at(source: Fit | Maps | Map, *, layer: str | None = None, role: str = WEIGHT, epoch: int | None = None) -> Map:
    """Return one array at one epoch. Raises ValueError where there is none, saying which there are."""
    if isinstance(source, Map):
        return source
    maps = source if isinstance(source, Maps) else maps_of(source, () if epoch is None else (epoch,))
    if not maps.epochs:
        raise nothing("this Fit kept no weights, or not finite ones")
    at = maps.epochs[-1] if epoch is None else epoch
    if at not in maps.maps:
        raise nothing(f"epoch {epoch} was not kept", maps.epochs)
    found = [one for one in maps.maps[at] if one.role == role and layer in (None, one.layer)]
    if not found:
        raise nothing(f"no {role} of {layer or 'any layer'}", (f"{one.layer} {one.role}" for one in maps.maps[at]))
    return found[0]


@dataclass(frozen=True, eq=False)
class Spread:
    """What ``weight_histograms`` draws."""

    frame: pd.DataFrame  # of one array: epoch, layer, role, low, high, count
    whose: Whose = Whose()

    @property
    def origin(self) -> Origin | None:
        """Where the numbers are from."""
        return self.whose.origin

    def table(self) -> pd.DataFrame:
        """Return a row per bin and epoch: epoch, layer, role, low, high, count."""
        return self.frame.reset_index(drop=True)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        epochs = listed(map(str, sorted(self.frame["epoch"].unique())))
        of = f" of {self.whose.said}" if self.whose.said else ""
        what, layer = _what(self.frame["role"].iloc[0]), self.frame["layer"].iloc[0]
        return f"How the {what} of {layer}{of} are spread after epochs {epochs}: light early, dark late; the same bins."


def weight_histograms(
    source: Sweep | Fit | Maps | Spread | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
    config: Config | str | None = None,
    seed: int | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how the entries of one array are spread, an outline for each epoch.

    epochs: of those kept; None: the first, a middle and the last. Light is early, dark is late; bins are the same at
    all epochs, and wider where entries are few. source: a Fit; a Sweep, of which it is the selected Config, or
    ``config``, under its first completed seed, or ``seed``; or the table of ``Maps``: epoch, layer, role, low, high,
    count. layer: None is the first. What is drawn is ``spread_of(…).table()``.
    Raises ValueError where there is no such array, saying which there are.
    """
    if isinstance(source, Spread):
        found = source
    else:
        found = spread_of(source, layer=layer, role=role, epochs=epochs, config=config, seed=seed)
    ax = axes_or_new(ax)
    draw_spread(ax, found.frame, legend)
    if isinstance(source, Sweep):
        entitle(ax, f"{ax.get_title()}; {found.whose.said}")
    return shows(ax, found)


def draw_spread(ax: Axes, frame: pd.DataFrame, legend: bool = True) -> None:
    """Draw how the entries of one array are spread."""
    shown = sorted(frame["epoch"].unique())
    for shade, epoch in zip(colormaps[SEQUENCE](np.linspace(0.2, 1, len(shown))), shown, strict=True):
        one = frame[frame["epoch"] == epoch].sort_values("low")
        edges = [*one["low"], one["high"].iloc[-1]]
        if epoch == shown[-1]:
            ax.stairs(one["count"], edges, color=shade, fill=True, alpha=0.2)
        ax.stairs(one["count"], edges, color=shade, linewidth=1.2, label=f"{epoch}")
    entries = int(frame[frame["epoch"] == shown[-1]]["count"].sum())
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=0)
    entitle(ax, f"{frame['layer'].iloc[0]}: {entries} {_what(frame['role'].iloc[0])}")
    ax.set_xlabel(str(frame["role"].iloc[0]))
    ax.set_ylabel("entries in a bin")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_ylim(0, frame["count"].max() * (1.35 if legend else 1.05))  # room for the legend above
    bare(ax)
    if legend:
        draw_legend(ax, title="epoch", loc="upper center", ncols=min(len(shown), 4))


def spread_of(
    source: Sweep | Fit | Maps | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
    config: Config | str | None = None,
    seed: int | None = None,
) -> Spread:
    """Return what ``weight_histograms`` draws. Raises ValueError where there is none."""
    picked, whose = _fit_of(source, config, seed)
    return Spread(histograms_at(picked, layer=layer, role=role, epochs=epochs), whose)


def histograms_at(
    source: Fit | Maps | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return the histograms of one array: epoch, layer, role, low, high, count. Raises ValueError where it has none."""
    match source:
        case pd.DataFrame():
            _refuse_lacking(source, HISTOGRAM)
            frame = numeric(source, "low", "high", "count")
        case Maps():
            frame = source.table()
        case _:
            frame = maps_of(source, epochs or ()).table()
    if not len(frame):
        raise nothing("this Fit kept no weights, or not finite ones")
    found = frame[frame["role"] == role]
    found = found[found["layer"] == (layer or (found["layer"].iloc[0] if len(found) else ""))]
    if not len(found):
        there = frame[["layer", "role"]].drop_duplicates().agg(" ".join, axis=1)
        raise nothing(f"no {role} of {layer or 'any layer'}", there)
    kept = sorted(found["epoch"].unique())
    missing = sorted({*(epochs or ())} - {*kept})
    if missing:
        raise nothing(f"epoch {missing[0]} was not kept", kept)
    shown = epochs or [kept[i] for i in np.linspace(0, len(kept) - 1, LINES).round().astype(int)]
    return _merged(found[found["epoch"].isin(shown)])


def _merged(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same counts in fewer bins where there are few entries to an epoch: two or four become one."""
    one = frame[frame["epoch"] == frame["epoch"].iloc[0]]
    together = next(many for most, many in ((FEW, 4), (4 * FEW, 2), (math.inf, 1)) if one["count"].sum() < most)
    if len(one) % together:
        together = 1
    ordered = frame.sort_values(["epoch", "low"], kind="stable")
    bins = ordered.groupby("epoch").cumcount() // together
    merged = ordered.groupby(["epoch", "layer", "role", bins], sort=False)
    return merged.agg(low=("low", "min"), high=("high", "max"), count=("count", "sum")).reset_index(level=[0, 1, 2])
