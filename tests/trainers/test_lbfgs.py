"""Networks by lbfgs: scikit-learn's own, by an explicit rule, with our names and measures."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from test_networks import agrees
from trainers.conformance import TrainerConformance, job_and_split, never
from trainers.test_mlp import counts, with_weights

import fitlab
from fitlab import trainers
from fitlab.errors import FitlabError
from fitlab.records import Outcome
from fitlab.trainers import lbfgs


def spec(kind: str = "wine", hidden: tuple[int, ...] = (5,), **training: Any) -> dict[str, Any]:
    model = {"kind": "mlp", "hidden_layer_sizes": list(hidden), "activation": "tanh"}
    return {"name": "one", "data": {"kind": kind}, "model": model, "training": {"solver": "lbfgs", **training}}


class TestClassifier(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("wine", alpha=0.1)


class TestRegressor(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("diabetes", (4, 3), max_iter=40)


@pytest.mark.parametrize("kind", ["wine", "breast_cancer", "diabetes"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_scikit_learns_fit_bit_for_bit(kind: str, weighted: bool) -> None:
    case = spec(kind, max_iter=25, class_weight="balanced" if weighted and kind != "diabetes" else None)
    job, split = job_and_split(case, seed=3)
    split = with_weights(split) if weighted else split
    whole = trainers.finish(trainers.advance(trainers.start(job, split), split, 1, never), split)
    network = MLPRegressor if kind == "diabetes" else MLPClassifier
    theirs = network(
        hidden_layer_sizes=(5,), activation="tanh", solver="lbfgs", max_iter=25, random_state=whole.random_state
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it says so, and ours has it as its cause
        weights = counts(job.config.sections.training, split)
        theirs.fit(split.X_train, split.y_train, sample_weight=weights)
    assert (whole.weights["hidden_1/weight"] == theirs.coefs_[0]).all()
    assert (whole.weights["output/bias"] == theirs.intercepts_[1]).all()
    agrees(theirs, whole, split)  # codes are the labels of these data sets
    agrees(whole.to_sklearn(), whole, split)
    assert (whole.cause or "").startswith("ConvergenceWarning") == (theirs.n_iter_ == 25)


def test_a_class_that_training_lacks_has_probability_zero() -> None:
    job, split = job_and_split(spec("wine"))
    few = split.y_train < 2
    split = replace(split, X_train=split.X_train[few], y_train=split.y_train[few])
    whole = trainers.finish(trainers.advance(trainers.start(job, split), split, 1, never), split)
    assert whole.predictions["test"].shape == (len(split.y_test), 3)
    assert not whole.predictions["test"][:, 2].any()
    with pytest.raises(FitlabError, match="had not every class"):
        whole.to_sklearn()


def test_overflow_is_a_divergence() -> None:
    job, split = job_and_split(spec("diabetes"))
    split = replace(split, y_train=split.y_train * 1e200)
    whole = trainers.finish(trainers.advance(trainers.start(job, split), split, 1, never), split)
    assert whole.outcome is Outcome.DIVERGED
    assert "non-finite in epoch 1" in whole.cause
    assert not len(whole.curves)


def test_the_rule_is_the_solver_and_the_job_says_so(tmp_path: Path) -> None:
    case = {**spec(), "seeds": 2, "training": {}}
    case["sweep"] = {"parameters": {"training.solver": {"values": ["adam", "lbfgs"]}}}
    sweep = fitlab.run(case, store=tmp_path, jobs=2, publish=False)
    assert [fit.job.trainer.split("/")[0] for fit in sweep.fits] == ["mlp-kernel"] * 2 + ["mlp-lbfgs"] * 2
    assert [len(fit.curves) for fit in sweep.fits] == [101, 101, 1, 1]
    assert fitlab.load("one", tmp_path).fits == sweep.fits
    by_rule = [lbfgs.trains(config.sections) for config in sweep.configs]
    assert by_rule == [False, True]


def test_a_regression_has_no_classes_to_balance() -> None:
    job, split = job_and_split(spec("diabetes", class_weight="balanced"))
    (problem,) = trainers.misfits(job.config.sections, split.task, split.sizes, split.classes)
    assert problem.path == ("training", "class_weight")
