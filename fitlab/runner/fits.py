"""The Fits of one run of a sweep: what the store has is read as far as it is wanted, what it has not is trained."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from fitlab import trainers
from fitlab.records import ENDED, Fit, Job, Outcome, failed_after, given_up, upto, with_snapshots
from fitlab.runner.workers import Leg, Task
from fitlab.spec.model import Running
from fitlab.store import Planned, Store, as_decided

FINAL = (*ENDED, Outcome.FAILED)
ANYHOW = Running()  # whatever fails, and however long it takes


@dataclass(frozen=True)
class Progress:
    """How far a sweep is. Counts are of Fits; of a search ``total`` is how many it may come to."""

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


class Fits:
    """What is there of every job that the run has come to.

    A stored Fit may be longer than it is wanted (it is read as its beginning), too short, or without the weights
    of a rung: then it is trained again, at least as far as before, and replaced by one that has all that it had.
    """

    def __init__(
        self,
        store: Store,
        rungs: tuple[int, ...],
        total: int,
        on_progress: Callable[[Progress], None],
        retry_failed: bool = False,
        run: Running = ANYHOW,
        stamp: Callable[[Fit], Fit] = lambda fit: fit,
        writes: bool = True,
    ) -> None:
        self.store, self.rungs, self.total, self.on_progress = store, rungs, total, on_progress
        self.retry_failed, self.run, self.stamp, self.writes = retry_failed, run, stamp, writes
        self.tries: Counter[str] = Counter()  # that failed and were tried again, by job
        self.retried: Counter[str] = Counter()  # their causes
        self.jobs: dict[str, Job] = {}  # by digest; those of a worker process are copies, to be let go
        self.legs: dict[str, Leg] = {}
        self.marks: dict[str, list[int]] = {}  # epochs after which weights are kept: rungs, and what others kept
        self.fresh: set[str] = set()  # trained in this run
        self.counted: dict[str, str] = {}  # job -> outcome
        self.damaged: list[str] = []
        self.costs: dict[str, float] = {}
        self.trained: set[str] = set()  # counted ones of this run
        self.outcomes: Counter[str] = Counter()
        self.all_costs = self.known = self.spent = 0.0  # of jobs that are known, not yet counted, trained in this run
        self.started = time.monotonic()

    # ── what is there, what is missing ──────────────────────────────────────────────────────────────────────

    def missing(self, wanted: Iterable[tuple[Job, int]], ending: bool = False) -> list[Task]:
        """Return what is to be trained so that each job is there up to its epoch, longest first.

        ending: it goes no further; then the weights of its rungs must be there, too.
        """
        tasks = []
        for job, epoch in wanted:
            if job.digest not in self.costs:
                self._look_up(job)
            leg = self.legs.get(job.digest)
            if leg is None or not _reaches(leg.fit, epoch):
                state, begin = (leg.state, leg.fit.epochs) if leg and leg.state else (None, 0)
                tasks.append(self._task(job, state, begin, epoch))
            elif ending and leg.state is None and self._lacks(leg.fit, epoch):
                tasks.append(self._task(job, None, 0, max(epoch, leg.fit.epochs)))
        self.on_progress(self.progress())
        return sorted(tasks, key=lambda task: -self.costs[task.job.digest])

    def _task(self, job: Job, state: trainers.State | None, begin: int, end: int) -> Task:
        leg = self.legs.get(job.digest)
        made = leg.fit.provenance if leg is not None and state is not None else None
        stops = (*(mark for mark in self.marks[job.digest] if begin < mark < end), end)
        return Task(job, state, stops, self.run.time_limit, 0.0 if made is None else made.seconds)

    def _lacks(self, fit: Fit, end: int) -> bool:
        """Whether weights at a rung are missing that a Fit would have if it had been trained for this run."""
        if not fit.weights or not trainers.weighs_midway(fit.job.config.sections):
            return False
        last = min(end, int(fit.curves.epoch[-1])) if len(fit.curves) else 0
        there = {*fit.snapshots, *([fit.epochs] if fit.outcome is Outcome.COMPLETED else [])}
        return any(rung <= last and rung not in there for rung in self.rungs)

    def _look_up(self, job: Job) -> None:
        """Take what the store has of a job."""
        self.jobs[job.digest] = job
        self.costs[job.digest] = trainers.cost(job.config.sections)
        self.all_costs += self.costs[job.digest]
        self.known += self.costs[job.digest]
        path = self.store.fit_path(job.digest)
        there = path.exists()
        fit = self.store.read(job.digest, set_aside=self.writes)
        self.damaged += [path.name] if there and fit is None else []
        self.marks[job.digest] = sorted({*self.rungs, *(fit.snapshots if fit else ())})
        if fit is None or (self.retry_failed and fit.outcome is Outcome.FAILED):
            return
        self.legs[job.digest] = Leg(replace(fit, job=job), None)
        if fit.outcome in FINAL:
            self._count(job, fit.outcome)

    def take(self, leg: Leg) -> bool:
        """Take what a worker brought, and store what is at its end. False: it failed and is to be tried again."""
        if leg.stopped:
            return True
        if leg.fit.outcome is Outcome.FAILED and self.tries[leg.fit.job.digest] < self.run.retries:
            self.tries[leg.fit.job.digest] += 1
            self.retried[leg.fit.cause or ""] += 1
            return False
        self._keep(leg)
        return True

    def _keep(self, leg: Leg) -> None:
        job, before = self.jobs[leg.fit.job.digest], self.legs.get(leg.fit.job.digest)
        fit = replace(leg.fit, job=job)
        self.fresh.add(job.digest)
        if before is not None and fit.outcome is Outcome.FAILED and not len(fit.curves):
            fit = failed_after(before.fit, fit)
        elif before is not None and before.state is not None:
            fit = _joined(before.fit, fit)
        fit = self.stamp(fit)
        if fit.provenance is not None and self.tries[job.digest]:
            fit = fit.stamped(replace(fit.provenance, tries=1 + self.tries[job.digest]))
        ended = fit.outcome in FINAL
        self.legs[job.digest] = Leg(self.store.write(fit) if ended else fit, leg.state)
        if ended:
            self._count(job, fit.outcome)
            self.on_progress(self.progress())

    @property
    def too_many_failed(self) -> bool:
        """Whether more Fits have failed than the spec allows: those that the store had count, too."""
        allowed = self.run.allowed
        return allowed is not None and self.outcomes[str(Outcome.FAILED)] > allowed

    def causes(self) -> Counter[str]:
        """Return why Fits failed, and how often."""
        return Counter(leg.fit.cause or "" for leg in self.legs.values() if leg.fit.outcome is Outcome.FAILED)

    def at(self, job: Job, epoch: int) -> Fit:
        """Return the Fit of a job as it was after ``epoch``, or as it ended before."""
        return upto(self.legs[job.digest].fit, epoch)

    def ended(self, one: Planned) -> bool:
        """Whether all Fits of a Config are there, and none of them has more to train before ``one.end``."""
        legs = [self.legs.get(job.digest) for job in one.jobs]
        return all(leg is not None and leg.state is None and _reaches(leg.fit, one.end) for leg in legs)

    def decide(self, one: Planned) -> tuple[Fit, ...]:
        """Return the Fits of a Config that ends at ``one.end``; what is given up there is stored now."""
        return tuple(self._decide(job, one.end) for job in one.jobs)

    def _decide(self, job: Job, end: int) -> Fit:
        leg = self.legs[job.digest]
        if leg.state is not None:
            self.legs[job.digest] = Leg(self.store.write(given_up(leg.fit)), None)
        decided = as_decided(self.legs[job.digest].fit, end, self.rungs)
        self._count(job, decided.outcome)
        return decided

    # ── progress ────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, job: Job, outcome: Outcome) -> None:
        cost = self.costs[job.digest]
        before = self.counted.get(job.digest)
        if before is None:
            self.known -= cost
        else:
            self.outcomes[before] -= 1
        if job.digest in self.fresh and job.digest not in self.trained:
            self.trained.add(job.digest)
            self.spent += cost
        self.counted[job.digest] = str(outcome)
        self.outcomes[str(outcome)] += 1

    def progress(self) -> Progress:
        """Return how far the run is; jobs that are not known yet are taken to cost what the known ones do."""
        trained, seconds = len(self.trained), time.monotonic() - self.started
        unknown = (self.total - len(self.costs)) * self.all_costs / max(1, len(self.costs))
        eta = seconds * (self.known + unknown) / self.spent if self.spent else None
        return Progress(self.total, len(self.counted) - trained, trained, +self.outcomes, seconds, eta)


def _reaches(fit: Fit, epoch: int) -> bool:
    return fit.outcome in FINAL or fit.epochs >= epoch


def _joined(before: Fit, after: Fit) -> Fit:
    """Return a Fit with the snapshots and the time of its earlier part."""
    fit = with_snapshots(after, {*before.snapshots, *after.snapshots}, before.snapshots)
    if before.provenance is None or fit.provenance is None:
        return fit
    seconds = before.provenance.seconds + fit.provenance.seconds
    return fit.stamped(replace(fit.provenance, started_ms=before.provenance.started_ms, seconds=seconds))
