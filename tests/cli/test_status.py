"""``fitlab status``: running, stale, done, lost, damaged; what failed and why; what MLflow has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401

from fitlab import publish, run
from fitlab.store import Store
from fitlab.trainers import mlp


@contextmanager
def held(place: Store, name: str) -> Iterator[int]:
    """Have another process hold the lock of a sweep; yield its id."""
    code = (
        "import sys, time; from fitlab.store import Store\n"
        f"with Store.at({str(place.root)!r}).locked({name!r}): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout.readline() == "held\n"
            yield owner.pid
        finally:
            owner.kill()


def cut(tiny: dict, store: Path, seed: int = 1) -> None:
    """Leave a sweep that was begun and is not finished: the plug is pulled at the first job of a seed."""

    class PlugPulled(BaseException): ...

    def pull(state: mlp.State, *_: object) -> None:
        if state.job.seed == seed:
            raise PlugPulled

    before = mlp.advance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlp, "advance", lambda state, *rest: pull(state) or before(state, *rest))
        with pytest.raises(PlugPulled):
            run(tiny, store=store, jobs=1, publish=False)


def test_a_sweep_is_running_stale_done_lost_or_damaged(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    store = tmp_path / "s"

    def row(code: int = 0) -> dict:
        ended, out, _ = fitlab("status", "tiny", "--store", store, "--json")
        assert ended == code
        return json.loads(out)[0]

    cut(tiny, store)
    stale = row()
    assert (stale["state"], stale["running"], stale["owner"], stale["fits"]) == ("stale", False, None, 8)
    assert stale["done"] < 8
    place = Store.at(store)
    with held(place, "tiny") as pid:
        running = row()
        assert (running["state"], running["running"]) == ("running", True)
        assert running["owner"].startswith(f"process {pid} on {os.uname().nodename} since 20")
    assert row()["state"] == "stale", "the kernel takes a dead owner's lock back"
    sweep = run(tiny, store=store, jobs=1, publish=False)
    assert (row()["state"], row()["done"], row()["finished"]) == ("done", 8, True)
    place.fit_path(sweep.fits[0].job.digest).unlink()
    assert (row()["state"], row()["done"], row()["finished"]) == ("lost", 7, False)
    place.sweep_path("tiny").write_text("{")
    assert row(3)["state"] == "damaged"


def test_what_has_written_nothing_yet_is_listed_and_one_damaged_file_hides_no_other(
    fitlab: Fitlab,
    tiny: dict,
    tmp_path: Path,
) -> None:
    run(tiny, store=tmp_path, jobs=1, publish=False)
    place = Store.at(tmp_path)
    place.sweep_path("broken").write_text("{")
    with held(place, "early"):
        code, out, err = fitlab("status", "--store", tmp_path)
    states = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert " running " in states["early"]
    assert " damaged " in states["broken"]
    assert " done " in states["tiny"]
    assert code == 3
    assert "broken.json: damaged" in err


def test_causes_are_counted_whatever_the_epoch(
    fitlab: Fitlab,
    tiny: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raising(state: mlp.State, *_: object) -> None:
        raise RuntimeError("[bold]no luck") if state.job.seed else ValueError(f"too many in epoch {id(state)}")

    monkeypatch.setattr(mlp, "advance", raising)
    run(tiny, store=tmp_path, jobs=1, publish=False)
    (row,) = json.loads(fitlab("status", "--store", tmp_path, "--json")[1])
    assert row["causes"] == {"failed: ValueError: too many": 4, "failed: RuntimeError: [bold]no luck": 4}
    assert "tiny: 4 × failed: RuntimeError: [bold]no luck" in fitlab("status", "--store", tmp_path)[1]


def test_what_mlflow_has_is_nothing_this_or_an_earlier_state(fitlab: Fitlab, tiny: dict, store: Path) -> None:
    def published() -> str:
        return json.loads(fitlab("status", "--store", store, "--json")[1])[0]["published"]

    run(tiny, store=store, jobs=1, publish=False)
    assert published() == "no"
    publish("tiny", store)
    assert published() == "yes"
    run({**tiny, "seeds": 3}, store=store, jobs=1, publish=False)
    assert published() == "an earlier state"
    (store / "mlflow.db").unlink()
    assert published() == "no"


def test_what_users_name_is_no_markup(fitlab: Fitlab, tiny: dict, tmp_path: Path) -> None:
    store = tmp_path / "a[" / "b]"
    Store.at(store, create=True)
    assert f"{store}: no sweeps yet" in fitlab("status", "--store", store)[1].replace("\n", "")
    store.joinpath("sweeps", "[red].json").write_text("")
    assert " [red] " in fitlab("status", "--store", store)[1]
    store.joinpath("sweeps", "[red].json").unlink()
    assert str(store) in fitlab("gc", "--store", store)[1].replace("\n", "")
