"""SIGKILL at random moments, of the driver or of what it started, while it trains and publishes: all is there, once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from cli.test_killed import children, none_left, there_once
from conftest import PROVE

import fitlab

STORMS = range(6) if PROVE else range(1)  # each is a store
KILLS = 5  # of one store
SPAN = 5.0  # seconds after its record is there in which a sweep is killed: it trains, publishes, or has ended
GRID = """\
name: storm
data: {kind: digits, train_size: 300, label_noise: 0.1}
model:
  kind: estimator
  estimator: sklearn.neural_network.MLPClassifier
  parameters: {hidden_layer_sizes: [24]}
  axis: {kind: partial_fit, epochs: 120}
seeds: 3
sweep: {parameters: {model.parameters.alpha: {values: [1e-4, 1e-2, 1, 10]}}}
"""
TPE = """\
name: storm
data: {kind: digits, train_size: 400, label_noise: 0.1}
model: {kind: mlp, hidden_layer_sizes: [32]}
training: {epochs: 600}
seeds: 2
sweep:
  method: tpe
  trials: 16
  early_terminate: {type: hyperband, min_epochs: 50}
  parameters:
    training.learning_rate_init: {low: 1e-4, high: 1, log: true}
    training.alpha: {low: 1e-5, high: 1, log: true}
"""


def command(path: Path, store: Path) -> list[str]:
    return [sys.executable, "-m", "fitlab", "sweep", str(path), "--store", str(store), "--jobs", "2"]


def struck(path: Path, store: Path, rng: np.random.Generator) -> str:
    """Run a sweep and kill it, or a process that it has started, at a moment of the next seconds; return what."""
    process = subprocess.Popen(command(path, store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (store / "sweeps" / "storm.json").exists() and process.poll() is None:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SPAN * rng.random())
    helpers = children(process.pid)
    other = rng.random() < 0.4 and bool(helpers)
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(rng.choice(sorted(helpers))) if other else process.pid, signal.SIGKILL)
        struck = "what it started" if other else "driver"
    else:
        struck = "nothing: it had ended"
    if struck == "what it started":  # the sweep may go on, and is let to
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SPAN)
    process.kill()
    process.wait()
    none_left(helpers)
    return struck


@pytest.mark.slow
@pytest.mark.parametrize("spec", [GRID, TPE], ids=["grid", "tpe"])
def test_whatever_is_killed_whenever_all_is_there_once_in_the_end(tmp_path: Path, spec: str) -> None:
    path = tmp_path / "storm.yaml"
    path.write_text(spec)
    subprocess.run([*command(path, tmp_path / "whole"), "--no-publish"], check=True, capture_output=True)
    whole = fitlab.load("storm", tmp_path / "whole")
    seen: Counter[str] = Counter()
    for seed in STORMS:
        store, rng = tmp_path / f"store{seed}", np.random.default_rng(seed)
        seen.update(struck(path, store, rng) for _ in range(KILLS))
        subprocess.run(command(path, store), check=True, capture_output=True, timeout=600)
        there_once(store, whole)
    print(
        f"seeds {STORMS.start} to {STORMS.stop - 1}, {KILLS} kills each:", dict(seen), f"{len(whole.fits)} Fits, 0 lost"
    )
    assert seen["driver"] + seen["what it started"] >= len(STORMS) * KILLS / 2, "it had ended too often"
