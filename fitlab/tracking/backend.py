"""Opening MLflow: the local database is created, migrated and set to WAL before anything else uses it."""

from __future__ import annotations

import logging
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

# Before mlflow is imported: no telemetry, and a server that is down is found out in seconds, not minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is ours: --json

from mlflow.entities import ViewType
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from fitlab.errors import FitlabError, PublishError, StoreError
from fitlab.tracking import schema, tables
from fitlab.tracking.links import cleaned, masked
from fitlab.tracking.refused import refusal

for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # "Creating initial MLflow database tables..." and the like


@dataclass(frozen=True)
class Backend:
    """Where runs go: a tracking URI; for the store's own SQLite file also that; for a database the folder of files."""

    uri: str
    database: Path | None = None
    artifacts: Path | None = None


def backend(database: Path, artifacts: Path) -> Backend:
    """Return the server or database that MLFLOW_TRACKING_URI names, else SQLite at ``database``.

    A database says not where files go; MLflow would put them into the folder that a command happens to be run in.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri:
        return Backend(uri, artifacts=artifacts if _is_database(uri) else None)
    return Backend(f"sqlite:///{database}", database, artifacts)


def _is_database(uri: str) -> bool:
    return uri.partition("://")[0].partition("+")[0] in DATABASE_ENGINES


@contextmanager
def failing(place: Backend, kind: type[PublishError] | type[StoreError]) -> Iterator[None]:
    """Raise whatever MLflow, its database or the network throws as ``kind``, without the password of a URI."""
    try:
        yield
    except FitlabError:
        raise
    except Exception as error:
        said = refusal(error, place.uri) or f"{type(error).__name__}: {error}"
        text = f"MLflow at {place.uri}: {said}".replace("<database_uri>", place.uri)
        if "out-of-date database schema" in text:  # MLflow says that of newer ones, too
            text += " Or was it made by a newer MLflow? Then upgrade this one: `pip install --upgrade mlflow`."
        if place.database is not None and any(one in text for one in NO_DATABASE):
            text += f"; move {place.database.name} away, and publishing fills a new one"
        raise kind(cleaned(text, place.uri).strip()) from error


NO_DATABASE = ("not a database", "image is malformed", "no such table")  # what SQLite says of one that is damaged
NAMED = "fitlab.name"  # tag of an experiment: the name that we know it by

OURS = (
    "SELECT experiment_id, artifact_location FROM experiments JOIN experiment_tags USING (experiment_id) WHERE key = ?"
)
RELOCATE = """
UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?
"""

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
    """Return an MlflowClient; a local database is there, and in WAL mode afterwards.

    Opening a fresh database twice at the same time crashes MLflow: hold a lock around this.
    Raises PublishError for a SQLite database of another version of MLflow, which would be migrated.
    """
    file = place.database or sqlite_file(place.uri)
    if file is not None and (said := schema.obstacle(file)):
        raise PublishError(said)
    if place.database is not None and not place.database.exists():
        # MLflow makes its tables on first use. Killed in the middle it leaves a file that it never opens again.
        beside = place.database.with_name(f".mlflow.{os.getpid()}.{os.urandom(4).hex()}.tmp")
        try:
            tables.make(beside)
            for end in ("-wal", "-shm", "-journal"):  # of one that is gone: SQLite would write it into the new one
                with suppress(FileNotFoundError):
                    os.replace(f"{place.database}{end}", f"{place.database}{end}.left")
            os.replace(beside, place.database)
        finally:
            beside.unlink(missing_ok=True)
    if place.database is not None:
        _ours.add(os.path.realpath(place.database))
        connection = sqlite3.connect(place.database, timeout=60)
        try:
            connection.execute("PRAGMA journal_mode=WAL")  # fails at once on what is no database; MLflow tries for long
            _move_along(connection, place)
        finally:
            connection.close()
    if file is None and _is_database(place.uri):
        _knock(place.uri)
    client = MlflowClient(place.uri)
    client.search_experiments(max_results=1)
    return client


def _knock(uri: str) -> None:
    """Open a database once: MLflow tries for minutes where it is down, or the password is wrong."""
    engine = create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _move_along(connection: sqlite3.Connection, place: Backend) -> None:
    """Let a store that was moved or copied have its files where they are now: MLflow knows them by absolute paths.

    Otherwise new runs would have theirs where the store was, which may be another one now.
    """
    for identity, location in connection.execute(OURS, (NAMED,)).fetchall():
        before = Path(url2pathname(urlsplit(location).path))
        if place.artifacts is None or urlsplit(location).scheme != "file":
            continue
        if os.path.realpath(before.parent) == os.path.realpath(place.artifacts):
            continue
        now, length = (place.artifacts / before.name).as_uri(), len(location)
        with connection:
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (now, identity))
            connection.execute(RELOCATE, (now, length + 1, identity, length + 1, f"{location}/"))


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a SQLite URI; None for another one."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def experiment_id(client: Any, name: str, place: Backend) -> str:
    """Return the id of the experiment ``name``, made where it is missing.

    Raises PublishError if somebody deleted or renamed it.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        renamed = _renamed(client, name)
        if renamed is not None:
            back = _command(place, "rename", renamed.experiment_id, "--new-name", name)
            raise PublishError(
                f"the MLflow experiment {name} was renamed to {renamed.name}, and is left so. To go on in it, give the "
                f"spec that name (`name: {renamed.name}`) or rename it back: `{back}`; to begin another one, give the "
                f"spec another name"
            )
        location = None if place.artifacts is None else (place.artifacts / name).as_uri()
        return str(client.create_experiment(name, artifact_location=location, tags={NAMED: name}))
    if found.lifecycle_stage != "active":
        restore = _command(place, "restore", found.experiment_id)
        raise PublishError(
            f"the MLflow experiment {name} was deleted; bring it back with `{restore}`, or give the spec another name"
        )
    return str(found.experiment_id)


def experiment_named(client: Any, name: str) -> Any | None:
    """Return the active experiment of a sweep, also where a user renamed it; None where there is none."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return _renamed(client, name)
    return found if found.lifecycle_stage == "active" else None


def _renamed(client: Any, name: str) -> Any | None:
    """Return the experiment that we made as ``name`` and that has another one now; None where there is none."""
    filtered = f"tags.`{NAMED}` = '{name}'"  # names have no quotes
    return next(iter(client.search_experiments(ViewType.ACTIVE_ONLY, filter_string=filtered)), None)


def _command(place: Backend, verb: str, experiment: str, *more: str) -> str:
    """Write the command of MLflow that changes an experiment there."""
    words = ["mlflow", "experiments", verb, "--experiment-id", experiment, *more]
    return f"MLFLOW_TRACKING_URI={shlex.quote(masked(place.uri))} {shlex.join(words)}"


def all_runs(client: Any, experiment: str, filtered: str = "") -> list[Any]:
    """Return every run of an experiment, deleted ones too; ``filtered`` in MLflow's words."""
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], filtered, ViewType.ALL, max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs
