"""Each expectation of a spec, with what was expected, what came out, and whether that passes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from fitlab.claims import Checked, State
from fitlab.correlations import relations
from fitlab.diagnosis.naming import pairs
from fitlab.errors import FitlabError, StoreError
from fitlab.expectations import of_sweeps
from fitlab.expectations.closed_forms import closed_form
from fitlab.expectations.of_parts import Decomposed
from fitlab.expectations.quantities import Ground, Sample, looked_at
from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.records import Config, Interval
from fitlab.seeds import same
from fitlab.spec.expect import Expectation, Part, Relative, Theory
from fitlab.stats import standard_error, standard_error_of, t_interval, t_quantile
from fitlab.sweep import Sweep
from fitlab.theory.bias_variance import BiasVariance, Loss

MANY = 30  # seeds from which on four standard errors are the tolerance
TAIL = 1e-5  # with fewer, Student's t at one minus this
FEWEST = 5  # of three seeds that would be 224 standard errors, within which a loss of 1 is one of 0


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


def checked(sweep: Sweep, parts: Decomposed | None = None) -> tuple[Checked, ...]:
    """Check every expectation of a sweep's spec. Weights are read from the store; where they are gone, it says so.

    parts: bias and variance of the sweep by loss, as ``fitlab.bias_variance``; called once for each loss, and only
    where it is asked for. Without it expectations of parts are not evaluated.
    """

    @cache
    def decomposed(loss: Loss | None) -> BiasVariance:
        if parts is None:
            raise NotEvaluatedError("the test rows are not at hand")
        try:
            return parts(loss)
        except FitlabError as error:
            raise NotEvaluatedError(str(error)) from error

    on = Ground(sweep, cache(lambda: relations(sweep)), decomposed)
    return tuple(record for one in sweep.spec.expect for record in _records(one, on))


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


def _records(one: Expectation, on: Ground) -> Iterator[Checked]:
    configs = [config for config in on.sweep.configs if _selected(config, one)]
    if not isinstance(one.equals, Theory) or not configs:
        yield _checked(one, on, configs, pairs(one.where))
        return
    for config in configs:
        yield _checked(one, on, [config], pairs(config.swept))


def _selected(config: Config, one: Expectation) -> bool:
    return all(key in config.swept and same(config.swept[key], v) for key, v in one.where.items())


def _checked(one: Expectation, on: Ground, configs: Sequence[Config], where: str) -> Checked:
    looked = looked_at(one.quantity)
    exact: float | None = None
    seen, why = None, ""
    try:
        if not configs:
            raise NotEvaluatedError("no Config has these values")
        exact = _exact(one, on.sweep, configs[0])
        level = on.sweep.spec.diagnosis.level
        seen = max((_judged(one, exact, sample, level) for sample in looked.samples(on, configs)), key=lambda s: s.off)
    except (NotEvaluatedError, StoreError) as reason:
        why = str(reason)
    state = State.NOT_EVALUATED if seen is None else State.PASSED if seen.off <= 0 else State.FAILED
    got, tolerance, value, interval = ("–", "", None, None) if seen is None else (
        str(seen), seen.tolerance, seen.value, seen.interval
    )  # fmt: skip
    expected = _expected(one, exact)
    return Checked(
        one.claim, one.source, looked.words, where, expected, got, tolerance, state, why, exact, value, interval
    )  # fmt: skip


def _exact(one: Expectation, sweep: Sweep, config: Config) -> float | None:
    """Return the number that is expected, of a closed form that of the Config."""
    if not isinstance(one.equals, Theory):
        return one.equals
    of_sweeps.whole(sweep, config)
    part = one.quantity.part if isinstance(one.quantity, Part) else None
    return closed_form(one.equals, config, sweep.completed(config)[0].sizes, part)


# ── whether it is what was expected ─────────────────────────────────────────────────────────────────────────


def _judged(one: Expectation, exact: float | None, sample: Sample, level: float) -> Seen:
    if isinstance(sample, str):
        return Seen(-1.0 if sample in (one.one_of or ()) else 1.0, sample, "exact")
    if isinstance(sample, Interval):
        return _estimated(one, exact, sample)
    if one.one_of is not None:
        return Seen(-1.0 if sample[0] in one.one_of else 1.0, sample[0], "exact")
    if one.within is not None and exact is not None:
        return _mean(one, exact, sample, level)
    off = [_outside(one, exact, x) for x in sample]
    at = int(np.argmax(off))
    return Seen(off[at], sample[at], "exact" if exact is not None else "every seed" if len(sample) > 1 else "")


def _outside(one: Expectation, exact: float | None, x: float) -> float:
    """Return by how much a number is outside of its bounds; 0 or less: it is inside."""
    low, high = (one.at_least, one.at_most) if exact is None else (exact, exact)
    return max(-math.inf if low is None else low - x, -math.inf if high is None else x - high)


def _estimated(one: Expectation, exact: float | None, found: Interval) -> Seen:
    """Judge an estimate that has an interval of its own: its standard error is taken from that."""
    if not math.isfinite(found.estimate):
        raise NotEvaluatedError("it is not a finite number")
    if one.within is None or exact is None:
        return Seen(_outside(one, exact, found.estimate), found.estimate, "" if exact is None else "exact", found)
    slack, how = _slack(one, exact, found.n, standard_error_of(found))
    if not math.isfinite(slack):
        raise NotEvaluatedError("its interval has no bounds, so that anything lies within its standard errors")
    return Seen(abs(found.estimate - exact) - slack, found.estimate, f"± {slack:.3g}{how}", found)


def _mean(one: Expectation, exact: float, sample: Sequence[float], level: float) -> Seen:
    """Judge the mean over seeds by its tolerance."""
    mean, n = float(np.mean(sample)), len(sample)
    slack, how = _slack(one, exact, n, standard_error(sample))
    return Seen(abs(mean - exact) - slack, mean, f"± {slack:.3g}{how}", t_interval(sample, level) if n > 1 else None)


def _slack(one: Expectation, exact: float, n: int, error: float) -> tuple[float, str]:
    """Return the tolerance and how it comes about. error: the standard error, over n seeds."""
    match one.within:
        case "standard_errors" if n < FEWEST:
            raise NotEvaluatedError(f"{n} seed{'s' * (n > 1)}: standard errors of fewer than {FEWEST} decide nothing")
        case "standard_errors" if n < MANY:
            return t_quantile(n - 1, 1 - TAIL) * error, f" (t, {n} seeds)"
        case "standard_errors":
            return 4 * error, f" (4 s.e., {n} seeds)"
        case Relative(relative=share):
            return share * abs(exact), f" ({100 * share:g} %)"
        case absolute:
            return float(absolute or 0.0), ""


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def _expected(one: Expectation, exact: float | None) -> str:
    if one.one_of is not None:
        return " or ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in one.one_of)
    if isinstance(one.equals, Theory) and exact is None:
        return one.equals.closed_form
    bounds = (("", exact), ("≥ ", one.at_least), ("≤ ", one.at_most))
    return " and ".join(f"{sign}{bound:.6g}" for sign, bound in bounds if bound is not None)
