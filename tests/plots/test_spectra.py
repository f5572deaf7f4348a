"""Spectra by their structure: singular values by numpy, the edge by what random matrices do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from trainers.conformance import fit

import fitlab
from fitlab import plots
from fitlab.plots.spectra import _edge, spectrum_of
from fitlab.records import Fit

SPEC = {
    "name": "spectra",
    "data": {"kind": "iris"},
    "model": {"kind": "mlp", "hidden_layer_sizes": [12, 7]},
    "training": {"epochs": 6, "snapshots": [0, 4]},
}


@pytest.fixture(scope="module")
def one() -> Fit:
    return fit(SPEC)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    return fitlab.run({**SPEC, "seeds": 3}, store=tmp_path_factory.mktemp("spectra"), publish=False, jobs=1)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


def test_lines_are_the_singular_values_of_the_first_and_the_last_epoch(one: Fit, ax: Axes) -> None:
    plots.spectrum(one, ax=ax)
    lines = [line for line in ax.lines if line.get_linestyle() != ":"]
    expected = [(layer, epoch) for layer in ("hidden_1", "hidden_2", "output") for epoch in (0, 6)]
    for line, (layer, epoch) in zip(lines, expected, strict=True):
        known = np.linalg.svd(one.kept[epoch][f"{layer}/weight"], compute_uv=False)
        np.testing.assert_allclose(line.get_ydata(), known, rtol=1e-9)
        assert line.get_xdata().tolist() == [*range(1, len(known) + 1)]
        assert line.get_linestyle() == ("--" if epoch == 0 else "-")
    assert ax.get_yscale() == "log"
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["hidden_1", "hidden_2", "output", "epoch 0", "epoch 6", "largest, if random"]
    table = spectrum_of(one, epochs=[4], layers=["output"]).table()
    assert {*table["epoch"]} == {4}
    assert {*table["layer"]} == {"output"}


def test_of_a_sweep_they_are_means_over_seeds_with_their_intervals(sweep: fitlab.Sweep, ax: Axes) -> None:
    plots.spectrum(sweep, ax=ax)
    found = spectrum_of(sweep)
    values = np.array([np.linalg.svd(f.weights["output/weight"], compute_uv=False) for f in sweep.fits])
    rows = found.rows[(found.rows["layer"] == "output") & (found.rows["epoch"] == 6)]
    np.testing.assert_allclose(rows["value"], values.mean(axis=0), rtol=1e-9)
    half = 2.919986 * values.std(axis=0, ddof=1) / np.sqrt(3)  # Student's t of 2 degrees of freedom at .95
    np.testing.assert_allclose(rows["high"] - rows["value"], half, rtol=1e-5)
    assert (rows["n"] == 3).all()
    again = plots.spectrum(found.table(), ax=Figure().subplots())
    for line, other in zip(ax.lines, again.lines, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())


@pytest.mark.parametrize("shape", [(300, 200), (40, 40), (12, 3)])
def test_the_edge_is_what_the_largest_of_a_random_matrix_stays_below_on_average(
    one: Fit, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    largest, edges = [], []
    for _ in range(60):
        matrix = 0.3 * rng.standard_normal(shape)
        largest.append(np.linalg.svd(matrix, compute_uv=False)[0])
        edges.append(_edge("hidden_1", [replace(one, weights={"hidden_1/weight": matrix}, snapshots={})], 6))
    error = np.std(largest, ddof=1) / np.sqrt(60)
    edge = 0.3 * (np.sqrt(shape[0]) + np.sqrt(shape[1]))
    assert np.mean(edges) == pytest.approx(edge, rel=0.03)
    assert np.mean(largest) < edge + 4 * error
    assert np.mean(largest) > 0.8 * edge, "and it is no loose bound"


def test_a_vector_has_no_edge_and_a_singular_value_of_zero_is_not_drawn(one: Fit, ax: Axes) -> None:
    flat = replace(one, weights={"a/weight": np.ones((5, 1)), "b/weight": np.ones((4, 4))}, snapshots={})
    found = spectrum_of(flat)
    assert [*found.edges] == ["b"]
    assert found.rows.groupby("layer")["rank"].max().to_dict() == {"a": 1, "b": 1}
    plots.spectrum(found, ax=ax)


def test_what_cannot_be_drawn_is_said_and_guests_change_nothing(one: Fit, sweep: fitlab.Sweep, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    for draw, said in (
        (lambda: plots.spectrum(replace(one, weights={}, snapshots={})), "no weights were kept"),
        (lambda: plots.spectrum(one, epochs=[5]), "epoch 5 was not kept; there is 0, 4, 6"),
        (lambda: plots.spectrum(one, layers=["hidden_9"]), "layer hidden_9 was not kept; there is hidden_1"),
        (lambda: plots.spectrum(replace(one, weights={"a/weight": np.full((2, 2), np.nan)}, snapshots={})), "finite"),
        (lambda: plots.spectrum(pd.DataFrame({"layer": ["a"]})), "lacks epoch, rank, value"),
    ):
        with pytest.raises(ValueError, match=f"nothing to draw: .*{said}"):
            draw()
    assert pyplot.get_fignums() == []
    files = []
    for name in "ab":
        figure = Figure(layout="constrained")
        plots.spectrum(sweep, ax=figure.subplots())
        files.append([path.read_bytes() for path in plots.save(figure, tmp_path / name)])
    assert files[0] == files[1]
    assert b"/Type3" not in files[0][1]
    assert dict(mpl.rcParams) == before
    assert "3 seeds" in plots.caption(figure)
