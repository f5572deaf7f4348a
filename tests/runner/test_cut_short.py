"""`fitlab.run` that is interrupted or stopped: what is done is kept and in MLflow, as by the command line."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from runner.test_alongside import nobody  # noqa: F401 (a fixture)
from runner.test_failures import Unlucky

import fitlab
from fitlab.errors import StoppedError
from fitlab.runner import publishing
from fitlab.trainers import mlp


def logged(store: Path) -> dict[str, str]:
    """What MLflow has of Fits: their status by the digest of their job."""
    runs = MlflowClient(f"sqlite:///{store / 'mlflow.db'}").search_runs(["1"], "tags.`fitlab.kind` = 'fit'")
    return {run.data.tags["fitlab.digest"]: run.info.status for run in runs}


def stored(store: Path) -> set[str]:
    return {fit.job.digest for fit in fitlab.load("tiny", store).fits}


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the fourth Fit is trained."""
    real, begun = mlp.start, iter(range(10**6))

    def start(*arguments: object) -> mlp.State:
        if next(begun) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(mlp, "start", start)


def test_what_is_done_by_ctrl_c_is_logged_and_the_same_call_continues(tiny: dict, store: Path, ctrl_c: None) -> None:
    with pytest.raises(KeyboardInterrupt) as stop:
        fitlab.run(tiny, store=store, jobs=1)
    assert not hasattr(stop.value, "__notes__")
    done = stored(store)
    assert 3 <= len(done) < 8
    assert logged(store) == dict.fromkeys(done, "FINISHED")
    sweep = fitlab.run(tiny, store=store, jobs=1)
    assert logged(store) == {fit.job.digest: "FINISHED" for fit in sweep.fits}
    assert len(sweep.fits) == 8


def test_what_is_done_by_the_time_it_is_stopped_is_logged(
    tiny: dict, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unlucky(monkeypatch, 99, seed=1)
    with pytest.raises(StoppedError, match="max_failures"):
        fitlab.run({**tiny, "run": {"max_failures": 1}}, store=store, jobs=1)
    found = logged(store)
    assert found.keys() == stored(store)
    assert list(found.values()).count("FAILED") == 2


def test_nothing_is_logged_where_nobody_asked_for_it(tiny: dict, store: Path, ctrl_c: None) -> None:
    with pytest.raises(KeyboardInterrupt):
        fitlab.run(tiny, store=store, jobs=1, publish=False)
    assert MlflowClient(f"sqlite:///{store / 'mlflow.db'}").get_experiment_by_name("tiny") is None


def test_where_nobody_answers_a_note_says_what_logs_it(tiny: dict, store: Path, ctrl_c: None, nobody: None) -> None:  # noqa: F811
    with pytest.raises(KeyboardInterrupt) as stop:
        fitlab.run(tiny, store=store, jobs=1)
    (note,) = stop.value.__notes__
    assert note.startswith("not published: MLflow at http://127.0.0.1:9")
    assert note.endswith(f"`fitlab publish tiny --store {store}` logs what is there")
    assert len(stored(store)) >= 3


def test_another_ctrl_c_leaves_it(tiny: dict, store: Path, ctrl_c: None, monkeypatch: pytest.MonkeyPatch) -> None:
    real = publishing.Log.finish

    def finish(*arguments: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(publishing.Log, "finish", finish)
    with pytest.raises(KeyboardInterrupt) as stop:
        fitlab.run(tiny, store=store, jobs=1)
    assert stop.value.__notes__ == [
        f"interrupted while logging to MLflow: `fitlab publish tiny --store {store}` logs what is there"
    ]
