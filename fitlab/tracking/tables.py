"""MLflow's empty tables: made once for each of its versions, by more than sixty migrations in a second, then copied."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path

from mlflow.tracking import MlflowClient

from fitlab.tracking import schema


def make(database: Path) -> None:
    """Make an MLflow database where nothing is. Opening it twice meanwhile crashes MLflow."""
    for kept in _folder().glob(_name("*")):
        with suppress(OSError):
            content = kept.read_bytes()
            if kept.name == _name(sha256(content).hexdigest()):
                database.write_bytes(content)
                if schema.obstacle(database) is None:
                    return
            kept.unlink()  # it is not what it was, or of another MLflow with this version's number
    database.unlink(missing_ok=True)
    MlflowClient(f"sqlite:///{database}").search_experiments(max_results=1)
    if not sys.dont_write_bytecode:
        with suppress(OSError, sqlite3.Error):  # it is made anew the next time
            _keep(database)


def _folder() -> Path:
    """Return where Python keeps what it compiles of this file: whoever may not write there goes without."""
    return Path(cache_from_source(__file__)).parent


def _name(digest: str) -> str:
    return f"mlflow-{version('mlflow')}-{digest}.db"


def _keep(database: Path) -> None:
    """Keep a copy: without the experiment that says when and where a database was made; MLflow makes another one."""
    with tempfile.TemporaryDirectory(dir=_folder()) as scratch:
        beside = Path(scratch) / "mlflow.db"
        beside.write_bytes(database.read_bytes())
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("DELETE FROM experiments")
            connection.execute("VACUUM")
        os.replace(beside, _folder() / _name(sha256(beside.read_bytes()).hexdigest()))
