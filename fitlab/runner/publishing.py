"""From the store to MLflow, apart from training: what was trained is safe before this begins."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict

from fitlab.errors import PublishError, StoreError
from fitlab.runner.signals import interrupts
from fitlab.store import Store, write_fit
from fitlab.sweep import Sweep
from fitlab.tracking.backend import backend
from fitlab.tracking.publish import Published, open_client, publish_sweep


def publish(sweep: Sweep, store: Store) -> Published:
    """Log a sweep that ``store`` holds to MLflow, and note in the store where it went.

    Raises PublishError, also where somebody else runs or publishes this sweep, and KeyboardInterrupt after Ctrl-C,
    between two runs.
    """
    place = backend(store.database, store.artifacts)
    local = place.database is not None
    try:
        # One publisher at a time: two that open a fresh SQLite database crash, two that write one wait for long.
        with store.locked(sweep.spec.name), store.locked(".mlflow", wait=True) if local else nullcontext():
            with interrupts(lambda: None) as interrupted:  # in the middle of a transaction MLflow takes it badly
                published = publish_sweep(sweep, open_client(place), place, write_fit, interrupted)
            store.write_published(sweep.spec.name, asdict(published))
    except StoreError as error:
        raise PublishError(str(error)) from error
    return published
