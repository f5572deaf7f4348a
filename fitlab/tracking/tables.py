"""MLflow's empty tables: made once for each of its versions, by more than sixty migrations in a second, then copied."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path

from mlflow.tracking import MlflowClient

from fitlab.tracking import schema


def make(database: Path) -> None:
    """Make an MLflow database where nothing is. Opening it twice meanwhile crashes MLflow."""
    kept = _kept()
    if kept is not None:
        database.write_bytes(kept)
        if schema.obstacle(database) is None:
            return
        database.unlink()
    MlflowClient(f"sqlite:///{database}").search_experiments(max_results=1)
    if not sys.dont_write_bytecode:
        with suppress(OSError, sqlite3.Error):  # it is made anew the next time
            _keep(database)


def _folder() -> Path:
    """Return where Python keeps what it compiles of this file: whoever may not write there goes without."""
    return Path(cache_from_source(__file__)).parent


def _name(digest: str) -> str:
    return f"mlflow-{version('mlflow')}-{digest}.db"


def _kept() -> bytes | None:
    """Return a database without experiments; None where none was kept, or another one than was."""
    for path in _folder().glob(_name("*")):
        with suppress(OSError):
            found = path.read_bytes()
            if path.name == _name(sha256(found).hexdigest()):
                return found
    return None


def _keep(database: Path) -> None:
    """Keep a copy: without the experiment that says when and where a database was made; MLflow makes another one."""
    beside = _folder() / f".{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("VACUUM INTO ?", (str(beside),))
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("DELETE FROM experiments")
            connection.execute("VACUUM")
        os.replace(beside, beside.with_name(_name(sha256(beside.read_bytes()).hexdigest())))
    finally:
        beside.unlink(missing_ok=True)
