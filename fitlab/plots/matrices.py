"""Weights and biases themselves: as a map of cells, and as histograms over the epochs that were kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes

from fitlab.parameters.maps import Map, Maps, maps_of
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.plots.shared import DIVERGING, FAINT, INK, axes_or_new, bare, figure_of, nothing
from fitlab.records import Fit

LINES = 5  # epochs that histograms show, at most
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
    ``map_at(source, …).table()``. Raises FitlabError where there is no such array, saying which there are.
    """
    one = map_at(source, layer=layer, role=role, epoch=epoch)
    ax = axes_or_new(ax)
    top = one.scale or 1.0
    flat = one.values.shape[0] == 1
    drawn = ax.imshow(
        one.values,
        cmap=DIVERGING,
        vmin=-top,
        vmax=top,
        interpolation="nearest",
        aspect="auto" if flat else "equal",
        extent=(0, one.shape[1], one.shape[0], 0),  # cells of blocks stand where the entries do
    )
    what = f"{one.shape[1]} biases" if one.role == BIAS else f"{one.shape[0]} × {one.shape[1]} weights"
    ax.set_title(f"{one.layer}: {what}" + ("" if one.values.shape == one.shape else "\n(largest entry of each block)"))
    ax.set_xlabel("unit")
    if flat:
        ax.set_yticks([])
    else:
        ax.set_ylabel("input")
    if colorbar:
        bar = figure_of(ax).colorbar(drawn, ax=ax, ticks=[-top, 0, top])
        bar.ax.set_yticklabels([f"−{top:.3g}", "0", f"+{top:.3g}"])
        bar.outline.set_visible(False)
    return ax


def map_at(source: Fit | Maps | Map, *, layer: str | None = None, role: str = WEIGHT, epoch: int | None = None) -> Map:
    """Return the map that ``weight_heatmap`` draws. Raises FitlabError where there is none."""
    if isinstance(source, Map):
        return source
    maps = source if isinstance(source, Maps) else maps_of(source)
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
    source: Fit | Maps | pd.DataFrame, *, layer: str | None = None, role: str = WEIGHT, ax: Axes | None = None
) -> Axes:
    """Draw how the entries of one array are spread, at up to five of the kept epochs: light is early, dark is late.

    Bins are the same at all epochs. source: a Fit, or the table of its ``Maps``: epoch, layer, role, low, high, count.
    layer: None is the first. Raises FitlabError where there is no such array, saying which there are.
    """
    frame = histograms_at(source, layer=layer, role=role)
    ax = axes_or_new(ax)
    epochs = sorted(frame["epoch"].unique())
    shown = [epochs[i] for i in _spread(len(epochs))]
    shades = colormaps[SEQUENCE](np.linspace(0.15, 1, len(shown))) if len(shown) > 1 else [INK]
    for epoch, shade in zip(shown, shades, strict=True):
        one = frame[frame["epoch"] == epoch].sort_values("low")
        edges = [*one["low"], one["high"].iloc[-1]]
        ax.stairs(one["count"], edges, color=shade, linewidth=1.4, fill=epoch == shown[-1], alpha=0.35, zorder=1)
        ax.stairs(one["count"], edges, color=shade, linewidth=1.2, label=f"epoch {epoch}", zorder=2)
    entries = int(frame[frame["epoch"] == epochs[-1]]["count"].sum())
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=0)
    ax.set_title(f"{frame['layer'].iloc[0]}: {entries} {'biases' if role == BIAS else 'weights'}")
    ax.set_xlabel(role)
    ax.set_ylabel("entries in a bin")
    ax.set_ylim(bottom=0)
    bare(ax)
    if len(shown) > 1:
        ax.legend(frameon=False, fontsize="small", handlelength=1.2)
    return ax


def histograms_at(source: Fit | Maps | pd.DataFrame, *, layer: str | None = None, role: str = WEIGHT) -> pd.DataFrame:
    """Return the rows that ``weight_histograms`` draws: epoch, layer, role, low, high, count."""
    match source:
        case pd.DataFrame():
            frame = source
        case Maps():
            frame = source.table()
        case _:
            frame = maps_of(source).table()
    if not len(frame):
        raise nothing("this Fit kept no weights, or not finite ones")
    found = frame[frame["role"] == role]
    found = found[found["layer"] == (layer or (found["layer"].iloc[0] if len(found) else ""))]
    if not len(found):
        there = frame[["layer", "role"]].drop_duplicates().agg(" ".join, axis=1)
        raise nothing(f"no {role} of {layer or 'any layer'}", there)
    return found.reset_index(drop=True)


def _spread(length: int) -> list[int]:
    """Return at most LINES places of 0 … length - 1, the first and last among them."""
    return sorted(set(np.linspace(0, length - 1, min(length, LINES)).round().astype(int).tolist()))
