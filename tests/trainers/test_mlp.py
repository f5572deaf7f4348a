"""The mlp trainer: scikit-learn's numbers to rounding, what it has not, and one way to measure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.class_weight import compute_class_weight
from trainers.conformance import ALL, NetworkConformance, TrainerConformance, fit, job_and_split, never

from fitlab import space, trainers
from fitlab.errors import SpecError
from fitlab.records import Fit, Job, Outcome, Split, best_epoch, given_up, upto
from fitlab.spec import read_spec
from fitlab.store import as_decided, read_fit, write_fit
from fitlab.trainers import kernel, measures


def spec(kind: str = "wine", hidden: tuple[int, ...] = (5,), **training: Any) -> dict[str, Any]:
    activation = training.pop("activation", "relu")
    scaled = {"target_scaling": "standard"} if kind in {"diabetes", "make_friedman1"} else {}
    return {
        "name": "one",
        "data": {"kind": kind, **scaled},
        "model": {"kind": "mlp", "hidden_layer_sizes": list(hidden), "activation": activation},
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


class TestWithoutBiases(NetworkConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return without_biases(spec("wine", activation="tanh"))


def without_biases(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "model": {**case["model"], "biases": False}}


# ── against scikit-learn's fit ──────────────────────────────────────────────────────────────────────────────


class NudgedClassifier(MLPClassifier):
    """One initial weight is one ulp larger: how far that gets says how chaotic training is."""

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        weights, biases = super()._init_coef(fan_in, fan_out, dtype)
        row = fan_in // 2  # of digits the first features are constant
        weights[row, 0] = np.nextafter(weights[row, 0], np.inf)
        return weights, biases


class NudgedRegressor(MLPRegressor):
    _init_coef = NudgedClassifier._init_coef


OURS_ALONE = {"epochs", "snapshots", "learning_rate_multipliers", "class_weight", "early_stopping"}


def counts(training: Any, split: Split) -> np.ndarray | None:
    """Return the weights that scikit-learn is to be told."""
    weights = split.weights.get("train")
    if training.class_weight is None:
        return weights
    classes = np.unique(split.y_train)
    found = compute_class_weight("balanced", classes=classes, y=split.y_train, sample_weight=weights)
    return found[np.searchsorted(classes, split.y_train)] * (1 if weights is None else weights)


def reference(whole: Fit, split: Split, nudged: bool = False) -> Any:
    """Return scikit-learn's network after as many epochs of ``fit``."""
    sections = whole.job.config.sections
    chosen = sections.training.model_dump(exclude=OURS_ALONE)
    if getattr(sections.training, "learning_rate", "constant") != "adaptive":
        chosen["n_iter_no_change"] = sections.training.epochs + 1  # theirs would stop early
    kinds = (NudgedClassifier, NudgedRegressor) if nudged else (MLPClassifier, MLPRegressor)
    theirs = kinds[split.task == "regression"](
        hidden_layer_sizes=sections.model.hidden_layer_sizes,
        activation=sections.model.activation,
        max_iter=sections.training.epochs,
        random_state=whole.random_state,
        **chosen,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it says that it stopped after max_iter: we asked for that
        return theirs.fit(split.X_train, split.y_train, sample_weight=counts(sections.training, split))


def distances(whole: Fit, split: Split, theirs: Any, other: Any = None) -> tuple[float, float, float]:
    """Return how far loss, weights and predictions are from theirs, or ``other``'s; at most."""
    mine = list(whole.weights.values()), whole.predictions["val"]
    if other is not None:
        mine = described(other, split)
    arrays, output = described(theirs, split)
    y = split.y_val
    weights = split.weights.get("val")
    losses = [measures.measure(split.task, "val", y, one, weights)["loss/val"] for one in (mine[1], output)]
    weights = max(np.abs(one - two).max() for one, two in zip(mine[0], arrays, strict=True))
    return abs(losses[0] - losses[1]), weights, np.abs(mine[1] - output).max()


def described(theirs: Any, split: Split) -> tuple[list[np.ndarray], np.ndarray]:
    layers = [array for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for array in pair]
    return layers, (theirs.predict if split.task == "regression" else theirs.predict_proba)(split.X_val)


def agree(whole: Fit, split: Split) -> None:
    """Loss within 1e-8, weights and predictions within 1e-6, or ten times what an ulp does to scikit-learn itself."""
    assert whole.outcome is Outcome.COMPLETED
    theirs = reference(whole, split)
    if theirs.n_iter_ < whole.epochs:  # adaptive: it stops where the rate has become too small, we go on
        state = trainers.advance(trainers.start(whole.job, split), split, theirs.n_iter_, never)
        weights = trainers.finish(state, split).weights.values()
        assert all(
            np.allclose(*pair, rtol=0, atol=1e-6) for pair in zip(weights, described(theirs, split)[0], strict=True)
        )
        return
    apart, allowed = distances(whole, split, theirs), (1e-8, 1e-6, 1e-6)
    if any(a > b for a, b in zip(apart, allowed, strict=True)):
        chaos = distances(whole, split, theirs, reference(whole, split, nudged=True))
        allowed = tuple(max(a, 10 * b) for a, b in zip(allowed, chaos, strict=True))
    assert all(a <= b for a, b in zip(apart, allowed, strict=True)), (apart, allowed)


EPOCHS = 200 if PROVE else 12
SOLVERS: list[dict[str, Any]] = [
    {"solver": "adam", "alpha": 0.1},
    {"solver": "adam", "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4, "shuffle": False},
    {"solver": "sgd", "alpha": 1.0},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
    {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.02},
]
SIZES = {
    "digits": ((16,), 39),
    "breast_cancer": ((7, 5), 283),
    "wine": ((), 22),
    "diabetes": ((6,), 20),
}  # that divide N
CASES = list(product(SIZES, ("identity", "logistic", "tanh", "relu"), range(len(SOLVERS)), (True, False)))


@pytest.mark.parametrize(("kind", "activation", "solver", "divides"), CASES if PROVE else CASES[::5])
def test_scikit_learns_fit_with_our_random_state_gives_the_same_network(
    kind: str, activation: str, solver: int, divides: bool
) -> None:
    hidden, batch = SIZES[kind]
    batch_size = batch if divides else 32
    case = spec(kind, hidden, **SOLVERS[solver], activation=activation, epochs=EPOCHS, batch_size=batch_size)
    agree(fit(case, seed=3), job_and_split(case, seed=3)[1])


def by_hand(split: Split, model: dict[str, Any], training: dict[str, Any]) -> Fit:
    """Train on arrays of our own."""
    document = read_spec({"name": "arrays", "data": {"kind": "arrays"}, "model": model, "training": training})
    (config,) = space.configs(document)
    job = Job(config, 0, ALL, "arrays", trainers.version(config.sections))
    state = trainers.advance(trainers.start(job, split), split, trainers.end(config.sections), never)
    return trainers.finish(state, split)


def drawn(seed: int, rows: int, features: int, classes: int) -> Split:
    """Return random arrays; classes: 1 for regression. Every class is there; the first feature is constant."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows + 20, features))
    X[:, 0] = 1.0
    y = X.sum(axis=1) if classes == 1 else np.concatenate([np.arange(classes), rng.integers(classes, size=rows + 20)])
    y = y[: rows + 20]
    task = "regression" if classes == 1 else "classification"
    labels = np.arange(classes) if classes > 1 else np.empty(0)
    return Split(task, labels, X[:rows], y[:rows], X[rows:], y[rows:], X[rows:], y[rows:], {})


def with_weights(split: Split) -> Split:
    """Return random arrays whose rows count differently, some a hundred times as much as others."""
    parts = {"train": split.y_train, "val": split.y_val, "test": split.y_test}
    rng = np.random.default_rng(0)
    return replace(split, weights={part: 10 ** rng.uniform(-1, 1, len(y)) for part, y in parts.items()})


@given(st.data())
def test_any_network_is_scikit_learns(data: st.DataObject) -> None:
    classes = data.draw(st.integers(1, 5))
    rows = data.draw(st.integers(max(classes, 2), 40))
    split = drawn(data.draw(st.integers(0, 99)), rows, data.draw(st.integers(1, 9)), classes)
    model = {
        "kind": "mlp",
        "hidden_layer_sizes": data.draw(st.lists(st.integers(1, 9), max_size=3)),
        "activation": data.draw(st.sampled_from(["identity", "logistic", "tanh", "relu"])),
    }
    training = {
        **data.draw(st.sampled_from(SOLVERS)),
        "learning_rate_init": data.draw(st.floats(1e-4, 0.02)),
        "alpha": data.draw(st.sampled_from([0.0, 1e-3, 1.0])),
        "batch_size": data.draw(st.integers(1, rows)),
        "epochs": data.draw(st.integers(1, 9)),
        "class_weight": data.draw(st.sampled_from([None, "balanced"] if classes > 1 else [None])),
    }
    if data.draw(st.booleans()):
        split = with_weights(split)
    agree(by_hand(split, model, training), split)


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_a_plain_step_goes_down_the_numerical_gradient(classes: int, activation: str) -> None:
    split = drawn(classes, 7, 3, classes)
    model = {"kind": "mlp", "hidden_layer_sizes": [4, 3], "activation": activation}
    plain = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1.0, "alpha": 0.3, "batch_size": 7}
    whole = by_hand(split, model, {**plain, "epochs": 1, "snapshots": [0]})
    before, after = ([*arrays.values()] for arrays in (whole.snapshots[0], whole.weights))
    for array, later in zip(before, after, strict=True):
        for at in np.ndindex(array.shape):
            kept, losses = array[at], []
            for shift in (1e-6, -1e-6):
                array[at] = kept + shift
                losses.append(penalised(before, split, activation, alpha=0.3))
            array[at] = kept
            assert kept - later[at] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6, abs=1e-8)


def penalised(arrays: list[np.ndarray], split: Split, activation: str, alpha: float) -> float:
    """The loss that scikit-learn minimises on the training part, written down once more."""
    z = split.X_train
    functions = {"identity": lambda z: z, "logistic": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh}
    for i, (weights, biases) in enumerate(zip(arrays[::2], arrays[1::2], strict=True)):
        z = z @ weights + biases
        if i < len(arrays) // 2 - 1:
            z = functions.get(activation, lambda z: np.maximum(z, 0))(z)
    y, n = split.y_train, len(z)
    weights = split.weights.get("train", np.ones(n))
    if split.task == "regression":
        losses = np.square(z[:, 0] - y) / 2
    else:
        z = np.hstack([np.zeros((n, 1)), z]) if z.shape[1] == 1 else z
        losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(n), y]
    penalty = alpha / 2 * sum(np.square(layer).sum() for layer in arrays[::2])
    return (weights @ losses + penalty) / weights.sum()


@pytest.mark.parametrize(
    ("rows", "hidden", "batch_size"), [(1, [3], 1), (30, [1], 7), (30, [1, 1], 30), (40, [4096], 16), (600, [5], 500)]
)
def test_extreme_shapes_are_scikit_learns(rows: int, hidden: list[int], batch_size: int) -> None:
    split = drawn(0, rows, 5, 1 if rows == 1 else 3)
    agree(by_hand(split, {"kind": "mlp", "hidden_layer_sizes": hidden}, {"epochs": 5, "batch_size": batch_size}), split)


@pytest.mark.parametrize("scale", [1e100, 1e160, 1e300])
def test_overflow_is_a_divergence_with_its_epoch_and_measured_before(scale: float) -> None:
    split = drawn(0, 30, 5, 1)
    split = replace(split, X_train=split.X_train * scale)
    whole = by_hand(split, {"kind": "mlp", "hidden_layer_sizes": [3]}, {"epochs": 5, "batch_size": 10})
    if whole.outcome is Outcome.DIVERGED:
        assert f"became non-finite in epoch {whole.epochs}" in whole.cause
        assert len(whole.curves) == whole.epochs
    assert all(np.isfinite(curve).all() for name, curve in whole.curves.values.items() if "loss" in name)


# ── without biases ──────────────────────────────────────────────────────────────────────────────────────────


def test_without_biases_the_weights_begin_as_with_them_and_are_all_there_is() -> None:
    case = spec("wine", (5, 4))
    bare, full = fit(without_biases(case), to_epoch=0), fit(case, to_epoch=0)
    assert list(bare.weights) == ["hidden_1/weight", "hidden_2/weight", "output/weight"]
    assert all((full.weights[name] == array).all() for name, array in bare.weights.items())
    assert bare.sizes["n_parameters"] == 13 * 5 + 5 * 4 + 4 * 3


@pytest.mark.parametrize("kind", ["diabetes", "wine", "breast_cancer"])
@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_without_biases_nothing_comes_of_nothing(kind: str, activation: str) -> None:
    case = without_biases(spec(kind, (5, 4), activation=activation))
    job, split = job_and_split(case)
    split = replace(split, X_test=np.zeros_like(split.X_test))
    said = trainers.finish(trainers.advance(trainers.start(job, split), split, 6, never), split).predictions["test"]
    assert (said == {"diabetes": 0, "wine": 1 / 3, "breast_cancer": 1 / 2}[kind]).all()


def test_without_biases_a_relu_network_doubles_with_its_input_bit_for_bit() -> None:
    case = without_biases(spec("diabetes", (8, 4)))
    job, split = job_and_split(case)
    split = replace(split, X_test=2 * split.X_val)
    said = trainers.finish(trainers.advance(trainers.start(job, split), split, 6, never), split).predictions
    assert (said["test"] == 2 * said["val"]).all()
    assert said["val"].any()


class Bare(MLPClassifier):
    """scikit-learn's network, its biases held at zero from outside."""

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        weights, biases = super()._init_coef(fan_in, fan_out, dtype)
        return weights, 0 * biases


def test_without_biases_it_trains_as_scikit_learn_with_biases_held_at_zero() -> None:
    case = without_biases(spec("wine", (5,), shuffle=False, solver="sgd"))
    whole, (_, split) = fit(case), job_and_split(case)
    theirs = Bare((5,), solver="sgd", learning_rate_init=0.01, shuffle=False, random_state=whole.random_state)
    for _, first in product(range(6), range(0, len(split.y_train), 16)):
        rows = slice(first, first + 16)
        theirs.set_params(batch_size=len(split.y_train[rows]))
        theirs.partial_fit(split.X_train[rows], split.y_train[rows], classes=[0, 1, 2])
        for biases in theirs.intercepts_:
            biases[:] = 0
    for mine, other in zip(whole.weights.values(), theirs.coefs_, strict=True):
        assert mine == pytest.approx(other, abs=1e-9)


# ── learning rates of layers ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("solver", [0, 2, 3, 5])
def test_multipliers_of_one_change_no_bit(solver: int) -> None:
    case = spec("wine", (5, 4), **SOLVERS[solver])
    ones = spec("wine", (5, 4), **SOLVERS[solver], learning_rate_multipliers=[1, 1.0, 1])
    assert all((fit(case).weights[name] == array).all() for name, array in fit(ones).weights.items())


@pytest.mark.parametrize("solver", [0, 2])
@pytest.mark.parametrize("frozen", [(0,), (1,), (0, 2)])
def test_a_multiplier_of_zero_leaves_its_layer_bit_for_bit_as_it_began(solver: int, frozen: tuple[int, ...]) -> None:
    multipliers = [0.0 if layer in frozen else 0.5 for layer in range(3)]
    whole = fit(spec("wine", (5, 4), **SOLVERS[solver], learning_rate_multipliers=multipliers, snapshots=[0]))
    for layer, name in enumerate(["hidden_1", "hidden_2", "output"]):
        for array in (f"{name}/weight", f"{name}/bias"):
            assert (whole.weights[array] == whole.snapshots[0][array]).all() == (layer in frozen)


@pytest.mark.parametrize("training", [{"solver": "adam"}, {"solver": "sgd", "momentum": 0.0}])
def test_the_first_step_of_a_layer_is_its_multiple_of_the_plain_one(training: dict[str, Any]) -> None:
    split, model = drawn(0, 8, 3, 3), {"kind": "mlp", "hidden_layer_sizes": [4]}
    training = {**training, "epochs": 1, "batch_size": 8, "snapshots": [0]}
    plain = by_hand(split, model, training)
    scaled = by_hand(split, model, {**training, "learning_rate_multipliers": [0.25, 3]})
    for name, factor in (("hidden_1", 0.25), ("output", 3)):
        for array in (f"{name}/weight", f"{name}/bias"):
            steps = [one.weights[array] - one.snapshots[0][array] for one in (plain, scaled)]
            assert steps[1] == pytest.approx(factor * steps[0], rel=1e-9, abs=1e-15)


def test_multipliers_are_one_a_layer() -> None:
    job, split = job_and_split(spec("wine", (5,), learning_rate_multipliers=[1, 1, 0]))
    (problem,) = trainers.misfits(job.config.sections, split.task, split.sizes, split.classes)
    assert problem.path == ("training", "learning_rate_multipliers")
    assert "2 numbers" in problem.allowed


# ── norms ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_norms_of_gradients_are_those_of_numerical_ones(classes: int, weighted: bool) -> None:
    split = drawn(classes, 300, 3, classes)  # more rows than a block
    split = with_weights(split) if weighted else split
    training = {"epochs": 2, "batch_size": 50, "alpha": 5.0, "snapshots": [0]}
    whole = by_hand(split, {"kind": "mlp", "hidden_layer_sizes": [4], "activation": "tanh"}, training)
    assert whole.norms.epoch.tolist() == [0, 2]
    for i, named in enumerate((whole.snapshots[0], whole.weights)):
        arrays = list(named.values())
        for name, array in named.items():
            squares = 0.0
            for at in np.ndindex(array.shape):
                kept, losses = array[at], []
                for shift in (1e-5, -1e-5):
                    array[at] = kept + shift
                    losses.append(penalised(arrays, split, "tanh", alpha=0))
                array[at] = kept
                squares += ((losses[0] - losses[1]) / 2e-5) ** 2
            assert whole.norms[f"gradient/{name}"][i] == pytest.approx(np.sqrt(squares), rel=1e-6)


def test_norms_of_updates_are_of_the_epoch_and_none_before_training() -> None:
    case = spec("wine", (5, 4), snapshots=[0, 2, 3])
    whole, before = fit(case), fit(case, to_epoch=5)
    assert whole.norms.epoch.tolist() == [0, 2, 3, 6]
    for name, array in whole.weights.items():
        said = whole.norms[f"update/{name}"]
        assert np.isnan(said[0])
        assert said[2] == pytest.approx(np.linalg.norm(whole.snapshots[3][name] - whole.snapshots[2][name]), rel=1e-9)
        assert said[3] == pytest.approx(np.linalg.norm(array - before.weights[name]), rel=1e-9)
    assert np.isfinite([curve for name, curve in whole.norms.values.items() if "gradient" in name]).all()
    assert before.norms.epoch.tolist() == [0, 2, 3]
    assert upto(whole, 3) == given_up(fit(case, to_epoch=3))
    assert read_fit(write_fit(whole)) == whole


# ── early stopping ──────────────────────────────────────────────────────────────────────────────────────────

STOPPING = {"learning_rate_init": 0.05, "epochs": 60, "early_stopping": {"n_iter_no_change": 2, "tol": 0.001}}


class TestEarlyStopping(TrainerConformance):
    @pytest.fixture
    def spec(self) -> dict[str, Any]:
        return spec("wine", **STOPPING)

    def test_curves_hold_both_parts_at_ascending_epochs_up_to_the_last(self, spec: dict[str, Any]) -> None:
        whole = fit(spec)
        assert whole.outcome is Outcome.COMPLETED
        assert whole.curves.epoch.tolist() == list(range(whole.epochs + 1))
        assert 3 < whole.epochs < trainers.end(whole.job.config.sections)


def last_epoch(curve: np.ndarray, epochs: int, patience: int, tol: float) -> int:
    """The rule once more: scikit-learn's, on the validation loss, from epoch 0."""
    lowest, unchanged = np.inf, 0
    for epoch in range(epochs + 1):
        unchanged = unchanged + 1 if curve[epoch] > lowest - tol else 0
        lowest = min(lowest, curve[epoch])
        if unchanged > patience:
            return epoch
    return epochs


@given(
    st.integers(0, 99),
    st.integers(1, 4),
    st.sampled_from([0.0, 1e-4, 0.01, 0.1]),
    st.sampled_from(range(len(SOLVERS))),
)
def test_it_stops_by_its_rule_and_is_till_then_what_goes_on_would_be(
    seed: int, patience: int, tol: float, solver: int
) -> None:
    split, model = drawn(seed, 20, 3, 2), {"kind": "mlp", "hidden_layer_sizes": [6]}
    training = {**SOLVERS[solver], "epochs": 25, "batch_size": 7, "learning_rate_init": 0.05}
    on = by_hand(split, model, {**training, "snapshots": list(range(26))})
    stopped = by_hand(split, model, {**training, "early_stopping": {"n_iter_no_change": patience, "tol": tol}})
    assert stopped.epochs == last_epoch(on.curves["loss/val"], 25, patience, tol)
    assert stopped.outcome is Outcome.COMPLETED
    assert all((on.snapshots[stopped.epochs][name] == array).all() for name, array in stopped.weights.items())
    for name, curve in stopped.curves.values.items():
        assert (curve == on.curves[name][: stopped.epochs + 1]).all()
    best = best_epoch(stopped)
    assert list(stopped.snapshots) == [best]
    assert all((on.snapshots[best][name] == array).all() for name, array in stopped.snapshots[best].items())


def test_early_stopping_is_off_on_or_says_how() -> None:
    def rule(value: Any) -> Any:
        return job_and_split(spec("wine", early_stopping=value))[0].config.plain["training"]["early_stopping"]

    assert rule(False) is False
    assert rule(True) == rule({}) == {"n_iter_no_change": 10, "tol": 1e-4}
    with pytest.raises(SpecError, match="patience: unknown key"):
        rule({"patience": 3})
    assert job_and_split(spec("wine", early_stopping=False))[0] == job_and_split(spec("wine"))[0]


# ── how it is compiled ──────────────────────────────────────────────────────────────────────────────────────


def test_it_is_compiled_once_whatever_it_trains() -> None:
    fit(spec("wine"))
    job, split = job_and_split(spec("diabetes", (3, 2), solver="sgd"))
    split.X_train.flags.writeable = False
    split = replace(split, X_val=np.asfortranarray(split.X_val), y_train=split.y_train.astype(np.float32))
    trainers.finish(trainers.advance(trainers.start(job, split), split, 6, never), split)
    assert [len(entry.signatures) for entry in (kernel.train, kernel.predict)] == [1, 1]


def test_threads_change_no_bit() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda seed: fit(spec(), seed), range(4))) == [fit(spec(), seed) for seed in range(4)]


@pytest.mark.slow
def test_processes_that_compile_at_once_in_a_fresh_clone_agree(tmp_path: Path) -> None:
    code = "from trainers.conformance import fit; from trainers.test_mlp import spec; print(fit(spec()).content_digest)"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    three = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    assert {one.communicate(timeout=300)[0].strip() for one in three} == {fit(spec()).content_digest}
    assert list(tmp_path.rglob("*.nbc"))


def test_stop_is_asked_several_times_a_second_and_not_before_every_short_epoch() -> None:
    asked = []
    job, split = job_and_split(spec("digits", (512,), epochs=60, snapshots=list(range(20))))
    trainers.advance(trainers.start(job, split), split, 60, lambda: asked.append(time.perf_counter()))
    assert np.diff(asked).max() < 1.0
    asked.clear()
    job, split = job_and_split(spec(epochs=60))
    trainers.advance(trainers.start(job, split), split, 60, lambda: asked.append(0))
    assert len(asked) < 30


# ── one way to measure ──────────────────────────────────────────────────────────────────────────────────────


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
    split = drawn(0, 3, 2, 3)
    null = measures.null_metrics(replace(split, y_train=np.array([0, 0, 1]), y_val=np.array([2])))
    assert null["loss/val"] == pytest.approx(np.log(3 + 3))


def test_one_confident_error_costs_at_most_the_clip() -> None:
    assert measures.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-np.log(measures.CLIP))
    assert "2.22e-16" in measures.LOSS["classification"]


def test_the_score_of_a_constant_target_is_missing_not_zero() -> None:
    assert np.isnan(measures.r2(np.ones(3), np.zeros(3)))


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_losses_and_scores_of_weighted_rows_are_scikit_learns(classes: int) -> None:
    split = with_weights(drawn(1, 30, 4, classes))
    whole = by_hand(split, {"kind": "mlp", "hidden_layer_sizes": [4]}, {"epochs": 3, "batch_size": 8})
    y, said, weights = split.y_val, whole.predictions["val"], split.weights["val"]
    dummy = (DummyRegressor if classes == 1 else DummyClassifier)(strategy="mean" if classes == 1 else "prior")
    dummy.fit(split.X_train, split.y_train, sample_weight=split.weights["train"])
    if classes == 1:
        found = (
            metrics.mean_squared_error(y, said, sample_weight=weights),
            metrics.r2_score(y, said, sample_weight=weights),
        )
        null = metrics.mean_squared_error(y, dummy.predict(split.X_val), sample_weight=weights)
    else:
        labels, hits = np.arange(classes), said.argmax(axis=1)
        found = (
            metrics.log_loss(y, said, labels=labels, sample_weight=weights),
            metrics.accuracy_score(y, hits, sample_weight=weights),
        )
        null = metrics.log_loss(y, dummy.predict_proba(split.X_val), labels=labels, sample_weight=weights)
    score = "r2/val" if classes == 1 else "accuracy/val"
    assert (whole.final["loss/val"], whole.final[score]) == pytest.approx(found, rel=1e-9)
    assert whole.null["loss/val"] == pytest.approx(null, rel=1e-12)
    assert whole.loss.endswith("rows weighted")


def test_a_weight_of_two_is_a_row_that_is_there_twice() -> None:
    split = drawn(0, 12, 3, 3)
    twice = replace(split, X_train=np.repeat(split.X_train, 2, axis=0), y_train=np.repeat(split.y_train, 2))
    weighted = replace(split, weights={"train": np.full(12, 2.0), "val": np.ones(20)})
    model, training = {"kind": "mlp", "hidden_layer_sizes": [4]}, {"epochs": 4, "alpha": 0.5}
    one = by_hand(weighted, model, {**training, "batch_size": 12})
    other = by_hand(twice, model, {**training, "batch_size": 24})
    assert all(one.weights[name] == pytest.approx(array, abs=1e-9) for name, array in other.weights.items())
    assert one.final == pytest.approx(other.final, rel=1e-9)


def test_balanced_classes_change_training_and_not_what_is_measured() -> None:
    case = {**spec("breast_cancer"), "data": {"kind": "breast_cancer", "label_noise": 0.2}}
    plain, balanced = fit(case), fit({**case, "training": {**case["training"], "class_weight": "balanced"}})
    assert balanced.null == plain.null
    assert balanced.loss == plain.loss
    assert balanced.curves["loss/train"][0] == plain.curves["loss/train"][0] != balanced.curves["loss/train"][1]
    assert balanced.final != plain.final
    job, split = job_and_split(spec("diabetes", class_weight="balanced"))
    (problem,) = trainers.misfits(job.config.sections, split.task, split.sizes, split.classes)
    assert "no classes" in problem.message


def test_the_same_seed_pairs_configs_of_one_shape() -> None:
    weak, strong = fit(spec(alpha=1e-4), to_epoch=0), fit(spec(alpha=1.0), to_epoch=0)
    assert weak.job.digest != strong.job.digest
    assert weak.random_state == strong.random_state
    assert all((weak.weights[name] == array).all() for name, array in strong.weights.items())


@pytest.mark.parametrize("snapshots", [[], [0], [0, 2]])
def test_a_longer_fit_read_as_its_beginning_is_the_one_that_was_given_up_there(snapshots: list[int]) -> None:
    """With its norms, also where the first are of epoch 0, which has no update."""
    one = spec(epochs=6, snapshots=[*{*snapshots, 3}])
    assert as_decided(fit(one), 3, (3,)) == as_decided(given_up(fit(one, to_epoch=3)), 3, (3,))
