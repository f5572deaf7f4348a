"""What is drawn of weights and biases: matrices small enough to see, and histograms, over the epochs that were kept.

Scales and bins of an array are the same at all epochs, so that what moves from one to the next has moved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fitlab.parameters.layers import Layer, layers_of
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.records import Array, Fit, Floats

CELLS = 128  # rows and columns that a map has, at most
EPOCHS = 20  # that are drawn, at most
BINS = 40


@dataclass(frozen=True, eq=False)
class Map:
    """One array at one epoch as a matrix; of a larger one each cell is the entry of a block that is largest in size."""

    layer: str
    role: str  # weight or bias
    values: Floats  # (rows, columns): inputs down, units across; biases are one row
    shape: tuple[int, int]  # of the array
    scale: float  # the largest size of an entry at any epoch

    def table(self) -> pd.DataFrame:
        """Return its cells: row, column, value. row and column count the cells, from 0."""
        row, column = (place.ravel() for place in np.indices(self.values.shape))
        return pd.DataFrame({"row": row, "column": column, "value": self.values.ravel()})


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many entries of one array lie where, at one epoch. B bins."""

    layer: str
    role: str
    counts: Array  # (B,)
    edges: Floats  # (B + 1,)


@dataclass(frozen=True, eq=False)
class Maps:
    """All that is drawn of one Fit."""

    maps: Mapping[int, tuple[Map, ...]]  # epoch -> layer by layer from the input, weights before biases
    histograms: Mapping[int, tuple[Histogram, ...]]

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those that are drawn, in order."""
        return tuple(self.maps)

    def table(self) -> pd.DataFrame:
        """Return the histograms: epoch, layer, role, low, high, count."""
        rows = [
            (epoch, one.layer, one.role, low, high, int(count))
            for epoch, found in self.histograms.items()
            for one in found
            for low, high, count in zip(one.edges, one.edges[1:], one.counts, strict=False)
        ]
        return pd.DataFrame(rows, columns=["epoch", "layer", "role", "low", "high", "count"])


def maps_of(fit: Fit, also: Collection[int] = ()) -> Maps:
    """Return what is drawn of a Fit: of at most EPOCHS epochs, and of those of ``also`` that it kept.

    Empty where it has no arrays, or not finite ones. Raises StoreError where its arrays lie in a file that is gone.
    """
    kept = [*fit.kept.items()]
    spread = _spread(len(kept))
    chosen = [one for i, one in enumerate(kept) if i in spread or one[0] in also]
    layers = {epoch: layers_of(weights) for epoch, weights in chosen}
    arrays = {epoch: found for epoch, at in layers.items() if (found := _arrays(at))}
    if not all(np.isfinite(array).all() for found in arrays.values() for array in found.values()):
        return Maps({}, {})
    tops = {
        key: max(float(np.abs(found[key]).max(initial=0)) for found in arrays.values() if key in found)
        for key in dict.fromkeys(key for found in arrays.values() for key in found)
    }
    return Maps(
        {epoch: tuple(_map(*key, array, tops[key]) for key, array in found.items()) for epoch, found in arrays.items()},
        {epoch: tuple(_counted(*key, a, tops[key]) for key, a in found.items()) for epoch, found in arrays.items()},
    )


def _spread(length: int) -> Sequence[int]:
    """Return at most EPOCHS places of 0 … length - 1, evenly, the first and last among them."""
    return sorted(set(np.linspace(0, length - 1, min(length, EPOCHS)).round().astype(int).tolist()))


def _arrays(layers: Sequence[Layer]) -> dict[tuple[str, str], Array]:
    found: dict[tuple[str, str], Array] = {}
    for layer in layers:
        found[layer.name, WEIGHT] = _inputs_down(layer)
        if layer.bias is not None:
            found[layer.name, BIAS] = np.atleast_2d(layer.bias)
    return found


def _inputs_down(layer: Layer) -> Array:
    """Return weights with a row for each input: an estimator has a vector, or a row for each of its intercepts."""
    weight, units = layer.weight, 0 if layer.bias is None else np.size(layer.bias)
    if weight.ndim < 2:
        return np.atleast_2d(weight).T
    return weight.T if units == len(weight) != weight.shape[1] else weight


def _map(layer: str, role: str, array: Array, scale: float) -> Map:
    return Map(layer, role, reduced(array), (array.shape[0], array.shape[1]), scale)


def _counted(layer: str, role: str, array: Array, scale: float) -> Histogram:
    edges = np.linspace(-scale, scale, BINS + 1) if scale > 0 else np.linspace(-1, 1, BINS + 1)
    return Histogram(layer, role, np.histogram(array, edges)[0], edges)


def reduced(matrix: Array, cells: int = CELLS) -> Floats:
    """Return a matrix of at most ``cells`` rows and columns: of each block the entry that is largest in size."""
    for axis in (0, 1):
        if matrix.shape[axis] > cells:
            starts = np.linspace(0, matrix.shape[axis], cells, endpoint=False).astype(int)
            high, low = (way.reduceat(matrix, starts, axis=axis) for way in (np.maximum, np.minimum))
            matrix = np.where(high >= -low, high, low)
    return np.asarray(matrix, np.float64)
