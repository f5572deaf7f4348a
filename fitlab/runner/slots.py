"""An Executor of worker processes of which each is a pool of its own.

When a process of a ``ProcessPoolExecutor`` dies, the pool breaks: everything in it is lost, and nobody can say whose
job it was. Here a process that dies takes its own job along and no other, and one that hangs is killed alone.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

GRACE = 5.0  # seconds beyond its time limit that a job has to end by itself, before its process is killed


class WorkerNotStartedError(BrokenExecutor):
    """A worker process ended before it was given a job."""


class OverdueError(BrokenExecutor):
    """A worker process hung, and was killed."""


class _Limited(Protocol):
    @property
    def seconds(self) -> float | None: ...


class _Call:
    """A job that waits or runs: what is called with what, and who is told."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float | None) -> None:
        self.function, self.arguments, self.seconds = function, arguments, seconds
        self.future: Future[Any] = Future()


class _Slot:
    """One process, started when it is first needed, again after it died."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.process: int | None = None  # its id, once it has started
        self.call: _Call | None = None
        self.timer: threading.Timer | None = None
        self.overdue = False

    def listen(self) -> None:
        """Give up this process's own end of the pipe that the worker answers through.

        While somebody could go on writing, nobody would learn that a worker was killed in the middle of an answer.
        """
        pool: Any = self.pool
        with suppress(AttributeError):  # of a Python that keeps it elsewhere
            pool._result_queue._writer.close()

    def clear(self) -> None:
        """Forget a process that is gone."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = self.process = None

    def kill(self) -> None:
        """Kill the process, if it has started; its pool sees that and says so."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)


class Slots(Executor):
    """``count`` worker processes, each made by ``make`` as a pool of one.

    A future raises BrokenExecutor where its own process died: WorkerNotStartedError before it had begun,
    OverdueError where it took GRACE longer than the ``seconds`` of the first argument allow.
    """

    def __init__(self, count: int, make: Callable[[], ProcessPoolExecutor]) -> None:
        self._make = make
        self._slots = [_Slot() for _ in range(count)]
        self._waiting: deque[_Call] = deque()
        self._lock = threading.RLock()  # callbacks come from a thread of each pool, or at once
        self._ended = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        call = _Call(fn, args, getattr(args[0], "seconds", None) if args else None)
        with self._lock:
            self._waiting.append(call)
            self._fill()
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End the processes. What still runs is killed: whoever calls this no longer waits for it."""
        with self._lock:
            self._ended = True
            while self._waiting:
                self._waiting.popleft().future.cancel()
            for slot in self._slots:
                if slot.timer is not None:
                    slot.timer.cancel()
                if slot.call is not None:
                    slot.kill()
                slot.clear()

    def _fill(self) -> None:
        for slot in self._slots:
            while slot.call is None and self._waiting and not self._ended:
                call = self._waiting.popleft()
                if call.future.set_running_or_notify_cancel():
                    slot.call = call
                    self._begin(slot, call)

    def _begin(self, slot: _Slot, call: _Call) -> None:
        if slot.pool is not None:
            self._run(slot, call)
            return
        try:
            slot.pool = self._make()
            started = slot.pool.submit(os.getpid)
        except (OSError, EOFError, BrokenExecutor) as error:  # EOFError: the fork server has died
            self._end(slot, call, WorkerNotStartedError(str(error)))
            return
        started.add_done_callback(lambda future: self._started(slot, call, future))

    def _started(self, slot: _Slot, call: _Call, future: Future[int]) -> None:
        with self._lock:
            if self._ended or future.cancelled():
                return
            if (error := future.exception()) is not None:
                self._end(slot, call, WorkerNotStartedError(str(error)))
                return
            slot.process = future.result()
            slot.listen()
            self._run(slot, call)

    def _run(self, slot: _Slot, call: _Call) -> None:
        assert slot.pool is not None  # noqa: S101 (for the type checker: it has started)
        slot.overdue = False
        try:
            future = slot.pool.submit(call.function, *call.arguments)
        except BrokenExecutor as error:  # it died while it had nothing to do
            self._end(slot, call, WorkerNotStartedError(str(error)))
            return
        if call.seconds is not None:
            slot.timer = threading.Timer(call.seconds + GRACE, self._kill, (slot, call))
            slot.timer.daemon = True
            slot.timer.start()
        future.add_done_callback(lambda done: self._done(slot, call, done))

    def _kill(self, slot: _Slot, call: _Call) -> None:
        with self._lock:
            if slot.call is call:
                slot.overdue = True
                slot.kill()

    def _done(self, slot: _Slot, call: _Call, future: Future[Any]) -> None:
        with self._lock:
            if slot.timer is not None:
                slot.timer.cancel()
                slot.timer = None
            error = None if future.cancelled() else future.exception()
            if future.cancelled() or isinstance(error, BrokenExecutor):
                self._end(slot, call, OverdueError() if slot.overdue else error or BrokenExecutor("it was ended"))
                return
            slot.call = None
            if error is not None:
                call.future.set_exception(error)
            else:
                call.future.set_result(future.result())
            self._fill()

    def _end(self, slot: _Slot, call: _Call, error: BaseException) -> None:
        """Tell that a process is gone, and go on with another."""
        slot.call = None
        slot.clear()
        call.future.set_exception(error)
        self._fill()
