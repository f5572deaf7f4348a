"""A space has one meaning: which points a grid has, in which order, and how Optuna sees them."""

from __future__ import annotations

import itertools
import math

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab import space
from fitlab.errors import SpecError
from fitlab.space.domains import grid_values
from fitlab.spec import read_spec
from fitlab.spec.sweeps import Range

BASE = {"name": "x", "data": {"kind": "iris"}, "model": {"kind": "mlp"}}


def document(parameters: dict, **more: object):
    return read_spec({**BASE, **more, "sweep": {"parameters": parameters}})


def swept(parameters: dict, **more: object) -> list[dict]:
    return [dict(config.swept) for config in space.configs(document(parameters, **more))]


def refusal(parameters: dict, **more: object) -> str:
    with pytest.raises(SpecError) as caught:
        space.configs(document(parameters, **more))
    return str(caught.value)


VALUES = {
    "training.alpha": st.lists(st.sampled_from([0, 1e-4, 0.5, 1, 1.0]), min_size=1, max_size=4),
    "training.batch_size": st.lists(st.integers(1, 40), min_size=1, max_size=4),
    "model.hidden_layer_sizes": st.lists(st.lists(st.integers(1, 9), max_size=2), min_size=1, max_size=4),
    "training.shuffle": st.lists(st.booleans(), min_size=1, max_size=3),
}


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_a_grid_is_the_product_of_its_values_without_repeats(values: dict) -> None:
    points = swept({key: {"values": listed} for key, listed in values.items()})
    product = itertools.product(*values.values())
    expected = list(
        dict.fromkeys(tuple((k, repr(read(k, v))) for k, v in zip(values, p, strict=True)) for p in product)
    )
    assert [tuple((k, repr(v)) for k, v in point.items()) for point in points] == expected


def read(key: str, value: object) -> object:
    """What the grammar makes of a value: alpha is a float, however it is written."""
    return float(value) if key == "training.alpha" else value


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_optuna_is_asked_for_exactly_the_points(values: dict) -> None:
    made = document({key: {"values": listed} for key, listed in values.items()})
    study, found = optuna.create_study(), space.space_of(made)
    for point, _ in space.survey(found):
        study.enqueue_trial(space.as_enqueued(found, point))
        assert repr(space.suggest(found, study.ask())) == repr(point)


@given(low=st.floats(1e-6, 1e3), factor=st.floats(1.001, 1e6), points=st.integers(2, 30), log=st.booleans())
def test_ranges_hold_their_ends_and_are_evenly_spaced(low: float, factor: float, points: int, log: bool) -> None:
    values = grid_values(Range(low=low, high=low * factor, log=log, points=points), whole=False)
    assert (values[0], values[-1], len(values)) == (low, low * factor, points)
    axis = [math.log(value) if log else value for value in values]
    steps = [b - a for a, b in itertools.pairwise(axis)]
    assert max(steps) - min(steps) <= 4e-11 * (1 if log else max(values))  # rounded to 12 digits
    assert all(value == float(f"{value:.12g}") for value in values[1:-1])


@given(low=st.integers(1, 50), width=st.integers(1, 200), points=st.none() | st.integers(2, 20), log=st.booleans())
def test_integer_ranges_stay_integers_between_their_ends(low: int, width: int, points: int | None, log: bool) -> None:
    values = grid_values(Range(low=low, high=low + width, log=log, points=points), whole=True)
    assert all(type(value) is int for value in values)
    assert values == sorted(set(values))
    assert (values[0], values[-1]) == (low, low + width)
    assert points is not None or values == list(range(low, low + width + 1))


@given(low=st.integers(0, 3), width=st.integers(1, 9), points=st.integers(2, 30))
def test_what_a_key_takes_decides_whether_its_range_is_whole(low: int, width: int, points: int) -> None:
    domain = {"low": low, "high": low + width, "points": points}
    assert len(swept({"training.alpha": domain})) == points
    batches = swept({"training.batch_size": {**domain, "low": low + 1, "high": low + 1 + width}})
    assert all(type(point["training.batch_size"]) is int for point in batches)


def test_when_makes_a_parameter_exist_only_there_wherever_it_is_written() -> None:
    momentum = {"values": [0.1, 0.9], "when": {"training.solver": "sgd"}}
    solver = {"values": ["adam", "sgd"]}
    points = [
        {"training.solver": "adam"},
        {"training.solver": "sgd", "training.momentum": 0.1},
        {"training.solver": "sgd", "training.momentum": 0.9},
    ]
    assert swept({"training.solver": solver, "training.momentum": momentum}) == points
    assert swept({"training.momentum": momentum, "training.solver": solver}) == points
    assert swept({"training.momentum": momentum}, training={"solver": "sgd"}) == [
        {"training.momentum": 0.1}, {"training.momentum": 0.9}
    ]  # fmt: skip


def test_configs_are_concrete_and_equal_points_are_one_config() -> None:
    (one,) = space.configs(document({"training.alpha": {"values": [1, 1.0]}}))
    assert one.plain["training"]["alpha"] == 1.0
    assert one.swept == {"training.alpha": 1.0}
    (alone,) = space.configs(document({}))
    assert alone.swept == {}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"training.alpha": {"low": 0.1, "high": 1.0}}, "the number of points"),
        ({"training.batch_size": {"low": 1, "high": 10**9}}, "more than 100000"),
        ({f"training.{k}": {"low": 0.1, "high": 0.9, "points": 9999} for k in ("alpha", "beta_1")}, "more than 100000"),
        ({"training.momentum": {"values": [0.1], "when": {"training.solver": "sgd"}}}, "never true"),
        (
            {
                "training.alpha": {"values": [1], "when": {"training.shuffle": True}},
                "training.shuffle": {"values": [True], "when": {"training.alpha": 1}},
            },
            "form a circle",
        ),
    ],
    ids=["no points", "too many integers", "too many points", "never", "circle"],
)
def test_spaces_that_make_no_sense_are_refused(parameters: dict, says: str) -> None:
    assert says in refusal(parameters)


def test_a_value_for_another_alternative_is_refused_where_it_stands() -> None:
    said = refusal({"training.solver": {"values": ["adam", "sgd"]}}, training={"beta_1": 0.5, "solver": "adam"})
    assert "training.beta_1: unknown key" in said
