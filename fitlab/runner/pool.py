"""Training many jobs in an Executor: never more than it can take, longest first, whatever breaks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from fitlab.errors import FitlabError
from fitlab.records import Fit, Outcome
from fitlab.runner.workers import Leg, Task, Workers, provenance, train

POLL = 0.2  # seconds between looks at the interrupt flag
MAX_IDLE_BREAKS = 3  # of a pool in which nothing runs, in a row
GRACE = 10.0  # seconds that workers have to end after Ctrl-C


def train_all(
    missing: Sequence[Task],
    workers: Workers,
    keep: Callable[[Leg], None],
    interrupted: Callable[[], bool],
) -> None:
    """Train until nothing is left or the user interrupts; each Leg is handed to ``keep`` as it comes.

    When a worker dies its pool breaks and does not say whose job it was: the jobs in flight are then tried one
    at a time, and the one that breaks the pool alone has failed.
    """
    waiting, suspects = deque(missing), deque[Task]()
    running: dict[Future[Leg], Task] = {}
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
                    task = suspects[0] if suspects else waiting[0]
                    running[executor.submit(train, task)] = task
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
                    keep(_lost(running.popitem()[1]))
                suspects.extend(running.values())
                running.clear()
        workers.stop()
        _drain(running, keep)
    finally:
        workers.stop()
        executor.shutdown(wait=False, cancel_futures=True)


def _lost(task: Task) -> Leg:
    fit = Fit(task.job, Outcome.FAILED, 0, cause="lost its worker process (killed, or out of memory)")
    return Leg(fit.stamped(provenance(time.time(), 0.0)), None)


def _drain(running: dict[Future[Leg], Task], keep: Callable[[Leg], None]) -> None:
    """Keep what finishes within the grace period after an interrupt."""
    for future in running:
        future.cancel()
    done, _ = wait([future for future in running if not future.cancelled()], timeout=GRACE)
    for future in done:
        if future.exception() is None:
            keep(future.result())
