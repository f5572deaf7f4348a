"""Fits that fail: tried again, counted, too many of them, too slow; and none takes another one along."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from multiprocessing import forkserver
from pathlib import Path

import pytest

import fitlab
from fitlab.errors import SpecError, StoppedError
from fitlab.records import Fit, Outcome
from fitlab.runner.execute import Result, execute
from fitlab.runner.plan import allowed, plan
from fitlab.runner.workers import Workers, in_process, processes, threads, workers_for
from fitlab.spec import read_spec
from fitlab.store import Store
from fitlab.trainers import mlp

LOST = "lost its worker process (killed, or out of memory)"


def go(spec: dict, root: Path, workers: Workers | None = None, **options: object) -> Result:
    place = Store.at(root, create=True)
    return execute(plan(read_spec(spec), packages=allowed(["bad_days"])), place, workers or in_process(), **options)


class Unlucky:
    """``mlp.advance`` that raises for some jobs, a number of times each, and counts how often it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int, seed: int = 0, text: str = "out of luck") -> None:
        self.real, self.times, self.seed, self.text = mlp.advance, times, seed, text
        self.raised: Counter[str] = Counter()
        monkeypatch.setattr(mlp, "advance", self)

    def __call__(self, state: mlp.State, *rest: object) -> mlp.State:
        job = state.job
        if job.seed == self.seed and self.raised[job.digest] < self.times:
            self.raised[job.digest] += 1
            raise RuntimeError(self.text)
        return self.real(state, *rest)


# ── tried again ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("times", "failed"), [(0, 0), (1, 0), (2, 0), (3, 4)])
def test_a_fit_is_tried_again_as_often_as_the_spec_says(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, failed: int
) -> None:
    whole = go(tiny, tmp_path / "whole")
    unlucky = Unlucky(monkeypatch, times)
    result = go({**tiny, "run": {"retries": 2}}, tmp_path / "s")
    assert result.failed == failed
    tries = [fit.provenance.tries for fit in result.sweep.fits if fit.job.seed == 0]
    assert tries == [min(times, 2) + 1] * 4
    assert result.retried == ({"RuntimeError: out of luck": 4 * min(times, 2)} if times else {})
    assert set(unlucky.raised.values()) == ({times} if times else set())
    if not failed:
        assert result.sweep.fits == whole.sweep.fits, "tries are no part of a Fit"


def test_an_exception_may_say_what_is_no_text(tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one about a file does whose name is not UTF-8."""
    Unlucky(monkeypatch, times=1, text="no file \udcff\0")
    result = go(tiny, tmp_path / "s")
    assert result.failed == 4
    assert Store.at(tmp_path / "s").load("tiny").causes() == {"RuntimeError: no file \\udcff\\x00": 4}


def test_a_failed_fit_of_a_search_is_tried_again_from_where_it_was(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny["sweep"] = {
        "method": "tpe",
        "trials": 4,
        "wave": 2,
        "early_terminate": {"type": "median", "min_epochs": 2, "n_startup_trials": 1},
        "parameters": {"training.learning_rate_init": {"low": 1e-3, "high": 1e-1, "log": True}},
    }
    whole = go(tiny, tmp_path / "whole")
    Unlucky(monkeypatch, 1)
    result = go({**tiny, "run": {"retries": 1}}, tmp_path / "s")
    assert result.sweep.fits == whole.sweep.fits
    assert result.retried.keys() == {"RuntimeError: out of luck"}


def test_policies_change_no_identity_and_train_nothing_anew(tiny: dict, store: Path) -> None:
    first = fitlab.run(tiny, store=store, jobs=1)
    tiny["run"] = {"retries": 3, "max_failures": 2, "time_limit": 60}
    assert go(tiny, store).progress.cached == 8
    assert [fit.job.digest for fit in fitlab.load("tiny", store).fits] == [fit.job.digest for fit in first.fits]
    published = fitlab.publish("tiny", store)
    assert (published.created, published.unchanged, published.superseded) == (0, 13, 0)


# ── too many ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [in_process, lambda: threads(2)], ids=["this thread", "threads"])
@pytest.mark.parametrize(("run", "most"), [({"on_failure": "stop"}, 1), ({"max_failures": 2}, 3)])
def test_too_many_failures_end_the_sweep_and_what_is_done_is_kept(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: dict, most: int, workers: type
) -> None:
    tiny |= {"seeds": 4, "run": run}
    with monkeypatch.context() as patch:
        Unlucky(patch, 99, seed=1)
        with pytest.raises(StoppedError, match=r"run\.(on_failure is stop|max_failures is 2) \(\d × RuntimeError: out"):
            go(tiny, tmp_path, workers())
    fits = fitlab.load("tiny", tmp_path).fits
    outcomes = Counter(fit.outcome for fit in fits)
    assert most <= outcomes[Outcome.FAILED] <= most + 1, "one may be under way"
    assert len(fits) < 16
    with pytest.raises(StoppedError):
        go(tiny, tmp_path)  # what failed has failed: a sweep that is run again comes to the same
    assert len(fitlab.load("tiny", tmp_path).fits) == len(fits)
    resumed = go(tiny, tmp_path, retry_failed=True)
    assert resumed.progress.outcomes == {"completed": 16}
    assert resumed.progress.cached == outcomes[Outcome.COMPLETED]
    assert go({**tiny, "run": {}}, tmp_path / "whole").sweep.fits == resumed.sweep.fits


def test_a_finished_sweep_is_not_stopped_by_what_failed_in_it(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unlucky(monkeypatch, 99)
    result = go(tiny, tmp_path)
    assert go({**tiny, "run": {"on_failure": "stop"}}, tmp_path).sweep.fits == result.sweep.fits


def test_stop_and_a_number_contradict_each_other(tiny: dict) -> None:
    with pytest.raises(SpecError, match="ends the sweep at the first one"):
        read_spec({**tiny, "run": {"on_failure": "stop", "max_failures": 3}})
    with pytest.raises(SpecError, match=r"run.time_limit"):
        read_spec({**tiny, "run": {"time_limit": 0}})


def test_causes_are_counted_in_the_table(tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny["seeds"] = 3
    Unlucky(monkeypatch, 99, seed=1)
    Unlucky(monkeypatch, 99, seed=2, text="no memory")
    sweep = go(tiny, tmp_path).sweep
    assert sweep.causes() == {"RuntimeError: out of luck": 4, "RuntimeError: no memory": 4}
    table = sweep.table()
    assert list(table["failed"]) == [2, 2, 2, 2, 0]
    assert set(table["causes"][:4]) == {"1 × RuntimeError: out of luck; 1 × RuntimeError: no memory"}
    assert table["causes"].iloc[4] == ""


# ── too slow, and what dies ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [in_process, lambda: threads(2)], ids=["this thread", "threads"])
def test_a_network_that_takes_too_long_has_failed_and_keeps_its_curves(
    tiny: dict, tmp_path: Path, workers: type
) -> None:
    tiny["sweep"]["parameters"] = {}
    go(tiny, tmp_path / "warm")  # compiled
    tiny |= {"training": {**tiny["training"], "epochs": 1_000_000}, "run": {"time_limit": 0.5}}
    result = go(tiny, tmp_path, workers())
    assert result.sweep.causes() == {"time limit: it took longer than 0.5 s": 2}
    for fit in result.sweep.fits:
        assert 0 < len(fit.curves) == fit.epochs < 1_000_000
        assert fit.provenance.seconds >= 0.5


BAD = '''
"""Estimators with bad days: chosen by alpha."""
import os, signal, time
from sklearn.linear_model import LogisticRegression


class Bad(LogisticRegression):
    def __init__(self, C=1.0, day="good", where="", random_state=None):
        super().__init__(C=C, random_state=random_state)
        self.day, self.where = day, where

    def fit(self, X, y, sample_weight=None):
        with open(os.path.join(self.where, f"{self.day}-{os.urandom(4).hex()}"), "w"):
            pass
        match self.day:
            case "raises":
                raise ValueError("a bad day")
            case "exits":
                os._exit(3)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "memory":
                raise MemoryError
            case "hangs":
                time.sleep(3600)
            case "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.2)
        return super().fit(X, y, sample_weight)
'''


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """A sweep over estimators, of which one has a bad day; each writes down that it was fitted."""
    where = tmp_path / "fitted"
    where.mkdir()
    (tmp_path / "bad_days.py").write_text(BAD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return {
        "name": "bad",
        "data": {"kind": "iris"},
        "model": {"kind": "estimator", "estimator": "bad_days.Bad", "parameters": {"where": str(where)}},
        "seeds": 2,
        "sweep": {"parameters": {"model.parameters.day": {"values": ["good", "better", "raises", "best"]}}},
    }


def fitted(tmp_path: Path) -> Counter[str]:
    return Counter(path.name.partition("-")[0] for path in (tmp_path / "fitted").iterdir())


CAUSES = {
    "raises": "ValueError: a bad day",
    "memory": "MemoryError: ",
    "exits": LOST,
    "killed": LOST,
    "hangs": "time limit: it took longer than 1 s",
    "stopped": "time limit: it took longer than 1 s",
}


@pytest.mark.slow
@pytest.mark.parametrize("day", CAUSES)
def test_a_worker_that_has_a_bad_day_takes_no_other_fit_along(bad: dict, tmp_path: Path, day: str) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"][2] = day
    bad["run"] = {"time_limit": 1}
    result = go(bad, tmp_path / "s", processes(2))
    assert result.progress.outcomes == {"completed": 6, "failed": 2}
    failed = [fit for fit in result.sweep.fits if fit.outcome is Outcome.FAILED]
    assert {fit.cause for fit in failed} == {CAUSES[day]}
    assert {fit.job.config.plain["model"]["parameters"]["day"] for fit in failed} == {day}
    times = fitted(tmp_path)
    assert times == {"good": 2, "better": 2, "best": 2, day: 4 if CAUSES[day] == LOST else 2}, "no other began twice"


@pytest.mark.slow
@pytest.mark.parametrize("day", ["exits", "hangs"])
def test_what_lost_its_worker_is_tried_again_as_often_as_the_spec_says(bad: dict, tmp_path: Path, day: str) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"] = ["good", day]
    bad |= {"seeds": 1, "run": {"time_limit": 1, "retries": 1}}
    result = go(bad, tmp_path / "s", processes(2))
    assert (result.failed, sum(result.retried.values())) == (1, 1)
    assert fitted(tmp_path)[day] == (4 if day == "exits" else 2), "each try of one that died is made twice"


@pytest.mark.slow
def test_a_fork_server_that_is_killed_while_it_starts_workers_costs_nothing(bad: dict, tmp_path: Path) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"] = ["good", "better"]
    forkserver.ensure_running()
    server = forkserver._forkserver._forkserver_pid
    os.kill(server, signal.SIGSTOP)  # it is asked for a worker, and dies before it answers
    threading.Timer(1, os.kill, (server, signal.SIGKILL)).start()
    assert go(bad, tmp_path / "s", processes(2)).progress.outcomes == {"completed": 4}
    assert fitted(tmp_path) == {"good": 2, "better": 2}


@pytest.mark.slow
def test_what_may_hang_is_trained_in_a_process_where_time_is_limited(bad: dict, tmp_path: Path) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"] = ["good", "hangs"]
    bad |= {"seeds": 1, "run": {"time_limit": 1}}
    made = plan(read_spec(bad), packages=allowed(["bad_days"]))
    result = execute(
        made, Store.at(tmp_path / "s", create=True), workers_for(1, None, made.without_lock, made.time_limit)
    )
    assert result.sweep.causes() == {CAUSES["hangs"]: 1}


SWEEP = "import sys; from fitlab.cli import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_whose_worker_hangs_ends_all_the_same(bad: dict, tmp_path: Path, number: int) -> None:
    bad["sweep"]["parameters"]["model.parameters.day"]["values"] = ["good", "better", "hangs"]
    (tmp_path / "bad.yaml").write_text(json.dumps(bad))  # JSON is YAML
    words = ["sweep", "bad.yaml", "--allow", "bad_days", "--store", "s", "--jobs", "2", "--no-publish"]
    process = subprocess.Popen([sys.executable, "-c", SWEEP, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while len(list(tmp_path.glob("s/fits/*.safetensors"))) < 4:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.search("interrupted; 4 of 6 Fits are kept", err)


def test_a_time_limit_leaves_what_is_in_time_as_it_is(tiny: dict, tmp_path: Path) -> None:
    def fits(root: str, limit: dict) -> tuple[Fit, ...]:
        return go({**tiny, "run": limit}, tmp_path / root).sweep.fits

    assert fits("a", {}) == fits("b", {"time_limit": 600})
