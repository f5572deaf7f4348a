"""The loop: resuming, interrupts, workers that die, and what Optuna is told."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from threadpoolctl import threadpool_info

import fitlab
from fitlab.records import Outcome
from fitlab.runner.execute import Result, execute
from fitlab.runner.fits import Progress
from fitlab.runner.plan import plan
from fitlab.runner.workers import Leg, Task, Workers, in_process, processes, threads, train
from fitlab.spec import read_spec
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.trainers import mlp


def go(spec: dict, root: Path, workers: Workers | None = None, **options: object) -> Result:
    place = Store.at(root, create=True)
    return execute(plan(read_spec(spec)), place, workers or in_process(), **options)


def test_running_again_trains_nothing_and_gives_the_same(tiny: dict, tmp_path: Path) -> None:
    first, second = go(tiny, tmp_path), go(tiny, tmp_path)
    assert (first.progress.trained, first.progress.cached) == (8, 0)
    assert (second.progress.trained, second.progress.cached) == (0, 8)
    assert second.sweep.table().equals(first.sweep.table())
    assert Store.at(tmp_path).load("tiny").table().equals(first.sweep.table())
    assert Store.at(tmp_path).load("tiny").curves().equals(first.sweep.curves())


def test_a_widened_survey_trains_only_the_new_points(tiny: dict, tmp_path: Path) -> None:
    go(tiny, tmp_path)
    tiny["sweep"]["parameters"]["model.hidden_layer_sizes"]["values"].insert(1, [5])
    assert go(tiny, tmp_path).progress.trained == 2 * 2
    tiny["seeds"] = 3
    assert go(tiny, tmp_path).progress.trained == 6
    tiny["training"]["epochs"] = 7
    assert go(tiny, tmp_path).progress.cached == 0


@pytest.mark.slow
def test_one_thread_several_and_processes_give_equal_fits(tiny: dict, tmp_path: Path) -> None:
    alone, together = go(tiny, tmp_path / "a"), go(tiny, tmp_path / "b", processes(2))
    assert alone.sweep.fits == together.sweep.fits == go(tiny, tmp_path / "c", threads(2)).sweep.fits


def test_a_damaged_fit_is_set_aside_and_trained_again(tiny: dict, tmp_path: Path) -> None:
    first = go(tiny, tmp_path)
    path = Store.at(tmp_path).fit_path(first.sweep.fits[3].job.digest)
    path.write_bytes(path.read_bytes()[:-1])
    second = go(tiny, tmp_path)
    assert second.progress.trained == 1
    assert second.damaged == (path.name,)
    assert Store.at(tmp_path).set_aside() == [f"{path.name}.corrupt"]
    assert second.sweep.fits == first.sweep.fits


def test_a_job_that_raises_is_one_failed_fit_and_the_sweep_goes_on(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlp.advance

    def raising(state: mlp.State, *rest: object) -> mlp.State:
        sections = state.job.config.sections
        if sections.model.hidden_layer_sizes == (2,) and sections.training.alpha == 1:
            raise RuntimeError("out of luck")  # the kernel has no bug that a test could rely on
        return real(state, *rest)

    monkeypatch.setattr(mlp, "advance", raising)
    result = go(tiny, tmp_path)
    assert result.progress.outcomes == {"completed": 6, "failed": 2}
    failed = [fit for fit in result.sweep.fits if fit.outcome is Outcome.FAILED]
    assert {fit.cause for fit in failed} == {"RuntimeError: out of luck"}
    monkeypatch.setattr(mlp, "advance", real)
    assert go(tiny, tmp_path).progress.trained == 0
    assert go(tiny, tmp_path, retry_failed=True).progress.outcomes == {"completed": 8}


def test_a_job_that_diverges_is_a_result(tiny: dict, tmp_path: Path) -> None:
    tiny["model"]["activation"] = "identity"
    tiny["training"] = {"solver": "sgd", "epochs": 6, "batch_size": 16}
    tiny["sweep"]["parameters"] = {"training.learning_rate_init": {"values": [0.01, 1e200]}}
    result = go(tiny, tmp_path)
    assert result.progress.outcomes == {"completed": 2, "diverged": 2}
    assert go(tiny, tmp_path).progress.trained == 0
    trials = journal(tmp_path, tiny).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2
    null = [fit.null["loss/val"] for fit in result.sweep.fits if fit.outcome is Outcome.DIVERGED]
    assert trials[1].value == max([trials[0].value, *null])


def journal(root: Path, spec: dict) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(Store.at(root).journal_path(spec["name"]))))
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage)


def test_the_journal_holds_every_config_with_its_mean(tiny: dict, tmp_path: Path) -> None:
    tiny["sweep"]["constraints"] = [{"n_parameters": {"max": 25}}]
    result = go(tiny, tmp_path)
    study = journal(tmp_path, tiny)
    told = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    assert [trial.params["training.alpha"] for trial in told] == [1e-4, 1.0]
    for trial, config in zip(told, result.sweep.configs, strict=True):
        assert trial.value == pytest.approx(result.sweep.intervals(config)["loss/val"].estimate)
    left_out = [trial for trial in study.trials if trial.state is TrialState.PRUNED]
    assert len(left_out) == 2


def test_ctrl_c_keeps_what_is_done_and_running_again_continues(tiny: dict, tmp_path: Path) -> None:
    whole, before = go(tiny, tmp_path / "whole").sweep, signal.getsignal(signal.SIGINT)

    def interrupt(progress: Progress) -> None:
        if progress.trained == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        go(tiny, tmp_path / "cut", on_progress=interrupt)
    kept = len(list((tmp_path / "cut" / "fits").glob("*.safetensors")))
    assert 3 <= kept < 8
    assert signal.getsignal(signal.SIGINT) is before
    resumed = go(tiny, tmp_path / "cut")
    assert resumed.progress.cached == kept
    assert resumed.sweep.table().equals(whole.table())


@pytest.mark.slow
@pytest.mark.parametrize(
    "workers", [in_process, lambda: processes(2), lambda: threads(2)], ids=["this thread", "processes", "threads"]
)
def test_a_fit_is_stopped_in_its_middle_and_the_workers_serve_again(
    tiny: dict, tmp_path: Path, workers: Callable[[], Workers]
) -> None:
    tiny["sweep"]["parameters"] = {}
    long = {**tiny, "training": {**tiny["training"], "epochs": 500_000}}  # hours
    made = workers()
    go(tiny, tmp_path, made)
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(KeyboardInterrupt):
        go(long, tmp_path, made)
    assert len(list((tmp_path / "fits").glob("*.safetensors"))) == 2
    assert go({**tiny, "seeds": 3}, tmp_path, made).progress.trained == 1


def test_sweeps_in_two_threads_of_one_process_do_not_meet(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spec = {"data": {"kind": "arrays"}, "model": {"kind": "mlp"}, "training": {"epochs": 20, "batch_size": 8}}
    sets = [(rng.normal(size=(80, 3)), rng.normal(size=80)) for _ in range(2)]

    def one(i: int) -> Sweep:
        return fitlab.run({"name": f"s{i}", **spec}, data=sets[i], store=tmp_path, jobs=1, publish=False)

    with ThreadPoolExecutor(2) as pool:
        sweeps = list(pool.map(one, range(2)))
    assert [fit.outcome for sweep in sweeps for fit in sweep.fits] == [Outcome.COMPLETED] * 10


class Broken(Executor):
    def submit(self, *_: object) -> None:
        raise BrokenExecutor


def test_a_pool_that_cannot_be_had_ends_the_sweep_with_advice(tiny: dict, tmp_path: Path) -> None:
    with pytest.raises(fitlab.FitlabError, match="fewer --jobs"):
        go(tiny, tmp_path, Workers(Broken, 2, lambda: None))


def poisoned(task: Task) -> Leg:
    """Train, but let seed 1 of the widest network kill its worker, as the kernel does when memory runs out."""
    if task.job.seed == 1 and task.job.config.plain["model"]["hidden_layer_sizes"] == [3, 2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(task)


class Poisoned(ProcessPoolExecutor):
    def submit(self, fn, /, *args):
        return super().submit(poisoned, *args)


@pytest.mark.slow
def test_a_job_that_kills_its_worker_has_failed_and_no_other_has(tiny: dict, tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("forkserver")
    result = go(tiny, tmp_path, Workers(lambda: Poisoned(2, mp_context=fresh), 2, lambda: None))
    assert result.progress.outcomes == {"completed": 6, "failed": 2}
    failed = [fit for fit in result.sweep.fits if fit.outcome is Outcome.FAILED]
    assert {(fit.job.seed, fit.cause) for fit in failed} == {(1, "lost its worker process (killed, or out of memory)")}


def test_arrays_reach_the_workers_and_split_gives_them_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    spec = {
        "name": "arrays",
        "data": {"kind": "arrays", "scaling": "none"},
        "model": {"kind": "mlp", "hidden_layer_sizes": [2]},
        "training": {"epochs": 2},
        "seeds": 3,
    }
    spec["training"]["batch_size"] = 8
    sweep = fitlab.run(spec, data=(X, y), store=tmp_path, jobs=2, publish=False)
    split = fitlab.split(sweep.fits[0].job, data=(X, y))
    assert (split.X_train == X[split.rows["train"]]).all()
    assert [fit.outcome for fit in sweep.fits] == [Outcome.COMPLETED] * 3
    with pytest.raises(fitlab.SpecError, match="not the data of the job"):
        fitlab.split(sweep.fits[0].job, data=(X + 1, y))


def test_runs_that_overlap_give_back_blas_and_optuna_as_they_were(tiny: dict, tmp_path: Path) -> None:
    def state() -> tuple:
        blas = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
        return blas, optuna.logging.get_verbosity()

    before = state()
    go(tiny, tmp_path / "alone", threads(2))
    with ThreadPoolExecutor(3) as pool:
        results = [pool.submit(go, {**tiny, "name": f"t{i}"}, tmp_path / "many", threads(2)) for i in range(3)]
    assert {len(result.result().sweep.fits) for result in results} == {8}
    assert state() == before
