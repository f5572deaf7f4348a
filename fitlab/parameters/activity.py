"""What parameters do to data: units that are silent, how far biases shift, margins, and what a bias is worth.

N samples, D features, H units of a layer, K outputs (one for two classes), L layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fitlab.parameters.layers import Layer, activated, pre_activations
from fitlab.records import Array, Floats, Split

MARGIN = 0.10  # the quantile of margins over training rows (Jiang et al. 2020)
Loss = Callable[[str, Floats], float]  # (part, output of the last layer before its activation) -> mean loss


def dead(total: Floats) -> float:
    """Share of relu units that are silent on every row. total: (N, H) before the activation."""
    return float((total <= 0).all(axis=0).mean())


def shift(total: Floats, bias: Array) -> float:
    """Share of biases in what is added up, mean |b| / (mean |Wx| + mean |b|), over rows and units.

    total: (N, H), Wx + b; bias: (H,). NaN where both are 0.
    """
    own, rest = np.abs(bias).mean(), np.abs(total - bias).mean()
    return float(own / (own + rest)) if own + rest > 0 else float("nan")


def margin(logits: Floats, y: Array, quantile: float = MARGIN) -> float:
    """A low quantile over rows of logit of the label minus the largest other logit; negative: that row is missed.

    logits: (N, K), or (N, 1) of the second of two classes; y: (N,) class codes.
    """
    rows = np.arange(len(y))
    if logits.shape[1] == 1:
        return float(np.quantile(np.where(y == 1, logits[:, 0], -logits[:, 0]), quantile))
    others = logits.copy()
    others[rows, y] = -np.inf
    return float(np.quantile(logits[rows, y] - others.max(axis=1), quantile))


def ablated(layers: Sequence[Layer], activation: str, X: Floats) -> dict[str, Floats]:
    """Return the network's output with the biases of one layer at zero, by its name, and of all: "all".

    X: (N, D); outputs (N, K) before the last activation. Layers without biases are left out.
    """
    sums = pre_activations(layers, activation, X)
    found: dict[str, Floats] = {}
    for i, layer in enumerate(layers):
        if layer.bias is None:
            continue
        total = sums[i] - layer.bias
        above = layers[i + 1 :]
        found[layer.name] = pre_activations(above, activation, activated(activation, total))[-1] if above else total
    if found:
        found["all"] = pre_activations([replace(layer, bias=None) for layer in layers], activation, X)[-1]
    return found


def probed(layers: Sequence[Layer], activation: str, split: Split, loss: Loss) -> dict[str, float]:
    """Return what is measured of a network on its data: see ``Fit.probes``. Nothing here is trained."""
    sums = pre_activations(layers, activation, split.X_train)
    found: dict[str, float] = {}
    for layer, total in zip(layers, sums, strict=True):
        if activation == "relu" and layer is not layers[-1]:
            found[f"dead/{layer.name}"] = dead(total)
        if layer.bias is not None:
            found[f"shift/{layer.name}"] = shift(total, layer.bias)
    if split.task == "classification":
        found["margin/train"] = margin(sums[-1], split.y_train)
    for part, X in (("train", split.X_train), ("val", split.X_val)):
        for name, output in ablated(layers, activation, X).items():
            found[f"ablated/{name}/{part}"] = loss(part, output)
    return found
