"""A clock that goes backwards, and a database that somebody else has locked: nothing is lost, nothing is twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from tracking.test_publish import Mlflow, run

import fitlab
from fitlab.errors import PublishError

HOUR = 3600.0


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes back an hour whenever somebody looks at it; setting the machine's own is not ours to do."""
    now, looks = time.time(), iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: now - HOUR * next(looks))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))


def test_a_clock_that_goes_backwards_loses_nothing_and_makes_nothing_twice(
    tiny: dict, store: Path, backwards: None
) -> None:
    sweep = run(tiny, store)
    assert {str(fit.outcome) for fit in sweep.fits} == {"completed"}
    assert all(fit.provenance.seconds >= 0 for fit in sweep.fits)
    published = fitlab.publish("tiny", store)
    assert (published.created, published.unchanged, published.edited) == (0, 13, 0)
    assert all(
        r.info.end_time >= r.info.start_time for r in Mlflow(store).runs() if r.data.tags["fitlab.kind"] != "summary"
    )
    assert {r.info.status for r in Mlflow(store).runs()} == {"FINISHED"}
    assert run(tiny, store).fits == sweep.fits


def test_what_is_said_anew_is_shown_also_when_the_clock_went_back(tiny: dict, store: Path, backwards: None) -> None:
    """MLflow shows the point of a metric with the latest time: one that says something else must be later."""
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3]}  # nothing is learned
    run(tiny, store)
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3, 1e-4]}
    sweep = run(tiny, store)
    shown = {r.data.tags["fitlab.digest"]: r.data.metrics for r in Mlflow(store).runs("config")}
    for digest, verdict in sweep.verdicts.by_config.items():
        assert shown[digest].get("verdict/excess") == verdict.reasons["excess"].estimate
    rows = Mlflow(store).rows()
    fitlab.publish("tiny", store)
    assert Mlflow(store).rows() == rows


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_database_that_is_locked_for_a_while_is_waited_for(tiny: dict, store: Path, kind: str) -> None:
    with closing(sqlite3.connect(store / "mlflow.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute(f"BEGIN {kind}")
        threading.Timer(2, other.execute, ["ROLLBACK"]).start()
        sweep = run(tiny, store)
    assert len(sweep.fits) == 8
    assert len(Mlflow(store).runs()) == 13


@pytest.mark.slow
def test_a_database_that_stays_locked_costs_no_training_and_publishing_catches_up(tiny: dict, store: Path) -> None:
    with closing(sqlite3.connect(store / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(PublishError, match="database is locked"):
            run(tiny, store)
        assert len(fitlab.load("tiny", store).fits) == 8
        other.execute("ROLLBACK")
    assert fitlab.publish("tiny", store).created == 13
    assert len(Mlflow(store).runs()) == 13
