"""Learning curves by their structure: what is drawn is what was recorded, on the scale that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fitlab
from fitlab import plots
from fitlab.stats import t_interval
from fitlab.sweep import CONSTANT

SPEC = {
    "name": "learning",
    "data": {"kind": "digits", "train_size": 100, "label_noise": 0.2},
    "model": {"kind": "mlp", "hidden_layer_sizes": [64]},
    "training": {"epochs": 30, "learning_rate_init": 0.01},
    "seeds": 3,
    "sweep": {"parameters": {"training.alpha": {"values": [1e-4, 1]}}},
}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    return fitlab.run(SPEC, store=tmp_path_factory.mktemp("learning"), publish=False, jobs=1)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


def test_every_seed_their_mean_and_its_band_are_drawn_beside_what_they_are_held_against(
    sweep: fitlab.Sweep, ax: Axes
) -> None:
    config = sweep.configs[0]
    plots.learning_curves(sweep, config=config, ax=ax)
    fits, lines = sweep.completed(config), iter(ax.lines)
    for split, band in zip(("train", "val"), ax.collections, strict=True):
        curves = np.array([fit.curves.values[f"loss/{split}"] for fit in fits])
        drawn = [next(lines) for _ in range(len(fits) + 1)]
        np.testing.assert_array_equal([line.get_ydata() for line in drawn], [*curves, curves.mean(axis=0)])
        assert all(line.get_xdata().tolist() == [*range(31)] for line in drawn)
        last = t_interval(curves[:, -1], 0.90)
        heights = band.get_paths()[0].vertices
        assert {last.low, last.high} <= {*heights[heights[:, 0] == 30, 1]}
    null, floor, lowest = lines
    assert null.get_ydata() == [pytest.approx(np.mean([fit.null["loss/val"] for fit in fits]))] * 2
    means = np.mean([fit.curves.values["loss/val"] for fit in fits], axis=0)
    assert lowest.get_xydata().tolist() == [[means.argmin(), means.min()]]
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["train", "validation", "constant predictor", "floor", "lowest mean"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert ax.get_title() == f"alpha 0.0001: {sweep.verdicts.by_config[config.digest].brief}"
    assert floor.get_ydata()[0] < null.get_ydata()[0]


@pytest.mark.parametrize(("last", "scale", "reach"), [(0.5, "linear", False), (1e-3, "log", True)])
def test_losses_that_span_orders_of_magnitude_have_a_logarithmic_axis_whose_bands_may_reach_0(
    last: float, scale: str, reach: bool, ax: Axes
) -> None:
    wild = (0.0, 0.0, 9 * last)  # of three seeds one is late
    rows = [
        (config, seed, epoch, split, "loss", 1.0 if epoch == 0 or config == CONSTANT else last + wild[seed])
        for config in ("a", CONSTANT) for seed in range(3) for epoch in range(3) for split in ("train", "val")
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["config", "seed", "epoch", "split", "metric", "value"])
    plots.learning_curves(frame, ax=ax)
    assert ax.get_yscale() == scale
    assert ("Bands that end at the horizontal axis reach 0." in plots.caption(ax)) is reach
    assert plots.drawn(ax)[0].origin is None
