"""From the store to MLflow, apart from training: what was trained is safe before this begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict

from fitlab.errors import PublishError, StoreError
from fitlab.runner.signals import interrupts
from fitlab.store import Store, write_fit
from fitlab.sweep import Sweep
from fitlab.tracking.backend import backend
from fitlab.tracking.publish import Published, Publisher, open_client


class Log:
    """MLflow, opened for one sweep of a store. Whoever uses it holds the lock of that sweep.

    A local database has one writer at a time (two that open a fresh one crash, two that write one wait for long),
    so it is locked, but no longer than it takes to log a Config: other sweeps of the store log theirs in between.
    All methods raise PublishError.
    """

    def __init__(self, store: Store, name: str, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.store, self.name = store, name
        self.place = backend(store.database, store.artifacts)
        with self._alone():
            self.publisher = Publisher(open_client(self.place), self.place, name, write_fit)
        self.publisher.interrupted = interrupted

    def settled(self, part: Sweep) -> None:
        """Log the Configs of a part of the sweep. Raises KeyboardInterrupt where it is interrupted."""
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
    """Log a sweep that ``store`` holds to MLflow. Raises as ``Log``, and where somebody else runs this sweep."""
    with _as_publish_error(), store.locked(sweep.spec.name):
        return Log(store, sweep.spec.name).finish(sweep)
