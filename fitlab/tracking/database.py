"""What MLflow's SQLite database says about itself and our runs, read and never written. Imports no mlflow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fitlab.tracking.links import ARTIFACT

_OURS = (
    "FROM runs JOIN experiments USING (experiment_id) JOIN tags ON tags.run_uuid = runs.run_uuid "
    "WHERE tags.key = 'fitlab.kind' AND runs.lifecycle_stage = 'active'"
)
# The name that we know an experiment by stays when a user renames it.
_NAME = (
    "COALESCE((SELECT value FROM experiment_tags WHERE key = 'fitlab.name' "
    "AND experiment_tags.experiment_id = experiments.experiment_id), experiments.name)"
)


@dataclass(frozen=True)
class State:
    """What was found in a database."""

    runs: int
    journal_mode: str
    damage: str | None  # what SQLite's own check complains of
    running: dict[str, int]  # sweep -> runs of ours that are RUNNING
    files_gone: dict[str, int]  # sweep -> runs whose files are gone from this machine


def read(database: Path, check: bool = True) -> State:
    """Read a database. check: have SQLite go through all of it. Raises sqlite3.Error where it cannot be read."""
    with _opened(database) as connection:
        damage = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]) if check else "ok"
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        running = f"SELECT {_NAME}, count(*) {_OURS} AND status = 'RUNNING' GROUP BY 1"
        ended = f"SELECT {_NAME}, artifact_uri {_OURS} AND tags.value = 'fit' AND status != 'RUNNING'"
        gone: dict[str, int] = {}
        for name, uri in connection.execute(ended):
            place = urlsplit(uri)
            local = place.scheme in ("", "file")  # others lie elsewhere
            if local and not (Path(url2pathname(place.path)) / ARTIFACT).is_file():
                gone[name] = gone.get(name, 0) + 1
        return State(runs, mode, None if damage == "ok" else damage, dict(connection.execute(running)), gone)


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read. In WAL mode that takes two files beside it, which a read-only disk does not have."""
    uri = f"{database.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=60)
        connection.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.OperationalError:
        if os.access(database.parent, os.W_OK):
            raise
        connection = sqlite3.connect(f"{uri}&immutable=1", uri=True)  # nobody can write it
    with closing(connection):
        yield connection
