"""The numbers that expectations are about. Each is a list of samples: one a seed, or one of the whole sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitlab.parameters.layers import output_of
from fitlab.parameters.measured import BIAS, NETWORK, parameters_of
from fitlab.records import Config, Fit, Floats
from fitlab.relations import Relations
from fitlab.spec.expect import (
    Argmin,
    BiasAblation,
    Final,
    Homogeneity,
    OutputAtZero,
    ProbabilitiesAtZero,
    Quantity,
    Tau,
)
from fitlab.spec.models import Mlp
from fitlab.spec.sweeps import Objective
from fitlab.sweep import Sweep, score

ROWS = 100  # standard normal inputs that homogeneity is looked at


class NotEvaluatedError(Exception):
    """Why a quantity cannot be had from this sweep."""


def of_config(quantity: Quantity, fits: Sequence[Fit]) -> list[float]:
    """Return a quantity under each seed of one Config. Raises NotEvaluatedError where a Fit does not have it."""
    match quantity:
        case Final(metric=metric):
            return [score(Objective(metric=metric), [fit]) for fit in fits]
        case OutputAtZero():
            return [float(np.abs(_output(fit, np.zeros((1, fit.sizes["n_features"])))).max()) for fit in fits]
        case ProbabilitiesAtZero():
            return [_from_uniform(fit) for fit in fits]
        case Homogeneity():
            return [_inhomogeneity(fit) for fit in fits]
        case BiasAblation():
            return [_of_network(fit, BIAS, "bias_ablation") for fit in fits]
    raise TypeError(f"{quantity.kind} is of a whole sweep")


def tau(quantity: Tau, found: Relations) -> float:
    """Return Kendall's τ, the mean over seeds. Raises NotEvaluatedError where nothing is said along that axis."""
    for one in found.rows:
        if (one.axis, one.metric, one.outcome) == (quantity.along, quantity.parameter, quantity.outcome):
            return one.tau.estimate
    why = f"{quantity.parameter} is not known along {quantity.along}"
    raise NotEvaluatedError(found.not_applicable.get(quantity.along, why))


def argmin(quantity: Argmin, sweep: Sweep, configs: Sequence[Config]) -> float:
    """Return where along an axis a metric is lowest. Raises NotEvaluatedError where no Config has both."""
    objective = Objective(metric=quantity.metric)
    means = {c: score(objective, sweep.completed(c)) for c in configs if quantity.along in c.swept}
    finite = {config: mean for config, mean in means.items() if np.isfinite(mean)}
    if not finite:
        raise NotEvaluatedError(f"no Config has {quantity.along} and {quantity.metric}")
    return float(min(finite, key=lambda config: finite[config]).swept[quantity.along])


def _output(fit: Fit, X: Floats) -> Floats:
    model = fit.job.config.sections.model
    if not isinstance(model, Mlp) or not fit.weights:
        raise NotEvaluatedError("not a network whose weights are known")
    return output_of(model, fit.weights, X)


def _from_uniform(fit: Fit) -> float:
    if not fit.classes:
        raise NotEvaluatedError("not a classifier")
    logits = _output(fit, np.zeros((1, fit.sizes["n_features"])))[0]
    if len(logits) == 1:
        logits = np.array([0.0, logits[0]])
    powers = np.exp(logits - logits.max())
    return float(np.abs(powers / powers.sum() - 1 / len(logits)).max())


def _inhomogeneity(fit: Fit) -> float:
    X = np.random.default_rng(0).standard_normal((ROWS, fit.sizes["n_features"]))
    return float(np.abs(_output(fit, 2 * X) - 2 * _output(fit, X)).max())


def _of_network(fit: Fit, role: str, metric: str) -> float:
    found: Mapping[Any, float] = parameters_of(fit).last
    if (NETWORK, role, metric) not in found:
        raise NotEvaluatedError(f"{metric.replace('_', ' ')} does not apply to it")
    return found[NETWORK, role, metric]
