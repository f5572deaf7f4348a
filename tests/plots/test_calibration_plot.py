"""Calibration: by laws of probabilities that are right, against scikit-learn, and as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve

import fitlab
from fitlab import plots
from fitlab.errors import FitlabError
from fitlab.plots.reliability import reliability_of
from fitlab.theory.calibration import Said, calibrated
from fitlab.theory.calibration import said as said_of

SPEC = {
    "name": "calibrated",
    "data": {"kind": "digits", "train_size": 100, "label_noise": 0.2},
    "model": {"kind": "mlp", "hidden_layer_sizes": [32]},
    "training": {"epochs": 60, "learning_rate_init": 0.01},
    "seeds": 3,
    "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 30]}}},
}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    return fitlab.run(SPEC, store=tmp_path_factory.mktemp("calibrated"), publish=False, jobs=1)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


def right(rng: np.random.Generator, rows: int) -> Said:
    """Predictions that are what they say."""
    probability = rng.uniform(0.1, 1, rows)
    return Said(probability, (rng.random(rows) < probability).astype(float))


def test_probabilities_that_are_right_have_the_error_of_chance_and_no_other() -> None:
    rng = np.random.default_rng(0)
    found = [calibrated([right(rng, 300)]) for _ in range(400 if PROVE else 60)]
    errors, chance = (np.array(x) for x in zip(*[(one.error.estimate, one.by_chance) for one in found], strict=True))
    apart = errors - chance
    assert abs(apart.mean()) <= 4 * apart.std(ddof=1) / np.sqrt(len(apart))
    assert errors.mean() > 0.02, "which is far from 0"
    above = np.array([one.confidence.estimate for one in found])
    assert abs(above.mean()) <= 4 * above.std(ddof=1) / np.sqrt(len(above))


def test_bins_are_scikit_learns_and_the_error_is_their_weighted_distance() -> None:
    one = right(np.random.default_rng(1), 1000)
    found = calibrated([one], bins=10)
    true, said = calibration_curve(one.true, one.probability, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([b.true.estimate for b in found.bins], true, rtol=1e-12)
    np.testing.assert_allclose([b.probability for b in found.bins], said, rtol=1e-12)
    assert {b.rows for b in found.bins} == {100}
    assert found.error.estimate == pytest.approx(np.abs(true - said).mean(), rel=1e-12)


@given(st.integers(1, 400), st.integers(1, 4), st.integers(1, 12), st.booleans())
def test_every_row_is_in_one_bin_whatever_ties(rows: int, seeds: int, bins: int, coarse: bool) -> None:
    rng = np.random.default_rng(rows)
    given_ = [right(rng, rows) for _ in range(seeds)]
    if coarse:
        given_ = [replace(one, probability=np.round(one.probability)) for one in given_]
    found = calibrated(given_, bins)
    assert sum(b.rows for b in found.bins) == rows * seeds
    assert found.shares.sum() == pytest.approx(1)
    places = [b.probability for b in found.bins]
    assert places == sorted(places)
    assert abs(found.confidence.estimate) <= found.error.estimate + 1e-12, "it is the error of one bin"
    twice = [replace(one, weights=np.full(rows, 2.0)) for one in given_]
    assert calibrated(twice, bins).error.estimate == pytest.approx(found.error.estimate)


def test_of_a_fit_it_is_the_most_probable_class_of_its_own_rows(sweep: fitlab.Sweep, ax: Axes) -> None:
    config = sweep.configs[0]
    found = fitlab.calibration(sweep, config)
    fits = sweep.completed(config)
    confident = [fit.predictions["val"].max(axis=1).mean() for fit in fits]
    accuracy = [fit.final["accuracy/val"] for fit in fits]
    assert found.confidence.estimate == pytest.approx(np.mean(confident) - np.mean(accuracy), rel=1e-9)
    assert found.confidence.n == 3
    assert found.confidence.low > 0, "it has memorised noise: it is over-confident"
    plots.calibration(found, ax=ax)
    bins = found.table().query("what == 'bin'")
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), bins[["probability", "value"]])
    assert ax.get_title().replace("\n", " ").startswith("alpha 0.0001")
    assert "over-confident" in ax.texts[0].get_text()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("confidence", "accuracy")
    assert "450 validation rows under each of 3 seeds" in plots.caption(ax)


def test_test_rows_are_shown_for_the_selected_config_alone_and_that_is_said(sweep: fitlab.Sweep) -> None:
    chosen = sweep.verdicts.selection.config
    other = next(config for config in sweep.configs if config.digest != chosen)
    assert "selected Config alone" in reliability_of(fitlab.calibration(sweep, part="test")).caption
    with pytest.raises(FitlabError, match="test rows are shown for the selected Config alone"):
        fitlab.calibration(sweep, other, part="test")


def test_predictions_from_elsewhere_are_drawn(ax: Axes) -> None:
    one = right(np.random.default_rng(2), 200)
    frame = pd.DataFrame({"probability": one.probability, "y": one.true.astype(int)})
    plots.calibration(frame, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted probability", "observed frequency")
    assert reliability_of(frame).seeds == 1
    two = pd.concat([frame.assign(seed=s) for s in (0, 1)]).rename(columns={"y": "correct"})
    assert reliability_of(two).found.error.n == 2


def test_what_has_no_probabilities_is_refused(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    regression = {"name": "reg", "data": {"kind": "diabetes"}, "model": {"kind": "mlp"}, "training": {"epochs": 2}}
    values = fitlab.run({**regression, "seeds": 2}, store=tmp_path, publish=False, jobs=1)
    with pytest.raises(FitlabError, match="is a regressor"):
        fitlab.calibration(values)
    with pytest.raises(FitlabError, match="values or hard labels"):
        said_of(np.zeros(3), np.zeros(3))
    with pytest.raises(FitlabError, match="no completed Fit has predictions"):
        fitlab.calibration(replace(sweep, fits=tuple(replace(f, predictions={}) for f in sweep.fits)))
    for source, said in (
        (sweep, r"plots.calibration\(fitlab.calibration\(sweep, config\)\)"),
        (pd.DataFrame({"p": [0.1]}), "no probability with correct or y; there is p"),
        (pd.DataFrame({"probability": [0.1, 0.5], "y": [0, 2]}), "y is 0 or 1"),
        (pd.DataFrame({"probability": [1.5], "y": [1]}), "probabilities between 0 and 1"),
        (pd.DataFrame({"probability": [], "y": []}), "one row at least"),
    ):
        with pytest.raises(ValueError, match=f"nothing to draw: .*{said}"):
            plots.calibration(source)
    assert pyplot.get_fignums() == []


def test_guests_change_no_setting_and_give_the_same_bytes_again(sweep: fitlab.Sweep, tmp_path: Path) -> None:
    before, found, files = dict(mpl.rcParams), fitlab.calibration(sweep), []
    for name in "ab":
        figure = Figure(layout="constrained")
        plots.calibration(found, ax=figure.subplots())
        files.append([path.read_bytes() for path in plots.save(figure, tmp_path / name)])
    assert files[0] == files[1]
    assert b"/Type3" not in files[0][1]
    assert dict(mpl.rcParams) == before
