"""A copy of MLflow's empty tables is what MLflow makes, is made once, and is not trusted when it is another one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from fitlab.tracking import tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr(tables, "_folder", lambda: kept)
    monkeypatch.setattr(tables.sys, "dont_write_bytecode", False)
    return kept


def said(database: Path) -> tuple[list, list]:
    """Return the tables, columns and indices of a database, and its experiments, once MLflow has opened it.

    Not the words that made them: MLflow writes constraints in any order.
    """
    found = MlflowClient(f"sqlite:///{database}").search_experiments()
    with closing(sqlite3.connect(database)) as connection:
        made = connection.execute("SELECT type, name FROM sqlite_master ORDER BY type, name").fetchall()
        columns = [
            connection.execute(f"PRAGMA table_info({name})").fetchall() for kind, name in made if kind == "table"
        ]
        revision = connection.execute("SELECT * FROM alembic_version").fetchall()
    return [made, columns, revision], [(one.experiment_id, one.name) for one in found]


@pytest.mark.slow
def test_a_copy_is_what_mlflow_makes(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    tables.make(first)
    (kept,) = folder.iterdir()
    made = kept.stat().st_mtime_ns
    tables.make(second)
    with closing(sqlite3.connect(second)) as connection:
        assert connection.execute("SELECT * FROM experiments").fetchall() == [], "nobody else's time and place"
    assert said(second) == said(first)
    assert [*folder.iterdir()] == [kept]
    assert kept.stat().st_mtime_ns == made


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "another revision", "a folder that may not be written"])
def test_what_cannot_be_used_is_made_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    tables.make(tmp_path / "first.db")
    (kept,) = folder.iterdir()
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:5000])
    elif damage == "another revision":
        with closing(sqlite3.connect(kept)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'another'")
        kept.rename(folder / tables._name(tables.sha256(kept.read_bytes()).hexdigest()))
    else:
        monkeypatch.setattr(tables, "_folder", lambda: tmp_path / "nowhere")
    tables.make(tmp_path / "second.db")
    assert said(tmp_path / "second.db") == said(tmp_path / "first.db")
    assert len([*folder.iterdir()]) == 1, "what cannot be used has made room"
