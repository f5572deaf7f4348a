"""The estimator trainer: what scikit-learn by hand gives, along every axis, and one way to measure."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble, metrics
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.svm import SVC
from sklearn.utils import shuffle
from trainers.conformance import TrainerConformance, fit, job_and_split

from fitlab import trainers
from fitlab.records import Outcome
from fitlab.trainers import axes, building, fitted

POLYNOMIAL = ["sklearn.preprocessing.PolynomialFeatures", "sklearn.linear_model.Ridge"]


def spec(name: str | list[str], parameters: dict | None = None, kind: str = "wine", axis: Any = None) -> dict[str, Any]:
    name = f"sklearn.{name}" if isinstance(name, str) else name
    model = {"kind": "estimator", "estimator": name, "parameters": parameters or {}}
    return {"name": "one", "data": {"kind": kind}, "model": model | ({} if axis is None else {"axis": axis})}


class TestPartialFit(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        axis = {"kind": "partial_fit", "epochs": 7, "batch_size": 16}
        return spec("linear_model.SGDClassifier", {"loss": "log_loss"}, axis=axis)


class TestForest(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("ensemble.RandomForestClassifier", {"n_estimators": 7}, axis={"kind": "warm_start", "step": 3})


class TestBoosting(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("ensemble.GradientBoostingRegressor", {"n_estimators": 6, "subsample": 0.5}, "diabetes")


class TestStaged(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("ensemble.AdaBoostClassifier", {"n_estimators": 6})


class TestSupportVectors(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("svm.SVC", {"C": 0.5})


class TestPipeline(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec(POLYNOMIAL, {"polynomialfeatures__degree": 2, "ridge__alpha": 1.5}, "diabetes")


BITWISE = [
    ("ensemble.RandomForestClassifier", {"n_estimators": 9, "max_depth": 4}, "wine"),
    ("ensemble.RandomForestRegressor", {"n_estimators": 9}, "diabetes"),
    ("ensemble.ExtraTreesClassifier", {"n_estimators": 9}, "wine"),
    ("ensemble.BaggingClassifier", {"n_estimators": 9, "max_features": 0.5}, "wine"),
    ("ensemble.GradientBoostingClassifier", {"n_estimators": 12, "max_depth": 2}, "breast_cancer"),
    ("ensemble.GradientBoostingClassifier", {"n_estimators": 12, "subsample": 0.6, "max_features": 3}, "wine"),
    ("ensemble.GradientBoostingRegressor", {"n_estimators": 12, "loss": "huber"}, "diabetes"),
    ("ensemble.HistGradientBoostingClassifier", {"max_iter": 12}, "breast_cancer"),
    ("ensemble.HistGradientBoostingRegressor", {"max_iter": 12, "max_features": 0.5}, "diabetes"),
    ("ensemble.AdaBoostClassifier", {"n_estimators": 9}, "wine"),
    ("svm.SVC", {"C": 2.0, "gamma": 0.1}, "wine"),
    ("neighbors.KNeighborsClassifier", {"n_neighbors": 3}, "wine"),
    ("tree.DecisionTreeRegressor", {"max_features": 3}, "diabetes"),
]


@pytest.mark.parametrize(("name", "parameters", "kind"), BITWISE, ids=str)
def test_scikit_learn_by_hand_gives_the_same_estimator_bit_for_bit(name: str, parameters: dict, kind: str) -> None:
    ours, (_, split) = fit(spec(name, parameters, kind), seed=3), job_and_split(spec(name, parameters, kind), seed=3)
    theirs = building.importing.resolve(f"sklearn.{name}")(**parameters)
    if "random_state" in theirs.get_params():
        theirs.set_params(random_state=ours.random_state)
    theirs.fit(split.X_train, split.y_train)
    probable = fitted.is_probable(split.task, theirs)
    for part, X in (("val", split.X_val), ("test", split.X_test)):
        assert (ours.predictions[part] == (theirs.predict_proba(X) if probable else theirs.predict(X))).all()
    expected = fitted.weights(theirs)
    assert ours.weights.keys() == expected.keys()
    assert all((ours.weights[key] == array).all() for key, array in expected.items())


WEIGHTED = [
    (["sklearn.linear_model.Ridge"], None),
    (["sklearn.preprocessing.PolynomialFeatures", "sklearn.linear_model.Ridge"], None),
    (["sklearn.ensemble.RandomForestRegressor"], {"kind": "warm_start", "step": 4}),
    (["sklearn.ensemble.AdaBoostRegressor"], {"kind": "staged"}),
    (["sklearn.linear_model.SGDRegressor"], {"kind": "partial_fit", "epochs": 2, "batch_size": 16}),
]


@pytest.mark.parametrize(("names", "axis"), WEIGHTED, ids=str)
def test_weights_of_rows_reach_fit_and_what_is_measured(names: list[str], axis: dict | None) -> None:
    case = spec(names if len(names) > 1 else names[0].removeprefix("sklearn."), kind="diabetes", axis=axis)
    job, split = job_and_split(case)
    few = np.where(np.arange(len(split.y_train)) < 100, 1e-9, 1.0)
    split = replace(split, weights={"train": few, "val": np.linspace(1, 2, len(split.y_val))})
    state = trainers.advance(trainers.start(job, split), split, trainers.end(job.config.sections), lambda: False)
    weighted, plain = trainers.finish(state, split), fit(case)
    assert (weighted.predictions["val"] != plain.predictions["val"]).any()
    said = metrics.mean_squared_error(split.y_val, weighted.predictions["val"], sample_weight=split.weights["val"])
    assert weighted.final["loss/val"] == pytest.approx(said, rel=1e-9)
    if axis is None:
        theirs = make_pipeline(*(PolynomialFeatures() for _ in names[1:]), Ridge())
        theirs.fit(split.X_train, split.y_train, ridge__sample_weight=few)
        assert weighted.predictions["test"] == pytest.approx(theirs.predict(split.X_test), rel=1e-9)


def test_an_estimator_without_weights_of_rows_is_refused_where_the_data_have_some(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{1 + i % 3},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"x,w,label\n{rows}")
    table = {"kind": "csv", "path": str(tmp_path / "t.csv"), "target": "label", "sample_weight": "w"}
    for name, refused in (("linear_model.LogisticRegression", False), ("neighbors.KNeighborsClassifier", True)):
        job, split = job_and_split({**spec(name), "data": table})
        found = list(trainers.misfits(job.config.sections, split.task, split.sizes, split.classes))
        assert [problem.path for problem in found] == [("data", "sample_weight")] * refused
        assert trainers.loss(job.config.sections, split.task).endswith("rows weighted")


def test_a_pipeline_by_hand_gives_the_same_numbers() -> None:
    case = spec(POLYNOMIAL, {"polynomialfeatures__degree": 2, "ridge__alpha": 0.1}, "diabetes")
    ours, (_, split) = fit(case), job_and_split(case)
    theirs = make_pipeline(PolynomialFeatures(2), Ridge(0.1)).fit(split.X_train, split.y_train)
    assert (ours.predictions["val"] == theirs.predict(split.X_val)).all()
    assert (ours.weights["ridge/coef_"] == theirs[-1].coef_).all()
    assert ours.final["loss/val"] == pytest.approx(
        metrics.mean_squared_error(split.y_val, theirs.predict(split.X_val)), rel=1e-12
    )


def test_partial_fit_sees_the_orders_of_the_stream() -> None:
    case = spec("linear_model.SGDClassifier", {"loss": "log_loss"}, axis={"kind": "partial_fit", "epochs": 3})
    ours, (job, split) = fit(case), job_and_split(case)
    theirs = SGDClassifier(loss="log_loss", random_state=job.stream("init"))
    orders, order = np.random.RandomState(job.stream("order")), np.arange(len(split.y_train))
    for _ in range(3):
        order = shuffle(order, random_state=orders)
        for first in range(0, len(order), 32):
            rows = order[first : first + 32]
            theirs.partial_fit(split.X_train[rows], split.y_train[rows], classes=[0, 1, 2])
    assert (ours.weights["coef_"] == theirs.coef_).all()


@pytest.mark.parametrize("name", ["GradientBoostingClassifier", "HistGradientBoostingClassifier"])
def test_growth_and_stages_are_the_same_curve(name: str) -> None:
    size = {"n_estimators" if name.startswith("G") else "max_iter": 8}
    grown, staged = (fit(spec(f"ensemble.{name}", size, axis=a)) for a in (None, {"kind": "staged"}))
    assert grown.curves.epoch.tolist() == staged.curves.epoch.tolist() == list(range(1, 9))
    assert np.allclose(grown.curves["loss/val"], staged.curves["loss/val"], rtol=1e-9)


def test_growth_in_steps_measures_every_step_and_the_end() -> None:
    case = spec("ensemble.ExtraTreesClassifier", {"n_estimators": 8}, axis={"kind": "warm_start", "step": 3})
    assert fit(case).curves.epoch.tolist() == [3, 6, 8]
    assert fit(case, to_epoch=5).epochs == 3
    assert (fit(case, to_epoch=2).epochs, len(fit(case, to_epoch=2).curves)) == (0, 0)
    assert fit({**case, "model": {**case["model"], "axis": {"kind": "warm_start", "step": 50}}}).epochs == 8


def test_an_ensemble_that_ends_early_keeps_its_last_value() -> None:
    perfect = {"estimator": {"estimator": "sklearn.tree.DecisionTreeClassifier"}, "n_estimators": 5}
    ended = fit(spec("ensemble.AdaBoostClassifier", perfect))
    assert ended.curves.epoch.tolist() == [1, 2, 3, 4, 5]
    assert len(set(ended.curves["loss/val"])) == 1
    stopping = fit(spec("ensemble.GradientBoostingClassifier", {"n_estimators": 90, "n_iter_no_change": 1}))
    assert (stopping.outcome, stopping.epochs) == (Outcome.COMPLETED, 90)


AXES = [
    ("ensemble.AdaBoostClassifier", {}, "staged"),
    ("ensemble.RandomForestClassifier", {}, "warm_start"),
    ("ensemble.GradientBoostingClassifier", {}, "warm_start"),
    ("ensemble.GradientBoostingClassifier", {"n_iter_no_change": 3}, "staged"),
    ("ensemble.HistGradientBoostingClassifier", {"early_stopping": True}, "staged"),
    ("linear_model.SGDClassifier", {}, "partial_fit"),
    ("linear_model.SGDClassifier", {"early_stopping": True}, "none"),
    ("linear_model.SGDClassifier", {"early_stopping": False, "tol": None}, "partial_fit"),
    ("linear_model.SGDClassifier", {"tol": 1e-3}, "none"),
    ("linear_model.SGDClassifier", {"class_weight": "balanced"}, "none"),
    ("neural_network.MLPClassifier", {"n_iter_no_change": 5}, "none"),
    ("neural_network.MLPClassifier", {}, "partial_fit"),
    ("linear_model.LogisticRegression", {}, "none"),
    ("naive_bayes.GaussianNB", {}, "none"),
    ("svm.SVC", {}, "none"),
]


@pytest.mark.parametrize(("name", "parameters", "kind"), AXES)
def test_auto_takes_the_first_axis_that_there_is(name: str, parameters: dict, kind: str) -> None:
    model = job_and_split(spec(name, parameters))[0].config.sections.model
    assert axes.resolved(model, building.prototype(model)).kind == kind


@pytest.mark.parametrize("name", ["linear_model.SGDClassifier", "neural_network.MLPClassifier"])
def test_auto_makes_as_many_passes_as_max_iter_says(name: str) -> None:
    assert fit(spec(name, {"max_iter": 3})).epochs == 3
    assert fit(spec(name, {"max_iter": 3})).final == fit(spec(name, axis={"kind": "partial_fit", "epochs": 3})).final
    mlp = job_and_split(spec("neural_network.MLPClassifier", {"batch_size": 5, "shuffle": False}))[0].config.sections
    passes = axes.resolved(mlp.model, building.prototype(mlp.model))
    assert (passes.epochs, passes.batch_size, passes.shuffle) == (100, 5, False)


def test_without_probabilities_the_loss_is_zero_one_for_the_constant_predictor_too() -> None:
    ours, (_, split) = fit(spec("svm.SVC")), job_and_split(spec("svm.SVC"))
    theirs = SVC().fit(split.X_train, split.y_train)
    dummy = DummyClassifier(strategy="most_frequent").fit(split.X_train, split.y_train)
    assert ours.loss == trainers.loss(ours.job.config.sections, "classification") == "zero_one_loss"
    assert ours.predictions["val"].shape == split.y_val.shape
    assert ours.final["loss/val"] == pytest.approx(metrics.zero_one_loss(split.y_val, theirs.predict(split.X_val)))
    assert ours.null["loss/val"] == pytest.approx(metrics.zero_one_loss(split.y_val, dummy.predict(split.X_val)))
    assert ours.final["loss/val"] + ours.final["accuracy/val"] == 1


def test_a_class_that_training_never_saw_has_a_column() -> None:
    theirs = KNeighborsClassifier(1).fit([[0.0], [1.0]], [0, 2])
    assert fitted.spread(theirs.predict_proba([[1.0]]), theirs.classes_, 4).tolist() == [[0, 0, 1, 0]]


def test_warnings_are_collected_once_each_and_told_as_the_cause() -> None:
    warned = fit(spec("svm.LinearSVC", {"max_iter": 1}, "breast_cancer"))
    assert warned.outcome is Outcome.COMPLETED
    assert warned.cause.startswith("ConvergenceWarning: Liblinear failed to converge")
    assert warned == fit(spec("svm.LinearSVC", {"max_iter": 1}, "breast_cancer"))


def test_a_deprecated_class_warns_in_the_fit_alone() -> None:
    deprecated = fit(spec("linear_model.PassiveAggressiveClassifier", axis={"kind": "none"}))
    assert deprecated.cause.startswith("FutureWarning: Class PassiveAggressiveClassifier is deprecated")


def test_divergence_is_an_outcome_with_its_epoch() -> None:
    wild = {"eta0": 1e200, "learning_rate": "constant", "penalty": None}
    diverged = fit(spec("linear_model.SGDRegressor", wild, "diabetes"))
    assert diverged.outcome is Outcome.DIVERGED
    assert f"non-finite in epoch {diverged.epochs}" in diverged.cause


def test_only_what_the_user_left_open_is_seeded() -> None:
    within = {"estimator": "sklearn.ensemble.RandomForestClassifier", "parameters": {"random_state": 5}}
    case = spec("ensemble.BaggingClassifier", {"estimator": within, "n_estimators": 2})
    estimator = building.seeded(job_and_split(case)[0].config.sections.model, 9, np.arange(3))
    assert (estimator.random_state, estimator.estimator.random_state) == (9, 5)
    assert building.prototype(job_and_split(case)[0].config.sections.model).random_state is None


def test_what_json_cannot_say_is_restored() -> None:
    steps = [["scale", {"estimator": "sklearn.preprocessing.MinMaxScaler", "parameters": {"feature_range": [0, 2]}}]]
    steps += [["svc", {"estimator": "sklearn.svm.SVC", "parameters": {"class_weight": {"0": 2.0}}}]]
    case = spec("pipeline.Pipeline", {"steps": steps, "svc__C": 3.0})
    estimator = building.prototype(job_and_split(case)[0].config.sections.model)
    assert isinstance(estimator.steps[0], tuple)
    assert estimator["scale"].feature_range == (0, 2)
    assert (estimator["svc"].class_weight, estimator["svc"].C) == ({0: 2.0}, 3.0)


def test_the_axes_of_the_docstring_are_all_of_scikit_learns_ensembles() -> None:
    """A new scikit-learn may bring an ensemble that grows: look at it, then add it to this list."""
    kinds = [
        k for n, k in inspect.getmembers(ensemble, inspect.isclass) if "warm_start" in inspect.signature(k).parameters
    ]
    names = {kind.__name__.removesuffix("Classifier").removesuffix("Regressor") for kind in kinds}
    forests = {"RandomForest", "ExtraTrees", "Bagging", "IsolationForest", "RandomTreesEmbedding"}
    assert names == forests | {"GradientBoosting", "HistGradientBoosting"}
