"""The arrays of a Fit as layers: what is weight and what is bias, and what a network of them computes.

N samples, D features; fan_in and fan_out are the widths below and above a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fitlab.arrays import gathered
from fitlab.records import Array, Floats
from fitlab.spec.models import Mlp

WEIGHTS = ("weight", "coef_", "coefs_")
BIASES = ("bias", "intercept_", "intercepts_")


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: its weights (fan_in, fan_out), or as an estimator has them, and its biases (fan_out,), if any."""

    name: str  # hidden_1 … output; of an estimator its step in a Pipeline, model, or layer_1 … of its list
    weight: Array
    bias: Array | None


def layers_of(weights: Mapping[str, Array]) -> tuple[Layer, ...]:
    """Return the layers of ``fit.weights`` or of a snapshot, from the input. Biases without weights are no layer.

    Arrays that lie in a file are read.
    """
    found: dict[str, dict[str, Array]] = {}
    for name, array in gathered({"": weights}).items():
        layer, role = _place(name)
        if role is not None:
            found.setdefault(layer, {})[role] = array
    return tuple(Layer(name, one["weight"], one.get("bias")) for name, one in found.items() if "weight" in one)


def _place(name: str) -> tuple[str, str | None]:
    """Return layer and role of an array's name: hidden_1/bias, ridge/coef_, coef_, or mlpclassifier/coefs_/0."""
    *above, end = name.split("/")
    if end.isdigit() and above:
        end, above = above[-1], [*above[:-1], f"layer_{int(end) + 1}"]
    role = "weight" if end in WEIGHTS else "bias" if end in BIASES else None
    return "/".join(above) or "model", role


def pre_activations(layers: Sequence[Layer], activation: str, X: Floats) -> list[Floats]:
    """Return what each layer adds up to before its activation, (N, fan_out) each; the last is the network's output.

    Of classes these are logits. X: (N, D), scaled as in training. activation: of the hidden layers, as in Mlp.
    """
    sums: list[Floats] = []
    below = np.asarray(X, np.float64)
    for layer in layers:
        total = below @ layer.weight if layer.bias is None else below @ layer.weight + layer.bias
        sums.append(total)
        below = activated(activation, total)
    return sums


def activated(activation: str, total: Floats) -> Floats:
    """Return a hidden layer's output, (N, H), from its pre-activations. Raises ValueError for an unknown activation."""
    match activation:
        case "identity":
            return total
        case "relu":
            return np.maximum(total, 0.0)
        case "tanh":
            return np.tanh(total)
        case "logistic":
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * total)))  # no overflow
    raise ValueError(f"no activation {activation!r}: identity, relu, tanh or logistic")


def output_of(model: Mlp, weights: Mapping[str, Array], X: Floats) -> Floats:
    """Return a network's output before softmax or the logistic function, (N, K); for two classes (N, 1)."""
    return pre_activations(layers_of(weights), model.activation, X)[-1]
