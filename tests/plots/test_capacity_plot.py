"""Capacity curves: the numbers of the diagnosis, the threshold where it was measured, the peak where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import fitlab
from fitlab import plots
from fitlab.plots.capacity import capacity_of
from fitlab.records import Outcome

ROWS = 40
SEEN = [1, 7, 30, 36, 44, 60, 200]
SPEC = {
    "name": "descents",
    "data": {"kind": "decaying_teacher"},
    "model": {"kind": "estimator", "estimator": "sklearn.linear_model.LinearRegression",
              "parameters": {"fit_intercept": False}},
    "seeds": 12,
    "diagnosis": {"capacity_axis": "data.n_visible"},
    "sweep": {"parameters": {"data.n_visible": {"values": SEEN}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    return fitlab.run(SPEC, store=tmp_path_factory.mktemp("descents"), publish=False, jobs=1)


@pytest.fixture(scope="module")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    keys = {"max_depth": [1, 2, None], "learning_rate": [0.1, 0.5]}
    spec = {
        "name": "boosted",
        "data": {"kind": "iris", "label_noise": 0.2},
        "model": {"kind": "estimator", "estimator": "sklearn.ensemble.GradientBoostingClassifier",
                  "parameters": {"n_estimators": 5}},
        "seeds": 2,
        "diagnosis": {"capacity_axis": "model.parameters.max_depth"},
        "sweep": {"parameters": {f"model.parameters.{key}": {"values": values} for key, values in keys.items()}},
    }  # fmt: skip
    return fitlab.run(spec, store=tmp_path_factory.mktemp("boosted"), publish=False, jobs=1)


def test_points_threshold_and_peak_are_those_of_the_curve(sweep: fitlab.Sweep) -> None:
    (curve,) = fitlab.capacity_curves(sweep)
    ax = plots.capacity_curve(sweep, ax=Figure().subplots())
    table = curve.table()
    for (line, _, _), split in zip(ax.containers, ("train", "val"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), table[f"loss/{split}"], rtol=1e-12)
        assert line.get_xdata().tolist() == SEEN
    (shade,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == curve.threshold == (36, 44)
    assert [line.get_xdata()[0] for line in ax.lines if line.get_xdata()[0] == line.get_xdata()[-1] == ROWS]
    marks = {
        line.get_marker(): (line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if not line.get_clip_on()
    }
    assert curve.peak is not None
    assert marks["v"] == (curve.peak.value, curve.peak.val.estimate)
    assert ax.get_xscale() == "log"
    assert "peak at" in ax.get_title()
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[:4] == ["train", "validation", "constant predictor", "floor"]
    assert said[-5:] == ["selected", "threshold", "in theory", "peak", "minima"]
    assert f"where theory has that, {ROWS}" in plots.caption(ax)


def test_a_curve_and_its_table_give_the_picture_without_seeds(sweep: fitlab.Sweep) -> None:
    (curve,) = fitlab.capacity_curves(sweep)
    whole, record, table = (capacity_of(one) for one in (sweep, curve, curve.table()))
    for one in (record, table):
        assert (one.roles, one.interpolates) == (whole.roles, whole.interpolates)
        np.testing.assert_allclose(one.points.parts["val"].low, whole.points.parts["val"].low, rtol=1e-12)
    assert (record.origin, table.expected) == (None, None)
    assert "means over seeds" in record.caption
    bare = pd.DataFrame({"capacity": [1.0, 9.0], "loss/train": [1.0, 0.5], "loss/val": [1.0, 0.7]})
    ax = plots.capacity_curve(bare, ax=Figure().subplots())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "validation"]


def test_what_is_no_limit_stands_last_and_other_keys_choose_the_curve(boosted: fitlab.Sweep) -> None:
    ax = plots.capacity_curve(boosted, fixed={"learning_rate": 0.5}, ax=Figure().subplots())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "null"]
    assert ax.get_title() == "at learning_rate 0.5"
    (found,) = plots.drawn(ax)
    assert {config.digest for config in boosted.configs if config.swept["model.parameters.learning_rate"] == 0.5} == {
        *found.origin.configs
    }
    default = capacity_of(boosted).fixed["model.parameters.learning_rate"]
    chosen = next(one for one in boosted.configs if one.digest == boosted.verdicts.selection.config)
    assert default == chosen.swept["model.parameters.learning_rate"]


def test_what_did_not_complete_is_left_out_and_said(sweep: fitlab.Sweep) -> None:
    last = sweep.configs[-1]
    fits = (
        replace(fit, outcome=Outcome.FAILED) if fit.job.config == last and not fit.job.seed else fit
        for fit in sweep.fits
    )
    found = capacity_of(replace(sweep, fits=tuple(fits)))
    assert len(found.capacities) == len(SEEN) - 1
    assert "1 Config left out: failed" in found.caption


def test_same_input_same_bytes_with_its_table_beside_it(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    written = []
    for name in "ab":
        with plots.paper("icml2024"):
            figure = Figure()
            plots.capacity_curve(sweep, ax=figure.subplots())
            written.append(plots.save(figure, tmp_path / name))
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(*written, strict=True))
    again = pd.read_csv(tmp_path / "a.csv")
    assert [*again] == ["data.n_visible", "split", "seed", "value", "low", "high", "verdict", "capacity",
                        "interpolates", "role"]  # fmt: skip
    assert len(again) == 2 * len(SEEN) * (12 + 1)


def test_what_cannot_be_drawn_is_said_with_what_there_is(sweep: fitlab.Sweep, boosted: fitlab.Sweep) -> None:
    failed = replace(sweep, fits=tuple(replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits))
    axis = boosted.spec.diagnosis.model_copy(update={"capacity_axis": None})
    undeclared = replace(boosted, spec=boosted.spec.model_copy(update={"diagnosis": axis}))
    twice = pd.DataFrame({"capacity": [1, 1], "loss/train": [1.0, 2], "loss/val": [1.0, 2]})
    for draw, said in (
        (lambda: plots.capacity_curve(failed), "no Config completed under every seed .failed"),
        (lambda: plots.capacity_curve(undeclared), "declare diagnosis.capacity_axis.*there is model.parameters.max"),
        (lambda: plots.capacity_curve(boosted, fixed={"learning_rate": 3}), "learning_rate 3; there is 0.1, 0.5"),
        (
            lambda: plots.capacity_curve(replace(boosted, verdicts=fitlab.Verdicts())),
            "which of 2 curves.*learning_rate 0.1",
        ),
        (lambda: plots.capacity_curve(pd.DataFrame({"capacity": [1]})), "lacks loss/train, loss/val"),
        (lambda: plots.capacity_curve(twice), "several rows have capacity 1"),
        (lambda: plots.capacity_curve(twice.assign(**{"loss/val": np.nan})), "no row has a finite loss/val"),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"
