"""Pictures of weights: small enough to see, on one scale over the epochs, the same bytes for the same input."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.tracking import MlflowClient
from PIL import Image
from trainers.conformance import fit

import fitlab
from fitlab.parameters.maps import CELLS, EPOCHS, Maps, maps_of, reduced
from fitlab.pictures import histogram_picture, map_picture
from fitlab.pictures.drawing import coloured, encoded, limited

SPEC = {
    "name": "pictures",
    "data": {"kind": "digits", "train_size": 100},
    "model": {"kind": "mlp", "hidden_layer_sizes": [12]},
    "training": {"epochs": 6, "snapshots": [0, 2]},
}


@pytest.fixture(scope="module")
def drawn() -> Maps:
    return maps_of(fit(SPEC))


def test_maps_are_the_arrays_on_one_scale_and_histograms_count_all_of_them() -> None:
    one = fit(SPEC)
    found = maps_of(one)
    assert found.epochs == (0, 2, 6)
    for epoch, weights in one.kept.items():
        for drawn, counted in zip(found.maps[epoch], found.histograms[epoch], strict=True):
            array = weights[f"{drawn.layer}/{drawn.role}"]
            np.testing.assert_array_equal(drawn.values, np.atleast_2d(array))
            tops = [np.abs(at[f"{drawn.layer}/{drawn.role}"]).max() for at in one.kept.values()]
            assert drawn.scale == max(tops)
            assert counted.counts.sum() == array.size
            assert counted.edges[[0, -1]].tolist() == [-drawn.scale, drawn.scale]
    assert found.table()["count"].sum() == sum(a.size for at in one.kept.values() for a in at.values())


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 99))
def test_a_large_matrix_keeps_its_extremes(rows: int, columns: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(rows, columns))
    small = reduced(matrix)
    assert small.shape == (min(rows, CELLS), min(columns, CELLS))
    assert np.abs(small).max() == np.abs(matrix).max()
    assert np.isin(small, matrix).all()


def test_many_snapshots_are_thinned_and_what_is_not_finite_is_not_drawn() -> None:
    many = fit({**SPEC, "training": {"epochs": 60, "snapshots": list(range(60))}})
    assert len(maps_of(many).epochs) == EPOCHS
    assert {0, 60} <= set(maps_of(many).epochs)
    sick = fit({**SPEC, "training": {"solver": "sgd", "learning_rate_init": 1e150, "epochs": 3}})
    assert maps_of(sick).epochs == ()


def test_zero_is_white_and_the_ends_are_blue_and_red() -> None:
    low, middle, high = coloured(np.array([[-2.0, 0.0, 2.0]]), 2.0)[0].astype(int)
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert middle.min() > 240


def test_pictures_are_what_they_show_and_nothing_else(drawn: Maps) -> None:
    pictures = [
        map_picture(drawn.maps[6], "title"),
        histogram_picture(drawn.histograms[6], drawn.histograms[0], "title"),
    ]
    again = [
        map_picture(drawn.maps[6], "title"),
        histogram_picture(drawn.histograms[6], drawn.histograms[0], "title"),
    ]
    for kind in ("png", "webp"):
        for one, other in zip(pictures, again, strict=True):
            data = encoded(limited(one), kind)
            assert data == encoded(limited(other), kind)
            assert len(data) < 40_000
            assert Image.open(io.BytesIO(data)).size == one.size


def test_files_lie_where_mlflow_puts_them_and_publishing_twice_adds_none(tiny: dict, store: Path) -> None:
    tiny["training"]["snapshots"] = [0]
    fitlab.run(tiny, store=store, jobs=1)
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    run = client.search_runs(["1"], "tags.`fitlab.kind` = 'config'")[0]
    ours = sorted(file.path for file in client.list_artifacts(run.info.run_id, "images"))
    other = client.create_run("1")
    client.log_image(other.info.run_id, np.zeros((2, 2, 3), np.uint8), key="weights", step=0)
    theirs = sorted(file.path for file in client.list_artifacts(other.info.run_id, "images"))
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    shape = re.compile(rf"images/\w+\+step\+\d+\+timestamp\+\d+\+{uuid}(\.png|\+compressed\.webp)")
    assert all(shape.fullmatch(path) for path in (*ours, *theirs))
    assert len(ours) == 2 * 2 * 2  # two kinds, two epochs, two sizes
    tag = "mlflow.loggedImages"
    assert run.data.tags[tag] == client.get_run(other.info.run_id).data.tags[tag]
    assert fitlab.publish("tiny", store).created == 0
    assert sorted(file.path for file in client.list_artifacts(run.info.run_id, "images")) == ours
