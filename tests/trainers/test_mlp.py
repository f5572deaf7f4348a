"""The mlp trainer: scikit-learn's numbers, bit for bit, and one way to measure."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from trainers.conformance import NetworkConformance, fit, job_and_split

from fitlab.trainers import measures


def spec(kind: str = "wine", hidden: tuple[int, ...] = (5,), **training: Any) -> dict[str, Any]:
    scaled = {"target_scaling": "standard"} if kind in {"diabetes", "make_friedman1"} else {}
    return {
        "name": "one",
        "data": {"kind": kind, **scaled},
        "model": {"kind": "mlp", "hidden_layer_sizes": list(hidden)},
        "training": {"epochs": 6, "batch_size": 16, "learning_rate_init": 0.01, **training},
    }


class TestManyClasses(NetworkConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("wine")


class TestTwoClasses(NetworkConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("breast_cancer", solver="sgd", learning_rate="adaptive", n_iter_no_change=1)


class TestRegression(NetworkConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("diabetes", hidden=(4, 3))


CASES = [
    spec("digits", (16,), epochs=15),
    spec("digits", (8, 4), epochs=10, batch_size=50, alpha=1.0),
    spec("breast_cancer", (7,), epochs=10, solver="sgd", learning_rate="invscaling"),
    spec("wine", (), epochs=10, solver="sgd", learning_rate="adaptive", n_iter_no_change=1, tol=0.1),
    spec("iris", (3,), epochs=10, shuffle=False, solver="sgd", nesterovs_momentum=False, momentum=0.5),
    spec("diabetes", (6,), epochs=10, beta_1=0.8, beta_2=0.9, epsilon=1e-4),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['data']['kind']}-{len(case['training'])}")
def test_scikit_learns_fit_with_our_random_state_gives_the_same_network_bit_for_bit(case: dict[str, Any]) -> None:
    ours = fit(case, seed=3)
    job, split = job_and_split(case, seed=3)
    training = job.config.sections.training
    chosen = training.model_dump(exclude={"epochs", "snapshots"})
    if case["training"].get("learning_rate") != "adaptive":
        chosen["n_iter_no_change"] = training.epochs + 1  # theirs would stop early
    kind = MLPClassifier if split.task == "classification" else MLPRegressor
    theirs = kind(
        hidden_layer_sizes=job.config.sections.model.hidden_layer_sizes,
        max_iter=training.epochs,
        random_state=ours.random_state,
        **chosen,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it says that it stopped after max_iter: we asked for that
        theirs.fit(split.X_train, split.y_train)
    assert theirs.n_iter_ == training.epochs
    layers = [array for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for array in pair]
    for mine, other in zip(ours.weights.values(), layers, strict=True):
        assert (mine == other).all()


@pytest.mark.parametrize("kind", ["wine", "breast_cancer"])
def test_losses_and_scores_are_scikit_learns_without_the_penalty(kind: str) -> None:
    case = spec(kind, alpha=10.0)
    ours, (_, split) = fit(case), job_and_split(case)
    probable = ours.predictions["val"]
    labels = np.arange(split.n_outputs)
    assert ours.final["loss/val"] == pytest.approx(metrics.log_loss(split.y_val, probable, labels=labels), rel=1e-12)
    assert ours.final["accuracy/val"] == metrics.accuracy_score(split.y_val, probable.argmax(axis=1))


def test_squared_error_has_no_factor_of_one_half() -> None:
    ours, (_, split) = fit(spec("diabetes")), job_and_split(spec("diabetes"))
    predicted = ours.predictions["val"]
    assert ours.final["loss/val"] == pytest.approx(metrics.mean_squared_error(split.y_val, predicted), rel=1e-12)
    assert ours.final["r2/val"] == pytest.approx(metrics.r2_score(split.y_val, predicted), rel=1e-9)


@pytest.mark.parametrize("kind", ["wine", "diabetes"])
def test_the_null_is_the_constant_predictor(kind: str) -> None:
    ours, (_, split) = fit(spec(kind), to_epoch=0), job_and_split(spec(kind))
    dummy = (DummyClassifier() if kind == "wine" else DummyRegressor()).fit(split.X_train, split.y_train)
    if kind == "wine":
        expected = metrics.log_loss(split.y_val, dummy.predict_proba(split.X_val), labels=[0, 1, 2])
    else:
        expected = metrics.mean_squared_error(split.y_val, dummy.predict(split.X_val))
    assert ours.null["loss/val"] == pytest.approx(expected, rel=1e-12)


def test_a_class_that_training_never_saw_costs_a_finite_loss() -> None:
    null = measures.null_metrics("classification", np.array([0, 0, 1]), np.array([2]), 3)
    assert null["loss/val"] == pytest.approx(np.log(3 + 3))


def test_one_confident_error_costs_at_most_the_clip() -> None:
    assert measures.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-np.log(measures.CLIP))
    assert "2.22e-16" in measures.LOSS["classification"]


def test_the_score_of_a_constant_target_is_missing_not_zero() -> None:
    assert np.isnan(measures.r2(np.ones(3), np.zeros(3)))


def test_the_same_seed_pairs_configs_of_one_shape() -> None:
    weak, strong = fit(spec(alpha=1e-4), to_epoch=0), fit(spec(alpha=1.0), to_epoch=0)
    assert weak.job.digest != strong.job.digest
    assert weak.random_state == strong.random_state
    assert all((weak.weights[name] == array).all() for name, array in strong.weights.items())
