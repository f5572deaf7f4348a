"""Figures by their structure: what is drawn is what the record says, in the axes that were given, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from trainers.conformance import fit

import fitlab
from fitlab import plots
from fitlab.parameters.maps import maps_of
from fitlab.plots.biases import shifts_of
from fitlab.plots.matrices import histograms_at, map_at
from fitlab.plots.norms import norms_of
from fitlab.records import Fit
from fitlab.verdicts import COLOURS

ENDINGS = ("png", "pdf", "csv", "json")
SPEC = {
    "name": "drawn",
    "data": {"kind": "digits", "train_size": 100, "label_noise": 0.2},
    "model": {"kind": "mlp", "hidden_layer_sizes": [12, 7]},
    "training": {"epochs": 6, "snapshots": [0, 2, 4]},
}


@pytest.fixture(scope="module")
def one() -> Fit:
    return fit(SPEC)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    axes = {"model.hidden_layer_sizes": {"values": [[2], [140]]}, "training.alpha": {"values": [1e-4, 1]}}
    spec = {**SPEC, "seeds": 3, "sweep": {"parameters": axes}}
    return fitlab.run(spec, store=tmp_path_factory.mktemp("drawn"), publish=False, jobs=1)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


def test_a_heat_map_is_the_array_on_the_scale_of_all_its_epochs(one: Fit, ax: Axes) -> None:
    assert plots.weight_heatmap(one, layer="hidden_2", epoch=2, ax=ax) is ax
    (image,) = ax.images
    array = one.snapshots[2]["hidden_2/weight"]
    np.testing.assert_array_equal(image.get_array(), array)
    top = max(np.abs(at["hidden_2/weight"]).max() for at in one.kept.values())
    assert image.get_clim() == (-top, top)
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("hidden_2: 12 × 7", "unit", "input")
    cells = map_at(one, layer="hidden_2", epoch=2).table().pivot(index="row", columns="column", values="value")
    np.testing.assert_array_equal(cells.to_numpy(), array)


def test_of_a_sweep_it_is_the_selected_config_under_its_first_seed(sweep: fitlab.Sweep, ax: Axes) -> None:
    config = next(one for one in sweep.configs if one.digest == sweep.verdicts.selection.config)
    plots.weight_heatmap(sweep, layer="output", role="bias", ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), [sweep.completed(config)[0].weights["output/bias"]])
    (found,) = plots.drawn(ax)
    assert (found.origin.configs, found.whose.seed) == ((config.digest,), 0)
    assert "seed 0 at epoch 6: blue negative" in found.caption
    other = plots.weight_histograms(sweep, config=sweep.configs[0], seed=2, ax=Figure().subplots())
    (spread,) = plots.drawn(other)
    wanted = histograms_at(sweep.completed(sweep.configs[0])[2])
    pd.testing.assert_frame_equal(spread.table(), wanted.reset_index(drop=True))
    assert "after epochs 0, 4 and 6" in spread.caption


def test_every_figure_of_weights_says_what_it_shows(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    figure = Figure(layout="constrained", figsize=(9, 3))
    left, middle, right = figure.subplots(1, 3)
    plots.bias_shift(sweep, ax=left)
    plots.norms_vs_gap(sweep, ax=middle)
    plots.norms_vs_gap(pd.DataFrame({"x": [1.0, 2.0], "y": [0.1, 0.3]}), ax=right)
    shifts, norms, elsewhere = plots.drawn(figure)
    assert "means over 3 seeds, 90 % Student-t intervals at each epoch" in shifts.caption
    assert (norms.origin.configs, elsewhere.origin) == (tuple(c.digest for c in sweep.configs), None)
    assert "a point a Config (2). Norms" in elsewhere.caption
    names = [path.name for path in plots.save(figure, tmp_path / "weights")]
    assert names == ["weights.png", "weights.pdf", "weights-1.csv", "weights-2.csv", "weights-3.csv", "weights.json"]


def test_a_heat_map_is_drawn_of_its_table_and_of_anybodys_matrix(one: Fit, ax: Axes) -> None:
    table = plots.drawn(plots.weight_heatmap(one, ax=ax))[0].table()
    again = Figure().subplots()
    plots.weight_heatmap(table.drop(columns=["layer", "role"]).sample(frac=1, random_state=0), ax=again)
    np.testing.assert_array_equal(again.images[0].get_array(), ax.images[0].get_array())
    with pytest.raises(ValueError, match="a cell is there twice"):
        plots.weight_heatmap(pd.concat([table, table]))


@pytest.mark.parametrize(
    "name",
    [
        *("bias_shift", "bias_variance", "calibration", "capacity_curve", "gap_vs_excess", "landscape"),
        *("norms_vs_gap", "parallel_coordinates", "parameter_importance", "sample_size_curve", "spectrum"),
        *("validation_curve", "verdict_map", "weight_heatmap", "weight_histograms"),
    ],
)
@pytest.mark.parametrize("source", [None, "digits-width", {"config": [1]}, np.eye(2), pd.DataFrame({"a": [1]})])
def test_what_is_no_sweep_and_no_frame_that_it_knows_is_said(name: str, source: object) -> None:
    with pytest.raises(ValueError, match=r"^nothing to draw: .*(DataFrame|NoneType|str|dict|ndarray)"):
        getattr(plots, name)(source)
    assert pyplot.get_fignums() == []


def test_histograms_count_every_entry_at_the_first_a_middle_and_the_last_epoch(one: Fit, ax: Axes) -> None:
    plots.weight_histograms(one, role="bias", ax=ax)
    rows = histograms_at(one, role="bias")
    assert rows.groupby("epoch")["count"].sum().to_dict() == {0: 12, 4: 12, 6: 12}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "4", "6"]
    outlines = [patch for patch in ax.patches if not patch.get_fill()]
    for line, (epoch, drawn) in zip(outlines, rows.groupby("epoch"), strict=True):
        values, edges, _ = line.get_data()
        biases = one.kept[epoch]["hidden_1/bias"]
        assert values.tolist() == drawn["count"].tolist() == np.histogram(biases, edges)[0].tolist()
    again = plots.weight_histograms(maps_of(one).table(), role="bias", ax=Figure().subplots())
    assert [p.get_data().values.tolist() for p in again.patches] == [p.get_data().values.tolist() for p in ax.patches]


def test_bias_shift_draws_the_mean_over_seeds_with_its_interval(sweep: fitlab.Sweep, ax: Axes) -> None:
    config = sweep.configs[0]
    plots.bias_shift(sweep, config=config, ax=ax)
    assert [line.get_label() for line in ax.lines] == ["hidden_1", "output"]
    for line in ax.lines:
        assert line.get_xdata().tolist() == [0, 2, 4, 6]
        for epoch, mean in zip(*line.get_data(), strict=True):
            known = sweep.parameter_means(config, int(epoch))[line.get_label(), "bias", "shift"]
            drawn = shifts_of(sweep, config=config).by_layer[line.get_label()][int(epoch)]
            assert mean == pytest.approx(known.estimate, rel=1e-12)
            assert drawn == known
    tidy = sweep.parameters()
    same = plots.bias_shift(tidy[tidy["config"] == config.digest[:12]], ax=Figure().subplots())
    for line, other in zip(ax.lines, same.lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), other.get_ydata(), rtol=1e-12)


def test_the_only_epoch_is_drawn_layer_beside_layer(ax: Axes) -> None:
    single = fit({**SPEC, "training": {"epochs": 3}})
    plots.bias_shift(single, metric="norm", ax=ax)
    heights = [container[0].get_ydata()[0] for container in ax.containers]
    assert heights == [
        pytest.approx(np.linalg.norm(single.weights[f"{n}/bias"])) for n in ("hidden_1", "hidden_2", "output")
    ]
    assert ax.get_xlabel() == "layer, epoch 3"


@pytest.mark.parametrize("layer", [r"$\no$", "50 %_$x^2$", "a $ b"])
def test_names_of_layers_are_no_mathematics(layer: str, ax: Axes) -> None:
    rows = [(layer, epoch, "bias", "shift", 0.1 * epoch) for epoch in (1, 2)]
    plots.bias_shift(pd.DataFrame(rows, columns=["layer", "epoch", "role", "metric", "value"]), ax=ax)
    ax.get_figure(root=True).draw_without_rendering()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [layer]


def test_norms_vs_gap_has_a_point_a_config_in_the_colour_of_its_verdict(sweep: fitlab.Sweep, ax: Axes) -> None:
    plots.norms_vs_gap(sweep, ax=ax)
    drawn = {
        (x, y, to_hex(line.get_color(), keep_alpha=False).upper())
        for line, *_ in ax.containers
        for x, y in zip(*line.get_data(), strict=True)
    }
    wanted = set()
    for config in sweep.configs:
        x, y = sweep.parameter_means(config)["network", "both", "norm"], sweep.intervals(config)["gap/loss"]
        wanted.add((x.estimate, y.estimate, COLOURS[sweep.verdicts.by_config[config.digest].label]))
    assert drawn == wanted
    said = {text.get_text() for text in ax.get_legend().get_texts()}
    assert said == {str(verdict.label).replace("_", " ") for verdict in sweep.verdicts.by_config.values()}
    table = norms_of(sweep).table()
    again = plots.norms_vs_gap(table, ax=Figure().subplots())
    assert [[*c[0].get_ydata()] for c in again.containers] == [[*c[0].get_ydata()] for c in ax.containers]
    for name, finals in table.set_index("config")[["y", "y_low", "y_high"]].iterrows():
        row = sweep.table().loc[name]
        assert [*finals] == [row["gap/loss"], row["gap/loss/low"], row["gap/loss/high"]]


def test_numbers_from_elsewhere_are_drawn_without_verdicts_and_bars(ax: Axes) -> None:
    plots.norms_vs_gap(pd.DataFrame({"x": [1.0, 2.0, 900.0, np.nan], "y": [0.1, -0.2, 0.3, 1.0]}), ax=ax)
    ((line, *_),) = ax.containers
    assert line.get_xdata().tolist() == [1, 2, 900]
    assert ax.get_xscale() == "log"
    assert ax.get_legend() is None


def test_guests_change_no_setting_and_leave_other_axes_alone(one: Fit, sweep: fitlab.Sweep) -> None:
    before = dict(mpl.rcParams)
    figure = Figure(layout="constrained")
    mine, yours = figure.subplots(1, 2)
    for draw in (
        lambda: plots.weight_heatmap(one, ax=mine),
        lambda: plots.weight_histograms(one, ax=mine),
        lambda: plots.bias_shift(one, ax=mine),
        lambda: plots.norms_vs_gap(sweep, ax=mine),
    ):
        mine.clear()
        assert draw() is mine
        assert figure.axes == [mine, yours], "colour bars take no axes from the figure"
        assert not yours.has_data()
    assert dict(mpl.rcParams) == before


def test_without_axes_some_are_made(one: Fit) -> None:
    made = plots.weight_heatmap(one)
    assert made.figure.number in pyplot.get_fignums()
    pyplot.close(made.figure)


def test_what_cannot_be_drawn_is_said_with_what_there_is(one: Fit, sweep: fitlab.Sweep) -> None:
    empty = replace(one, weights={}, snapshots={})
    for draw, said in (
        (lambda: plots.weight_heatmap(empty), "kept no weights"),
        (lambda: plots.weight_heatmap(one, epoch=3), "epoch 3 was not kept; there is 0, 2, 4, 6"),
        (lambda: plots.weight_heatmap(one, layer="hidden_9"), "no weight of hidden_9; there is hidden_1 weight"),
        (lambda: plots.weight_histograms(one, layer="hidden_9"), "hidden_9; there is hidden_1 weight"),
        (lambda: plots.bias_shift(replace(sweep, verdicts=fitlab.Verdicts())), "which of 4 Configs"),
        (lambda: plots.weight_heatmap(sweep, seed=9), "no weights under seed 9; there is 0, 1, 2"),
        (lambda: plots.weight_histograms(replace(sweep, fits=())), "no completed Fit of .* kept weights"),
        (lambda: plots.bias_shift(sweep.parameters()), "several Configs"),
        (lambda: plots.bias_shift(one, metric="shfit"), "no 'shfit'; there is shift, norm"),
        (lambda: plots.bias_shift(pd.DataFrame({"epoch": [1]})), "lacks layer, metric, role, value"),
        (lambda: plots.norms_vs_gap(sweep, metric="nrom"), "both nrom and gap/loss; there is norm"),
        (lambda: plots.norms_vs_gap(pd.DataFrame({"x": [1.0]})), "lacks y"),
        (
            lambda: plots.norms_vs_gap(pd.DataFrame({"x": [1.0], "y": [1.0], "verdict": ["fine"]})),
            "'fine' is no verdict",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"


@pytest.mark.slow
def test_files_are_the_same_bytes_again_and_have_no_type_3_font(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    config = sweep.configs[-1]
    first, second = (plots.write_weight_figures(sweep, [config], tmp_path / name) for name in "ab")
    start = config.digest[:12]
    stems = ["norms_vs_gap", *(f"{start}_{one}" for one in ("weight_heatmap", "weight_histograms", "bias_shift"))]
    assert [path.name for path in first] == [f"{stem}.{kind}" for stem in stems for kind in ENDINGS]
    for path, again in zip(first, second, strict=True):
        assert path.read_bytes() == again.read_bytes()
        assert path.suffix != ".pdf" or (
            b"/Type3" not in path.read_bytes() and b"/CreationDate" not in path.read_bytes()
        )
    cells = pd.read_csv(tmp_path / "a" / f"{start}_weight_heatmap.csv")
    drawn = cells[(cells.layer == "output") & (cells.role == "bias")]["value"]
    np.testing.assert_allclose(drawn, sweep.completed(config)[0].weights["output/bias"], rtol=1e-12)


def test_a_config_without_weights_writes_no_figure(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    bare = replace(sweep, fits=tuple(replace(fit, weights={}, snapshots={}) for fit in sweep.fits))
    with pytest.raises(ValueError, match=r"no completed Fit of hidden_layer_sizes \[2\]"):
        plots.write_weight_figures(bare, bare.configs[:1], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_plots_are_at_the_root_and_cost_nothing_until_they_are_used() -> None:
    code = (
        "import sys, fitlab; a = 'matplotlib' in sys.modules; fitlab.plots.save; print(a, 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == [
        "False",
        "True",
    ]
