"""Which numbers of weights and biases MLflow is given: few, of all layers or of none, and means over seeds."""

from typing import Any

import numpy as np
import pytest
from trainers.conformance import fit

from fitlab.parameters.measured import BOTH, NETWORK, parameters_of
from fitlab.tracking.weights import KEYS, OF_NETWORK, points_of

SPEC: dict[str, Any] = {
    "name": "logged",
    "data": {"kind": "digits", "train_size": 100},
    "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
    "training": {"epochs": 3, "batch_size": 20, "snapshots": [0, 2]},
}


@pytest.mark.parametrize("layers", [1, 5, 9, 12, 30])
def test_there_are_few_keys_and_each_is_of_all_layers_or_of_none(layers: int) -> None:
    points = points_of([fit({**SPEC, "model": {"kind": "mlp", "hidden_layer_sizes": [4] * layers}})])
    names = {key.removeprefix("weights/") for key, _, _ in points}
    assert len(names) <= KEYS
    assert {f"{NETWORK}/{name}" for name in OF_NETWORK} <= names
    of_layers = [name.partition("/")[2] for name in names if not name.startswith(NETWORK)]
    assert {of_layers.count(metric) for metric in of_layers} <= {layers + 1}
    assert {step for _, _, step in points} == {0, 2, 3}


def test_a_config_has_the_means_of_its_seeds() -> None:
    seeds = [fit(SPEC, seed) for seed in (0, 1, 2)]
    each = [{(key, step): value for key, value, step in points_of([one])} for one in seeds]
    for key, value, step in points_of(seeds):
        assert value == pytest.approx(np.mean([one[key, step] for one in each]), rel=1e-12)


def test_a_seed_that_stopped_early_goes_on_as_it_ended() -> None:
    long, short = fit(SPEC), fit({**SPEC, "training": {**SPEC["training"], "epochs": 2}}, seed=1)
    found = {(key, step): value for key, value, step in points_of([long, short])}
    assert {step for _, step in found} == {0, 2, 3}
    ends = [parameters_of(one).last[NETWORK, BOTH, "norm"] for one in (long, short)]
    assert found["weights/network/norm", 3] == pytest.approx(np.mean(ends), rel=1e-12)


def test_what_has_no_arrays_gives_no_points() -> None:
    neighbours = {"kind": "estimator", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    one = fit({"name": "knn", "data": {"kind": "wine"}, "model": neighbours})
    assert points_of([one]) == points_of([]) == []
