"""From the store to MLflow, apart from training: what was trained is safe before this begins.

As a program, `python -m fitlab.runner.publishing STORE NAME`, it is what ``ahead`` and ``alongside`` start.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # until all is imported: it would look a hundred times for what can go, and nothing can

import json
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO

from fitlab.errors import PublishError, StoreError
from fitlab.records import Fit
from fitlab.runner.alongside import Whole
from fitlab.runner.signals import interrupts
from fitlab.store import Store, write_fit
from fitlab.sweep import Sweep
from fitlab.tracking.backend import backend
from fitlab.tracking.links import Published
from fitlab.tracking.publish import Publisher, open_client


class Log:
    """MLflow, opened for one sweep of a store. Whoever uses it holds the lock of that sweep.

    A local database has one writer at a time (two that open a fresh one crash, two that write one wait for long),
    so it is locked, but no longer than it takes to log a Config: other sweeps of the store log theirs in between.
    All methods raise PublishError.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name = store, name
        self.place = backend(store.database, store.artifacts)
        with self._alone():
            self.publisher = Publisher(open_client(self.place), self.place, name, write_fit)

    def settled(self, part: Sweep) -> None:
        """Log the Configs of a part of the sweep."""
        with self._alone():
            self.publisher.publish(part)

    def finish(self, sweep: Sweep) -> Published:
        """Log what is missing, and note in the store where it went.

        Raises KeyboardInterrupt after Ctrl-C, between two runs.
        """
        with self._alone(), interrupts(lambda: None) as interrupted:  # in the middle of a transaction MLflow takes it
            self.publisher.interrupted = interrupted  # badly
            published = self.publisher.finish(sweep)
        with _as_publish_error():
            self.store.write_published(self.name, asdict(published))
        return published

    @contextmanager
    def _alone(self) -> Iterator[None]:
        local = self.place.database is not None
        with _as_publish_error(), self.store.locked(".mlflow", wait=True) if local else nullcontext():
            yield


@contextmanager
def _as_publish_error() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise PublishError(str(error)) from error


def publish(sweep: Sweep, store: Store) -> Published:
    """Log a sweep that ``store`` holds to MLflow.

    Raises as ``Log``, where somebody else runs this sweep, and where Fits of a finished one are lost: its runs are
    whole, and half of them would take their place.
    """
    record = store.sweep_record(sweep.spec.name)
    lost = sum(len(one["fits"]) for one in record["configs"]) - len(sweep.fits)
    if record.get("finished") and lost:
        raise PublishError(
            f"{lost} Fits of {sweep.spec.name} are lost; `fitlab sweep SPEC` trains them again and logs all"
        )
    with _as_publish_error(), store.locked(sweep.spec.name):
        return Log(store, sweep.spec.name).finish(sweep)


def main(root: str, name: str) -> None:
    """Log the Configs that come on stdin, then the whole sweep; answer on stdout what was published, or why not."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    gc.freeze()  # what was imported stays
    gc.enable()
    gc.set_threshold(20_000, 20, 100)  # MLflow makes many objects that die by themselves
    messages: SimpleQueue[Sweep | Whole] = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, messages), daemon=True).start()
    with answers:
        try:
            message, fits = messages.get(), dict[str, Fit]()  # nothing is opened before there is something to log
            log = Log(Store.at(root), name)
            while isinstance(message, Sweep):
                log.settled(message)
                fits |= {fit.job.digest: fit for fit in message.fits}
                message = messages.get()
            json.dump(asdict(log.finish(message.put_together(fits))), answers)
        except PublishError as error:
            json.dump({"error": str(error)}, answers)
    os._exit(0)  # at an orderly end Python would wait for the thread that reads


def _receive(pipe: IO[bytes], messages: SimpleQueue[Sweep | Whole]) -> None:
    """Read messages; when there is nobody left to send any, end this process, whatever it does.

    Whoever sent them may have been killed in the middle of one, and half of one raises what it likes.
    """
    try:
        while True:
            messages.put(pickle.load(pipe))  # noqa: S301 (from our own parent)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
