"""The plug is pulled in the middle of a search: run again, it equals an uninterrupted one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli.test_killed import killed_after_progress, there_once
from conftest import PROVE
from runner.test_search import assert_same

import fitlab
from fitlab.records import Outcome

KILLS = 10 if PROVE else 3
SPEC = """\
name: killed
data: {{kind: digits, train_size: 400, label_noise: 0.1}}
model: {{kind: mlp, hidden_layer_sizes: [32]}}
training: {{epochs: 600}}
seeds: 2
sweep:
  method: tpe
  trials: {trials}
  early_terminate: {{type: {pruner}, min_epochs: 50}}
  parameters:
    training.solver: {{values: [adam, sgd]}}
    training.momentum: {{low: 0.0, high: 0.9, points: 4, when: {{training.solver: sgd}}}}
    training.learning_rate_init: {{low: 1e-4, high: 1, log: true}}
    training.alpha: {{low: 1e-5, high: 1, log: true}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_a_killed_search_continues_and_equals_an_uninterrupted_one(
    tmp_path: Path, count: Callable[[str], None], pruner: str
) -> None:
    path = tmp_path / "killed.yaml"
    path.write_text(SPEC.format(pruner=pruner, trials=60 if PROVE else 24))

    def command(store: str) -> list[str]:
        words = [sys.executable, "-m", "fitlab", "sweep", str(path), "--no-publish", "--jobs", "2"]
        return [*words, "--store", str(tmp_path / store)]

    subprocess.run(command("whole"), check=True, capture_output=True)
    whole = fitlab.load("killed", tmp_path / "whole")
    rng = np.random.default_rng(0)
    fits = tmp_path / "cut" / "fits"
    kept = [killed_after_progress(command("cut"), fits, rng) for _ in range(KILLS)]
    count(f"seed 0, {len(kept)} kills; Fits kept after each: {kept}")
    assert kept == sorted(kept)
    assert kept[-1] < len(whole.fits), "killed too late to prove anything"
    subprocess.run(command("cut"), check=True, capture_output=True)
    assert_same(tmp_path / "whole", tmp_path / "cut", {"name": "killed"})
    outcomes = {fit.outcome for fit in fitlab.load("killed", tmp_path / "cut").fits}
    assert {Outcome.COMPLETED, Outcome.PRUNED} <= outcomes
    fitlab.publish("killed", tmp_path / "cut")
    there_once(tmp_path / "cut", whole)
