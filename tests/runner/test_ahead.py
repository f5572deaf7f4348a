"""The process that logs is there before anything else, where a sweep is large; it is never left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fitlab
from fitlab.runner import ahead as module
from fitlab.runner.ahead import MANY, ahead, start
from fitlab.runner.alongside import Alongside
from fitlab.runner.execute import execute
from fitlab.runner.plan import plan
from fitlab.runner.verdicts import diagnosed
from fitlab.runner.workers import in_process
from fitlab.spec import read_spec
from fitlab.store import Store


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
    monkeypatch.setattr(module, "default_jobs", lambda: 1)
    with ahead(written(tiny, tmp_path / "spec.yaml"), [f"seeds={MANY}"], str(tmp_path / "s")) as process:
        assert process is None


def test_where_no_process_can_be_had_there_is_none(tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(module.subprocess, "Popen", refused)
    with ahead(written(tiny, tmp_path / "spec.yaml"), [f"seeds={MANY}"], str(tmp_path / "s")) as process:
        assert process is None


@pytest.mark.slow
@pytest.mark.parametrize(("at", "used"), [("tiny", True), ("another", False)])
def test_it_logs_the_sweep_that_it_was_started_for_and_no_other(tiny: dict, store: Path, at: str, used: bool) -> None:
    """A spec may be written anew while it comes up."""
    place, process = Store.at(store, create=True), start(store, at)
    with place.locked("tiny"), Alongside(place, read_spec(tiny).spec, process=process) as alongside:
        made = plan(read_spec(tiny))
        sweep = diagnosed(execute(made, place, in_process(), on_settled=alongside.settled, locked=True).sweep)
        published = alongside.finish(sweep)
    assert (published is not None) == used
    assert not used or published.created == 13
    if process.returncode is None:
        process.kill()
        process.communicate()
    assert fitlab.publish("tiny", store).created == (0 if used else 13)


@pytest.mark.slow
def test_the_command_hands_over_to_it(tiny: dict, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a driver logs itself it imports MLflow for."""
    monkeypatch.chdir(store.parent)
    spec = written(tiny, tmp_path / "spec.yaml", seeds=13)
    code = (
        "import atexit, sys; from fitlab.cli import main; "
        "atexit.register(lambda: print('mlflow' in sys.modules, file=sys.stderr)); main()"
    )
    command = [sys.executable, "-c", code, "sweep", spec, "--store", store.name, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["published"]["created"] == 4 + 52 + 1
    assert done.stderr.split()[-1] == "False"
