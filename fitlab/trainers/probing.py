"""What only training can measure of a network's parameters: see ``Fit.probes``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fitlab.parameters import activity
from fitlab.parameters.layers import layers_of
from fitlab.parameters.matrices import norm
from fitlab.records import Array, Floats, Split
from fitlab.spec.models import Mlp
from fitlab.trainers import measures


def probed(model: Mlp, split: Split, weights: Mapping[str, Array], began: Mapping[str, Array]) -> dict[str, float]:
    """Measure a network of ``weights`` whose training began at ``began``, both named as in ``Fit.weights``."""

    def loss(part: str, output: Floats) -> float:
        y = split.y_train if part == "train" else split.y_val
        found = measures.measure(split.task, part, y, _said(split, output), split.weights.get(part))
        return found[f"loss/{part}"]

    with np.errstate(all="ignore"):  # what overflows is infinite
        found = {f"distance/{name}": norm(array - began[name]) for name, array in weights.items()}
        return found | activity.probed(layers_of(weights), model.activation, split, loss)


def _said(split: Split, output: Floats) -> Floats:
    """Return probabilities (N, K) or predictions (N,) from the last layer's sums (N, K), for two classes (N, 1)."""
    if split.task == "regression":
        return np.asarray(output[:, 0])
    if output.shape[1] == 1:
        output = np.hstack([np.zeros_like(output), output])
    powers = np.exp(output - output.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
