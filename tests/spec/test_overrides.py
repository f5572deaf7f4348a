"""``-o path=value``."""

from __future__ import annotations

import pytest
from conftest import SHIPPED

from fitlab.errors import SpecError
from fitlab.spec import read_spec


def test_values_are_yaml_and_paths_match_keys_that_hold_dots() -> None:
    options = [
        "training.epochs=5",
        "sweep.parameters.training.alpha.values=[1e-3]",
        "sweep.parameters.training.batch_size={values: [8, 16]}",
        "seeds=[3, 4]",
    ]
    spec = read_spec(SHIPPED, options).spec
    assert spec.training.epochs == 5
    assert spec.sweep.parameters["training.alpha"].values == (1e-3,)
    assert spec.sweep.parameters["training.batch_size"].values == (8, 16)
    assert spec.seeds.values == (3, 4)


def test_the_last_of_two_wins() -> None:
    assert read_spec(SHIPPED, ["training.epochs=5", "training.epochs=6"]).spec.training.epochs == 6


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("training.epoch=5", "did you mean epochs?"),
        ("training.epochs=lots", '"lots"'),
        ("training.epochs", "path=value"),
        ("training.epochs=[1", "not YAML"),
        ("training.epochs=!x 1", "YAML tags"),
        ("training.epochs.more=1", "not a mapping"),
    ],
)
def test_errors_cite_the_option(option: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(SHIPPED, [option])
    assert f"-o {option}" in str(caught.value)
    assert says in str(caught.value)
