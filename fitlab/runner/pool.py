"""Training many jobs in an Executor: never more than it can take, longest first, whatever breaks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from fitlab.errors import FitlabError
from fitlab.runner.slots import OverdueError, WorkerNotStartedError
from fitlab.runner.workers import LOST, Leg, Task, Workers, lost, time_limit_words, train

Keep = Callable[[Leg], bool]

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


def train_all(missing: Sequence[Task], pool: Pool, keep: Keep, stopping: Callable[[], bool]) -> bool:
    """Train until nothing is left, or it is to stop; return whether nothing is left.

    keep: takes each Leg as it comes; False: it failed, and its task is to be tried again.
    A job whose worker died may be innocent (a pool that breaks does not say whose job it was, and memory may have run
    out for another's sake): it is tried again when all others are done, alone, and what dies then has failed.
    """
    queue = _Queue(missing, 2 * pool.workers.count if pool.workers.count > 1 else 1)
    while queue.left and not stopping():
        try:
            while (task := queue.next()) is not None and not stopping():
                queue.began(pool.submit(task), task)
        except BrokenExecutor:
            queue.broke()
            pool.end()
        done, _ = wait(queue.running, timeout=POLL, return_when=FIRST_COMPLETED)
        for future in done:
            _ended(queue, future, keep)
        queue.recover()
    if stopping():
        pool.workers.stop()
        _drain(queue.running, keep)
    return not queue.left


class _Queue:
    """What waits, what runs, and what is to be tried alone."""

    def __init__(self, missing: Sequence[Task], room: int) -> None:
        self.waiting, self.suspects, self.room = deque(missing), deque[Task](), room
        self.running: dict[Future[Leg], Task] = {}
        self.alone = False  # what runs is a suspect
        self.idle_break = False  # since ``recover``: workers died before they had anything to do
        self.breaks = 0  # in a row, of that kind

    @property
    def left(self) -> bool:
        """Whether anything is."""
        return bool(self.waiting or self.suspects or self.running)

    def next(self) -> Task | None:
        """Return what is to be begun now, None where that is nothing."""
        self.alone = self.alone and bool(self.running)
        suspect = not self.waiting
        room = 1 if suspect or self.alone else self.room
        return (self.waiting or self.suspects or [None])[0] if len(self.running) < room else None

    def began(self, future: Future[Leg], task: Task) -> None:
        """Note that what ``next`` returned runs."""
        self.alone = not self.waiting
        (self.waiting or self.suspects).popleft()
        self.running[future] = task

    def broke(self) -> None:
        """Take back what ran in a pool that has broken."""
        if not self.running:
            self.not_started()
        self.suspects.extend(self.running.values())
        self.running.clear()

    def not_started(self) -> None:
        """Note that workers died before they had anything to do."""
        self.idle_break = True

    def recover(self) -> None:
        """After such a break wait a little. Raises FitlabError where workers always die so.

        A fork server that was killed takes all along that are being started, and is there for a moment yet.
        """
        if self.idle_break:
            self.idle_break, self.breaks = False, self.breaks + 1
            if self.breaks > MAX_IDLE_BREAKS:
                raise FitlabError("worker processes die as soon as they start; try fewer --jobs, or --jobs 1")
            time.sleep(POLL)


def _ended(queue: _Queue, future: Future[Leg], keep: Keep) -> None:
    """Take a Leg, or do what is to be done about a worker that is gone."""
    task, alone = queue.running.pop(future), queue.alone
    match future.exception():
        case WorkerNotStartedError():
            (queue.suspects if alone else queue.waiting).appendleft(task)
            queue.not_started()
            return
        case OverdueError():
            taken = keep(lost(task, time_limit_words(task)))
        case BrokenExecutor() if not alone:
            queue.suspects.append(task)
            taken = True
        case BrokenExecutor():
            taken = keep(lost(task, LOST))
        case _:
            taken = keep(future.result())
    queue.breaks = 0
    if not taken:
        queue.waiting.append(task)


def _drain(running: dict[Future[Leg], Task], keep: Keep) -> None:
    """Keep what finishes within the grace period after an interrupt."""
    for future in running:
        future.cancel()
    done, _ = wait([future for future in running if not future.cancelled()], timeout=GRACE)
    for future in done:
        if future.exception() is None:
            keep(future.result())
