"""Validation curves: numbers are the table's, everything else is held where the title says, bad input is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.figure import Figure

import fitlab
from fitlab import plots
from fitlab.plots.along import places_of
from fitlab.plots.validation import validation_of
from fitlab.records import Outcome

WIDTHS = [[2], [16], [64]]
ALPHAS = [1e-4, 10]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    spec = {
        "name": "along",
        "data": {"kind": "digits", "train_size": 100, "label_noise": 0.2},
        "model": {"kind": "mlp"},
        "training": {"epochs": 15, "learning_rate_init": 0.01},
        "seeds": 3,
        "sweep": {"parameters": {"model.hidden_layer_sizes": {"values": WIDTHS}, "training.alpha": {"values": ALPHAS}}},
    }
    return fitlab.run(spec, store=tmp_path_factory.mktemp("along"), publish=False, jobs=1)


def selected(sweep: fitlab.Sweep) -> fitlab.Config:
    return next(one for one in sweep.configs if one.digest == sweep.verdicts.selection.config)


def test_means_and_bars_are_those_of_the_table_all_else_as_selected(sweep: fitlab.Sweep) -> None:
    ax = plots.validation_curve(sweep, "hidden_layer_sizes", ax=Figure().subplots())
    alpha = selected(sweep).swept["training.alpha"]
    rows = sweep.table()[:-1].query("`training.alpha` == @alpha")
    assert ax.get_title() == f"at alpha {alpha:g}"
    (found,) = plots.drawn(ax)
    for (line, _, _), split in zip(ax.containers, ("train", "val"), strict=True):
        assert line.get_xdata().tolist() == [2, 16, 64]
        assert line.get_ydata().tolist() == rows[f"loss/{split}"].tolist()
        means = found.table().query("seed == 'mean' and split == @split")
        assert means["low"].tolist() == rows[f"loss/{split}/low"].tolist()
    by_seed = found.table().query("seed != 'mean' and split == 'val'")
    finals = {(fit.job.config.swept["model.hidden_layer_sizes"][0], str(fit.job.seed)): fit.final["loss/val"]
              for fit in sweep.fits if fit.job.config.swept["training.alpha"] == alpha}  # fmt: skip
    assert {(a, b): v for a, b, v in by_seed[["model.hidden_layer_sizes", "seed", "value"]].to_numpy()} == finals
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "16", "64"]


def test_the_legend_says_lines_then_the_verdicts_that_there_are_and_the_selected(sweep: fitlab.Sweep) -> None:
    ax = plots.validation_curve(sweep, "hidden_layer_sizes", ax=Figure().subplots())
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    alpha = selected(sweep).swept["training.alpha"]
    briefs = {sweep.verdicts.by_config[c.digest].brief for c in sweep.configs if c.swept["training.alpha"] == alpha}
    assert said[:4] == ["train", "validation", "constant predictor", "floor"]
    assert {*said[4:-1]} == briefs
    assert said[-1] == "selected"
    (ring,) = [line for line in ax.lines if line.get_markersize() > 9]
    assert ring.get_ydata() == [sweep.intervals(selected(sweep))["loss/val"].estimate]


def test_fixed_and_config_hold_what_else_is_swept(sweep: fitlab.Sweep) -> None:
    other = next(one for one in ALPHAS if one != selected(sweep).swept["training.alpha"])
    by_value = validation_of(sweep, "hidden_layer_sizes", fixed={"alpha": other})
    config = next(one for one in sweep.configs if one.swept["training.alpha"] == other)
    by_config = validation_of(sweep, "model.hidden_layer_sizes", config=config)
    pd.testing.assert_frame_equal(by_value.table(), by_config.table())
    assert by_value.fixed == {"training.alpha": other}
    assert by_value.points.selected is None
    assert "ringed" not in by_value.caption
    assert f"with alpha {other:g}".replace("1e-04", "0.0001") in by_value.caption


@pytest.mark.parametrize("key", ["hidden_layer_sizes", "alpha"])
def test_its_own_table_and_tidy_rows_give_the_same_picture(sweep: fitlab.Sweep, key: str) -> None:
    found = validation_of(sweep, key)
    again = validation_of(found.table(), key)
    tidy = sweep.curves().merge(_columns(sweep), on="config")
    held = {short.rpartition(".")[2]: value for short, value in found.fixed.items()}
    same = validation_of(tidy, key, fixed=held)
    for one in (again, same):
        for split, band in found.points.parts.items():
            for name in ("mean", "low", "high"):
                np.testing.assert_allclose(getattr(one.points.parts[split], name), getattr(band, name), rtol=1e-12)
    assert again.points.verdicts == found.points.verdicts


def _columns(sweep: fitlab.Sweep) -> pd.DataFrame:
    rows = [(c.digest[:12], *c.swept.values()) for c in sweep.configs]
    return pd.DataFrame(rows, columns=["config", "hidden_layer_sizes", "alpha"])


def test_what_was_not_measured_is_left_out_and_said(sweep: fitlab.Sweep) -> None:
    first, second, *_ = (one for one in sweep.configs if one.swept["training.alpha"] == ALPHAS[1])

    def spoiled(fit: fitlab.Fit) -> fitlab.Fit:
        outcome = {first: Outcome.PRUNED, second: Outcome.FAILED}.get(fit.job.config, fit.outcome)
        return replace(fit, outcome=outcome) if fit.job.seed == 0 or outcome is Outcome.FAILED else fit

    worse = replace(sweep, fits=tuple(map(spoiled, sweep.fits)))
    found = validation_of(worse, "hidden_layer_sizes", fixed={"alpha": ALPHAS[1]})
    assert len(found.points.values) == 1
    assert found.points.left_out == {
        "pruned under some seeds, and those that are left flatter it": 1, "failed": 1
    }  # fmt: skip
    assert "1 Config left out: failed." in found.caption


def test_one_seed_and_one_config_are_drawn_without_bars(sweep: fitlab.Sweep) -> None:
    config = sweep.configs[0]
    fits = tuple(fit for fit in sweep.fits if fit.job.config == config and fit.job.seed == 1)
    alone = replace(sweep, configs=(config,), fits=fits, verdicts=fitlab.Verdicts())
    found = validation_of(alone, "alpha")
    assert "of one seed" in found.caption
    assert np.isnan(found.points.parts["val"].low).all()
    assert plots.validation_curve(found, ax=Figure().subplots()).containers[1][0].get_ydata() == [
        fits[0].final["loss/val"]
    ]


def test_names_from_elsewhere_stand_side_by_side_as_they_are_written() -> None:
    names = ["50 % dropout", "no_$weight$ & bias", "x^2"]
    rows = [
        (name, seed, split, i + seed) for i, name in enumerate(names) for seed in (0, 1) for split in ("train", "val")
    ]
    frame = pd.DataFrame(rows, columns=["100%_$model$", "seed", "split", "value"])
    with plots.paper("nature"):
        figure = Figure()
        ax = plots.validation_curve(frame, ax=figure.subplots())
        figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == names
    assert ax.get_xlabel() == "100%_$model$"


def test_same_input_same_bytes_and_no_setting_is_changed(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    before, written = dict(mpl.rcParams), []
    for name in "ab":
        figure = Figure(layout="constrained")
        plots.validation_curve(sweep, "alpha", ax=figure.subplots())
        written.append(plots.save(figure, tmp_path / name))
    assert [path.suffix for path in written[0]] == [".png", ".pdf", ".csv", ".json"]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(*written, strict=True))
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


def test_what_cannot_be_drawn_is_said_with_what_there_is(sweep: fitlab.Sweep) -> None:
    failed = replace(sweep, fits=tuple(replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits))
    undiagnosed = replace(sweep, verdicts=fitlab.Verdicts())
    frame = pd.DataFrame({"width": [1, 1], "seed": 0, "split": "val", "value": [1.0, 2.0], "depth": [1, 2]})
    for draw, said in (
        (lambda: plots.validation_curve(sweep), "along which of 2 swept keys"),
        (lambda: plots.validation_curve(sweep, "width"), "called 'width'; there is model.hidden_layer_sizes"),
        (lambda: plots.validation_curve(sweep, "alpha", fixed={"hidden_layer_sizes": [3]}), r"\[3\]; there is \[2\]"),
        (lambda: plots.validation_curve(sweep, "alpha", metric="r2"), "has r2 .* there is accuracy, loss"),
        (lambda: plots.validation_curve(failed, "alpha"), "has loss on validation data .failed"),
        (lambda: plots.validation_curve(undiagnosed, "alpha"), r"hidden_layer_sizes varies, too: give fixed"),
        (lambda: plots.validation_curve(frame), "along which column.* there is width, depth"),
        (lambda: plots.validation_curve(frame, "width"), "several rows have width 1, seed 0: give fixed"),
        (lambda: plots.validation_curve(frame.drop(columns="split"), "width"), "lacks split"),
        (lambda: plots.validation_curve(frame.assign(split="test"), "width", fixed={"depth": 1}), "validation data"),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=9, unique=True).map(sorted))
def test_numbers_stand_at_themselves_on_the_axis_on_which_their_steps_are_more_even(values: list[float]) -> None:
    places = places_of(values)
    assert places.at.tolist() == values
    steps = {kind: np.diff(at) for kind, at in (("linear", values), ("log", np.log(values)))}
    uneven = {kind: one.std() / one.mean() for kind, one in steps.items()}
    assert values[-1] < 10 * values[0] or uneven[places.kind] == min(uneven.values())


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        ([[32], [128]], "linear", ("32", "128")),
        ([[8], [32], [128]], "log", ("8", "32", "128")),
        ([[8, 8], [32]], "ticks", ("[8,8]", "[32]")),
        ([True, False], "ticks", ("true", "false")),
        ([0, 1e-4, 1e-2, 1.0], "ticks", ("0", "0.0001", "0.01", "1")),
        ([0, 0.1, 0.2], "linear", ("0", "0.1", "0.2")),
        (["relu", "tanh"], "ticks", ("relu", "tanh")),
        ([None, 3], "ticks", ("null", "3")),
    ],
)
def test_what_is_no_number_stands_side_by_side(values: list, kind: str, labels: tuple[str, ...]) -> None:
    assert (places_of(values).kind, places_of(values).labels) == (kind, labels)
