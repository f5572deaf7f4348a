"""Weights and biases of one Fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fitlab.parameters.maps import BINS
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.records import Array, Fit

FIRST, LAST = "#b3cde3", "#08306b"  # colours of the first and the last epoch


def weight_heatmap(fit: Fit, *, layer: str = "hidden_1", epoch: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the weights of a layer: inputs down, units across, blue negative, red positive, white 0.

    epoch: one of ``fit.kept``; None: the last. Raises ValueError for a layer or an epoch that is not there, saying
    which are, and StoreError where weights lie in a file that is gone.
    """
    array = np.atleast_2d(_array(fit, layer, WEIGHT, epoch))
    ax = ax or plt.subplots()[1]
    scale = float(np.abs(array).max(initial=0)) or 1.0
    image = ax.imshow(array, cmap="RdBu_r", vmin=-scale, vmax=scale, aspect="auto", interpolation="nearest")
    ax.set(xlabel="unit", ylabel="input", title=f"{layer}, epoch {_epoch(fit, epoch)}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    ax.figure.colorbar(image, ax=ax, label="weight")
    return ax


def weight_histograms(
    fit: Fit,
    *,
    layer: str = "hidden_1",
    role: str = WEIGHT,
    epochs: Sequence[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the weights, or the biases (``role="bias"``), of a layer are distributed, an outline for each epoch.

    epochs: of ``fit.kept``; None: all of them. Raises as ``weight_heatmap``.
    """
    chosen = list(fit.kept if epochs is None else epochs)
    arrays = {epoch: _array(fit, layer, role, epoch).ravel() for epoch in chosen}
    ax = ax or plt.subplots()[1]
    scale = max((float(np.abs(array).max(initial=0)) for array in arrays.values()), default=0.0) or 1.0
    edges = np.linspace(-scale, scale, BINS + 1)
    for colour, (epoch, array) in zip(_shades(len(arrays)), arrays.items(), strict=True):
        ax.stairs(np.histogram(array, edges)[0], edges, color=colour, label=f"epoch {epoch}")
    plural = {WEIGHT: "weights", BIAS: "biases"}[role]
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=role, ylabel=plural, title=f"{layer}, {plural}")
    ax.legend(frameon=False)
    return ax


def _epoch(fit: Fit, epoch: int | None) -> int:
    return max(fit.kept, default=fit.epochs) if epoch is None else epoch


def _array(fit: Fit, layer: str, role: str, epoch: int | None) -> Array:
    """Return an array of a kept epoch, checked."""
    kept = fit.kept
    at = _epoch(fit, epoch)
    if at not in kept:
        raise ValueError(f"no weights of epoch {at} are kept; there are those of {', '.join(map(str, kept)) or 'none'}")
    name = f"{layer}/{role}"
    if name not in kept[at]:
        raise ValueError(f"no array {name}; there are {', '.join(kept[at])}")
    array: Array = kept[at][name]
    if not np.isfinite(array).all():
        raise ValueError(f"{name} at epoch {at} is not finite: this Fit is {fit.outcome}")
    return array


def _shades(count: int) -> list[Any]:
    """Return colours from the first epoch's to the last one's."""
    ends = [np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for colour in (FIRST, LAST)]
    return [tuple(ends[1] + (ends[0] - ends[1]) * i / max(count - 1, 1)) for i in reversed(range(count))]
