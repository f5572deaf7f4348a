"""The loop: replay the plan against the store, train what is missing, keep what is done."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fitlab import trainers
from fitlab.errors import FitlabError, StoreError
from fitlab.records import Fit, Job, Outcome
from fitlab.runner.plan import Plan
from fitlab.runner.study import Study, quiet
from fitlab.runner.workers import Workers, provenance, train
from fitlab.store import Store
from fitlab.sweep import Sweep

POLL = 0.2  # seconds between looks at the interrupt flag
MAX_IDLE_BREAKS = 3  # of a pool in which nothing runs, in a row
GRACE = 10.0  # seconds that workers have to end after Ctrl-C


@dataclass(frozen=True)
class Progress:
    """How far a sweep is. Counts are of Fits."""

    total: int
    cached: int  # found in the store
    trained: int
    outcomes: Counter[str]  # of cached and trained ones
    seconds: float
    eta: float | None  # seconds left, judged by the work done so far

    @property
    def done(self) -> int:
        """Fits that are there."""
        return self.cached + self.trained


@dataclass(frozen=True)
class Result:
    """What a run of a sweep gave."""

    sweep: Sweep
    progress: Progress
    damaged: tuple[str, ...] = field(default=())  # files that were set aside during this run

    @property
    def failed(self) -> int:
        """Fits that raised, timed out or lost their worker."""
        return self.progress.outcomes[Outcome.FAILED]


OnProgress = Callable[[Progress], None]


def execute(
    plan: Plan, store: Store, workers: Workers, on_progress: OnProgress = lambda _: None, retry_failed: bool = False
) -> Result:
    """Run a sweep: Fits that the store has are taken from there, the others are trained and stored one by one.

    on_progress: called with the progress after every Fit.
    Raises StoreError where the store cannot be written or somebody else runs this sweep, and KeyboardInterrupt
    after Ctrl-C or SIGTERM: what was finished is kept, and running again continues.
    """
    spec = plan.document.spec
    with store.locked(spec.name), quiet(), _interrupts(workers.stop) as interrupted:
        store.write_sweep(plan.document, list(plan.planned))
        study = Study(spec)
        trials = [study.ask(one.config) for one in plan.planned]
        for config, excess in plan.infeasible:
            study.tell_infeasible(study.ask(config), excess)

        keep = _Keeper(plan, store, on_progress)
        missing = keep.replay(retry_failed)
        if missing:
            _train(missing, workers, keep.add, interrupted)
        if interrupted():
            raise KeyboardInterrupt
        for trial, one in zip(trials, plan.planned, strict=True):
            study.tell(trial, [keep.fits[job.digest] for job in one.jobs])
        try:
            study.write_journal(store.journal_path(spec.name))
        except OSError as error:
            raise StoreError(f"{store.journal_path(spec.name)}: cannot be written: {error}") from None
        sweep = Sweep(spec, tuple(one.config for one in plan.planned), keep.in_order())
        return Result(sweep, keep.progress(), tuple(keep.damaged))


class _Keeper:
    """Counts and stores Fits as they come."""

    def __init__(self, plan: Plan, store: Store, on_progress: OnProgress) -> None:
        self.plan, self.store, self.on_progress = plan, store, on_progress
        self.fits: dict[str, Fit] = {}
        self.cached = 0
        self.damaged: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.started = time.monotonic()
        self.costs = {job.digest: trainers.cost(job.config.sections) for job in plan.jobs}
        self.left, self.spent = sum(self.costs.values()), 0.0
        self.commit, self.dirty = git_state()

    def replay(self, retry_failed: bool) -> list[tuple[Job, int]]:
        """Take what the store has; return the jobs that are to be trained, and to which epoch, longest first."""
        missing = []
        for one in self.plan.planned:
            for job in one.jobs:
                path = self.store.fit_path(job.digest)
                there = path.exists()
                fit = self.store.read(job.digest, set_aside=True)
                self.damaged += [path.name] if there and fit is None else []
                if fit is not None and not (retry_failed and fit.outcome is Outcome.FAILED):
                    self._count(replace(fit, job=job))
                    self.cached += 1
                else:
                    missing.append((job, one.end))
        self.started = time.monotonic()
        self.on_progress(self.progress())
        return sorted(missing, key=lambda pair: -self.costs[pair[0].digest])

    def add(self, fit: Fit) -> None:
        """Store a new Fit; an interrupted one is no Fit."""
        if fit.outcome is Outcome.INTERRUPTED or fit.provenance is None:
            return
        fit = fit.stamped(replace(fit.provenance, commit=self.commit, dirty=self.dirty))
        self.store.write(fit)
        self._count(fit)
        self.spent += self.costs[fit.job.digest]
        self.on_progress(self.progress())

    def _count(self, fit: Fit) -> None:
        self.fits[fit.job.digest] = fit
        self.outcomes[fit.outcome] += 1
        self.left -= self.costs[fit.job.digest]

    def progress(self) -> Progress:
        seconds = time.monotonic() - self.started
        trained = len(self.fits) - self.cached
        eta = seconds * self.left / self.spent if self.spent else None
        return Progress(len(self.costs), self.cached, trained, Counter(self.outcomes), seconds, eta)

    def in_order(self) -> tuple[Fit, ...]:
        return tuple(self.fits[job.digest] for job in self.plan.jobs)


def _train(
    missing: Sequence[tuple[Job, int]],
    workers: Workers,
    keep: Callable[[Fit], None],
    interrupted: Callable[[], bool],
) -> None:
    """Train jobs until none is left or the user interrupts.

    When a worker dies its pool breaks and does not say whose job it was: the jobs in flight are then tried one
    at a time, and the one that breaks the pool alone has failed.
    """
    waiting, suspects = deque(missing), deque[tuple[Job, int]]()
    running: dict[Future[Fit], tuple[Job, int]] = {}
    alone = False  # a suspect is running, and nothing else may
    idle_breaks = 0
    executor = workers.make()
    try:
        while (waiting or suspects or running) and not interrupted():
            alone = bool(suspects) or (alone and bool(running))
            room = 1 if alone or workers.count == 1 else 2 * workers.count
            broken = False
            try:
                while (suspects or waiting) and len(running) < room and not interrupted():
                    pair = suspects[0] if suspects else waiting[0]
                    running[executor.submit(train, *pair)] = pair
                    (suspects or waiting).popleft()
            except BrokenExecutor:
                broken = True
            except OSError as error:
                raise FitlabError(f"no worker process could be started: {error}; try fewer --jobs") from error
            done, _ = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in done:
                if isinstance(future.exception(), BrokenExecutor):
                    broken = True
                else:
                    running.pop(future)
                    keep(future.result())
                    idle_breaks = 0
            if broken:
                idle_breaks += not running
                if idle_breaks > MAX_IDLE_BREAKS:
                    raise FitlabError("worker processes die as soon as they start; try fewer --jobs, or --jobs 1")
                executor.shutdown(wait=False, cancel_futures=True)
                executor = workers.make()
                if alone and running:
                    keep(_lost(*running.popitem()[1]))
                suspects.extend(running.values())
                running.clear()
        workers.stop()
        _drain(running, keep)
    finally:
        workers.stop()
        executor.shutdown(wait=False, cancel_futures=True)


def _lost(job: Job, _: int) -> Fit:
    fit = Fit(job, Outcome.FAILED, 0, cause="lost its worker process (killed, or out of memory)")
    return fit.stamped(provenance(time.time(), 0.0))


def _drain(running: dict[Future[Any], tuple[Job, int]], keep: Callable[[Fit], None]) -> None:
    """Keep what finishes within the grace period after an interrupt."""
    for future in running:
        future.cancel()
    done, _ = wait([future for future in running if not future.cancelled()], timeout=GRACE)
    for future in done:
        if future.exception() is None:
            keep(future.result())


@contextmanager
def _interrupts(stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a flag and ``stop()``; a second one acts at once.

    Only in the main thread: elsewhere Python gives no signals.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def note(number: int, _: Any) -> None:
        seen.append(number)
        stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        for number in signals:
            signal.signal(number, note)
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
