"""From the store to MLflow, apart from training: what was trained is safe before this begins."""

from __future__ import annotations

from dataclasses import asdict

from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.backend import backend
from fitlab.tracking.publish import Published, open_client, publish_sweep


def publish(sweep: Sweep, store: Store) -> Published:
    """Log a sweep that ``store`` holds to MLflow, and note in the store where it went.

    Raises PublishError; StoreError where somebody else runs or publishes this sweep.
    """
    place = backend(store.database, store.artifacts)
    with store.locked(sweep.spec.name):
        with store.locked(".mlflow", wait=True):  # opening a fresh database twice at once crashes MLflow
            client = open_client(place)
        published = publish_sweep(sweep, client, place, store.fit_path)
        store.write_published(sweep.spec.name, asdict(published))
    return published
