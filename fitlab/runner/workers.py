"""Where jobs are trained: threads, worker processes, or this thread. Workers never import mlflow and write nothing."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import threadpool_info, threadpool_limits

from fitlab import data, trainers
from fitlab.data import Arrays, Dataset
from fitlab.errors import Problem, SpecError, readable
from fitlab.records import Fit, Job, Outcome, Provenance, Split, failed_after, with_snapshots
from fitlab.runner.slots import Slots
from fitlab.seeds import canonical
from fitlab.spec.datasets import Data

P = ParamSpec("P")
T = TypeVar("T")
LIBRARIES = ("fitlab", "numpy", "scipy", "scikit-learn", "numba")
LOST = "lost its worker process (killed, or out of memory)"  # a cause
MAX_KEPT = 64  # splits, and data sets, in a worker


@dataclass(frozen=True)
class Workers:
    """How to get an Executor (again, after it broke), how many jobs it trains at a time, and how to end them.

    ``make`` also takes back an earlier ``stop``, so that Workers serve for one run after the other.
    """

    make: Callable[[], Executor]
    count: int
    stop: Callable[[], None]


def workers_for(
    count: int, arrays: Arrays | None = None, without_lock: bool = False, time_limit: float | None = None
) -> Workers:
    """Return ``count`` workers: for one this thread, else threads where training needs no lock, else processes.

    arrays: (X, y) for ``data.kind: arrays``. without_lock: see ``trainers.releases_lock``. time_limit: of a Fit; what
    may hang in foreign code is then trained in a process, also by one worker, for a thread cannot be killed.
    Raises SpecError for a count that is none.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise SpecError(f"jobs must be an integer ≥ 1, got {count!r}")
    if count == 1 and (without_lock or time_limit is None):
        return in_process(arrays)
    return threads(count, arrays) if without_lock else processes(count, arrays)


# ── in a worker ─────────────────────────────────────────────────────────────────────────────────────────────


class Bench:
    """What a worker keeps between jobs: the stop flag, the user's arrays, data sets and splits it has built."""

    def __init__(self, stopped: Callable[[], bool] = lambda: False, arrays: Arrays | None = None) -> None:
        self.stopped, self.arrays = stopped, arrays
        self.lock = threading.Lock()  # threads share a bench
        self.datasets: dict[str, Dataset] = {}
        self.splits: dict[tuple[str, int], Split] = {}

    def split(self, job: Job) -> Split:
        """Return the Split of a job, kept by what it is made of."""
        section = job.config.sections.data
        key = (canonical(job.config.plain["data"]) + job.fingerprint, job.stream("split"))
        with self.lock:
            if key not in self.splits:
                _make_room(self.splits)
                self.splits[key] = _split(job, self._dataset(section))
            return self.splits[key]

    def _dataset(self, section: Data) -> Dataset:
        source = data.source_key(section)
        if source not in self.datasets:
            _make_room(self.datasets)
            self.datasets[source] = data.load(section, self.arrays)
        return self.datasets[source]


def _make_room(kept: dict[Any, Any]) -> None:
    while len(kept) >= MAX_KEPT:
        del kept[next(iter(kept))]


_bench = Bench()  # of a worker process; in the driver every Workers has its own


@dataclass(frozen=True)
class Task:
    """What is to be trained: a job, from a state or from the start, to each of ``stops`` in turn."""

    job: Job
    state: trainers.State | None
    stops: tuple[int, ...]
    time_limit: float | None = None  # seconds of training, from the start of the job
    spent: float = 0.0  # seconds of them before ``state``

    @property
    def seconds(self) -> float | None:
        """Seconds that are left."""
        return None if self.time_limit is None else max(0.0, self.time_limit - self.spent)


@dataclass(frozen=True)
class Leg:
    """How far a job was trained: its Fit so far, and the state to go on from, where it is not at its end."""

    fit: Fit
    state: trainers.State | None
    stopped: bool = False  # before the last stop, because the user said so


def train(task: Task, bench: Bench | None = None) -> Leg:
    """Train a job on. Weights are kept at each stop but the last epoch; what goes wrong is outcome and cause."""
    bench = bench or _bench
    started = time.time()
    clock = time.perf_counter()
    state, kept, stopped = task.state, {}, False
    fit: Fit | None = None
    try:
        split = bench.split(task.job)
        overdue = _clock(task.seconds)
        state = trainers.start(task.job, split) if state is None else state
        for stop in task.stops:
            state = trainers.advance(state, split, stop, lambda: bench.stopped() or overdue())
            fit = trainers.finish(state, split)
            stopped = fit.outcome is Outcome.INTERRUPTED and bench.stopped()
            if not stopped and fit.outcome is Outcome.INTERRUPTED and overdue():
                fit = failed_after(fit, _failed(task, time_limit_words(task)))
            if stopped or fit.outcome is not Outcome.INTERRUPTED:
                break
            kept[fit.epochs] = fit.weights
    except Exception as error:  # a trial that raises is one failed Fit; the sweep goes on
        failed = _failed(task, readable(f"{type(error).__name__}: {error}"))
        fit = failed if fit is None else failed_after(fit, failed)
    assert fit is not None  # noqa: S101 (for the type checker: there is always a stop)
    fit = with_snapshots(fit, {*fit.snapshots, *kept}, kept)
    fit = fit.stamped(provenance(started, time.perf_counter() - clock))
    return Leg(fit, state if fit.outcome is Outcome.INTERRUPTED else None, stopped)


def _clock(seconds: float | None) -> Callable[[], bool]:
    """Return what says whether so many seconds have passed since now."""
    began = time.perf_counter()
    return lambda: seconds is not None and time.perf_counter() - began > seconds


def _failed(task: Task, cause: str) -> Fit:
    return Fit(task.job, Outcome.FAILED, 0, cause=cause)


def time_limit_words(task: Task) -> str:
    """Return the cause of a Fit that took too long."""
    return f"time limit: it took longer than {task.time_limit:g} s"


def lost(task: Task, cause: str) -> Leg:
    """Return what is left of a job whose worker is gone."""
    return Leg(_failed(task, cause).stamped(provenance(time.time(), 0.0)), None)


def split_of(job: Job, arrays: Arrays | None = None) -> Split:
    """Return the very arrays that ``job`` was trained on. Raises SpecError where the data have changed since."""
    return _split(job, data.load(job.config.sections.data, arrays))


def _split(job: Job, dataset: Dataset) -> Split:
    if dataset.fingerprint != job.fingerprint:
        given = f"fingerprint {dataset.fingerprint[:12]}, the job has {job.fingerprint[:12]}"
        raise SpecError([Problem(("data",), "these are not the data of the job", given)])
    return data.split(dataset, job.config.sections.data, job.stream("split"))


def provenance(started: float, seconds: float) -> Provenance:
    """Say when and where something was trained, and with what. started: Unix time in seconds."""
    return replace(here(), started_ms=round(started * 1000), seconds=seconds)


@cache
def here() -> Provenance:
    """Return the provenance of what is trained in this process, without when."""
    return Provenance(0, 0.0, socket.gethostname(), platform.platform(), versions(), cpu=_cpu(), blas=_blas_libraries())


def _cpu() -> str | None:
    """Return the model of the processor, as far as the system says it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or None


def _blas_libraries() -> str | None:
    """Return NumPy's and SciPy's BLAS, such as ``openblas 0.3.30 SkylakeX``: the last word is the CPU it runs for."""
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    parts = [[library.get(key) for key in ("internal_api", "version", "architecture")] for library in found]
    return ", ".join(sorted({" ".join(filter(None, words)) for words in parts})) or None


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _start_worker(flag: Any, arrays: Arrays | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's: it sets the flag
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_driver, daemon=True).start()
    threadpool_limits(limits=1)  # BLAS: the processes are the parallelism
    _bench.stopped, _bench.arrays = lambda: bool(flag.value), arrays


def _die_with_driver() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


# ── processes ───────────────────────────────────────────────────────────────────────────────────────────────


def processes(count: int, arrays: Arrays | None = None) -> Workers:
    """Train in ``count`` worker processes, forked from a server that has scikit-learn loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fitlab.runner.workers"])
    flag = context.RawValue("b", 0)

    def make() -> Executor:
        flag.value = 0
        return Slots(count, one)

    def one() -> ProcessPoolExecutor:
        _start_server()
        return _Pool(1, mp_context=context, initializer=_start_worker, initargs=(flag, arrays))

    def stop() -> None:
        flag.value = 1

    return Workers(make, count, stop)


def _start_server() -> None:
    """Start the fork server with Ctrl-C blocked, for it and its children for good: it is the driver's to handle."""
    resource_tracker.ensure_running()  # starting it would unblock Ctrl-C again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Pool(ProcessPoolExecutor):
    """Workers that do not import the caller's script: it needs no ``if __name__ == "__main__"``."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with _without_main():
            return super().submit(fn, *args, **kwargs)


_main_lock = threading.Lock()


@contextmanager
def _without_main() -> Iterator[None]:
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


# ── this process ────────────────────────────────────────────────────────────────────────────────────────────


class _OneBlasThread:
    """BLAS with one thread while anybody in this process trains; runs may overlap, the last one gives it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.limits: Any = None

    def take(self) -> None:
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.limits = threadpool_limits(limits=1).__enter__()

    def give_back(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.limits.__exit__(None, None, None)


_blas = _OneBlasThread()


def threads(count: int, arrays: Arrays | None = None) -> Workers:
    """Train in ``count`` threads: nothing to start and nothing to send, for trainers that release the lock."""
    return _here(count, arrays, lambda bench: _Threads(count, bench))


def in_process(arrays: Arrays | None = None) -> Workers:
    """Train one job after the other in this thread: no start-up, but a crash takes the driver along."""
    return _here(1, arrays, _Inline)


def _here(count: int, arrays: Arrays | None, executor: Callable[[Bench], Executor]) -> Workers:
    stopped: list[bool] = []
    bench = Bench(lambda: bool(stopped), arrays)

    def make() -> Executor:
        stopped.clear()
        return executor(bench)

    return Workers(make, count, lambda: stopped.append(True))


class _Threads(ThreadPoolExecutor):
    """Threads that share a bench."""

    def __init__(self, count: int, bench: Bench) -> None:
        super().__init__(count)
        self.bench = bench
        _blas.take()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return super().submit(fn, *args, self.bench, **kwargs)  # type: ignore[arg-type]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        _blas.give_back()


class _Inline(Executor):
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        _blas.take()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, self.bench, **kwargs))  # type: ignore[arg-type]
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        _blas.give_back()
