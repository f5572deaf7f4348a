"""What an expectation looks at: for each quantity its name, and how it is had from a sweep. All of them are here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fitlab.correlations import Relations
from fitlab.diagnosis.naming import pairs, short
from fitlab.expectations import of_networks, of_parts, of_sweeps
from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.records import Config, Fit, Interval
from fitlab.spec.expect import (
    Additivity,
    Argmax,
    Argmin,
    BiasAblation,
    CheckState,
    Extrapolation,
    Final,
    Homogeneity,
    OnTest,
    OutputAtZero,
    Part,
    ProbabilitiesAtZero,
    Quantity,
    Ratio,
    Tau,
    VerdictLabel,
)
from fitlab.sweep import Sweep
from fitlab.theory.bias_variance import Parts

Sample = Sequence[float] | str | Interval  # a number a seed, a word, or an estimate with an interval of its own
One = Callable[[Config], Sample]


@dataclass(frozen=True)
class Ground:
    """What quantities are had from: a sweep, and what takes long to find and is found when it is asked for."""

    sweep: Sweep
    relations: Callable[[], Relations]
    parts: of_parts.Decomposed  # bias and variance by loss


@dataclass(frozen=True)
class Looked:
    """How a quantity is called, and its samples: one for each of the Configs, or one of them all."""

    words: str
    samples: Callable[[Ground, Sequence[Config]], Iterator[Sample]]


def looked_at(quantity: Quantity) -> Looked:
    """Return what there is to know of a quantity. Its samples raise NotEvaluatedError where they cannot be had."""
    match quantity:
        case Final(metric=metric):
            return _of_fits(metric, lambda fit: of_sweeps.measured(metric, [fit]))
        case OutputAtZero():
            return _of_fits("output at zero", of_networks.output_at_zero)
        case ProbabilitiesAtZero():
            return _of_fits("probabilities at zero", of_networks.from_uniform)
        case Homogeneity():
            return _of_fits("homogeneity", of_networks.inhomogeneity)
        case BiasAblation():
            return _of_fits("bias ablation", of_networks.bias_ablation)
        case Ratio(metric=metric, to=to):
            words = f"{metric}, divided by that at {pairs(to)}"
            return _of_each(words, lambda on, config: [of_sweeps.ratio(quantity, on.sweep, config)])
        case VerdictLabel():
            return _of_each("verdict", lambda on, config: of_sweeps.verdict(on.sweep, config))
        case Part(part=part):
            return _of_parts(quantity, of_parts.words(quantity), lambda parts: of_parts.part(part, parts))
        case Additivity():
            words = "what the parts of the test error miss of it"
            return _of_parts(quantity, words, lambda parts: [of_parts.remainder(parts)])
        case Argmin(metric=metric, along=axis):
            words = f"{short(axis)} with the lowest {metric}"
            return _of_all(words, lambda on, configs: [of_sweeps.place(quantity, on.sweep, configs, highest=False)])
        case Argmax(metric=metric, along=axis):
            words = f"{short(axis)} with the highest {metric}"
            return _of_all(words, lambda on, configs: [of_sweeps.place(quantity, on.sweep, configs, highest=True)])
        case Tau(parameter=parameter, outcome=outcome, along=axis):
            words = f"Kendall's τ of {parameter} with {outcome} along {axis}"
            return _of_all(words, lambda on, _: [of_sweeps.tau(quantity, on.sweep, on.relations)])
        case CheckState(code=code):
            return _of_all(f"check {code}", lambda on, _: of_sweeps.check_state(quantity, on.sweep))
        case Extrapolation(law=law, at=rows):
            words = f"loss/val that {law} says of {rows} training rows"
            return _of_all(words, lambda on, configs: of_sweeps.extrapolated(quantity, on.sweep, configs))
        case OnTest():
            return _of_all("loss/test of the selected Config", lambda on, _: of_sweeps.loss_on_test(on.sweep))


def _of_fits(words: str, value: Callable[[Fit], float]) -> Looked:
    """Of every Config a number for each of its seeds."""

    def of_seeds(on: Ground, config: Config) -> list[float]:
        of_sweeps.whole(on.sweep, config)
        found = [value(fit) for fit in on.sweep.completed(config)]
        if any(math.isnan(one) for one in found):
            raise NotEvaluatedError("it is not a number")
        return found

    return _of_each(words, of_seeds)


def _of_parts(quantity: Part | Additivity, words: str, sample: Callable[[Parts], Sample]) -> Looked:
    """Of every Config something of the parts of its test error over all seeds."""

    def of_config(on: Ground, config: Config) -> Sample:
        of_sweeps.whole(on.sweep, config)
        return sample(of_parts.parts_of(on.parts(quantity.loss), config))

    return _of_each(words, of_config)


def _of_each(words: str, sample: Callable[[Ground, Config], Sample]) -> Looked:
    return Looked(words, lambda on, configs: (sample(on, config) for config in configs))


def _of_all(words: str, sample: Callable[[Ground, Sequence[Config]], Sample]) -> Looked:
    return Looked(words, lambda on, configs: iter([sample(on, configs)]))
