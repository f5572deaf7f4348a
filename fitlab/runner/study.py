"""Optuna's view of a sweep: an in-memory study, asked and told by the runner, kept as a journal afterwards."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from fitlab import space
from fitlab.records import Fit, Outcome
from fitlab.runner.plan import Plan
from fitlab.seeds import digest, stream
from fitlab.space import Point, Space
from fitlab.spec.sweeps import Hyperband, Median, Objective, Tpe
from fitlab.sweep import score

_quieting = threading.Lock()
_quiet_before: list[int] = []  # the user's verbosity, then one entry for every other run that is under way


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from announcing studies; what the user had set is restored."""
    with _quieting:
        if not _quiet_before:
            _quiet_before.append(optuna.logging.get_verbosity())
            optuna.logging.set_verbosity(optuna.logging.WARNING)
        else:
            _quiet_before.append(optuna.logging.WARNING)
    try:
        yield
    finally:
        with _quieting:  # runs may overlap: the last one gives the verbosity back
            if len(_quiet_before) == 1:
                optuna.logging.set_verbosity(_quiet_before[0])
            _quiet_before.pop()


@dataclass(frozen=True)
class Told:
    """What Optuna was told of a Config, so that a repeat is told the same."""

    state: TrialState
    values: tuple[float, ...] = ()
    reports: tuple[tuple[int, float], ...] = ()  # (epoch, value)
    excess: Mapping[str, float] | None = None  # of constraints


class Study:
    """Trials are asked, reported and told in one order, whatever the order in which their Fits came."""

    def __init__(self, plan: Plan) -> None:
        spec, self.space = plan.document.spec, plan.space
        self.objectives = spec.sweep.objective
        # Hyperband draws a trial's bracket from this name. Without ``trials``: a longer search begins as the shorter.
        self.name = digest(spec.sweep.model_dump(mode="json", exclude={"trials"}))
        self.storage = InMemoryStorage()
        self.study = optuna.create_study(
            study_name=self.name,
            storage=self.storage,
            sampler=_sampler(plan),
            pruner=_pruner(plan),
            directions=["maximize" if one.maximize else "minimize" for one in self.objectives],
        )
        self.study.set_user_attr("fitlab.name", spec.name)
        self.worst: list[float | None] = [None] * len(self.objectives)

    def ask(self, point: Point | None = None) -> tuple[optuna.Trial, Point]:
        """Return a trial and its point: the one that is given, else the one that Optuna proposes."""
        if point is not None:
            self.study.enqueue_trial(space.as_enqueued(self.space, point))
        trial = self.study.ask()
        return trial, space.suggest(self.space, trial)

    def value(self, fits: Sequence[Fit]) -> float:
        """Return the one objective of Fits that are on their way."""
        return score(self.objectives[0], fits)

    def tell(self, trial: optuna.Trial, fits: Sequence[Fit]) -> Told:
        """Tell what became of a Config, and return it.

        A Config with a diverged seed gets the worst value seen, at least the constant predictor's, because a
        failed trial teaches a sampler nothing (and so does a value that is none); one that failed is FAIL.
        """
        outcomes = {fit.outcome for fit in fits}
        if Outcome.FAILED in outcomes or not fits:
            return self.repeat(trial, Told(TrialState.FAIL))
        completed = [fit for fit in fits if fit.outcome is Outcome.COMPLETED]
        values = [score(objective, completed) for objective in self.objectives]
        if Outcome.PRUNED in outcomes and Outcome.DIVERGED not in outcomes:  # some seeds may have stopped early before
            return self.repeat(trial, Told(TrialState.PRUNED))
        for i, (objective, value) in enumerate(zip(self.objectives, values, strict=True)):
            self.worst[i] = _worse(objective, self.worst[i], value)
        if Outcome.DIVERGED in outcomes or not all(map(math.isfinite, values)):
            values = [self._penalty(i, fits) for i in range(len(values))]
        return self.repeat(trial, Told(TrialState.COMPLETE, tuple(values)))

    def _penalty(self, i: int, fits: Sequence[Fit]) -> float:
        """Return the worst value seen of an objective, at least the constant predictor's."""
        objective = self.objectives[i]
        found = self.worst[i]
        for value in (_null(objective, fit) for fit in fits):
            found = _worse(objective, found, value)
        return 0.0 if found is None else found

    def repeat(self, trial: optuna.Trial, told: Told) -> Told:
        """Tell a trial what is known of its Config. Reports of the trial itself are added to what is returned."""
        for epoch, value in told.reports:
            trial.report(value, epoch)
        for name, amount in (told.excess or {}).items():
            trial.set_constraint(name, amount)
        reports = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        self.study.tell(trial, list(told.values) or None, state=told.state)
        return Told(told.state, told.values, tuple(reports.items()), told.excess)

    def write_journal(self, path: Path) -> None:
        """Write the study to a journal file that Optuna's tools open: whole or not at all."""
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        beside.unlink(missing_ok=True)
        try:
            target: Any = JournalStorage(JournalFileBackend(str(beside)))
            optuna.copy_study(from_study_name=self.name, from_storage=self.storage, to_storage=target)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def _worse(objective: Objective, one: float | None, other: float) -> float | None:
    """Return the worse of two values; one that is not finite does not count."""
    if not math.isfinite(other):
        return one
    if one is None:
        return other
    return min(one, other) if objective.maximize else max(one, other)


def _null(objective: Objective, fit: Fit) -> float:
    """Return the constant predictor's value of an objective; the size of a network is its own."""
    match objective.metric:
        case "n_parameters":
            return float(fit.sizes.get("n_parameters", math.nan))
        case "gap/loss":
            return fit.null.get("loss/val", math.nan) - fit.null.get("loss/train", math.nan)
        case metric:
            return fit.null.get(metric, math.nan)


# ── Optuna's parts ──────────────────────────────────────────────────────────────────────────────────────────


def _sampler(plan: Plan) -> RandomSampler | TPESampler:
    sweep = plan.document.spec.sweep
    if isinstance(sweep, Tpe):
        return _Tpe(plan.space, stream("tpe", sweep.seed))
    return RandomSampler(seed=0)  # draws nothing: every point of a survey is enqueued


def _pruner(plan: Plan) -> BasePruner:
    match plan.search.early_terminate if plan.search else None:
        case Median() as rule:
            return MedianPruner(n_startup_trials=rule.n_startup_trials, n_warmup_steps=rule.min_epochs)
        case Hyperband() as rule:
            return HyperbandPruner(rule.min_epochs, plan.probes[0].end, rule.reduction_factor)
        case _:
            return NopPruner()


class _Tpe(TPESampler):  # type: ignore[misc]
    """TPE whose proposals are points of the space: of a range with points one of these, else 12 digits."""

    def __init__(self, of: Space, seed: int) -> None:
        super().__init__(seed=seed)
        self._space = of

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        drawn = super().sample_relative(study, trial, search_space)
        return {key: space.snapped(key, self._space.domains[key], value) for key, value in drawn.items()}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        drawn = super().sample_independent(study, trial, param_name, param_distribution)
        return space.snapped(param_name, self._space.domains[param_name], drawn)
