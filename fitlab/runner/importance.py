"""Optuna's importance of swept parameters, of a sweep by any method: its Configs are told to a study in memory."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from fitlab.errors import FitlabError
from fitlab.metrics import is_score
from fitlab.records import Config, Floats, Interval, Outcome
from fitlab.runner.study import quiet
from fitlab.seeds import canonical
from fitlab.space.domains import Domain, distribution
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Range
from fitlab.stats import t_interval
from fitlab.sweep import Sweep
from fitlab.theory.importance import METHODS, Importance, Method

BEST, LEAST = 0.1, 5  # PED-ANOVA: what it takes to be among this share of Configs, or among so many
JACKKNIFE = "jackknife over seeds, Student-t"


def importance(sweep: Sweep, *, metric: str = "loss/val", method: Method = "ped_anova") -> Importance:
    """Return how much each swept parameter matters for a final metric, the mean over seeds, as shares that add up to 1.

    ped_anova: how much it takes the right value to be among the best tenth of Configs, or the best five where these
    are more (Watanabe et al. 2023; with parameters that not all Configs have: Optuna's conditional PED-ANOVA); of a
    search, within what it proposed. It has no interval: who is among the best is often the same under all seeds, which
    says nothing of other Configs; ``by_seed`` shows what seeds do.
    fanova: its share of the variance over the whole space, by itself (Hutter et al. 2014), of a random forest; with
    Student-t intervals over the pseudo-values of a jackknife over seeds (Tukey 1958), cut off at 0 and 1. Slow: 2S + 1
    forests, each about a second.
    Importance is of the space as it was declared: wider bounds give another. Configs that diverged count with the worst
    value of all; those that were pruned or failed under some seed are left out, which favours what a search liked.
    Raises FitlabError where fewer than two parameters differ, or fewer than two Configs have the metric.
    """
    if method not in METHODS:
        raise FitlabError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    domains = _varied(sweep)
    whole = [config for config in sweep.configs if _whole(sweep, config)]
    values, penalised = _values(sweep, whole, metric)
    used = _ranked(whole, domains, method)
    shares_of = _Study(whole, domains, used, method)
    mean = shares_of(values.mean(axis=1))
    seeds = sweep.spec.seeds.values if values.shape[1] > 1 else ()
    alone = [shares_of(column) for column in values.T] if seeds else []
    left_out = range(len(seeds)) if method == "fanova" else ()
    without = [shares_of(np.delete(values, s, axis=1).mean(axis=1)) for s in left_out]
    level, order = sweep.spec.diagnosis.level, sorted(used, key=lambda key: (-mean[key], used.index(key)))
    return Importance(
        sweep,
        metric,
        method,
        {key: _interval(mean[key], [one[key] for one in without], level, len(values.T)) for key in order},
        {key: dict(zip(seeds, [one[key] for one in alone], strict=True)) for key in order} if seeds else {},
        len(whole),
        shares_of.best,
        penalised,
        len(sweep.configs) - len(whole),
        tuple(key for key in domains if key not in used),
        tuple(shares_of.remarks),
    )


def _varied(sweep: Sweep) -> dict[str, Domain]:
    """Return the swept keys that differ between Configs, with their domains."""
    configs = sweep.configs
    found = {
        key: domain
        for key, domain in domain_of(sweep.spec).items()
        if len({canonical(config.swept[key]) for config in configs if key in config.swept}) > 1
    }
    if len(found) < 2:
        there = ", ".join(found) or "none"
        raise FitlabError(
            f"importance compares swept parameters that differ between Configs, two at least; got {there}"
        )
    return found


def _whole(sweep: Sweep, config: Config) -> bool:
    """Whether every seed of a Config came to an end of its own, a good or a bad one."""
    outcomes = [fit.outcome for fit in sweep.of(config)]
    ended = all(outcome in (Outcome.COMPLETED, Outcome.DIVERGED) for outcome in outcomes)
    return ended and len(outcomes) == len(sweep.spec.seeds.values)


def _values(sweep: Sweep, configs: Sequence[Config], metric: str) -> tuple[Floats, int]:
    """Return the metric of Configs under each seed, lower being better, and how many of them diverged. (C, S)

    One that diverged under some seed has the worst value of all under each, at least the constant predictor's.
    """
    sign = -1.0 if is_score(metric) else 1.0
    rows = [
        [
            sign * fit.final.get(metric, math.nan) if fit.outcome is Outcome.COMPLETED else math.nan
            for fit in sweep.of(c)
        ]
        for c in configs
    ]
    found = np.array(rows, dtype=np.float64).reshape(len(configs), len(sweep.spec.seeds.values))
    lost = ~np.isfinite(found).all(axis=1)
    if len(configs) < 2 or lost.all():
        raise FitlabError(
            f"importance takes two Configs at least with {metric} under every seed, got {int((~lost).sum())}"
        )
    nulls = [sign * fit.null[metric] for fit in sweep.fits if math.isfinite(fit.null.get(metric, math.nan))]
    found[lost] = max([float(found[~lost].max()), *nulls])
    return found, int(lost.sum())


def _ranked(configs: Sequence[Config], domains: Mapping[str, Domain], method: Method) -> list[str]:
    """Return the keys that get a share: with fanova those that every Config has."""
    every = [key for key in domains if all(key in config.swept for config in configs)]
    if method == "ped_anova":
        return [*domains]
    if len(every) < 2:
        raise FitlabError("fanova takes two parameters at least that every Config has; use method='ped_anova'")
    return every


class _Study:
    """Configs as Optuna's trials: called with a value of each, it returns the share of each key."""

    def __init__(
        self, configs: Sequence[Config], domains: Mapping[str, Domain], used: Sequence[str], method: Method
    ) -> None:
        self.used, self.remarks = [*used], dict[str, None]()
        self.params = [{k: _told(domains[k], v) for k, v in c.swept.items() if k in domains} for c in configs]
        self.distributions = {key: _distribution(key, domain, self.params) for key, domain in domains.items()}
        quantile = min(max(BEST, LEAST / len(configs)), 0.5)
        self.best = math.ceil(quantile * len(configs))
        self.evaluator = (
            PedAnovaImportanceEvaluator(target_quantile=quantile)
            if method == "ped_anova"
            else FanovaImportanceEvaluator(seed=0)
        )

    def __call__(self, values: Floats) -> dict[str, float]:
        with quiet(), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            study = optuna.create_study()
            study.add_trials([self._trial(params, float(v)) for params, v in zip(self.params, values, strict=True)])
            found = get_param_importances(study, evaluator=self.evaluator, params=self.used)
        self.remarks |= dict.fromkeys(str(one.message) for one in said)
        return {key: float(found[key]) for key in self.used}

    def _trial(self, params: Mapping[str, object], value: float) -> optuna.trial.FrozenTrial:
        distributions = {key: self.distributions[key] for key in params}
        return create_trial(params=dict(params), distributions=distributions, value=value)


def _told(domain: Domain, value: object) -> object:
    """Return a value as Optuna is told it: of a list as text, since there 1 and 1.0 may both stand for 1.0."""
    return value if isinstance(domain, Range) else canonical(value)


def _distribution(key: str, domain: Domain, params: Sequence[Mapping[str, object]]) -> BaseDistribution:
    if isinstance(domain, Range):
        return distribution(key, domain)
    return CategoricalDistribution(tuple(dict.fromkeys(one[key] for one in params if key in one)))


def _interval(share: float, without: Sequence[float], level: float, seeds: int) -> Interval:
    """Return a share with its jackknife interval. without: (S,) what is said with each seed left out; (): none."""
    if not without:
        return Interval(share, math.nan, math.nan, level, seeds, "")
    found = t_interval(seeds * share - (seeds - 1) * np.asarray(without), level)
    half = found.high - found.estimate
    return Interval(share, max(0.0, share - half), min(1.0, share + half), level, seeds, JACKKNIFE)
