"""Weights and biases themselves: as a map of cells, and as histograms over the epochs that were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fitlab.parameters.maps import Map, Maps, maps_of
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.plots.shared import DIVERGING, FAINT, axes_or_new, bare, draw_legend, figure_of, nothing
from fitlab.records import Fit

LINES = 3  # epochs that histograms show, at most
FEW = 50  # entries, below which bins are four times as wide
SLIM = 4  # from this ratio of its sides on a matrix is stretched
SEQUENCE = "cividis_r"  # early epochs light, late ones dark; safe for colour-blind readers, rises in grey, too


def weight_heatmap(
    source: Fit | Maps | Map,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epoch: int | None = None,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw one array at one epoch as cells: inputs down, units across; blue is negative, white 0, red positive.

    The scale is that of the array at all kept epochs, so that pictures of several compare. Of an array with more than
    128 rows or columns each cell is the largest entry of a block, and the title says so.
    layer: None is the first. role: weight or bias. epoch: one of those kept; None is the last. What is drawn is
    ``map_at(source, …).table()``. Raises ValueError where there is no such array, saying which there are.
    """
    one = map_at(source, layer=layer, role=role, epoch=epoch)
    ax = axes_or_new(ax)
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
    ax.set_title(f"{one.layer}: {rows} × {units}" if one.role == WEIGHT else f"{units} biases", fontsize="medium")
    ax.set_xlabel("unit" if one.values.shape == one.shape else "unit\n(cell: largest of a block)")
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if rows == 1:
        ax.set_yticks([])
    else:
        ax.set_ylabel("input")
    if colorbar:
        beside = ax.inset_axes((1 + 0.03, 0, 0.04, 1))  # as high as the cells, and no room taken from other axes
        bar = figure_of(ax).colorbar(drawn, cax=beside, ticks=[-top, 0, top] if rows > 1 else [-top, top])
        bar.ax.set_yticklabels([f"−{top:.3g}", "0", f"+{top:.3g}"] if rows > 1 else [f"−{top:.3g}", f"+{top:.3g}"])
        bar.ax.tick_params(labelsize="small", length=2)
    return ax


def map_at(source: Fit | Maps | Map, *, layer: str | None = None, role: str = WEIGHT, epoch: int | None = None) -> Map:
    """Return the map that ``weight_heatmap`` draws. Raises ValueError where there is none."""
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


def weight_histograms(
    source: Fit | Maps | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how the entries of one array are spread, an outline for each epoch.

    epochs: of those kept; None: the first, a middle and the last. Light is early, dark is late; bins are the same at
    all epochs, and wider where entries are few. source: a Fit, or the table of its ``Maps``: epoch, layer, role, low,
    high, count. layer: None is the first. What is drawn is ``histograms_at(…)``.
    Raises ValueError where there is no such array, saying which there are.
    """
    frame = histograms_at(source, layer=layer, role=role, epochs=epochs)
    ax = axes_or_new(ax)
    shown = sorted(frame["epoch"].unique())
    for shade, epoch in zip(colormaps[SEQUENCE](np.linspace(0.2, 1, len(shown))), shown, strict=True):
        one = frame[frame["epoch"] == epoch].sort_values("low")
        edges = [*one["low"], one["high"].iloc[-1]]
        if epoch == shown[-1]:
            ax.stairs(one["count"], edges, color=shade, fill=True, alpha=0.2)
        ax.stairs(one["count"], edges, color=shade, linewidth=1.2, label=f"{epoch}")
    entries = int(frame[frame["epoch"] == shown[-1]]["count"].sum())
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=0)
    ax.set_title(f"{frame['layer'].iloc[0]}: {entries} {'biases' if role == BIAS else 'weights'}", fontsize="medium")
    ax.set_xlabel(role)
    ax.set_ylabel("entries in a bin")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_ylim(0, frame["count"].max() * (1.35 if legend else 1.05))  # room for the legend above
    bare(ax)
    if legend:
        draw_legend(ax, title="epoch", loc="upper center", ncols=min(len(shown), 4))
    return ax


def histograms_at(
    source: Fit | Maps | pd.DataFrame,
    *,
    layer: str | None = None,
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return the rows that ``weight_histograms`` draws: epoch, layer, role, low, high, count."""
    match source:
        case pd.DataFrame():
            frame = source
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
