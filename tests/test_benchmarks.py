"""The scripts of `make bench` run, and what they compare is the same: at tiny scale, without a look at the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


def bench(*words: object) -> None:
    subprocess.run([sys.executable, *map(str, words)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_the_hand_written_script_trains_the_same_networks(tmp_path: Path) -> None:
    bench("benchmarks/sweep.py", "--scale", "0.03", "--rounds", "1", "--only", "sweep", "--json", tmp_path / "found")
    for grid in json.loads((tmp_path / "found").read_text())["sweep"].values():
        assert grid["fits"] == 3 * 2
        assert grid["final_losses"]["most_apart"] < 1e-6


@pytest.mark.slow
def test_the_other_parts_say_what_they_promise(tmp_path: Path) -> None:
    parts = "cores,tracking,replay"
    bench("benchmarks/sweep.py", "--scale", "0.02", "--rounds", "1", "--only", parts, "--json", tmp_path / "found")
    found = json.loads((tmp_path / "found").read_text())
    assert found["cores"]["ratio"] > 0
    assert found["replay"]["fits"] == 20
    assert found["tracking"]["storing_cpu_ms"] > 0
