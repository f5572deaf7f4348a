"""What the command line says of sweeps that are stopped, tried again or interrupted, and what MLflow has of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab, spec  # noqa: F401 (fixtures)
from conftest import SHIPPED
from mlflow.tracking import MlflowClient
from runner.test_failures import Unlucky


def kinds(store: Path) -> list[tuple[str, str]]:
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    return sorted((run.data.tags["fitlab.kind"], run.info.status) for run in client.search_runs(["1"]))


def test_a_sweep_that_is_stopped_is_exit_1_says_why_and_what_is_there_is_published(
    fitlab: Fitlab, spec: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unlucky(monkeypatch, 99, seed=1)
    words = ("sweep", spec, "--store", store, "--jobs", 1)
    code, _, err = fitlab(*words, "-o", "run.max_failures=1")
    assert code == 1
    assert "tiny was stopped: 2 Fits failed and run.max_failures is 1 (2 × RuntimeError: out of luck)" in err
    assert "`--retry-failed` trains failed Fits again" in err
    assert "Traceback" not in err
    (row,) = json.loads(fitlab("status", "--store", store, "--json")[1])
    assert (row["state"], row["published"]) == ("stale", "yes")
    assert row["causes"] == {"failed: RuntimeError: out of luck": 2}
    assert len([one for one in kinds(store) if one[0] == "fit"]) == row["done"]
    monkeypatch.undo()
    code, out, _ = fitlab(*words, "--retry-failed")
    assert (code, f"{8 - row['done'] + 2} trained" in out) == (0, True)
    assert {status for _, status in kinds(store)} == {"FINISHED"}


def test_tries_that_failed_are_said(fitlab: Fitlab, spec: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Unlucky(monkeypatch, 1)
    words = ("sweep", spec, "--store", store, "--jobs", 1, "--no-publish", "-o", "run.retries=1")
    code, out, _ = fitlab(*words)
    assert (code, "tried again 4 ×: RuntimeError: out of luck" in out) == (0, True)
    assert json.loads(fitlab(*words, "--json")[1])["retried"] == {}, "of this run, not of earlier ones"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_done_when_a_sweep_is_interrupted_is_kept_and_published(tmp_path: Path, number: int) -> None:
    root = tmp_path / "s"
    command = [
        sys.executable,
        "-m",
        "fitlab",
        "sweep",
        str(SHIPPED),
        "-o",
        "training.epochs=1500",
        "--store",
        str(root),
    ]
    process = subprocess.Popen([*command, "--jobs", "2"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while len(list(root.glob("fits/*.safetensors"))) < 12:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Fits are kept: run the same command to continue" in err
    fits = len(list(root.glob("fits/*.safetensors")))
    found = kinds(root)
    assert [kind for kind, _ in found].count("fit") == fits
    assert {status for _, status in found} == {"FINISHED"}
