"""What takes more than one Config: where a metric is lowest or highest, ratios, orders, verdicts and checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fitlab.correlations import Relations
from fitlab.errors import FitlabError
from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.records import Config, Fit, Interval
from fitlab.seeds import same
from fitlab.spec.expect import CheckState, Extrapolation, Extremum, Ratio, Tau
from fitlab.spec.sweeps import Metric, Objective
from fitlab.sweep import Sweep, score
from fitlab.theory.sample_size import sample_size_curves
from fitlab.verdicts import Label, State

FEWEST_SEEDS = 3  # over which a rank correlation is a mean


def whole(sweep: Sweep, config: Config) -> None:
    """Raise NotEvaluatedError unless a Config completed on every seed: survivors flatter."""
    seeds = len(sweep.spec.seeds.values)
    missing = seeds - len(sweep.completed(config))
    if missing:
        raise NotEvaluatedError(f"{missing} of {seeds} Fits did not complete or are lost")


def mean(sweep: Sweep, config: Config, metric: Metric) -> float:
    """Return the mean of a metric over seeds. Raises NotEvaluatedError where it is not known of all."""
    whole(sweep, config)
    return measured(metric, sweep.completed(config))


def measured(metric: Metric, fits: Sequence[Fit]) -> float:
    """Return the mean of a metric over Fits. Raises NotEvaluatedError where one of them did not measure it."""
    recorded = metric not in ("gap/loss", "n_parameters")
    known = not recorded or all(metric in fit.curves.values for fit in fits)
    found = score(Objective(metric=metric), fits) if known else math.nan
    if not math.isfinite(found):
        raise NotEvaluatedError(f"{metric} was not measured")
    return found


def place(quantity: Extremum, sweep: Sweep, configs: Sequence[Config], highest: bool) -> float:
    """Return where along an axis a metric is lowest, or highest. Raises NotEvaluatedError without all means."""
    axis = [config for config in configs if quantity.along in config.swept]
    means = [(mean(sweep, config, quantity.metric), _number(config.swept[quantity.along])) for config in axis]
    if len({at for _, at in means}) < 2:
        raise NotEvaluatedError(f"fewer than two values of {quantity.along}")
    return (max if highest else min)(means)[1]


def _number(value: Any) -> float:
    """Return the place of a value on its axis; of a list of one, such as [32], what is in it."""
    one = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    if isinstance(one, bool) or not isinstance(one, int | float):
        raise NotEvaluatedError(f"{value} is no place on an axis")
    return float(one)


def ratio(quantity: Ratio, sweep: Sweep, config: Config) -> float:
    """Return the mean of a metric, divided by that of the Config that differs in ``to`` alone."""
    wanted = {**config.swept, **quantity.to}
    others = [
        one
        for one in sweep.configs
        if one.swept.keys() == wanted.keys() and all(same(one.swept[k], wanted[k]) for k in wanted)
    ]
    if not others:
        raise NotEvaluatedError("no Config to compare it with")
    below = mean(sweep, others[0], quantity.metric)
    if below == 0:
        raise NotEvaluatedError("it would be divided by 0")
    return mean(sweep, config, quantity.metric) / below


def tau(quantity: Tau, sweep: Sweep, found: Callable[[], Relations]) -> float:
    """Return Kendall's τ, the mean over seeds. Raises NotEvaluatedError where nothing is said along that axis."""
    for config in sweep.configs:
        whole(sweep, config)
    relations = found()
    for one in relations.rows:
        if (one.axis, one.metric, one.outcome) == (quantity.along, quantity.parameter, quantity.outcome):
            if one.tau.n < FEWEST_SEEDS:
                raise NotEvaluatedError(f"a rank correlation under {one.tau.n} of {FEWEST_SEEDS} seeds decides nothing")
            return one.tau.estimate
    why = f"{quantity.parameter} is not known along {quantity.along}"
    raise NotEvaluatedError(relations.not_applicable.get(quantity.along, why))


def verdict(sweep: Sweep, config: Config) -> str:
    """Return the label of a Config. Raises NotEvaluatedError where it has none: one that diverged has."""
    found = sweep.verdicts.by_config.get(config.digest)
    if found is None:
        raise NotEvaluatedError("the sweep is not diagnosed")
    if found.label is Label.NOT_ASSESSED:
        raise NotEvaluatedError(found.because or "it was not assessed")
    return str(found.label)


def extrapolated(quantity: Extrapolation, sweep: Sweep, configs: Sequence[Config]) -> Interval:
    """Return what a law says of a number of training rows. Raises NotEvaluatedError where it was not fitted."""
    for config in configs:
        whole(sweep, config)
    rows = {config: sweep.completed(config)[0].sizes["n_train"] for config in configs}
    used = tuple(one for one in configs if rows[one] <= (quantity.up_to or rows[one]))
    part = replace(sweep, configs=used, fits=tuple(fit for one in used for fit in sweep.of(one)))
    try:
        curves = sample_size_curves(part)
        if len(curves) != 1:
            raise NotEvaluatedError(f"{len(curves)} curves against sample size: `where` names one")
        return curves[0].predicted(quantity.at, quantity.law)
    except FitlabError as error:
        raise NotEvaluatedError(str(error)) from error


def loss_on_test(sweep: Sweep) -> Interval:
    """Return what the selected Config loses on test rows. Raises NotEvaluatedError where that is not known."""
    if not sweep.verdicts.by_config:
        raise NotEvaluatedError("the sweep is not diagnosed")
    selection = sweep.verdicts.selection
    if selection is None or selection.test is None:
        raise NotEvaluatedError("no Config was selected, or its test rows are not at hand")
    return selection.test


def check_state(quantity: CheckState, sweep: Sweep) -> str:
    """Return whether a check of the sweep found what it looks for. Raises NotEvaluatedError where it does not apply."""
    for one in sweep.verdicts.checks:
        if one.code == quantity.code and one.state is State.NOT_APPLICABLE:
            raise NotEvaluatedError(f"{one.code} {one.title}: {one.said}")
        if one.code == quantity.code:
            return str(one.state)
    raise NotEvaluatedError(f"no check {quantity.code}" if sweep.verdicts.checks else "the sweep is not diagnosed")
