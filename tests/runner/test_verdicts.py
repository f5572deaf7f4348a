"""Test losses of the selected Config: those of its own predictions on its own test rows, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fitlab
from fitlab.runner.verdicts import losses_on_test
from fitlab.trainers import measures

ESTIMATORS = {
    "probabilities": ("sklearn.linear_model.LogisticRegression", "iris"),
    "classes": ("sklearn.svm.LinearSVC", "iris"),
    "numbers": ("sklearn.linear_model.Ridge", "diabetes"),
}


def swept(model: str, data: str, seeds: int = 3) -> dict:
    key = "C" if data == "iris" else "alpha"
    return {
        "name": "small",
        "data": {"kind": data},
        "seeds": seeds,
        "model": {"kind": "estimator", "estimator": model},
        "sweep": {"parameters": {f"model.parameters.{key}": {"values": [0.01, 1.0]}}},
    }


@pytest.mark.parametrize(("model", "data"), ESTIMATORS.values(), ids=ESTIMATORS)
def test_losses_of_rows_are_what_the_loss_is_the_mean_of(model: str, data: str, tmp_path: Path) -> None:
    sweep = fitlab.run(swept(model, data), store=tmp_path, jobs=1, publish=False)
    for fit in sweep.fits:
        split = fitlab.split(fit.job)
        rows = measures.losses(split.task, split.y_val, fit.predictions["val"])
        assert rows.mean() == pytest.approx(fit.final["loss/val"])
    found = sweep.verdicts.selection
    best = next(config for config in sweep.configs if config.digest == found.config)
    tested = [
        measures.measure(split.task, "test", split.y_test, fit.predictions["test"])["loss/test"]
        for fit in sweep.of(best)
        for split in [fitlab.split(fit.job)]
    ]
    assert found.test.estimate == pytest.approx(np.mean(tested))
    val = [fit.final["loss/val"] for fit in sweep.of(best)]
    assert found.optimism.estimate == pytest.approx(np.mean(np.subtract(tested, val)))
    assert found.test.low < found.test.estimate < found.test.high


def test_run_load_and_diagnose_say_the_same(tiny: dict, tmp_path: Path) -> None:
    sweep = fitlab.run(tiny, store=tmp_path, jobs=1, publish=False)
    assert fitlab.load("tiny", store=tmp_path).verdicts == sweep.verdicts
    assert fitlab.diagnose(sweep).by_config.keys() == sweep.verdicts.by_config.keys()
    table = sweep.table()
    assert table["verdict"].tolist() == [*(v.text for v in sweep.verdicts.by_config.values()), ""]


def test_without_its_data_the_test_loss_is_not_known(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), rng.integers(2, size=60)
    spec = {**swept("sklearn.linear_model.LogisticRegression", "iris"), "data": {"kind": "arrays"}}
    sweep = fitlab.run(spec, data=(X, y), store=tmp_path, jobs=1, publish=False)
    assert sweep.verdicts.selection.test is not None
    without = fitlab.load("small", store=tmp_path)
    assert without.verdicts.selection.test is None
    assert without.verdicts.selection.config == sweep.verdicts.selection.config
    assert fitlab.load("small", store=tmp_path, data=(X, y)).verdicts == sweep.verdicts
    assert fitlab.load("small", store=tmp_path, data=(X + 1, y)).verdicts.selection.test is None, "other data"
    assert losses_on_test(sweep, None) is None


def test_what_the_test_part_holds_changes_no_verdict_and_no_choice(tiny: dict, tmp_path: Path) -> None:
    """Another test part, same training and validation rows: everything but what is reported stays."""
    sweep = fitlab.run(tiny, store=tmp_path, jobs=1, publish=False)
    plain = fitlab.diagnose(sweep)
    assert plain.selection.config == sweep.verdicts.selection.config
    assert plain.selection.simplest == sweep.verdicts.selection.simplest
    for digest, verdict in plain.by_config.items():
        there = sweep.verdicts.by_config[digest]
        assert (verdict.label, verdict.leaning, verdict.reasons) == (there.label, there.leaning, there.reasons)
