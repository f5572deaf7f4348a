"""What is exactly true of networks: of their outputs at zero, at twice an input, and without their biases."""

from __future__ import annotations

import numpy as np

from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.parameters.layers import output_of
from fitlab.parameters.measured import BIAS, NETWORK, parameters_of
from fitlab.records import Fit, Floats
from fitlab.spec.models import Mlp

ROWS = 100  # standard normal inputs that homogeneity is looked at


def output_at_zero(fit: Fit) -> float:
    """Return the largest size of an output for an input of zeros."""
    return float(np.abs(_at_zero(fit)).max())


def from_uniform(fit: Fit) -> float:
    """Return by how much a class's probability differs at most from 1/K for an input of zeros."""
    if not fit.classes:
        raise NotEvaluatedError("not a classifier")
    logits = _at_zero(fit)[0]
    if len(logits) == 1:
        logits = np.array([0.0, logits[0]])
    powers = np.exp(logits - logits.max())
    return float(np.abs(powers / powers.sum() - 1 / len(logits)).max())


def inhomogeneity(fit: Fit) -> float:
    """Return the largest difference of f(2x) and 2 f(x) over standard normal x."""
    X = np.random.default_rng(0).standard_normal((ROWS, _width(fit)))
    return float(np.abs(_output(fit, 2 * X) - 2 * _output(fit, X)).max())


def bias_ablation(fit: Fit) -> float:
    """Return by how much the validation loss rises with all biases at zero."""
    found = parameters_of(fit).last
    if (NETWORK, BIAS, "bias_ablation") not in found:
        raise NotEvaluatedError("bias ablation does not apply to it")
    return found[NETWORK, BIAS, "bias_ablation"]


def _at_zero(fit: Fit) -> Floats:
    """Return the output for an input of zeros, (1, K)."""
    return _output(fit, np.zeros((1, _width(fit))))


def _width(fit: Fit) -> int:
    """Return D. Raises NotEvaluatedError where a Fit is no network, or its weights were not kept."""
    if not isinstance(fit.job.config.sections.model, Mlp) or not fit.weights:
        raise NotEvaluatedError("not a network whose weights are known")
    return fit.sizes["n_features"]


def _output(fit: Fit, X: Floats) -> Floats:
    model = fit.job.config.sections.model
    assert isinstance(model, Mlp)  # noqa: S101 (for the type checker: its width was asked for)
    return output_of(model, fit.weights, X)
