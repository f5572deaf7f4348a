"""Many at once: six sweeps on a fresh store, and the same sweep started twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML

import fitlab

SIX = [f"s{i}" for i in range(6)]


def started(folder: Path, name: str, *more: str) -> subprocess.Popen[str]:
    words = ["sweep", f"{name}.yaml", "--store", "store", "--jobs", "1", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "fitlab", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def write(folder: Path, spec: dict, name: str) -> None:
    with (folder / f"{name}.yaml").open("w") as file:
        YAML().dump({**spec, "name": name}, file)


@pytest.mark.slow
def test_six_sweeps_at_once_on_a_fresh_store_all_succeed(tiny: dict, tmp_path: Path) -> None:
    """Their Fits are partly the same: six specs that differ in one swept value, and one MLflow database to be made."""
    for i, name in enumerate(SIX):
        tiny["sweep"]["parameters"]["training.alpha"]["values"] = [1e-4, float(1 + i // 2)]
        write(tmp_path, tiny, name)
    sweeps = [started(tmp_path, name) for name in SIX]
    for sweep in sweeps:
        out, err = sweep.communicate(timeout=600)
        assert (sweep.returncode, err) == (0, ""), out
        assert "13 runs logged" in out
    client = MlflowClient(f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}")
    for name in SIX:
        runs = client.search_runs([client.get_experiment_by_name(name).experiment_id])
        assert Counter(r.data.tags["fitlab.kind"] for r in runs) == {"config": 4, "fit": 8, "summary": 1}
        assert {r.info.status for r in runs} == {"FINISHED"}
        assert len(fitlab.load(name, tmp_path / "store").fits) == 8
    assert len(list((tmp_path / "store" / "fits").iterdir())) == 2 * 2 * (1 + 3), "each job once, and nothing beside"


@pytest.mark.slow
def test_the_same_sweep_started_twice_trains_once_and_the_second_says_so(tiny: dict, tmp_path: Path) -> None:
    tiny["training"]["epochs"] = 30_000  # the second comes while the first trains
    write(tmp_path, tiny, "same")
    both = [started(tmp_path, "same", "--no-publish") for _ in range(2)]
    ends = [(*sweep.communicate(timeout=600), sweep.returncode) for sweep in both]
    assert sorted(code for _, _, code in ends) == [0, 3]
    (first,) = (out for out, _, code in ends if code == 0)
    (second,) = (err for _, err, code in ends if code == 3)
    assert "8 Fits: 8 trained" in first
    assert "same is being run by process" in second
    assert "Traceback" not in second
