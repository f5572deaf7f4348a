"""Whether MLflow, as it is installed here, can open a SQLite database as it is. Imports no mlflow.

MLflow (3.17) migrates an older database as soon as it opens it, without asking and without a copy, if it lacks a
table; so does its server. Nothing of a user's is rewritten without being asked for: we look before it does.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_REVISION = re.compile(r"^(down_)?revision\s*(?::[^=]+)?=\s*['\"](\w+)['\"]", re.MULTILINE)


def obstacle(database: Path) -> str | None:
    """Say why MLflow must not open a database yet and what to do; None where nothing is known to be in the way."""
    found, (known, head) = _revision(database), _revisions()
    if found is None or head is None or found == head:
        return None
    here = f"MLflow {version('mlflow')}"
    if found and found not in known:
        return (
            f"{database} was written by a newer MLflow than {here}, which is installed here (schema {found}, here "
            f"{head}): install that one (`pip install --upgrade mlflow`), or use another --store"
        )
    path, copy = shlex.quote(str(database)), shlex.quote(f"{database}.before-upgrade")
    return (
        f"{database} was written by an older MLflow than {here} (schema {found or 'before 1.0'}, here {head}); it is "
        f"left as it is. While nothing uses it, keep a copy and upgrade it: `cp {path} {copy} && mlflow db upgrade "
        f"{shlex.quote(f'sqlite:///{database}')}`; or use another --store"
    )


def _revision(database: Path) -> str | None:
    """Return the revision of a database, "" of one from before there were any; None where it is none of MLflow's."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" not in tables:
                return "" if "experiments" in tables else None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None  # no database: MLflow says so
    return str(row[0]) if row else ""


def _revisions() -> tuple[set[str], str | None]:
    """Return the revisions that MLflow knows, and the newest; None where there is not exactly one."""
    spec = find_spec("mlflow")
    folder = Path(spec.origin or "").parent / "store" / "db_migrations" / "versions" if spec else Path()
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    found = [match for text in texts for match in _REVISION.findall(text)]
    known, below = ({name for down, name in found if bool(down) is wanted} for wanted in (False, True))
    heads = known - below
    return known, heads.pop() if len(heads) == 1 else None
