"""The plug is pulled: a killed sweep, run again, equals an uninterrupted one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SHIPPED
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

import fitlab
from fitlab.records import Outcome
from fitlab.sweep import Sweep

OPTIONS = ["-o", "training.epochs=400", "-o", "sweep.parameters.training.alpha.values=[1e-2]"]
KILLS = 4  # faults/test_kills.py has many


def sweep(store: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "fitlab",
        "sweep",
        str(SHIPPED),
        *OPTIONS,
        "--store",
        str(store),
        "--jobs",
        "2",
        *more,
    ]


def children(pid: int) -> set[int]:
    """Processes on this machine whose ancestor is ``pid``."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(tuple(map(int, line.split())) for line in table.splitlines())
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {pid}


def alive(pids: set[int]) -> dict[int, str]:
    """Return what of these processes is alive: how it was called."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = (line.split(maxsplit=2) for line in table.splitlines())
    return {int(pid): words for pid, state, words in found if int(pid) in pids and state[0] != "Z"}


def killed_after_progress(command: list[str], fits: Path, rng: np.random.Generator) -> int:
    """Run a sweep until there is a new Fit and a little longer, pull the plug, and return how many Fits there are."""

    def count() -> int:
        return len(list(fits.glob("*.safetensors")))

    before = count()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while count() <= before and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2 * rng.random())
    helpers = children(process.pid)
    process.kill()
    process.wait()
    none_left(helpers)
    return count()


def none_left(helpers: set[int]) -> None:
    deadline = time.monotonic() + 120  # on a busy machine; one that still imports MLflow does so first
    while left := alive(helpers):
        assert time.monotonic() < deadline, f"orphans: {left}"
        time.sleep(0.2)


def there_once(store: Path, whole: Sweep) -> None:
    """Assert that store and MLflow hold every Fit of a sweep, each once, and that no run is left RUNNING."""
    sweep = fitlab.load(whole.spec.name, store)
    assert sweep.fits == whole.fits
    assert sweep.table().equals(whole.table())
    visible = {path.name for path in (store / "fits").glob("[!.]*")}  # what was half written is hidden; doctor names it
    assert visible == {f"{one.job.digest}.safetensors" for one in whole.fits}
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(whole.spec.name).experiment_id
    runs = client.search_runs([experiment], "", ViewType.ALL, max_results=1000)
    assert "RUNNING" not in {run.info.status for run in runs}
    current = Counter(
        (run.data.tags["fitlab.kind"], run.data.tags["fitlab.digest"])
        for run in runs
        if run.info.lifecycle_stage == "active" and run.data.tags["fitlab.current"] == "true"
    )
    wanted = {("config", one.digest) for one in whole.configs} | {("fit", one.job.digest) for one in whole.fits}
    assert current == dict.fromkeys(wanted | {("summary", whole.spec.name)}, 1)


@pytest.mark.slow
def test_a_killed_sweep_continues_and_equals_an_uninterrupted_one(tmp_path: Path, count: Callable[[str], None]) -> None:
    subprocess.run(sweep(tmp_path / "whole", "--no-publish"), check=True, capture_output=True)
    whole = fitlab.load("digits-width", tmp_path / "whole")
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(KILLS):
        kept.append(killed_after_progress(sweep(tmp_path / "cut", "--no-publish"), tmp_path / "cut" / "fits", rng))
    count(f"seed 0, {len(kept)} kills; Fits kept after each: {kept}")
    assert kept == sorted(kept)
    assert 0 < kept[-1] < len(whole.fits), "killed too early or too late to prove anything"
    done = subprocess.run(sweep(tmp_path / "cut"), check=True, capture_output=True, text=True)
    assert f"{kept[-1]} were there" in done.stdout
    resumed = fitlab.load("digits-width", tmp_path / "cut")
    assert resumed.table().equals(whole.table())
    assert resumed.curves().equals(whole.curves())
    assert resumed.fits == whole.fits
    assert all(fit.outcome is Outcome.COMPLETED for fit in resumed.fits)
    there_once(tmp_path / "cut", whole)


@pytest.mark.slow
def test_a_sweep_killed_while_it_publishes_is_published_once(tmp_path: Path) -> None:
    root = tmp_path / "s"
    long = ("-o", "training.epochs=2500")  # publishing begins when training has gone on for some seconds
    process = subprocess.Popen(sweep(root, *long), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(root.glob("artifacts/*/*/artifacts/fit.safetensors")):
        assert process.poll() is None, "nothing was published while it trained"
        time.sleep(0.01)
    helpers = children(process.pid)
    process.kill()
    process.wait()
    none_left(helpers)
    done = subprocess.run(sweep(root, *long, "--json"), check=True, capture_output=True, text=True)
    fits = json.loads(done.stdout)["fits"]
    assert 0 < fits["cached"] < fits["total"], "killed too early or too late to prove anything"
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    runs = client.search_runs(["1"], max_results=1000)
    kinds = Counter(run.data.tags["fitlab.kind"] for run in runs)
    assert kinds == {"config": fits["total"] // 5, "fit": fits["total"], "summary": 1}
    assert {run.info.status for run in runs} == {"FINISHED"}


@pytest.mark.slow
def test_ctrl_c_is_exit_130_and_leaves_no_process(tmp_path: Path) -> None:
    process = subprocess.Popen(sweep(tmp_path / "s"), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while not list((tmp_path / "s" / "fits").glob("*.safetensors")):
        time.sleep(0.1)
    helpers = children(process.pid)
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 60 Fits are kept: run the same command to continue" in err
    assert "logging what is there to MLflow" in err
    assert "Traceback" not in err
    none_left(helpers)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [1.5, 3.0, 4.0])
def test_ctrl_c_at_start_up_is_exit_130_without_a_traceback(tmp_path: Path, delay: float) -> None:
    """As a terminal sends it: to the driver and to everything that it has started."""
    command = sweep(tmp_path / "s", "-o", "training.epochs=20000")
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_script_without_a_main_guard_may_run_a_sweep(tmp_path: Path) -> None:
    script = tmp_path / "paper.py"
    script.write_text(
        "import fitlab\n"
        "spec = {'name': 's', 'data': {'kind': 'iris'}, 'model': {'kind': 'mlp'}, 'training': {'epochs': 2}}\n"
        f"print(len(fitlab.run(spec, store={str(tmp_path / 'store')!r}, jobs=2, publish=False).fits))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "5\n", done.stderr
