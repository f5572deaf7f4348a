"""The page of weights: its numbers are the sweep's, it needs no network, and what users typed stays text."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

import fitlab
from fitlab.pages import weights_page
from fitlab.pages.weights import STEPS

QUESTION = 'Is it </script><b onclick="x">good</b> & {{ 7 * 7 }}?'


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    spec = {
        "name": "page",
        "question": QUESTION,
        "data": {"kind": "iris"},
        "model": {"kind": "mlp", "hidden_layer_sizes": [150]},
        "training": {"epochs": 3, "snapshots": [0]},
        "seeds": 2,
        "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 1]}}},
    }
    return fitlab.run(spec, store=tmp_path_factory.mktemp("page"), publish=False, jobs=1)


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL).group(1))


def test_cells_are_the_weights_to_the_step_that_is_said(sweep: fitlab.Sweep) -> None:
    config = sweep.configs[0]
    data = data_of(weights_page(sweep, config))
    assert [one["seed"] for one in data["seeds"]] == [0, 1]
    for one, fit in zip(data["seeds"], sweep.of(config), strict=True):
        assert one["epochs"] == [0, 3]
        for array in one["arrays"]:
            for packed, weights in zip(array["values"], fit.kept.values(), strict=True):
                there = weights[f"{array['layer']}/{array['role']}"]
                cells = np.frombuffer(base64.b64decode(packed), np.int8).reshape(array["cells"])
                assert array["shape"] == list(np.atleast_2d(there).shape)
                if array["shape"] == array["cells"]:
                    off = np.abs(cells * array["scale"] / STEPS - there).max()
                    assert off <= 0.5 * array["scale"] / STEPS * (1 + 1e-9)
        assert np.allclose(one["curves"]["loss/val"], fit.curves["loss/val"], rtol=1e-4)
    large = [array for array in data["seeds"][0]["arrays"] if array["shape"] != array["cells"]]
    assert {tuple(array["shape"]) for array in large} == {(4, 150), (1, 150), (150, 3)}


def test_its_numbers_are_those_of_the_table_and_of_the_parameters(sweep: fitlab.Sweep) -> None:
    for config in sweep.configs:
        page = weights_page(sweep, config)
        for name, interval in sweep.intervals(config).items():
            assert f"<th>{name}</th><td>{interval}</td>" in page
        for interval in sweep.parameter_means(config).values():
            assert f"<td>{interval}</td>" in page


def test_what_users_typed_stays_text_and_nothing_is_fetched(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    page = weights_page(sweep, sweep.configs[0])
    assert "<b onclick" not in page
    assert "{{ 7 * 7 }}" in page
    assert page.count("</script>") == 2
    assert not re.search(r"(src|href)\s*=|url\(|@import|fetch\(|https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_same_sweep_gives_the_same_page(sweep: fitlab.Sweep) -> None:
    assert weights_page(sweep, sweep.configs[0]) == weights_page(sweep, sweep.configs[0])
