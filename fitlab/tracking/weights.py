"""Numbers of weights and biases as MLflow's metrics: ``weights/LAYER/METRIC`` at the epochs of which a Fit kept them.

MLflow keeps few of them, for each costs rows: those of the whole network, then as many of each layer as there is room
for. All of them are in the Fit's file, see ``sweep.parameters()``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fitlab.parameters.measured import BIAS, BOTH, NETWORK, WEIGHT, Key, parameters_of
from fitlab.records import Fit

Point = tuple[str, float, int]  # key, value, step
KEYS = 25  # of a run, at most
OF_NETWORK = {
    "norm": (BOTH, "norm"),
    "distance": (BOTH, "distance"),
    "path_norm": (WEIGHT, "path_norm"),
    "spectral_product": (WEIGHT, "spectral_product"),
    "dead": (BOTH, "dead"),
    "margin": (BOTH, "margin"),
    "bias_ablation": (BIAS, "bias_ablation"),
}
OF_LAYER = {  # the first ones first: each is logged of all layers, or of none
    "norm": (WEIGHT, "norm"),
    "bias_norm": (BIAS, "norm"),
    "spectral_norm": (WEIGHT, "spectral_norm"),
}


def points_of(fits: Sequence[Fit]) -> list[Point]:
    """Return the means over one Fit, or those of one Config, at epochs and of numbers that all of them have.

    A seed that stopped early goes on as it ended, as its curves do.
    """
    found = [parameters_of(fit).values for fit in fits]
    if not found or not all(found):
        return []
    points = []
    for epoch in sorted(set().union(*found)):
        if any(epoch not in values and epoch < max(values) for values in found):
            continue  # kept of some seeds alone
        at = [values[min(epoch, max(values))] for values in found]
        for name, key in _chosen(at[0]).items():
            if all(key in one for one in at) and np.isfinite(mean := float(np.mean([one[key] for one in at]))):
                points.append((f"weights/{name}", mean, epoch))
    return points


def _chosen(values: Mapping[Key, float]) -> dict[str, Key]:
    """Return which numbers are logged, by their names."""
    layers = list(dict.fromkeys(layer for layer, _, _ in values if layer != NETWORK))
    chosen = {f"{NETWORK}/{name}": (NETWORK, *key) for name, key in OF_NETWORK.items() if (NETWORK, *key) in values}
    for name, key in OF_LAYER.items():
        more = {f"{layer}/{name}": (layer, *key) for layer in layers if (layer, *key) in values}
        if len(chosen) + len(more) <= KEYS:
            chosen |= more
    return chosen
