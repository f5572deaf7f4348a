"""Each expectation of a spec, with what was expected, what came out, and whether that passes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache

import numpy as np
import pandas as pd

from fitlab.diagnosis.naming import pairs
from fitlab.expectations.quantities import NotEvaluatedError, argmin, of_config, tau
from fitlab.records import Config
from fitlab.relations import Relations, relations
from fitlab.seeds import same
from fitlab.spec.expect import Argmin, Expectation, Tau
from fitlab.stats import standard_error, t_interval
from fitlab.sweep import Sweep

MANY = 30  # seeds from which on four standard errors are the tolerance
TAIL = 1e-5  # with fewer, Student's t at one minus this


class State(StrEnum):
    """What an expectation came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True)
class Checked:
    """One expectation and what came of it."""

    claim: str
    source: str
    quantity: str
    where: str  # the Configs that it is about; empty: all
    expected: str
    got: str  # the value that is furthest from what was expected
    tolerance: str
    state: State
    why: str = ""  # it is not evaluated


def checked(sweep: Sweep) -> tuple[Checked, ...]:
    """Check every expectation of a sweep's spec. Weights are read from the store; raises StoreError."""
    found = cache(lambda: relations(sweep))
    return tuple(_checked(one, sweep, found) for one in sweep.spec.expect)


def table(found: Sequence[Checked]) -> pd.DataFrame:
    """Return a row per expectation."""
    return pd.DataFrame([asdict(one) for one in found], columns=list(Checked.__dataclass_fields__))


def _checked(one: Expectation, sweep: Sweep, found: Callable[[], Relations]) -> Checked:
    configs = [config for config in sweep.configs if _selected(config, one)]
    try:
        if not configs:
            raise NotEvaluatedError("no Config has these values")
        passed, got, tolerance = _judged(one, sweep, configs, found)
    except NotEvaluatedError as reason:
        return _record(one, "–", "", State.NOT_EVALUATED, str(reason))
    return _record(one, got, tolerance, State.PASSED if passed else State.FAILED)


def _selected(config: Config, one: Expectation) -> bool:
    return all(key in config.swept and same(config.swept[key], v) for key, v in one.where.items())


def _judged(
    one: Expectation, sweep: Sweep, configs: Sequence[Config], found: Callable[[], Relations]
) -> tuple[bool, str, str]:
    """Return whether it passes, the value furthest off, and the tolerance in words."""
    match one.quantity:
        case Tau():
            rows = [[tau(one.quantity, found())]]
        case Argmin():
            rows = [[argmin(one.quantity, sweep, configs)]]
        case _:
            rows = [_samples(one, sweep, config) for config in configs]
    worst = max((_off(one, row) for row in rows), key=lambda found: found[0])
    return worst[0] <= 0, f"{worst[1]:.6g}", worst[2]


def _samples(one: Expectation, sweep: Sweep, config: Config) -> list[float]:
    fits = sweep.completed(config)
    if len(fits) < len(sweep.spec.seeds.values):
        missing = len(sweep.spec.seeds.values) - len(fits)
        raise NotEvaluatedError(f"{missing} of {len(sweep.spec.seeds.values)} Fits did not complete")
    assert not isinstance(one.quantity, Tau | Argmin)  # noqa: S101 (for the type checker)
    found = of_config(one.quantity, fits)
    if any(math.isnan(value) for value in found):
        raise NotEvaluatedError("it was not measured")
    return found


def _off(one: Expectation, samples: Sequence[float]) -> tuple[float, float, str]:
    """Return by how much samples are outside of what was expected (0 or less: inside), which value is, and how."""
    if one.within is None:
        low = one.equals if one.at_least is None else one.at_least
        high = one.equals if one.at_most is None else one.at_most
        off = [max(-math.inf if low is None else low - x, -math.inf if high is None else x - high) for x in samples]
        at = int(np.argmax(off))
        return off[at], samples[at], "exact" if one.equals is not None else ""
    assert one.equals is not None  # noqa: S101 (the grammar sees to it)
    mean, slack = float(np.mean(samples)), one.within
    if slack == "standard_errors":
        if len(samples) < 2:
            raise NotEvaluatedError("one seed has no standard error")
        few = len(samples) < MANY
        slack = t_interval(samples, 1 - 2 * TAIL).high - mean if few else 4 * standard_error(samples)
    return abs(mean - one.equals) - float(slack), mean, f"± {float(slack):.3g}"


def _record(one: Expectation, got: str, tolerance: str, state: State, why: str = "") -> Checked:
    bounds = (("", one.equals), ("≥ ", one.at_least), ("≤ ", one.at_most))
    expected = " and ".join(f"{sign}{bound:.6g}" for sign, bound in bounds if bound is not None)
    return Checked(one.claim, one.source, _words(one), pairs(one.where), expected, got, tolerance, state, why)


def _words(one: Expectation) -> str:
    match one.quantity:
        case Tau(parameter=parameter, outcome=outcome, along=axis):
            return f"Kendall's τ of {parameter} with {outcome} along {axis}"
        case Argmin(metric=metric, along=axis):
            return f"{axis} with the lowest {metric}"
        case other:
            return getattr(other, "metric", None) or other.kind.replace("_", " ")
