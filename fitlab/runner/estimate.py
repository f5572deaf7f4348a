"""How long a sweep will take: measured on a few of its own jobs, not guessed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from fitlab import trainers
from fitlab.data import Arrays
from fitlab.records import Job, Split
from fitlab.runner.workers import split_of

EPOCHS = 4  # trained of each timed job
TIMED = 4  # jobs
ENOUGH = 2.0  # seconds of a timed job whose epochs differ


@dataclass(frozen=True)
class Estimate:
    """Seconds of training that are left, with what the timing of ``timed`` jobs leaves open; 0 where none was."""

    low: float
    high: float
    timed: int
    workers: int
    untimed: int = 0  # jobs that were to be timed, and raised: their Fits will fail


def estimate(jobs: Sequence[Job], workers: int, arrays: Arrays | None = None, scale: float = 1.0) -> Estimate:
    """Time some epochs of up to four jobs from the cheapest to the dearest, and add up all by interpolation.

    scale: how many jobs each of these stands for.
    Where epochs differ (growth, stages, a single fit) jobs are timed whole, or as far as they come in two seconds:
    a single fit that takes longer is waited for.

    The bounds are what the fastest and the slowest measured epoch would give; publishing is not included.
    A job that raises is left out: the others say how long it would take.
    """
    if not jobs:
        return Estimate(0.0, 0.0, 0, workers)
    ordered = sorted(jobs, key=_cost_of_epoch)
    chosen = [ordered[round(i)] for i in np.linspace(0, len(ordered) - 1, min(TIMED, len(ordered)))]
    found = [(_cost_of_epoch(job), epochs) for job in chosen if (epochs := _epoch_times(job, arrays)) is not None]
    untimed = len(chosen) - len(found)
    if not found:
        return Estimate(0.0, 0.0, 0, workers, untimed)
    costs = np.array([cost for cost, _ in found])
    bounds = np.array([(min(epochs), max(epochs)) for _, epochs in found])  # (timed, 2)
    totals = [
        sum(float(np.interp(_cost_of_epoch(job), costs, column)) * trainers.end(job.config.sections) for job in jobs)
        for column in bounds.T
    ]
    return Estimate(scale * totals[0] / workers, scale * totals[1] / workers, len(found), workers, untimed)


def _cost_of_epoch(job: Job) -> float:
    return trainers.cost(job.config.sections) / trainers.end(job.config.sections)


def _epoch_times(job: Job, arrays: Arrays | None) -> list[float] | None:
    """Return the seconds of some epochs, the first one (which warms up) left out; None where training raises."""
    with threadpool_limits(limits=1):
        split = split_of(job, arrays)
        try:
            if not trainers.steady(job.config.sections):
                return [_mean_epoch_time(job, split) for _ in range(2)]
            return _steady_times(job, split)
        except Exception:  # as in a worker: its Fit will fail and say why, and is no reason not to plan
            return None


def _steady_times(job: Job, split: Split) -> list[float]:
    state = trainers.start(job, split)
    times = []
    for epoch in range(1, EPOCHS + 2):
        clock = time.perf_counter()
        state = trainers.advance(state, split, epoch, lambda: False)
        if state.epoch < epoch:
            break  # early stopping
        times.append(time.perf_counter() - clock)
    return times[1:] or times


def _mean_epoch_time(job: Job, split: Split) -> float:
    clock = time.perf_counter()
    state = trainers.start(job, split)
    end = trainers.end(job.config.sections)
    state = trainers.advance(state, split, end, lambda: time.perf_counter() - clock > ENOUGH)
    return (time.perf_counter() - clock) / max(state.epoch, 1)
