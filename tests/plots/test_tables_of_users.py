"""Tables as people have them: cells of every kind, text where numbers should be, scores, holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from fitlab import plots
from fitlab.plots.keys import plain
from fitlab.plots.parallel import parallel_of
from fitlab.seeds import canonical

CELLS = [None, True, 1, 0.5, "relu", [1, 2], (3,), {"x": 1}, {7}, float("nan"), float("inf"), 10**20, "a\nb", pd.NA,
         np.int64(3), np.float32(0.5), np.array([1, 2]), pd.Timestamp("2026-01-01"), pd.NaT]  # fmt: skip
TEXT: dict[str, dict[str, Any]] = {
    "bias_shift": {"epoch": 1, "layer": "a", "role": "bias", "metric": "shift", "value": "?"},
    "bias_variance": {"k": 1, "error": "?", "bias_and_noise": 1.0, "variance": 1.0},
    "calibration": {"probability": "?", "correct": True},
    "capacity_curve": {"capacity": 1, "loss/train": 1.0, "loss/val": "?"},
    "landscape": {"k": 1, "loss/val": "?"},
    "norms_vs_gap": {"x": 1.0, "y": "?"},
    "parallel_coordinates": {"k": 1, "loss/val": "?"},
    "parameter_importance": {"parameter": "k", "value": "?"},
    "sample_size_curve": {"n_train": 10, "seed": 0, "value": "?"},
    "spectrum": {"layer": "a", "epoch": 1, "rank": 1, "value": "?"},
    "validation_curve": {"k": 1, "seed": 0, "split": "val", "value": "?"},
    "weight_heatmap": {"row": 0, "column": 0, "value": "?"},
    "weight_histograms": {"epoch": 1, "layer": "a", "role": "weight", "low": 0, "high": 1, "count": "?"},
}


@pytest.mark.parametrize("name", TEXT)
def test_text_where_a_number_should_be_is_said_with_its_column(name: str) -> None:
    (column,) = (key for key, value in TEXT[name].items() if isinstance(value, str) and value == "?")
    with pytest.raises(ValueError, match=f"^nothing to draw: column {column} holds what is no number"):
        getattr(plots, name)(pd.DataFrame([TEXT[name], TEXT[name]]))
    assert pyplot.get_fignums() == []


def test_cells_of_every_kind_are_values_of_keys() -> None:
    for cell in CELLS:
        canonical(plain(cell))
    rows = pd.DataFrame({"k": pd.Series(CELLS, dtype=object), "loss/val": np.arange(len(CELLS)), "verdict": "good"})
    plots.landscape(rows, figure=Figure(layout="constrained"))
    plots.verdict_map(rows, ax=Figure().subplots())
    plots.parallel_coordinates(rows, ax=Figure().subplots())
    assert [plain(one) for one in (np.array([1, 2]), (3,), pd.NA, np.nan)] == [[1, 2], [3], None, None]


def test_none_is_a_value_along_which_a_loss_is_drawn() -> None:
    rows = pd.DataFrame([(depth, seed, "val", 1.0 + seed) for depth in (2, 4, None) for seed in (0, 1)],
                        columns=["max_depth", "seed", "split", "value"])  # fmt: skip
    ax = plots.validation_curve(rows, ax=Figure().subplots())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "4", "null"]


@pytest.mark.parametrize(("metric", "best"), [("val_accuracy", 2), ("f1", 2), ("val_loss", 0), ("rmse", 0)])
def test_the_best_of_a_score_is_the_highest(metric: str, best: int) -> None:
    found = parallel_of(pd.DataFrame({"k": [1, 2, 3], metric: [0.1, 0.5, 0.9]}), metric=metric)
    assert found.best.index(True) == best


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("parameter_importance", {"parameter": ["a", "a"], "value": [0.1, 0.2]}, "parameter a is there twice"),
        ("parameter_importance", {"parameter": ["a"], "value": [0.1], "seed": [0]}, "no row has the seed mean"),
        ("sample_size_curve", {"n_train": [0, 10], "seed": 0, "value": 1.0}, "n_train is above 0"),
        ("validation_curve", {"k": [1, 2], "seed": 0, "split": "val", "value": np.nan}, "has a finite value"),
    ],
)
def test_no_picture_is_empty_or_of_what_cannot_be(name: str, rows: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        getattr(plots, name)(pd.DataFrame(rows))


def test_one_seed_is_not_said_to_have_intervals() -> None:
    ax = plots.sample_size_curve(pd.DataFrame({"n_train": [10, 20], "seed": 0, "value": [2.0, 1.0]}))
    assert "interval" not in plots.caption(ax).split("no extrapolation")[0]
    pyplot.close()
