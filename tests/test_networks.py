"""Fits handed back as scikit-learn's estimators: they say what the Fit says, and are whole."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.neural_network import MLPClassifier, MLPRegressor
from trainers.conformance import fit, job_and_split
from trainers.test_mlp import spec, without_biases

import fitlab
from fitlab.errors import FitlabError
from fitlab.records import Fit, Outcome, Split
from fitlab.store import read_fit, write_fit

CASES = {
    "three classes": spec("wine", activation="tanh"),
    "two classes": spec("breast_cancer", (), solver="sgd", learning_rate="adaptive"),
    "a quantity": spec("diabetes", (6, 3), activation="logistic"),
    "no biases": without_biases(spec("wine", (4, 3))),
    "stopped early": spec("wine", epochs=60, early_stopping={"n_iter_no_change": 1, "tol": 0.01}),
}


def agrees(theirs: Any, whole: Fit, split: Split) -> None:
    for part, X in (("val", split.X_val), ("test", split.X_test)):
        said = whole.predictions[part]
        if split.task == "regression":
            assert theirs.predict(X) == pytest.approx(said, rel=1e-12)
        else:
            assert theirs.predict_proba(X) == pytest.approx(said, abs=1e-12)
            assert (theirs.predict(X) == split.classes[said.argmax(axis=1)]).all()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_predicts_what_the_fit_does_and_survives_pickling(case: dict[str, Any]) -> None:
    whole, (_, split) = fit(case), job_and_split(case)
    theirs = whole.to_sklearn()
    agrees(theirs, whole, split)
    agrees(pickle.loads(pickle.dumps(theirs)), whole, split)  # noqa: S301 (our own)
    agrees(read_fit(write_fit(whole)).to_sklearn(), whole, split)
    y = split.classes[split.y_val] if len(split.classes) else split.y_val
    score = "r2/val" if split.task == "regression" else "accuracy/val"
    assert theirs.score(split.X_val, y) == pytest.approx(whole.final[score], rel=1e-9)
    assert permutation_importance(theirs, split.X_val, y, n_repeats=1, random_state=0).importances.any()


@pytest.mark.parametrize("kind", ["wine", "breast_cancer", "diabetes"])
def test_it_has_what_a_fitted_one_has_and_its_clone_trains_to_the_same_network(kind: str) -> None:
    case = spec(kind, epochs=5)  # too short for scikit-learn to stop by itself
    whole, (_, split) = fit(case), job_and_split(case)
    ours = whole.to_sklearn()
    with pytest.warns(match="Maximum iterations"):
        theirs = clone(ours).fit(split.X_train, split.y_train)
    assert isinstance(theirs, MLPRegressor if kind == "diabetes" else MLPClassifier)
    assert {name for name in vars(theirs) if name.endswith("_")} - set(vars(ours)) == {"loss_"}  # theirs alone
    for name in ("n_features_in_", "n_layers_", "n_outputs_", "out_activation_", "n_iter_", "t_"):
        assert getattr(ours, name) == getattr(theirs, name)
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert mine == pytest.approx(other, abs=1e-8)


def test_training_goes_on_by_partial_fit_with_labels_of_the_data_and_leaves_the_fit_alone() -> None:
    whole, (_, split) = fit(spec("wine")), job_and_split(spec("wine"))
    theirs = replace(whole, classes=("alpha", "beta", "gamma")).to_sklearn()
    labels = theirs.classes_[split.y_train]
    before = whole.content_digest, theirs.score(split.X_train, labels)
    for _ in range(20):
        theirs.partial_fit(split.X_train, labels)
    assert theirs.score(split.X_train, labels) > before[1]
    assert len(theirs.loss_curve_) == 20
    assert replace(whole).content_digest == before[0]  # computed anew


@pytest.mark.parametrize("labels", [["ill", "well"], [False, True], [2, 7], [1.0, 2.0], ["c", "a", "b"]])
def test_labels_come_back_as_they_were_with_their_type(labels: list[Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.array(labels)[np.arange(60) % len(labels)]
    data = {"kind": "arrays", "task": "classification"}
    case = {"name": "labels", "data": data, "model": {"kind": "mlp"}, "training": {"epochs": 2, "batch_size": 8}}
    fitlab.run({**case, "seeds": 1}, data=(X, y), store=tmp_path, jobs=1, publish=False)
    (whole,) = fitlab.load("labels", tmp_path).fits
    theirs, split = whole.to_sklearn(), fitlab.split(whole.job, data=(X, y))
    assert theirs.classes_.tolist() == sorted(labels)
    agrees(theirs, whole, split)


def test_a_snapshot_is_handed_back_too() -> None:
    case = spec("wine", snapshots=[0, 3])
    shorter = fit({**case, "training": {**case["training"], "epochs": 3, "snapshots": []}})
    theirs = fit(case).to_sklearn(epoch=3)
    agrees(theirs, shorter, job_and_split(case)[1])
    assert theirs.n_iter_ == 3


def test_what_cannot_be_handed_back_says_what_to_do() -> None:
    whole = fit(spec("wine"))
    for broken, says in (
        (replace(whole, weights={}, outcome=Outcome.FAILED), "no weights were kept there; this Fit is failed"),
        (replace(whole, classes=()), "train it again"),
        (replace(whole, classes=(0.5, 1.5, 2.5)), "no label 0.5"),
    ):
        with pytest.raises(FitlabError, match=says):
            broken.to_sklearn()
    with pytest.raises(FitlabError, match="its snapshots are: none"):
        whole.to_sklearn(4)
    estimator = {"kind": "estimator", "estimator": "sklearn.svm.SVC"}
    with pytest.raises(FitlabError, match=r"Train it again: split = fitlab\.split"):
        fit({"name": "one", "data": {"kind": "wine"}, "model": estimator}).to_sklearn()
