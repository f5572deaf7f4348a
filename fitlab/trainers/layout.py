"""How the parameters of a network lie in one flat array: weights layer by layer from the input, then biases.

Widths are features, hidden units and outputs: two classes need one output, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from fitlab.records import Array, Floats
from fitlab.spec.models import Mlp


def widths(model: Mlp, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return features, hidden units and outputs, (L + 1,)."""
    outputs = sizes["n_outputs"] if sizes["n_outputs"] > 2 else 1
    return (sizes["n_features"], *model.hidden_layer_sizes, outputs)


def n_parameters(model: Mlp, sizes: Mapping[str, int]) -> int:
    """Count weights and biases."""
    return sum((fan_in + model.biases) * fan_out for fan_in, fan_out in pairwise(widths(model, sizes)))


def drawn(model: Mlp, sizes: Mapping[str, int], seeded: RandomState) -> Floats:
    """Draw the parameters as scikit-learn does (Glorot and Bengio 2010); without biases they are drawn and dropped."""
    factor = 2.0 if model.activation == "logistic" else 6.0
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths(model, sizes)):
        bound = np.sqrt(factor / (fan_in + fan_out))
        weights.append(seeded.uniform(-bound, bound, (fan_in, fan_out)).ravel())
        biases.append(seeded.uniform(-bound, bound, fan_out))
    return np.concatenate(weights + biases if model.biases else weights)


def table(model: Mlp, sizes: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the kernel's table of layers (L, 5)."""
    pairs = np.array(list(pairwise(widths(model, sizes))))
    below, units = pairs.T
    weights = np.cumsum(below * units)
    values = np.cumsum(units)
    biases = weights[-1] + values - units if model.biases else np.full(len(units), -1)
    return np.ascontiguousarray(np.column_stack([below, units, weights - below * units, biases, values - units]))


def layer_names(model: Mlp) -> list[str]:
    """Return hidden_1 … output, from the input."""
    return [*(f"hidden_{i + 1}" for i in range(len(model.hidden_layer_sizes))), "output"]


def named(theta: Floats, model: Mlp, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Copy the weights and biases of ``theta`` (P,) under their names."""
    return {name: array.copy() for name, array in views(theta, model, sizes)}


def views(theta: Floats, model: Mlp, sizes: Mapping[str, int]) -> Iterator[tuple[str, Array]]:
    """Yield weights (fan_in, fan_out) and biases (fan_out,) of ``theta``, named, layer by layer from the input."""
    rows = table(model, sizes).tolist()
    for layer, (below, units, weight, bias, _) in zip(layer_names(model), rows, strict=True):
        yield f"{layer}/weight", theta[weight : weight + below * units].reshape(below, units)
        if model.biases:
            yield f"{layer}/bias", theta[bias : bias + units]
