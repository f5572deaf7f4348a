"""Each expectation of a spec, with what was expected, what came out, and whether that passes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
import pandas as pd

from fitlab.correlations import Relations, relations
from fitlab.diagnosis.naming import pairs, short
from fitlab.errors import StoreError
from fitlab.expectations import of_networks, of_sweeps
from fitlab.expectations.closed_forms import closed_form
from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.records import Config, Fit, Interval
from fitlab.seeds import same
from fitlab.spec.expect import (
    Argmax,
    Argmin,
    BiasAblation,
    CheckState,
    Expectation,
    Final,
    Homogeneity,
    OutputAtZero,
    ProbabilitiesAtZero,
    Ratio,
    Relative,
    Tau,
    Theory,
    VerdictLabel,
)
from fitlab.stats import standard_error, t_interval
from fitlab.sweep import Sweep

MANY = 30  # seeds from which on four standard errors are the tolerance
TAIL = 1e-5  # with fewer, Student's t at one minus this
FEWEST = 5  # of three seeds that would be 224 standard errors, within which a loss of 1 is one of 0


class State(StrEnum):
    """What an expectation came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True)
class Checked:
    """One expectation and what came of it; of a closed form one for each Config, as it has a number for each."""

    claim: str
    source: str
    quantity: str
    where: str  # the Configs that it is about; empty: all
    expected: str
    got: str  # the value that is furthest from what was expected
    tolerance: str
    state: State
    why: str = ""  # it is not evaluated
    exact: float | None = None  # what was expected, where that is one number
    value: float | str | None = None  # what was got
    interval: Interval | None = None  # of ``value``, where that is a mean over seeds


@dataclass(frozen=True)
class Seen:
    """What is to be judged: a value and by how much it is outside of what was expected (0 or less: it passes)."""

    off: float
    value: float | str
    tolerance: str
    interval: Interval | None = None

    def __str__(self) -> str:
        return (
            str(self.interval) if self.interval else self.value if isinstance(self.value, str) else f"{self.value:.6g}"
        )


Found = Callable[[], Relations]


def checked(sweep: Sweep) -> tuple[Checked, ...]:
    """Check every expectation of a sweep's spec. Weights are read from the store; where they are gone, it says so."""
    found = cache(lambda: relations(sweep))
    return tuple(record for one in sweep.spec.expect for record in _records(one, sweep, found))


def table(found: Sequence[Checked]) -> pd.DataFrame:
    """Return a row per expectation; low and high are those of the interval."""
    columns = [name for name in Checked.__dataclass_fields__ if name != "interval"]
    rows = [
        {name: getattr(one, name) for name in columns}
        | {
            "low": one.interval.low if one.interval else math.nan,
            "high": one.interval.high if one.interval else math.nan,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=[*columns, "low", "high"])


def _records(one: Expectation, sweep: Sweep, found: Found) -> Iterator[Checked]:
    configs = [config for config in sweep.configs if _selected(config, one)]
    if not isinstance(one.equals, Theory) or not configs:
        yield _checked(one, sweep, configs, found, pairs(one.where))
        return
    for config in configs:
        yield _checked(one, sweep, [config], found, pairs(config.swept))


def _selected(config: Config, one: Expectation) -> bool:
    return all(key in config.swept and same(config.swept[key], v) for key, v in one.where.items())


def _checked(one: Expectation, sweep: Sweep, configs: Sequence[Config], found: Found, where: str) -> Checked:
    exact: float | None = None
    seen, why = None, ""
    try:
        if not configs:
            raise NotEvaluatedError("no Config has these values")
        exact = _exact(one, sweep, configs[0])
        seen = max((_judged(one, exact, s, sweep) for s in _samples(one, sweep, configs, found)), key=lambda s: s.off)
    except (NotEvaluatedError, StoreError) as reason:
        why = str(reason)
    state = State.NOT_EVALUATED if seen is None else State.PASSED if seen.off <= 0 else State.FAILED
    got, tolerance, value, interval = ("–", "", None, None) if seen is None else (
        str(seen), seen.tolerance, seen.value, seen.interval
    )  # fmt: skip
    expected = _expected(one, exact)
    return Checked(
        one.claim, one.source, _words(one), where, expected, got, tolerance, state, why, exact, value, interval
    )  # fmt: skip


def _exact(one: Expectation, sweep: Sweep, config: Config) -> float | None:
    """Return the number that is expected, of a closed form that of the Config."""
    if not isinstance(one.equals, Theory):
        return one.equals
    of_sweeps.whole(sweep, config)
    return closed_form(one.equals, config, sweep.completed(config)[0].sizes)


# ── what came out ───────────────────────────────────────────────────────────────────────────────────────────


def _samples(
    one: Expectation, sweep: Sweep, configs: Sequence[Config], found: Found
) -> Iterator[Sequence[float] | str]:
    """Yield for each Config a number a seed, or a word; of what is about several Configs, one number or word."""
    match one.quantity:
        case Tau():
            yield [of_sweeps.tau(one.quantity, sweep, found)]
        case Argmin() | Argmax():
            yield [of_sweeps.place(one.quantity, sweep, configs, highest=isinstance(one.quantity, Argmax))]
        case CheckState():
            yield of_sweeps.check_state(one.quantity, sweep)
        case VerdictLabel():
            yield from [of_sweeps.verdict(sweep, config) for config in configs]
        case Ratio():
            yield from [[of_sweeps.ratio(one.quantity, sweep, config)] for config in configs]
        case _:
            yield from [_of_seeds(one, sweep, config) for config in configs]


def _of_seeds(one: Expectation, sweep: Sweep, config: Config) -> list[float]:
    of_sweeps.whole(sweep, config)
    found = [_of_fit(one, fit) for fit in sweep.completed(config)]
    if any(math.isnan(value) for value in found):
        raise NotEvaluatedError("it is not a number")
    return found


def _of_fit(one: Expectation, fit: Fit) -> float:
    match one.quantity:
        case Final(metric=metric):
            return of_sweeps.measured(metric, [fit])
        case OutputAtZero():
            return of_networks.output_at_zero(fit)
        case ProbabilitiesAtZero():
            return of_networks.from_uniform(fit)
        case Homogeneity():
            return of_networks.inhomogeneity(fit)
        case BiasAblation():
            return of_networks.bias_ablation(fit)
    raise TypeError(f"{one.quantity.kind} is of a whole sweep")


# ── whether it is what was expected ─────────────────────────────────────────────────────────────────────────


def _judged(one: Expectation, exact: float | None, samples: Sequence[float] | str, sweep: Sweep) -> Seen:
    if isinstance(samples, str):
        return Seen(-1.0 if samples in (one.one_of or ()) else 1.0, samples, "exact")
    if one.one_of is not None:
        return Seen(-1.0 if samples[0] in one.one_of else 1.0, samples[0], "exact")
    if one.within is not None and exact is not None:
        return _mean(one, exact, samples, sweep.spec.diagnosis.level)
    low, high = (one.at_least, one.at_most) if exact is None else (exact, exact)
    off = [max(-math.inf if low is None else low - x, -math.inf if high is None else x - high) for x in samples]
    at = int(np.argmax(off))
    return Seen(off[at], samples[at], "exact" if exact is not None else "every seed" if len(samples) > 1 else "")


def _mean(one: Expectation, exact: float, samples: Sequence[float], level: float) -> Seen:
    """Judge the mean over seeds by its tolerance."""
    mean, n = float(np.mean(samples)), len(samples)
    match one.within:
        case "standard_errors" if n < FEWEST:
            raise NotEvaluatedError(f"{n} seed{'s' * (n > 1)}: standard errors of fewer than {FEWEST} decide nothing")
        case "standard_errors" if n < MANY:
            slack, how = t_interval(samples, 1 - 2 * TAIL).high - mean, f"t, {n} seeds"
        case "standard_errors":
            slack, how = 4 * standard_error(samples), f"4 s.e., {n} seeds"
        case Relative(relative=share):
            slack, how = share * abs(exact), f"{100 * share:g} %"
        case absolute:
            slack, how = float(absolute or 0.0), ""
    interval = t_interval(samples, level) if n > 1 else None
    return Seen(abs(mean - exact) - slack, mean, f"± {slack:.3g}{f' ({how})' if how else ''}", interval)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def _expected(one: Expectation, exact: float | None) -> str:
    if one.one_of is not None:
        return " or ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in one.one_of)
    if isinstance(one.equals, Theory) and exact is None:
        return one.equals.closed_form
    bounds = (("", exact), ("≥ ", one.at_least), ("≤ ", one.at_most))
    return " and ".join(f"{sign}{bound:.6g}" for sign, bound in bounds if bound is not None)


def _words(one: Expectation) -> str:
    match one.quantity:
        case Tau(parameter=parameter, outcome=outcome, along=axis):
            return f"Kendall's τ of {parameter} with {outcome} along {axis}"
        case Argmin(metric=metric, along=axis):
            return f"{short(axis)} with the lowest {metric}"
        case Argmax(metric=metric, along=axis):
            return f"{short(axis)} with the highest {metric}"
        case Ratio(metric=metric, to=to):
            return f"{metric}, divided by that at {pairs(to)}"
        case CheckState(code=code):
            return f"check {code}"
        case Final(metric=metric):
            return metric
        case other:
            return other.kind.replace("_", " ")
