"""A space has one meaning under every sampler: the same points, however they are proposed."""

from __future__ import annotations

from itertools import islice

import numpy as np
import optuna
import pytest
from conftest import PROVE
from hypothesis import given, settings
from hypothesis import strategies as st

from fitlab import space
from fitlab.errors import SpecError
from fitlab.runner.plan import plan
from fitlab.runner.study import Study
from fitlab.spec import read_spec

MODELS = [{"kind": "mlp"}, {"kind": "estimator", "estimator": "sklearn.svm.SVC"}]
REALS, WHOLES = ("training.alpha", "training.epsilon"), ("training.batch_size", "training.epochs")


def document(method: str, parameters: dict, **more: object):
    drawn = {} if method == "grid" else {"trials": 10_000}
    sweep = {"method": method, "parameters": parameters, **drawn}
    return read_spec({"name": "x", "data": {"kind": "iris"}, "model": {"kind": "mlp"}, "sweep": sweep, **more})


@st.composite
def spaces(draw: st.DrawFn, endless: bool = False) -> dict:
    """Draw parameters of up to five keys: values, ranges with and without points, and conditions between them."""
    parameters: dict = {}
    listed = st.lists(st.sampled_from([0, 1, 1.0, 0.5, 1e-3]), min_size=1, max_size=4)
    for key in draw(st.lists(st.sampled_from(REALS), unique=True)):
        low, log = draw(st.floats(1e-6, 1.0)), draw(st.booleans())
        points = {} if endless else {"points": draw(st.integers(2, 5))}
        spread = {"low": low, "high": low * draw(st.floats(1.5, 1e4)), "log": log, **points}
        parameters[key] = spread if key == "training.epsilon" or draw(st.booleans()) else {"values": draw(listed)}
    for key in draw(st.lists(st.sampled_from(WHOLES), unique=True)):
        low = draw(st.integers(1, 9))
        points = draw(st.sampled_from([{}, {"points": 3}]))
        parameters[key] = {"low": low, "high": low + draw(st.integers(1, 6)), "log": draw(st.booleans()), **points}
    if draw(st.booleans()):
        parameters["training.solver"] = {"values": ["sgd", "adam"]}
        parameters["training.momentum"] = {"values": [0.1, 0.9], "when": {"training.solver": "sgd"}}
        if "training.epsilon" in parameters:
            parameters["training.epsilon"]["when"] = {"training.solver": "adam"}
        if draw(st.booleans()):
            parameters["training.nesterovs_momentum"] = {"values": [True, False], "when": {"training.momentum": 0.9}}
    if draw(st.booleans()):
        parameters["model.hidden_layer_sizes"] = {"values": draw(st.lists(st.lists(st.integers(1, 3)), min_size=1))}
    return dict(draw(st.permutations(list(parameters.items()))))


def digests(method: str, parameters: dict) -> list[str]:
    return [config.digest for config in space.configs(document(method, parameters))]


@pytest.mark.slow
@settings(max_examples=1000 if PROVE else 40)
@given(spaces())
def test_grid_qmc_random_and_tpe_have_the_same_points(parameters: dict) -> None:
    grid = digests("grid", parameters)
    assert len(set(grid)) == len(grid)
    for method in ("qmc", "random"):
        drawn = digests(method, parameters)
        assert len(set(drawn)) == len(drawn)
        assert set(drawn) == set(grid)
    assert proposed_by_tpe(parameters, 14) <= set(grid)


def proposed_by_tpe(parameters: dict, trials: int) -> set[str]:
    made = plan(document("tpe", parameters))
    study, values = Study(made), np.random.default_rng(0)
    found = set()
    for _ in range(trials):
        trial, point = study.ask()
        found.add(space.config_of(made.space, point).digest)
        assert trial.params == space.as_enqueued(made.space, point)  # what Optuna learns from is what is trained
        study.study.tell(trial, values.random())
    return found


@given(spaces(endless=True), st.integers(0, 9))
def test_an_endless_space_is_drawn_within_its_bounds_to_twelve_digits(parameters: dict, seed: int) -> None:
    for method in ("qmc", "random"):
        made = document(method, parameters)
        for point, config in islice(space.survey(space.space_of(made)), 20):
            assert not isinstance(config, Exception)
            for key, value in point.items():
                domain = parameters[key]
                if "low" in domain:
                    assert domain["low"] <= value <= domain["high"]
                    assert value in (float(f"{value:.12g}"), domain["low"], domain["high"])


@pytest.mark.parametrize("method", ["qmc", "random"])
def test_more_trials_begin_with_the_fewer_and_another_seed_is_another_survey(method: str) -> None:
    def first(trials: int, seed: int = 0) -> list[str]:
        swept = {"training.alpha": {"low": 1e-4, "high": 1, "log": True}, "training.epochs": {"low": 1, "high": 99}}
        sweep = {"method": method, "trials": trials, "seed": seed, "parameters": swept}
        spec = {"name": "x", "data": {"kind": "iris"}, "model": {"kind": "mlp"}, "sweep": sweep}
        return [config.digest for config in space.configs(read_spec(spec))]

    assert first(100)[:30] == first(30) == first(30)
    assert not set(first(30)) & set(first(30, seed=1))


def test_qmc_covers_every_axis_more_evenly_than_chance() -> None:
    """Of 64 points of a Sobol sequence, every 64th of each axis holds exactly one (Sobol 1967)."""
    swept = {key: {"low": 1e-4, "high": 1, "log": True} for key in REALS}
    points = [point for point, _ in islice(space.survey(space.space_of(document("qmc", swept))), 64)]
    for key in REALS:
        cells = [int((np.log10(point[key]) + 4) / 4 * 64) for point in points]
        assert sorted(cells) == list(range(64))


def test_alternatives_of_the_model_are_points_with_parameters_of_their_own() -> None:
    alpha = {"values": [0.1, 1.0], "when": {"model": "mlp"}}
    wide = {"low": 1, "high": 10, "points": 2, "when": {"model": "SVC"}}
    parameters = {"training.alpha": alpha, "model.parameters.C": wide}
    found = [dict(config.swept) for config in space.configs(document("grid", parameters, model=MODELS))]
    assert found == [
        {"model": "mlp", "training.alpha": 0.1},
        {"model": "mlp", "training.alpha": 1.0},
        {"model": "SVC", "model.parameters.C": 1},
        {"model": "SVC", "model.parameters.C": 10},
    ]
    twice = document("grid", {}, model=[MODELS[1], {**MODELS[1], "parameters": {"C": 2}}])
    assert [config.swept["model"] for config in space.configs(twice)] == ["SVC", "SVC-2"]


def test_estimator_parameters_keep_integers_and_numbers_apart() -> None:
    model = {"kind": "estimator", "estimator": "sklearn.ensemble.RandomForestClassifier"}
    made = document("grid", {"model.parameters.max_features": {"values": [1, 1.0, True]}}, model=model)
    study, found = optuna.create_study(), space.space_of(made)
    configs = []
    for point, config in space.survey(found):
        study.enqueue_trial(space.as_enqueued(found, point))
        assert repr(space.suggest(found, study.ask())) == repr(point)
        configs.append(config)
    assert [repr(config.swept["model.parameters.max_features"]) for config in configs] == ["1", "1.0", "True"]
    assert len({config.digest for config in configs}) == 3


def test_a_condition_reads_values_as_the_grammar_does() -> None:
    noisy = {"kind": "iris", "label_noise": 0.2}
    alpha = {"values": [0.1], "when": {"data.label_noise": 0.2}}
    (config,) = space.configs(document("grid", {"training.alpha": alpha}, data=noisy))
    assert config.swept == {"training.alpha": 0.1}


def test_whole_bounds_of_a_key_that_takes_numbers_lose_no_points() -> None:
    model = {"kind": "estimator", "estimator": "sklearn.svm.SVC"}

    def values(**domain: object) -> list:
        found = space.configs(document("grid", {"model.parameters.C": domain}, model=model))
        return [config.swept["model.parameters.C"] for config in found]

    assert values(low=1, high=9, points=3) == [1, 5, 9]
    assert values(low=1.0, high=2, points=3) == [1.0, 1.5, 2.0]
    with pytest.raises(SpecError, match=r"of which 2 differ(.|\n)*low: 1.0 makes it a range of all numbers"):
        values(low=1, high=2, points=5)
