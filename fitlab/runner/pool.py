"""Training many jobs in an Executor: never more than it can take, longest first, whatever breaks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from fitlab.errors import FitlabError
from fitlab.records import Fit, Outcome
from fitlab.runner.workers import Leg, Task, Workers, provenance, train

POLL = 0.2  # seconds between looks at the interrupt flag
MAX_IDLE_BREAKS = 3  # of a pool in which nothing runs, in a row
GRACE = 10.0  # seconds that workers have to end after Ctrl-C


class Pool:
    """The workers of one run: started when they are needed, again after they broke, ended with the run."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self._executor: Executor | None = None

    def submit(self, task: Task) -> Future[Leg]:
        """Hand a task to a worker. Raises BrokenExecutor, and FitlabError where no worker can be started."""
        try:
            if self._executor is None:
                self._executor = self.workers.make()
            return self._executor.submit(train, task)
        except OSError as error:
            raise FitlabError(f"no worker process could be started: {error}; try fewer --jobs") from error

    def end(self) -> None:
        """End the workers; the next task starts others."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.workers.stop()
        self.end()


def train_all(
    missing: Sequence[Task], pool: Pool, keep: Callable[[Leg], None], interrupted: Callable[[], bool]
) -> None:
    """Train until nothing is left or the user interrupts; each Leg is handed to ``keep`` as it comes.

    When a worker dies its pool breaks and does not say whose job it was: the jobs in flight are then tried one
    at a time, and the one that breaks the pool alone has failed.
    """
    waiting, suspects = deque(missing), deque[Task]()
    running: dict[Future[Leg], Task] = {}
    count = pool.workers.count
    alone = False  # a suspect is running, and nothing else may
    idle_breaks = 0
    while (waiting or suspects or running) and not interrupted():
        alone = bool(suspects) or (alone and bool(running))
        room = 1 if alone or count == 1 else 2 * count
        broken = False
        try:
            while (suspects or waiting) and len(running) < room and not interrupted():
                task = suspects[0] if suspects else waiting[0]
                running[pool.submit(task)] = task
                (suspects or waiting).popleft()
        except BrokenExecutor:
            broken = True
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
            pool.end()
            if alone and running:
                keep(_lost(running.popitem()[1]))
            suspects.extend(running.values())
            running.clear()
    if interrupted():
        pool.workers.stop()
        _drain(running, keep)


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
