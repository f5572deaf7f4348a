"""The loop: replay the plan against the store, train what is missing, keep what is done."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from fitlab.errors import StoppedError, StoreError
from fitlab.records import Config, Fit, Job, Outcome
from fitlab.runner.fits import Fits, Progress
from fitlab.runner.plan import Plan
from fitlab.runner.pool import Pool, train_all
from fitlab.runner.proposals import Entrant, Proposals
from fitlab.runner.signals import interrupts
from fitlab.runner.study import Study, quiet
from fitlab.runner.workers import Leg, Task, Workers
from fitlab.store import Planned, Store
from fitlab.sweep import Sweep

OnProgress = Callable[[Progress], None]
OnSettled = Callable[[Config, tuple[Fit, ...]], None]
Train = Callable[[list[Task]], None]


@dataclass(frozen=True)
class Result:
    """What a run of a sweep gave."""

    sweep: Sweep
    progress: Progress
    infeasible: tuple[Config, ...]  # Configs that break a constraint, hence not trained
    damaged: tuple[str, ...] = field(default=())  # files that were set aside during this run

    retried: Mapping[str, int] = field(default_factory=dict)  # why tries failed that were not the last: how often

    @property
    def failed(self) -> int:
        """Fits that raised, timed out or lost their worker."""
        return self.progress.outcomes[Outcome.FAILED]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM: what was finished is kept."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress

    @property
    def done(self) -> int:
        """Fits that are there."""
        return self.progress.done


def _stopped(plan: Plan, progress: Progress, causes: Counter[str]) -> StoppedError:
    """Return what says that more Fits failed than the spec allows."""
    run, name, failed = plan.document.spec.run, plan.document.spec.name, causes.total()
    rule = "run.on_failure is stop" if run.on_failure == "stop" else f"run.max_failures is {run.max_failures}"
    why = "; ".join(f"{count} × {cause}" for cause, count in causes.most_common(5))
    return StoppedError(
        f"{name} was stopped: {failed} Fit{'s' * (failed != 1)} failed and {rule} ({why}). {progress.done} of "
        f"{'at most ' if plan.search else ''}{plan.fits} Fits are kept. `--retry-failed` trains failed Fits again; "
        "`-o run.on_failure=continue -o run.max_failures=null` goes on without them",
        progress.done,
    )


def execute(
    plan: Plan,
    store: Store,
    workers: Workers,
    on_progress: OnProgress = lambda _: None,
    retry_failed: bool = False,
    on_settled: OnSettled = lambda _, __: None,
    locked: bool = False,
) -> Result:
    """Run a sweep: Fits that the store has are taken from there, the others are trained and stored one by one.

    on_progress: called with the progress after every Fit. on_settled: called while others are trained with a Config
    and its Fits, when these are all there and decided. locked: the caller holds the sweep's lock.
    Raises StoreError where the store cannot be written or somebody else runs this sweep, StoppedError where more Fits
    failed than the spec allows, and Interrupted (a KeyboardInterrupt) after Ctrl-C or SIGTERM: what was finished is
    kept, and running again continues.
    """
    spec = plan.document.spec
    commit, dirty = git_state()

    def stamp(fit: Fit) -> Fit:
        made = fit.provenance
        return fit if made is None else fit.stamped(replace(made, commit=commit, dirty=dirty))

    lock = nullcontext() if locked else store.locked(spec.name)
    with lock, quiet(), interrupts(workers.stop) as interrupted, Pool(workers) as pool:
        fits = Fits(store, plan.rungs, plan.fits, on_progress, retry_failed, spec.run, stamp)
        settling = _Settling(plan, fits, on_settled)

        def take(leg: Leg) -> bool:
            taken = fits.take(leg)
            settling.look(leg.fit.job.config.digest)
            return taken

        def stopping() -> bool:
            return interrupted() or fits.too_many_failed

        def train(tasks: list[Task]) -> None:
            whole = True
            if tasks:
                settling.look_at_all()
                whole = train_all(tasks, pool, take, stopping)
            if interrupted():
                raise Interrupted(fits.progress())
            if not whole:
                raise _stopped(plan, fits.progress(), fits.causes())

        study = Study(plan)
        proposals = Proposals(plan, study)
        planned, found = replay(plan, study, proposals, fits, train, store, settling.told)
        _keep(study, store.journal_path(spec.name))
        sweep = Sweep(spec, tuple(one.config for one in planned), tuple(found))
        return Result(sweep, fits.progress(), tuple(proposals.infeasible), tuple(fits.damaged), dict(fits.retried))


class _Settling:
    """Says which Configs are settled: of a survey once all Fits are there, of a search once it was told."""

    def __init__(self, plan: Plan, fits: Fits, on_settled: OnSettled) -> None:
        self.fits, self.on_settled = fits, on_settled
        self.open = {one.config.digest: one for one in plan.planned}  # of a survey

    def look_at_all(self) -> None:
        for digest in list(self.open):
            self.look(digest)

    def look(self, digest: str) -> None:
        one = self.open.get(digest)
        if one is not None and self.fits.ended(one):
            self.told(one, self.fits.decide(one))

    def told(self, one: Planned, fits: tuple[Fit, ...]) -> None:
        self.open.pop(one.config.digest, None)
        self.on_settled(one.config, fits)


def replay(
    plan: Plan,
    study: Study,
    proposals: Proposals,
    fits: Fits,
    train: Train,
    store: Store | None = None,
    on_told: Callable[[Planned, tuple[Fit, ...]], None] = lambda _, __: None,
) -> tuple[list[Planned], list[Fit]]:
    """Ask, train and tell wave by wave; return the Configs with where each ended, and their Fits, in order.

    store: where the sweep is written down as it grows. on_told: called after each wave of a search.
    Whatever ``train`` raises ends the replay.
    """
    planned: list[Planned] = []
    found: list[Fit] = []

    def note(wave: Sequence[Entrant] = (), finished: bool = False) -> None:
        if store is not None:
            now = [*planned, *(entrant.planned for entrant in wave)]
            store.write_sweep(plan.document, now, plan.rungs, finished)

    def train_noted(tasks: list[Task]) -> None:
        if tasks:  # what is only read again leaves the record as it is, until all is read
            note(wave)
        train(tasks)

    while wave := proposals.wave():
        ended = _run_wave(wave, study, fits, train_noted)
        told = [(Entrant(entrant.trial, one), fits.decide(one)) for entrant, one in zip(wave, ended, strict=True)]
        proposals.tell(told)
        for entrant, of_one in told if plan.search else ():
            on_told(entrant.planned, of_one)
        planned += ended
        found += [fit for _, of_one in told for fit in of_one]
    note(finished=True)
    return planned, found


@dataclass(frozen=True)
class Outlook:
    """What a run would find: Fits that are there, and jobs that it would train first."""

    done: int
    left: int  # of a search at most
    missing: tuple[Job, ...]  # of a survey all that are, of a search those of its next step
    infeasible: int


class _MissingError(Exception):
    def __init__(self, tasks: list[Task]) -> None:
        super().__init__()
        self.tasks = tasks


def look(plan: Plan, store: Store) -> Outlook:
    """Replay a sweep as far as the store goes. Trains nothing and writes nothing."""
    return _looked(plan, store, Study(plan))


def write_journal(plan: Plan, store: Store) -> None:
    """Replay a sweep whose lock is held, and write its Optuna journal anew.

    Raises StoreError where Fits are missing, or it cannot be written.
    """
    with quiet():
        study = Study(plan)
        if left := _looked(plan, store, study).left:
            raise StoreError(f"{plan.document.spec.name}: {left} Fits are missing; `fitlab sweep SPEC` trains them")
        _keep(study, store.journal_path(plan.document.spec.name))


def _looked(plan: Plan, store: Store, study: Study) -> Outlook:
    fits = Fits(store, plan.rungs, plan.fits, lambda _: None, writes=False)

    def train(tasks: list[Task]) -> None:
        if tasks:
            raise _MissingError(tasks)

    missing: list[Task] = []
    proposals = Proposals(plan, study)
    with quiet():
        try:
            replay(plan, study, proposals, fits, train)
        except _MissingError as stop:
            missing = stop.tasks
    done = fits.progress().done
    left = plan.fits - done if missing else 0
    return Outlook(done, left, tuple(task.job for task in missing), len(proposals.infeasible))


def _keep(study: Study, path: Path) -> None:
    try:
        study.write_journal(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from None


def _run_wave(wave: Sequence[Entrant], study: Study, fits: Fits, train: Train) -> list[Planned]:
    """Train the Configs of a wave from rung to rung, and return them with where each of them ended.

    At a rung the means over seeds are reported for the whole wave, in the order of trials; then each is asked
    whether it is given up. One that has no mean, because a seed diverged or failed, is given up too.
    """
    ends: dict[int, int] = {}  # position in the wave -> epoch at which it was given up
    for rung in fits.rungs:
        alive = [i for i in range(len(wave)) if i not in ends]
        train(fits.missing((job, rung) for i in alive for job in wave[i].planned.jobs))
        for i in alive:
            there = [fits.at(job, rung) for job in wave[i].planned.jobs]
            if any(fit.outcome in (Outcome.DIVERGED, Outcome.FAILED) for fit in there):
                ends[i] = rung
            else:
                wave[i].trial.report(study.value(there), rung)
        ends |= {i: rung for i in alive if i not in ends and wave[i].trial.should_prune()}
    ended = [replace(one.planned, end=ends.get(i, one.planned.end)) for i, one in enumerate(wave)]
    train(fits.missing(((job, one.end) for one in ended for job in one.jobs), ending=True))
    return ended


def git_state() -> tuple[str | None, bool | None]:
    """Return commit and dirtiness of the repository that we are in; None where there is none."""
    try:
        answers = [
            subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=True).stdout
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.SubprocessError):
        return None, None
    return answers[0].strip(), bool(answers[1].strip())
