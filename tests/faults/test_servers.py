"""A MLflow server that goes away, comes back, or is none: training goes on, and publishing catches up."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PROVE
from faults.serving import Server, pretending, served
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
from tracking.test_publish import run

import fitlab
from fitlab.errors import PublishError

SPEC = """\
name: away
data: {kind: digits, train_size: 200, label_noise: 0.1}
model: {kind: mlp, hidden_layer_sizes: [32]}
training: {epochs: 2500}
seeds: 2
sweep: {parameters: {training.alpha: {values: [1e-4, 1e-3, 1e-2, 0.1, 1]}}}
"""
RUNS = 5 + 5 * 2 + 1


def said(client: MlflowClient, name: str) -> list[tuple]:
    """What MLflow has of a sweep, deleted runs too, but for its own ids and times, which of its parent by name."""
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], "", ViewType.ALL, max_results=1000)
    names = {run.info.run_id: run.data.tags["fitlab.digest"] for run in runs}
    return sorted(
        (
            run.data.tags["fitlab.kind"],
            run.data.tags["fitlab.digest"],
            run.info.status,
            run.info.lifecycle_stage,
            names.get(run.data.tags.get("mlflow.parentRunId")) or "",
            sorted(item for item in run.data.tags.items() if item[0] != "mlflow.parentRunId"),
            sorted(run.data.params.items()),
            [
                (key, [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)])
                for key in sorted(run.data.metrics)
            ],
            sorted(file.path for file in client.list_artifacts(run.info.run_id)),
        )
        for run in runs
    )


def command(verb: str, *words: object) -> list[str]:
    return [sys.executable, "-m", "fitlab", verb, *map(str, words)]


@pytest.mark.slow
@pytest.mark.parametrize("back", ["after the sweep", "during the sweep"] if PROVE else ["after the sweep"])
def test_a_server_that_is_killed_costs_no_training_and_publishing_completes_it(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, back: str
) -> None:
    (tmp_path / "away.yaml").write_text(SPEC)
    (tmp_path / "server").mkdir()
    where = ("--store", store)
    with served(Server(tmp_path / "server")) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        client = MlflowClient(server.uri)
        sweep = subprocess.Popen(
            command("sweep", tmp_path / "away.yaml", *where, "--jobs", 2),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while (found := client.get_experiment_by_name("away")) is None or not client.search_runs([found.experiment_id]):
            assert sweep.poll() is None, sweep.communicate()
            time.sleep(0.05)
        server.kill()
        assert sweep.poll() is None, "killed too late to prove anything"
        if back == "during the sweep":
            server.start()
        out, err = sweep.communicate(timeout=600)
        assert "10 Fits: 10 trained" in out
        if back == "after the sweep":
            assert sweep.returncode == 4, err
            assert "trained and stored, but not published" in err
            assert "`fitlab publish away" in err
            server.start()
        assert sweep.returncode in (0, 4), err
        assert "Traceback" not in err
        subprocess.run(command("publish", "away", *where), check=True, capture_output=True)
        there = said(client, "away")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    fitlab.publish("away", store)
    here = said(MlflowClient(f"sqlite:///{store / 'mlflow.db'}"), "away")
    assert [one for one in there if one[3] == "active"] == here
    assert len(here) == RUNS
    assert {one[2] for one in there} == {"FINISHED"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["500", "html", "another", "hangs up", "silent"])
def test_a_server_that_is_none_is_said_and_costs_no_training(
    tiny: dict, store: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with pretending(how) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(PublishError, match=f"MLflow at {uri}"):
            run(tiny, store)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert len(fitlab.load("tiny", store).fits) == 8
    assert fitlab.publish("tiny", store).created == 13
