"""What was measured of the parameters of a Fit, at every epoch of which it kept them.

Layer by layer and for weights and biases apart; then of the whole network. What is not applicable is not there, and
``WHY_NOT`` says why. Never part of a verdict: along capacity, norms do not order test error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from fitlab.parameters.layers import Layer, layers_of
from fitlab.parameters.matrices import LARGE, bias_share, norm, path_norm, singular_values, stable_rank, tail_exponent
from fitlab.records import Array, Curves, Fit
from fitlab.spec.models import Mlp

NETWORK = "network"  # where a layer's name stands, for what is of all of them
WEIGHT, BIAS, BOTH = "weight", "bias", "both"  # roles
COLUMNS = ("epoch", "layer", "role", "metric", "value")
Key = tuple[str, str, str]  # layer, role, metric


@dataclass(frozen=True)
class Parameters:
    """Numbers of the weights and biases of one Fit."""

    values: Mapping[int, Mapping[Key, float]]  # epoch -> (layer, role, metric) -> value

    def table(self) -> pd.DataFrame:
        """Return a row per number: epoch, layer, role (weight, bias, both), metric, value."""
        rows = [(epoch, *key, value) for epoch, found in self.values.items() for key, value in found.items()]
        return pd.DataFrame(rows, columns=COLUMNS).astype({"epoch": int, "value": float})  # an empty one, too

    @property
    def last(self) -> Mapping[Key, float]:
        """Those of the last epoch; empty where no parameters were kept."""
        return self.values[max(self.values)] if self.values else {}


WHY_NOT = {  # metric -> where it does not apply
    "stable_rank": "a matrix of zeros has no rank",
    "tail_exponent": f"matrices with fewer than {LARGE} rows or columns have no tail to speak of",
    "distance": "where training began is known of networks alone",
    "gradient_norm": "gradients are measured of networks, and not with lbfgs",
    "update_ratio": "updates are measured of networks after training began, and not with lbfgs",
    "dead": "hidden relu units alone are silent or not",
    "bias_share": "a layer without biases, or of zeros, has none",
    "shift": "a network without biases has none, and other models are not asked",
    "bias_ablation": "a network without biases has none to take away, and other models are not asked",
    "path_norm": "other models than networks have no paths",
    "spectral_product": "other models than networks have no layers to multiply",
    "margin": "a regression has no margin, and of classifiers networks alone are asked",
    "path_norm/margin": "a margin of 0 or below separates nothing, and a regression has none",
    "spectral_product/margin": "a margin of 0 or below separates nothing, and a regression has none",
}


def parameters_of(fit: Fit) -> Parameters:
    """Measure the parameters that a Fit kept. Raises StoreError where they lie in a file that is gone.

    Layer: norm and rms of weights and of biases; of weights spectral_norm, stable_rank and tail_exponent; of both
    bias_share. Of networks also distance from where training began, gradient_norm, update_ratio ‖Δ‖/‖θ‖ of the last
    epoch, learning rate included, and for the layer dead and shift, see ``Fit.probes``, and bias_ablation, by how much
    the validation loss rises with its biases at zero. Network: norm, distance, path_norm, spectral_product, dead,
    margin, the two divided by the margin (Bartlett et al. 2017), and bias_ablation.
    """
    if (found := _known_fits.get(fit)) is None:
        with np.errstate(all="ignore"):  # of a network on its way to divergence, what overflows is infinite
            found = Parameters({epoch: _known(_measured(fit, epoch, weights)) for epoch, weights in fit.kept.items()})
        _known_fits[fit] = found
    return found


_known_fits: WeakKeyDictionary[Fit, Parameters] = WeakKeyDictionary()  # asked for in tables, relations, MLflow, figures


def _known(found: Iterator[tuple[Key, float]]) -> dict[Key, float]:
    return {key: value for key, value in found if not math.isnan(value)}


def _measured(fit: Fit, epoch: int, weights: Mapping[str, Array]) -> Iterator[tuple[Key, float]]:
    layers = layers_of(weights)
    spectra = [singular_values(layer.weight) for layer in layers]
    norms, probes = _at(fit.norms, epoch), _at(fit.probes, epoch)
    loss = _at(fit.curves, epoch).get("loss/val", math.nan)
    for layer, singular in zip(layers, spectra, strict=True):
        yield from _layer(layer, singular)
        yield from _trained(layer, norms, probes)
        yield from _biases(layer.name, layer.name, probes, loss)
    if layers and isinstance(fit.job.config.sections.model, Mlp):
        yield from _network(layers, spectra, probes, loss)


def _at(curves: Curves, epoch: int) -> Mapping[str, float]:
    """Return what was measured at one epoch; empty where nothing was."""
    (rows,) = np.nonzero(curves.epoch == epoch)
    return {name: float(values[rows[0]]) for name, values in curves.values.items()} if len(rows) else {}


def _layer(layer: Layer, singular: Array) -> Iterator[tuple[Key, float]]:
    """Yield what the arrays alone say."""
    for role, array in ((WEIGHT, layer.weight), (BIAS, layer.bias)):
        if array is not None:
            yield (layer.name, role, "norm"), norm(array)
            yield (layer.name, role, "rms"), norm(array) / math.sqrt(array.size)
    yield (layer.name, WEIGHT, "spectral_norm"), float(singular[0])
    yield (layer.name, WEIGHT, "stable_rank"), stable_rank(singular)
    if len(singular) >= LARGE:
        yield (layer.name, WEIGHT, "tail_exponent"), tail_exponent(singular)
    if layer.bias is not None:
        yield (layer.name, BOTH, "bias_share"), bias_share(layer.weight, layer.bias)


def _trained(layer: Layer, norms: Mapping[str, float], probes: Mapping[str, float]) -> Iterator[tuple[Key, float]]:
    """Yield what training said of each array."""
    for role, array in ((WEIGHT, layer.weight), (BIAS, layer.bias)):
        name = f"{layer.name}/{role}"
        if array is None:
            continue
        yield (layer.name, role, "distance"), probes.get(f"distance/{name}", math.nan)
        yield (layer.name, role, "gradient_norm"), norms.get(f"gradient/{name}", math.nan)
        length = norm(array)
        if length > 0:
            yield (layer.name, role, "update_ratio"), norms.get(f"update/{name}", math.nan) / length


def _biases(layer: str, probe: str, probes: Mapping[str, float], loss: float) -> Iterator[tuple[Key, float]]:
    """Yield what is of units and biases. probe: the layer's name among the probes."""
    yield (layer, BOTH, "dead"), probes.get(f"dead/{probe}", math.nan)
    yield (layer, BIAS, "shift"), probes.get(f"shift/{probe}", math.nan)
    yield (layer, BIAS, "bias_ablation"), probes.get(f"ablated/{probe}/val", math.nan) - loss


def _network(
    layers: Sequence[Layer], spectra: Sequence[Array], probes: Mapping[str, float], loss: float
) -> Iterator[tuple[Key, float]]:
    """Yield what is of the whole network. Norm and distance are those of all its parameters as one vector."""
    arrays = [array for layer in layers for array in (layer.weight, layer.bias) if array is not None]
    distances = [value for name, value in probes.items() if name.startswith("distance/")]
    dead = [(probes.get(f"dead/{layer.name}", math.nan), layer.weight.shape[1]) for layer in layers[:-1]]
    path, product = path_norm(layers), math.prod(float(singular[0]) for singular in spectra)
    margin = probes.get("margin/train", math.nan)
    yield (NETWORK, BOTH, "norm"), math.hypot(*map(norm, arrays))
    yield (NETWORK, BOTH, "distance"), math.hypot(*distances) if distances else math.nan
    yield (NETWORK, WEIGHT, "path_norm"), path
    yield (NETWORK, WEIGHT, "spectral_product"), product
    if dead:
        shares, units = zip(*dead, strict=True)
        yield (NETWORK, BOTH, "dead"), float(np.average(shares, weights=units))
    yield (NETWORK, BOTH, "margin"), margin
    if margin > 0:
        yield (NETWORK, WEIGHT, "path_norm/margin"), path / margin
        yield (NETWORK, WEIGHT, "spectral_product/margin"), product / margin
    yield (NETWORK, BIAS, "bias_ablation"), probes.get("ablated/all/val", math.nan) - loss
