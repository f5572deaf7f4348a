"""What `make sweep` runs, end to end, as MLflow's own client sees it afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import PROVE, SHIPPED
from mlflow.tracking import MlflowClient
from safetensors.numpy import load_file

EPOCHS = 100 if PROVE else 12


@pytest.mark.slow
def test_the_default_sweep_is_comparable_in_mlflow_and_running_it_again_changes_nothing(tmp_path: Path) -> None:
    store = tmp_path / "mlruns"
    options = ["-o", f"training.epochs={EPOCHS}", "--store", str(store)]
    command = [sys.executable, "-m", "fitlab", "sweep", str(SHIPPED), *options]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert sum(line.count(" ± ") == 3 for line in first.stdout.splitlines()) == 36 + 1
    assert "36 Configs × 5 seeds = 180 Fits: 180 trained" in first.stdout
    assert "compareRunsMode=CHART" in first.stdout.splitlines()[-1]

    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
    assert experiment.name == "digits-width"
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    assert Counter(run.info.status for run in runs) == {"FINISHED": 36 + 180 + 1}
    nested = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert set(Counter(run.data.tags["mlflow.parentRunId"] for run in nested).values()) == {5}
    swept = ("model.hidden_layer_sizes", "training.alpha", "training.learning_rate_init")
    points = {tuple(run.data.params[key] for key in ("seed", *swept)) for run in nested}
    assert len(points) == len(nested) == 180
    for run in nested[:: 1 if PROVE else 12]:
        for metric in ("loss/train", "loss/val"):
            steps = [point.step for point in client.get_metric_history(run.info.run_id, metric)]
            assert (steps[0], steps[-1]) == (0, EPOCHS)
            assert len(steps) == len(set(steps)) == min(EPOCHS + 1, 50)
        arrays = load_file(client.download_artifacts(run.info.run_id, "fit.safetensors", str(tmp_path)))
        assert arrays["weights/hidden_1/weight"].shape[0] == 64

    rows = count_rows(store)
    again = subprocess.run(command, capture_output=True, text=True)
    assert "all were there, nothing was trained" in again.stdout
    assert count_rows(store) == rows


def count_rows(store: Path) -> tuple[int, ...]:
    import sqlite3

    connection = sqlite3.connect(store / "mlflow.db")
    counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("runs", "metrics")]  # noqa: S608
    connection.close()
    return tuple(counts)
