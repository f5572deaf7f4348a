"""What a Fit leaves in memory, and what a Sweep reads when it is asked."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from runner.test_execute import go

from fitlab.arrays import Stored
from fitlab.runner.workers import Workers, in_process, processes, threads
from fitlab.store import Store
from fitlab.sweep import Sweep

A_FIT = 20_000  # bytes that it may leave
WIDE = {"kind": "mlp", "hidden_layer_sizes": [4000]}  # 256 kB of weights
SURVEY = {"method": "grid", "parameters": {"training.alpha": {"values": [1e-4, 1e-3, 1e-2, 1e-1]}}}
SEARCH = {
    "method": "tpe",
    "trials": 4,
    "wave": 2,
    "early_terminate": {"type": "median", "min_epochs": 1, "n_startup_trials": 1},
    "parameters": {"training.alpha": {"low": 1e-4, "high": 1.0, "log": True}},
}


@pytest.fixture(params=[SURVEY, SEARCH], ids=["survey", "search"])
def wide(tiny: dict, request: pytest.FixtureRequest) -> dict:
    """Twenty Fits whose weights alone are 256 kB each, times four for what is kept along the way."""
    training = {"epochs": 3, "snapshots": [0, 1, 2], "batch_size": 60}
    return {**tiny, "seeds": 5, "model": WIDE, "training": training, "sweep": request.param}


def left(work: Callable[[], Sweep]) -> tuple[Sweep, float]:
    """Return what ``work`` returns and the bytes of memory that are held after it, per Fit."""
    gc.collect()
    tracemalloc.start()
    try:
        sweep = work()
        gc.collect()
        return sweep, tracemalloc.get_traced_memory()[0] / len(sweep.fits)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "workers",
    [lambda: threads(2), *(pytest.param(one, marks=pytest.mark.slow) for one in (in_process, lambda: processes(2)))],
    ids=["threads", "this thread", "processes"],
)
def test_a_fit_leaves_little_in_memory(wide: dict, tmp_path: Path, workers: Callable[[], Workers]) -> None:
    made = workers()
    go(wide, tmp_path / "first", made)  # what is loaded and kept once
    trained, of_training = left(lambda: go(wide, tmp_path / "store", made).sweep)
    if of_training >= A_FIT:  # or did something else in this process take memory? A leak would be there again
        _, of_training = left(lambda: go(wide, tmp_path / "again", made).sweep)
    replayed, of_replay = left(lambda: go(wide, tmp_path / "store", made).sweep)
    loaded, of_load = left(lambda: Store.at(tmp_path / "store").load("tiny"))
    assert trained.fits == replayed.fits == loaded.fits
    assert sum(array.nbytes for array in trained.fits[0].weights.values()) > 10 * A_FIT
    assert max(of_training, of_replay, of_load) < A_FIT


@pytest.mark.slow
def test_arrays_are_read_when_asked_and_not_kept(wide: dict, tmp_path: Path) -> None:
    sweep = go(wide, tmp_path).sweep
    for fit in sweep.fits:
        assert isinstance(fit.weights, Stored)
        assert fit.arrays.keys() == fit.sums.keys()
        assert fit.weights["output/bias"] is not fit.weights["output/bias"]
        assert fit.snapshots[1]["hidden_1/weight"].shape == (4, 4000)
        assert np.isfinite(fit.weights["hidden_1/weight"]).all()
    _, held = left(lambda: [fit.arrays for fit in sweep.fits] and sweep)
    assert held < A_FIT
