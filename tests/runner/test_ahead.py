"""The process that logs is there before anything else, where a sweep is large; it is never left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitlab.runner import ahead as module
from fitlab.runner.ahead import MANY, ahead


def written(tiny: dict, path: Path, **more: object) -> str:
    path.write_text(json.dumps({**tiny, **more}))  # JSON is YAML
    return str(path)


@pytest.mark.parametrize(
    ("override", "started"),
    [(f"seeds={MANY // 4 + 1}", True), (f"seeds={MANY // 4}", False), ("seeds=-1", False), ("no.such=1", False)],
)
def test_it_is_started_for_many_fits(tiny: dict, tmp_path: Path, override: str, started: bool) -> None:
    with ahead(written(tiny, tmp_path / "spec.yaml"), [override], str(tmp_path / "s")) as process:
        assert (process is not None) == started
    assert process is None or process.returncode is not None
    assert not (tmp_path / "s").exists(), "nothing is made before there is something to log"


def test_a_search_has_as_many_as_it_asks_for(tiny: dict, tmp_path: Path) -> None:
    alpha = {"training.alpha": {"low": 1e-6, "high": 1, "log": True}}
    spec = written(tiny, tmp_path / "spec.yaml", sweep={"method": "tpe", "trials": MANY, "parameters": alpha})
    with ahead(spec, (), str(tmp_path / "s")) as process:
        assert process is not None


def test_what_comes_through_a_pipe_is_left_to_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "spec.yaml")
    with ahead(str(tmp_path / "spec.yaml"), (), str(tmp_path / "s")) as process:
        assert process is None


def test_with_one_processor_there_is_none(tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    with ahead(written(tiny, tmp_path / "spec.yaml"), [f"seeds={MANY}"], str(tmp_path / "s")) as process:
        assert process is None


@pytest.mark.slow
def test_the_command_logs_by_it_what_it_logs_itself(tiny: dict, store: Path, tmp_path: Path) -> None:
    spec = written(tiny, tmp_path / "spec.yaml", seeds=13)
    command = [sys.executable, "-m", "fitlab", "sweep", spec, "--store", str(store), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["published"]["created"] == 4 + 52 + 1
    again = subprocess.run([*command, "--jobs", "1"], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["published"]["created"] == 0
