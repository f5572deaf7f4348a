"""Optuna's view of a sweep: an in-memory study, asked and told by the runner, kept as a journal afterwards."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from fitlab import space
from fitlab.records import Config, Fit, Outcome
from fitlab.seeds import digest
from fitlab.spec import Spec

OBJECTIVE = "loss/val"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from announcing studies; what the user had set is restored."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class Study:
    """One survey: every Config is enqueued, asked as a trial, and told what its Fits gave."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.name = digest(spec.sweep.model_dump(mode="json"))
        self.storage = InMemoryStorage()
        sampler = optuna.samplers.RandomSampler(seed=0)  # draws nothing: every point is enqueued
        self.study = optuna.create_study(
            study_name=self.name, storage=self.storage, sampler=sampler, direction="minimize"
        )
        self.study.set_user_attr("fitlab.name", spec.name)
        self.worst = -math.inf

    def ask(self, config: Config) -> optuna.Trial:
        """Return the trial that proposes ``config``."""
        point = {key: space.encode(value) for key, value in config.swept.items()}
        self.study.enqueue_trial(point)
        trial = self.study.ask(space.distributions(self.spec, config.swept))
        trial.set_user_attr("fitlab.config", config.digest)
        return trial

    def tell(self, trial: optuna.Trial, fits: Sequence[Fit]) -> None:
        """Tell the mean of the last validation loss over seeds.

        A Config with a diverged seed gets the worst value seen, at least the constant predictor's, because a
        failed trial teaches a sampler nothing; one that failed for outside reasons is FAIL.
        """
        outcomes = {fit.outcome for fit in fits}
        if not fits or not outcomes <= {Outcome.COMPLETED, Outcome.DIVERGED}:
            self.study.tell(trial, state=TrialState.FAIL)
            return
        completed = [fit.final[OBJECTIVE] for fit in fits if fit.outcome is Outcome.COMPLETED]
        self.worst = max([self.worst, *completed])
        if Outcome.DIVERGED in outcomes:
            null = [fit.null[OBJECTIVE] for fit in fits if OBJECTIVE in fit.null]
            self.study.tell(trial, max([self.worst, *(value for value in null if math.isfinite(value))]))
        else:
            self.study.tell(trial, sum(completed) / len(completed))

    def tell_infeasible(self, trial: optuna.Trial, excess: dict[str, float]) -> None:
        """Tell that a Config breaks constraints and was not trained."""
        for name, amount in excess.items():
            trial.set_constraint(name, amount)
        self.study.tell(trial, state=TrialState.PRUNED)

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
