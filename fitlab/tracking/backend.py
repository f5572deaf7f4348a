"""Opening MLflow: the local database is created, migrated and set to WAL before anything else uses it."""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

# Before mlflow is imported: no telemetry, and a server that is down is found out in seconds, not minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is ours: --json

from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from fitlab.errors import PublishError

for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # "Creating initial MLflow database tables..." and the like


@dataclass(frozen=True)
class Backend:
    """Where runs go: a tracking URI; for a local SQLite file also that file and the folder of artifacts."""

    uri: str
    database: Path | None = None
    artifacts: Path | None = None


def backend(database: Path, artifacts: Path) -> Backend:
    """Return the server that MLFLOW_TRACKING_URI names, else SQLite at ``database``."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    return Backend(uri) if uri else Backend(f"sqlite:///{database}", database, artifacts)


_ours: set[str] = set()  # local databases that were opened here


@event.listens_for(Engine, "connect")
def _without_waiting(connection: Any, _record: Any) -> None:
    """Let commits to our own databases return before the disk has them.

    In WAL mode that risks the last runs when the power goes, which publishing again completes, and never the file.
    """
    if isinstance(connection, sqlite3.Connection):
        ((_, _, path),) = connection.execute("PRAGMA database_list").fetchall()[:1]
        if path in _ours:
            connection.execute("PRAGMA synchronous=NORMAL")


def connect(place: Backend) -> Any:
    """Return an MlflowClient; a local database is there, migrated and in WAL mode afterwards.

    Opening a fresh database twice at the same time crashes MLflow: hold a lock around this.
    """
    if place.database is not None and not place.database.exists():
        # MLflow makes its tables on first use. Killed in the middle it leaves a file that it never opens again.
        beside = place.database.with_name(f".mlflow.{os.getpid()}.{os.urandom(4).hex()}.tmp")
        try:
            MlflowClient(f"sqlite:///{beside}").search_experiments(max_results=1)
            os.replace(beside, place.database)
        finally:
            beside.unlink(missing_ok=True)
    if place.database is not None:
        _ours.add(os.path.realpath(place.database))
        connection = sqlite3.connect(place.database, timeout=60)
        try:
            connection.execute("PRAGMA journal_mode=WAL")  # fails at once on what is no database; MLflow tries for long
        finally:
            connection.close()
    client = MlflowClient(place.uri)
    client.search_experiments(max_results=1)  # migrates what an older MLflow left
    return client


def experiment_id(client: Any, name: str, place: Backend, known: str | None = None) -> str:
    """Return the id of the experiment ``name``, made where it is missing. known: its id, where it was there before.

    Raises PublishError if it was deleted or renamed.
    """
    found = client.get_experiment_by_name(name)
    renamed = client.get_experiment(known) if found is None and known is not None else None
    if renamed is not None and renamed.lifecycle_stage == "active":
        back = f"mlflow experiments rename --experiment-id {known} --new-name {name}"
        raise PublishError(
            f"the MLflow experiment {name} was renamed to {renamed.name}; give it its name back with "
            f"`MLFLOW_TRACKING_URI={quote(place.uri)} {back}`, or give the spec a new name"
        )
    if found is None:
        location = None if place.artifacts is None else (place.artifacts / name).as_uri()
        return str(client.create_experiment(name, artifact_location=location))
    if found.lifecycle_stage != "active":
        restore = f"mlflow experiments restore --experiment-id {found.experiment_id}"
        raise PublishError(
            f"the MLflow experiment {name} was deleted; bring it back with "
            f"`MLFLOW_TRACKING_URI={quote(place.uri)} {restore}`, or give the spec another name"
        )
    return str(found.experiment_id)


def all_runs(client: Any, experiment: str) -> list[Any]:
    """Return every run of an experiment, deleted ones too."""
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], "", ViewType.ALL, max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs
