"""Sample-size curves: what was measured, what laws say beyond it and only there, and the last value beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fitlab
from fitlab import plots
from fitlab.plots.sizes import sample_size_of
from fitlab.records import Outcome

SIZES = [12, 18, 30, 60, 120]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    spec = {
        "name": "sizes",
        "data": {
            "kind": "linear_teacher",
            "n_samples": 120,
            "n_features": 5,
            "noise": 1.0,
            "validation": 200,
            "test": 50,
        },
        "model": {"kind": "estimator", "estimator": "sklearn.linear_model.Ridge"},
        "seeds": 5,
        "sweep": {
            "parameters": {"data.train_size": {"values": SIZES}, "model.parameters.alpha": {"values": [0.01, 10.0]}}
        },
    }
    return fitlab.run(spec, store=tmp_path_factory.mktemp("sizes"), publish=False, jobs=1)


@pytest.fixture(scope="module")
def drawn(sweep: fitlab.Sweep) -> Axes:
    return plots.sample_size_curve(sweep, fixed={"alpha": 0.01}, further=3, ax=Figure().subplots())


def test_points_are_the_table_of_the_sweep_and_lines_are_the_laws(sweep: fitlab.Sweep, drawn: Axes) -> None:
    rows = sweep.table()[: len(sweep.configs)].query("`model.parameters.alpha` == 0.01")
    ((line, *_),) = drawn.containers
    assert line.get_xdata().tolist() == SIZES
    np.testing.assert_allclose(line.get_ydata(), rows["loss/val"], rtol=1e-12)
    table = plots.drawn(drawn)[0].table()
    means = table.query("line == 'loss/val' and seed == 'mean'")
    np.testing.assert_allclose(means[["low", "high"]], rows[["loss/val/low", "loss/val/high"]], rtol=1e-12)
    curve = next(
        one for one in fitlab.sample_size_curves(sweep, level=0.9) if one.swept == {"model.parameters.alpha": 0.01}
    )
    for law in ("pow4", "mmf"):
        at = table.query("line == @law and n_train == 360")
        wanted = curve.predicted(360, law)
        np.testing.assert_allclose(
            at[["value", "low", "high"]].iloc[0].astype(float), [wanted.estimate, wanted.low, wanted.high]
        )
    last = table.query("line == 'last_value'")
    assert {*last["value"]} == {curve.last.estimate}
    assert last["n_train"].min() > SIZES[-1]


def test_what_was_not_measured_is_told_apart(drawn: Axes) -> None:
    (ground,) = drawn.patches
    assert (ground.get_x(), ground.get_x() + ground.get_width()) == (SIZES[-1], 3 * SIZES[-1])
    bands = [one.get_datalim(drawn.transData) for one in drawn.collections if one.get_alpha() == 0.18]
    assert [one.x0 for one in bands] == pytest.approx([SIZES[-1]] * 2), (
        "bands of laws lie beyond the largest size alone"
    )
    said = [text.get_text() for text in drawn.get_legend().get_texts()]
    assert said == ["measured", "pow4", "MMF", "last value", "not measured"]
    assert drawn.get_xscale() == "log"
    assert drawn.get_title() == "at alpha 0.01"
    assert "right of 120, where nothing was measured, pow4 and mmf with 90 % intervals" in plots.caption(drawn)


def test_a_flat_end_is_drawn_again_closer(drawn: Axes) -> None:
    (inside,) = drawn.child_axes
    assert inside.get_xlim()[1] == 3 * SIZES[-1]
    low, high = inside.get_ylim()
    bottom, top = drawn.get_ylim()
    assert high - low < (top - bottom) / 2


def test_a_curve_its_table_and_single_seeds_give_the_same_laws(sweep: fitlab.Sweep) -> None:
    whole = sample_size_of(sweep, fixed={"alpha": 0.01}, further=3)
    curve = next(
        one for one in fitlab.sample_size_curves(sweep, level=0.9) if one.swept == {"model.parameters.alpha": 0.01}
    )
    for same in (sample_size_of(curve, further=3), sample_size_of(whole.table(), further=3)):
        pd.testing.assert_frame_equal(
            same.frame[[*whole.frame.columns[-12:]]], whole.frame[[*whole.frame.columns[-12:]]]
        )
    wide = sample_size_of(curve.table())
    assert wide.measured["n_train"].tolist() == SIZES
    assert wide.laws == ("pow4", "mmf")
    plots.sample_size_curve(wide, ax=Figure().subplots())


def test_few_sizes_have_no_laws_and_it_is_said(sweep: fitlab.Sweep) -> None:
    few = tuple(one for one in sweep.configs if one.swept["data.train_size"] < 100)
    part = replace(sweep, configs=few, fits=tuple(fit for fit in sweep.fits if fit.job.config in few))
    ax = plots.sample_size_curve(part, fixed={"alpha": 10}, ax=Figure().subplots())
    assert ax.get_title() == "at alpha 10; no extrapolation"
    assert "no extrapolation: pow4 has 4 parameters" in plots.caption(ax)
    assert not ax.patches
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["measured"]


def test_one_seed_has_no_bars_and_no_bands(sweep: fitlab.Sweep) -> None:
    fits = tuple(fit if fit.job.seed == 2 else replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits)
    found = sample_size_of(replace(sweep, fits=fits), fixed={"alpha": 10})
    assert found.left_out == 4
    assert np.isnan(found.frame[["loss/val/low", "pow4/low", "mmf/high"]]).all(axis=None)
    assert "4 seeds that did not complete at every size left out" in found.caption
    plots.sample_size_curve(found, ax=Figure().subplots())


def test_same_input_same_bytes(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    written = []
    for name in "ab":
        figure = Figure(layout="constrained")
        plots.sample_size_curve(sweep, fixed={"alpha": 10}, ax=figure.subplots())
        written.append(plots.save(figure, tmp_path / name))
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(*written, strict=True))


def test_what_cannot_be_drawn_is_said_with_what_there_is(sweep: fitlab.Sweep) -> None:
    failed = replace(sweep, fits=tuple(replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits))
    rows = pd.DataFrame({"n_train": [10, 10], "loss/val": [1.0, 2.0], "seed": [0, 0], "value": [1.0, 2.0]})
    for draw, said in (
        (lambda: plots.sample_size_curve(sweep), "which of 2 curves.*alpha"),
        (lambda: plots.sample_size_curve(sweep, fixed={"alpha": 3}), "alpha 3; there is 0.01, 10"),
        (lambda: plots.sample_size_curve(sweep, fixed={"alpha": 10}, metric="f1/val"), "f1/val was not measured"),
        (lambda: plots.sample_size_curve(sweep, fixed={"alpha": 10}, further=1), "above 1, not 1"),
        (lambda: plots.sample_size_curve(failed, fixed={"alpha": 10}), "no seed completed at every size"),
        (lambda: plots.sample_size_curve(rows[["n_train"]]), "lacks loss/val"),
        (lambda: plots.sample_size_curve(rows), "several rows have n_train 10, seed 0"),
        (lambda: plots.sample_size_curve(rows[["n_train", "loss/val"]]), "several rows have n_train 10"),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"
