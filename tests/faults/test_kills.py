"""SIGKILL at random moments, of a sweep or of what it started, while it trains and publishes: all is there, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from cli.test_killed import children, none_left, there_once
from conftest import PROVE
from faults.test_servers import said
from mlflow.tracking import MlflowClient

import fitlab

KILLS = 50 if PROVE else 10  # of each spec
SPAN = 2.5  # seconds in which a kill is drawn, from when there is what is to be killed
PATIENCE = 600  # seconds; what takes longer hangs, also on a busy machine
TRAINING, PUBLISHING = "driver that trains", "driver that publishes"
VICTIMS = [TRAINING, PUBLISHING, "worker", "worker", "publisher", "fork server"]
MODEL = """\
name: storm
data: {kind: digits, train_size: 200, label_noise: 0.1}
model:
  kind: estimator
  estimator: sklearn.neural_network.MLPClassifier
  parameters: {hidden_layer_sizes: [16]}
  axis: {kind: partial_fit, epochs: 60}
seeds: 2
run: {retries: 50}  # of a job whose workers are killed one after the other
"""
GRID = """\
sweep: {parameters: {model.parameters.alpha: {values: [1e-4, 1e-3, 1e-2, 0.1, 1, 10]}}}
"""
TPE = """\
sweep:
  method: tpe
  trials: 10
  early_terminate: {type: hyperband, min_epochs: 10}
  parameters:
    model.parameters.learning_rate_init: {low: 1e-4, high: 1, log: true}
    model.parameters.alpha: {low: 1e-5, high: 10, log: true}
"""


def command(path: Path, store: Path) -> list[str]:
    return [sys.executable, "-m", "fitlab", "sweep", str(path), "--store", str(store), "--jobs", "2"]


def started_by(pid: int) -> dict[str, list[int]]:
    """Return what a sweep has started, by what it is."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    ours = children(pid)
    found: dict[str, list[int]] = {}
    for child, parent, words in (line.split(maxsplit=2) for line in table.splitlines()):
        if int(child) in ours and "fitlab.runner.publishing" in words:
            found.setdefault("publisher", []).append(int(child))
        elif int(child) in ours and "multiprocessing.forkserver" in words:
            found.setdefault("fork server" if int(parent) == pid else "worker", []).append(int(child))
    return found


def to_kill(what: str, pid: int, store: Path) -> list[int]:
    """Return the processes that are what is to be killed, none where there is none now."""
    found, record = started_by(pid), store / "sweeps" / "storm.json"
    match what:
        case "driver that trains":
            return [pid] if "worker" in found else []
        case "driver that publishes":
            trained = record.exists() and json.loads(record.read_text())["finished"]
            return [pid] if trained or "publisher" in found else []
        case _:
            return found.get(what, [])


def struck(process: subprocess.Popen, what: str, store: Path, rng: np.random.Generator, helpers: set[int]) -> bool:
    """Wait for what is to be killed, and a little longer, and kill it; return whether there was any.

    helpers: what the sweep has started is added to them.
    """
    until = time.monotonic() + PATIENCE
    while not to_kill(what, process.pid, store) and process.poll() is None:
        assert time.monotonic() < until, f"the sweep hangs: no {what} to kill"
        time.sleep(0.1)
    with suppress(subprocess.TimeoutExpired):
        process.wait(SPAN * rng.random())
    there = to_kill(what, process.pid, store) if process.poll() is None else []
    helpers |= children(process.pid)
    with suppress(ProcessLookupError):
        for pid in rng.permutation(there)[:1]:
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def storm(path: Path, store: Path, rng: np.random.Generator, deck: list[str], most: int) -> Counter[str]:
    """Run a sweep again and again, killing it and what it starts, until it gets through; return what was killed.

    deck: what is to be killed next, the last first; shuffled anew when it is used up.
    """
    seen: Counter[str] = Counter()
    while True:
        process = subprocess.Popen(command(path, store), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        killed, helpers = False, set[int]()
        while process.poll() is None and not killed and seen.total() < most:
            deck += [] if deck else rng.permutation(VICTIMS).tolist()
            what = deck[-1]
            if struck(process, what, store, rng, helpers):
                seen[deck.pop()] += 1
                killed = what in (TRAINING, PUBLISHING)
        _, err = process.communicate(timeout=PATIENCE)
        none_left(helpers)
        if not killed:
            assert (process.returncode, "Traceback" in err) == (0, False), f"killed were {dict(seen)}\n{err}"
            return seen


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "first"), [(GRID, 0), (TPE, 1000)], ids=["grid", "tpe"])
def test_whatever_is_killed_whenever_all_is_there_once_in_the_end(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, count: Callable[[str], None], spec: str, first: int
) -> None:
    """A seed is a store; its storm ends when the sweep gets through, and the next seed goes on."""
    monkeypatch.chdir(tmp_path)  # a commit of the repository that one is in would be another tag
    path = tmp_path / "storm.yaml"
    path.write_text(MODEL + spec)
    whole = fitlab.run(path, store=store, jobs=2)
    logged = said(MlflowClient(f"sqlite:///{store / 'mlflow.db'}"), "storm")
    seen, deck, seed = Counter[str](), list[str](), first
    while seen.total() < KILLS:
        root = tmp_path / f"store{seed}"
        seen += storm(path, root, np.random.default_rng(seed), deck, KILLS - seen.total())
        there_once(root, whole)
        active = [run for run in said(MlflowClient(f"sqlite:///{root / 'mlflow.db'}"), "storm") if run[3] == "active"]
        assert active == logged
        seed += 1
        assert seed - first <= KILLS, f"sweeps get through before there is what is to be killed: {deck}, {dict(seen)}"
    count(
        f"{seen.total()} kills, seeds {first} to {seed - 1}: {dict(seen.most_common())}; {len(whole.fits)} Fits, 0 lost"
    )
    assert set(seen) == set(VICTIMS)
