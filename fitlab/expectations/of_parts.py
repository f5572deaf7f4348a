"""Bias, variance and noise of the test error, as ``fitlab.bias_variance`` has them."""

from __future__ import annotations

import math
from collections.abc import Callable

from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.records import Config, Interval
from fitlab.spec.expect import Part
from fitlab.theory.bias_variance import BiasVariance, Loss, Parts

Decomposed = Callable[[Loss | None], BiasVariance]  # raises NotEvaluatedError where it cannot be had

WORDS = {"bias": "bias²", "bias_and_noise": "bias² and noise", "error": "error"}


def words(quantity: Part) -> str:
    """Say which part of which error it is."""
    of = f" of {quantity.loss.replace('_', ' ')}" if quantity.loss else ""
    bias = "bias" if quantity.part == "bias" and quantity.loss not in (None, "squared_error") else None
    return f"{bias or WORDS.get(quantity.part, quantity.part)}{of} on test rows"


def parts_of(found: BiasVariance, config: Config) -> Parts:
    """Return the parts of a Config's test error. Raises NotEvaluatedError where there are none."""
    if config not in found.parts:
        raise NotEvaluatedError(found.missing.get(config, "it has no bias and variance"))
    return found.parts[config]


def part(name: str, found: Parts) -> Interval:
    """Return one of the parts. Raises NotEvaluatedError where it is not known."""
    one: Interval | None = getattr(found, name)
    if one is None:
        raise NotEvaluatedError(f"{name.replace('_', ' ')} is not known of these data and this loss")
    return one


def remainder(found: Parts) -> float:
    """Return |error − bias − noise − variance − interaction| / error."""
    level = [found.bias_and_noise] if found.bias is None or found.noise is None else [found.bias, found.noise]
    parts = [*level, found.variance, *([] if found.interaction is None else [found.interaction])]
    missed = abs(found.error.estimate - math.fsum(part.estimate for part in parts))
    return missed / found.error.estimate if found.error.estimate else missed
