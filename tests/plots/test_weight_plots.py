"""Figures of weights: what is drawn is what was measured; guests in the user's axes; the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import fitlab
from fitlab import plots

DRAWN = ("weight_heatmap", "weight_histograms", "bias_shift")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    spec = {
        "name": "drawn",
        "data": {"kind": "iris"},
        "model": {"kind": "mlp", "hidden_layer_sizes": [5]},
        "training": {"epochs": 4, "snapshots": [0]},
        "seeds": 2,
        "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 1, 10]}}},
    }
    return fitlab.run(spec, store=tmp_path_factory.mktemp("drawn"), publish=False, jobs=1)


def test_drawing_into_a_users_axes_changes_nothing_else(sweep: fitlab.Sweep) -> None:
    before, figure = dict(mpl.rcParams), Figure()
    ax = figure.subplots(1, 3)
    assert plots.weight_heatmap(sweep.fits[0], ax=ax[0]) is ax[0]
    assert plots.weight_histograms(sweep.fits[0], ax=ax[1]) is ax[1]
    assert plots.norms_vs_gap(sweep, ax=ax[2]) is ax[2]
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_a_heat_map_is_the_matrix_and_a_histogram_counts_it(sweep: fitlab.Sweep) -> None:
    fit, (one, two) = sweep.fits[0], Figure().subplots(1, 2)
    (image,) = plots.weight_heatmap(fit, epoch=0, ax=one).get_images()
    np.testing.assert_array_equal(image.get_array(), fit.snapshots[0]["hidden_1/weight"])
    assert image.norm.vmin == -image.norm.vmax
    ax = plots.weight_histograms(fit, role="bias", ax=two)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "4"]
    assert [patch.get_data().values.sum() for patch in ax.patches if not patch.get_fill()] == [5, 5]


def test_points_are_the_means_of_the_table(sweep: fitlab.Sweep) -> None:
    ax = plots.norms_vs_gap(sweep, metric="path_norm", ax=Figure().subplots())
    drawn = np.concatenate([lines[0].get_xydata() for lines in ax.containers])
    gaps = sorted(sweep.table()["gap/loss"][: len(sweep.configs)])
    np.testing.assert_allclose(sorted(drawn[:, 1]), gaps, rtol=1e-12)
    assert ax.get_xlabel() == "path norm"


def test_what_is_not_there_is_said(sweep: fitlab.Sweep) -> None:
    with pytest.raises(ValueError, match="no weight of hidden_2; there is hidden_1 weight"):
        plots.weight_heatmap(sweep.fits[0], layer="hidden_2")
    with pytest.raises(ValueError, match="epoch 3 was not kept; there is 0, 4"):
        plots.weight_histograms(sweep.fits[0], epochs=[3])
    with pytest.raises(ValueError, match="no Config of drawn has both entropy"):
        plots.norms_vs_gap(sweep, metric="entropy")


def test_files_are_the_same_each_time(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    written = [plots.write_weight_figures(sweep, sweep.configs[:1], tmp_path / name) for name in ("a", "b")]
    assert [path.name for path in written[0]] == [
        f"{stem}.{end}"
        for stem in ("norms_vs_gap", *(f"{sweep.configs[0].digest[:12]}_{one}" for one in DRAWN))
        for end in ("png", "pdf", "csv", "json")
    ]
    for one, other in zip(*written, strict=True):
        assert one.read_bytes() == other.read_bytes()
        if one.suffix == ".pdf":
            assert b"/Type3" not in one.read_bytes()
    assert plt.get_fignums() == []
