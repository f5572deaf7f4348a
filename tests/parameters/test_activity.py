"""What parameters do to data, on networks whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from trainers.conformance import fit, job_and_split

from fitlab.parameters.activity import ablated, dead, margin, shift
from fitlab.parameters.layers import Layer, layers_of, pre_activations
from fitlab.parameters.measured import NETWORK, WHY_NOT, parameters_of
from fitlab.trainers.measures import CLIP

SPEC = {
    "name": "probed",
    "data": {"kind": "digits", "train_size": 100},
    "model": {"kind": "mlp", "hidden_layer_sizes": [12, 6]},
    "training": {"epochs": 4, "batch_size": 20, "snapshots": [0, 2]},
}


def with_(section: str, **changed: object) -> dict[str, object]:
    return {**SPEC, section: {**SPEC[section], **changed}}


def test_silent_units_shares_of_biases_and_margins() -> None:
    total = np.array([[-1.0, 2.0, 0.0], [-3.0, -1.0, 0.0]])
    assert dead(total) == pytest.approx(2 / 3)
    assert shift(np.array([[3.0], [-1.0]]), np.array([1.0])) == pytest.approx(1 / (1 + 2))
    logits, y = np.array([[3.0, 1.0, 0.0], [0.0, 5.0, 4.0]]), np.array([0, 2])
    assert margin(logits, y, quantile=0.0) == -1
    assert margin(logits, y, quantile=1.0) == 2
    two = np.array([[2.0], [-3.0]])  # one logit, of the second class
    assert margin(two, np.array([1, 0]), quantile=0.0) == 2


def test_ablation_zeroes_the_biases_of_one_layer() -> None:
    rng = np.random.default_rng(0)
    layers = [Layer(n, rng.normal(size=s), rng.normal(size=s[1])) for n, s in (("a", (3, 4)), ("b", (4, 2)))]
    X = rng.normal(size=(5, 3))
    found = ablated(layers, "tanh", X)
    assert list(found) == ["a", "b", "all"]
    zeroed = [Layer("a", layers[0].weight, np.zeros(4)), layers[1]]
    np.testing.assert_allclose(found["a"], pre_activations(zeroed, "tanh", X)[-1], rtol=1e-12)
    np.testing.assert_allclose(found["b"] + layers[1].bias, pre_activations(layers, "tanh", X)[-1], rtol=1e-12)
    assert ablated([Layer("a", layers[0].weight, None)], "tanh", X) == {}


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_probes_of_a_fit_are_of_its_own_weights(solver: str) -> None:
    spec = SPEC if solver == "adam" else {**SPEC, "training": {"solver": "lbfgs", "max_iter": 20}}
    one = fit(spec)
    _, split = job_and_split(spec)
    layers = layers_of(one.weights)
    sums = pre_activations(layers, "relu", split.X_train)
    last = {name: values[-1] for name, values in one.probes.values.items()}
    assert last["margin/train"] == margin(sums[-1], split.y_train)
    assert last["dead/hidden_2"] == (sums[1].max(axis=0) <= 0).mean()
    free = one.to_sklearn()
    free.intercepts_[1] = np.zeros(6)
    probability = free.predict_proba(split.X_val)[np.arange(len(split.y_val)), split.y_val]
    assert last["ablated/hidden_2/val"] == pytest.approx(-np.log(np.maximum(probability, CLIP)).mean(), rel=1e-9)


def test_distances_are_from_where_training_began() -> None:
    whole = fit(SPEC)
    assert whole.probes.epoch.tolist() == [0, 2, 4]
    distance = whole.probes["distance/hidden_1/weight"]
    apart = np.linalg.norm(whole.weights["hidden_1/weight"] - whole.snapshots[0]["hidden_1/weight"])
    assert distance[0] == 0
    assert distance[2] == pytest.approx(apart, rel=1e-12)


def test_without_biases_nothing_is_said_of_them_and_without_classes_nothing_of_margins() -> None:
    free = fit(with_("model", biases=False))
    assert not [name for name in free.probes.values if "shift" in name or "ablated" in name or "bias" in name]
    regression = fit({**SPEC, "data": {"kind": "diabetes"}})
    assert "margin/train" not in regression.probes.values
    tanh = fit(with_("model", activation="tanh"))
    assert not [name for name in tanh.probes.values if name.startswith("dead/")]


def test_ablating_biases_of_zero_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    layers = [Layer("a", rng.normal(size=(3, 4)), np.zeros(4)), Layer("b", rng.normal(size=(4, 2)), np.zeros(2))]
    X = rng.normal(size=(5, 3))
    for output in ablated(layers, "relu", X).values():
        np.testing.assert_array_equal(output, pre_activations(layers, "relu", X)[-1])


def test_every_number_is_at_its_epoch_layer_and_role() -> None:
    one = fit(SPEC)
    table = parameters_of(one).table()
    assert table.columns.tolist() == ["epoch", "layer", "role", "metric", "value"]
    assert sorted(set(table.epoch)) == [0, 2, 4]
    assert not table.duplicated(["epoch", "layer", "role", "metric"]).any()
    value = table.set_index(["epoch", "layer", "role", "metric"]).value
    for epoch, weights in one.kept.items():
        for name, array in weights.items():
            layer, role = name.split("/")
            assert value[epoch, layer, role, "norm"] == np.linalg.norm(array)
        squares = sum(float(np.square(array).sum()) for array in weights.values())
        assert value[epoch, NETWORK, "both", "norm"] == pytest.approx(np.sqrt(squares), rel=1e-12)
        spectra = [np.linalg.norm(layer.weight, 2) for layer in layers_of(weights)]
        assert value[epoch, NETWORK, "weight", "spectral_product"] == pytest.approx(np.prod(spectra), rel=1e-9)
    assert (0, "hidden_1", "weight", "update_ratio") not in value.index
    rise = one.probes["ablated/all/val"][-1] - one.curves["loss/val"][-1]
    assert value[4, NETWORK, "bias", "bias_ablation"] == rise


def test_estimators_with_arrays_are_measured_too() -> None:
    ridge = {"kind": "estimator", "estimator": ["sklearn.preprocessing.StandardScaler", "sklearn.linear_model.Ridge"]}
    one = fit({"name": "ridge", "data": {"kind": "diabetes"}, "model": ridge})
    last = parameters_of(one).last
    coef = one.weights["ridge/coef_"]
    assert last["ridge", "weight", "spectral_norm"] == pytest.approx(np.linalg.norm(coef))
    assert last["ridge", "bias", "norm"] == abs(float(one.weights["ridge/intercept_"]))
    assert not [key for key in last if key[0] == NETWORK or key[2] == "distance"]
    neighbours = {"kind": "estimator", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    assert parameters_of(fit({"name": "knn", "data": {"kind": "wine"}, "model": neighbours})).values == {}


def test_lbfgs_begins_where_the_other_solvers_do() -> None:
    """So its distance is from the weights that Adam has at epoch 0 with the same seed."""
    one, adam = fit({**SPEC, "training": {"solver": "lbfgs", "max_iter": 5}}), fit(SPEC)
    for name, array in adam.snapshots[0].items():
        assert one.probes[f"distance/{name}"][-1] == np.linalg.norm(one.weights[name] - array)


def test_every_metric_that_may_be_missing_has_a_reason() -> None:
    kinds = [
        SPEC,
        with_("model", biases=False, activation="tanh"),
        {**SPEC, "training": {"solver": "lbfgs", "max_iter": 5}},
        {**SPEC, "data": {"kind": "diabetes"}},
        {
            "name": "r",
            "data": {"kind": "diabetes"},
            "model": {"kind": "estimator", "estimator": "sklearn.linear_model.Ridge"},
        },
    ]
    found = [{metric for _, _, metric in parameters_of(fit(kind)).last} for kind in kinds]
    for metrics in found:
        assert set.union(*found) - metrics <= set(WHY_NOT)


@pytest.mark.filterwarnings("error")
def test_what_overflows_is_infinite_and_no_warning() -> None:
    """Weights of 1e180 are finite and their squares are not; of weights that are not finite nothing is said."""
    one = fit(SPEC)
    huge = replace(one, weights={name: np.full_like(array, 1e180) for name, array in one.weights.items()})
    assert parameters_of(huge).last[NETWORK, "weight", "path_norm"] == np.inf
    broken = replace(one, weights={name: np.full_like(array, np.nan) for name, array in one.weights.items()})
    said = {metric for _, _, metric in parameters_of(broken).last}
    assert not said & {"norm", "rms", "spectral_norm", "stable_rank", "path_norm", "spectral_product", "bias_share"}


def test_a_table_without_rows_has_the_types_of_others() -> None:
    full, empty = (parameters_of(one).table() for one in (fit(SPEC), replace(fit(SPEC), weights={}, snapshots={})))
    assert empty.empty
    assert (empty.value.dtype, empty.epoch.dtype) == (full.value.dtype, full.epoch.dtype)
