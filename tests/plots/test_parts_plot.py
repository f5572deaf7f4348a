"""Stacked parts of test errors: bars add up to the error beside them, negative parts hang, what is too high is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fitlab
from fitlab import plots
from fitlab.plots.parts import stacked_of
from fitlab.theory.bias_variance import BiasVariance

LOGISTIC = ("sklearn.linear_model.LogisticRegression", "C", [0.01, 1.0, 100.0])
RIDGE = ("sklearn.linear_model.Ridge", "alpha", [1.0, 100.0])
CASES: dict[str, tuple[dict[str, Any], Any, Any]] = {  # data, model, loss
    "squared": ({"kind": "fixed_design", "n_samples": 30, "n_features": 5, "validation": 30, "test": 30}, RIDGE, None),
    "log": ({"kind": "iris", "label_noise": 0.2}, LOGISTIC, None),
    "zero_one": ({"kind": "iris", "label_noise": 0.2}, LOGISTIC, "zero_one_loss"),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[fitlab.Sweep, BiasVariance]]:
    found = {}
    for name, (data, (estimator, key, values), loss) in CASES.items():
        spec = {
            "name": name.replace("_", "-"),
            "data": data,
            "model": {"kind": "estimator", "estimator": estimator},
            "seeds": 4,
            "sweep": {"parameters": {f"model.parameters.{key}": {"values": values}}},
        }
        sweep = fitlab.run(spec, store=tmp_path_factory.mktemp(name), publish=False, jobs=1)
        found[name] = sweep, fitlab.bias_variance(sweep, loss=loss)
    return found


def heights(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return of each part the start and the size of its bars."""
    bars = [one for one in ax.containers if hasattr(one, "patches")]
    return {one.get_label(): [(bar.get_y(), bar.get_height()) for bar in one.patches] for one in bars}


@pytest.mark.parametrize(
    ("case", "parts", "words"),
    [
        ("squared", ["noise", "bias", "variance"], ["noise", "bias²", "variance"]),
        ("log", ["bias_and_noise", "variance"], ["bias + noise", "variance"]),
        ("zero_one", ["bias_and_noise", "variance", "interaction"], ["bias + noise", "variance", "interaction"]),
    ],
)
def test_bars_add_up_to_the_error_beside_them(
    done: dict[str, Any], case: str, parts: list[str], words: list[str]
) -> None:
    sweep, found = done[case]
    ax = plots.bias_variance(found, sweep=sweep, ax=Figure().subplots())
    table, drawn = found.table(), heights(ax)
    assert [*drawn] == parts
    for name in parts:
        sizes = [size for _, size in drawn[name]]
        np.testing.assert_allclose(sizes, table[name], rtol=1e-12)
        assert all(start >= 0 if size >= 0 else start <= 0 for start, size in drawn[name])
    totals = np.sum([[size for _, size in drawn[name]] for name in parts], axis=0)
    np.testing.assert_allclose(totals, table["error"], rtol=1e-9)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*words, "measured error"]
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"{value:g}" for value in CASES[case][1][2]]


def test_bars_of_intervals_stand_at_the_end_of_each_part(done: dict[str, Any]) -> None:
    _, found = done["log"]
    ax = plots.bias_variance(found, ax=Figure().subplots())
    table = found.table()
    ends = [one[2][0].get_segments() for one in ax.containers if not hasattr(one, "patches")]
    below = table["bias_and_noise"].to_numpy()
    for segments, name, start in zip(ends, ("bias_and_noise", "variance", "error"), (0, below, 0), strict=True):
        drawn = np.array([segment[:, 1] for segment in segments])
        np.testing.assert_allclose(drawn, (start + table[[f"{name}/low", f"{name}/high"]].T).T, rtol=1e-9)


def test_the_caption_says_over_what_and_that_it_chooses_nothing(done: dict[str, Any]) -> None:
    sweep, found = done["log"]
    record = stacked_of(found, sweep=sweep)
    assert f"variance is over {found.over}" in record.caption
    assert "from 4 seeds" in record.caption
    assert "90 % intervals, jackknife" in record.caption
    assert "no ground to choose one" in record.caption
    assert record.origin.interval == next(iter(found.parts.values())).error.method
    assert record.origin.configs == tuple(config.digest for config in sweep.configs)
    assert stacked_of(found).origin is None


def test_its_table_from_a_file_is_the_same_picture(done: dict[str, Any], tmp_path: Path) -> None:
    _, found = done["zero_one"]
    figure = Figure(layout="constrained")
    first = plots.bias_variance(found, ax=figure.subplots())
    written = plots.save(figure, tmp_path / "parts")
    assert [path.suffix for path in written] == [".png", ".pdf", ".csv", ".json"]
    again = plots.bias_variance(pd.read_csv(tmp_path / "parts.csv"), ax=Figure().subplots())
    for name, bars in heights(first).items():
        np.testing.assert_allclose(heights(again)[name], bars, rtol=1e-9)
    plots.save(figure, tmp_path / "again")
    assert (tmp_path / "again.pdf").read_bytes() == (tmp_path / "parts.pdf").read_bytes()


def test_what_hides_the_others_is_cut_and_its_height_is_written() -> None:
    frame = pd.DataFrame({"width": [1, 2, 3], "error": [1.0, 9e5, 2.0], "bias_and_noise": [0.5, 10, 0.5],
                          "variance": [0.5, 9e5 - 10, 1.5]})  # fmt: skip
    ax = plots.bias_variance(frame, ax=Figure().subplots())
    assert [text.get_text() for text in ax.texts] == ["9e+05 →"]
    assert ax.get_ylim()[1] < 4
    assert "cut: 2 (9e+05)" in plots.caption(ax)


def test_configs_without_parts_are_left_out_and_said(done: dict[str, Any]) -> None:
    _, found = done["log"]
    first, *rest = found.parts
    less = BiasVariance(found.loss, found.over, {one: found.parts[one] for one in rest}, {first: "too few seeds"})
    record = stacked_of(less)
    assert len(record.table()) == 2
    assert record.caption.endswith("1 Config left out: too few seeds.")


def test_what_cannot_be_drawn_is_said_with_what_there_is(done: dict[str, Any]) -> None:
    sweep, found = done["log"]
    none = BiasVariance(found.loss, found.over, {}, dict.fromkeys(found.parts, "one seed"))
    grid = pd.DataFrame({"a": [1, 1], "b": [1, 2], "error": 1.0, "bias_and_noise": 0.5, "variance": 0.5})
    for draw, said in (
        (lambda: plots.bias_variance(sweep), r"a Sweep has no parts yet.*plots.bias_variance\(fitlab.bias_variance"),
        (lambda: plots.bias_variance(none), "no Config has parts: one seed"),
        (lambda: plots.bias_variance(found, "alpha"), "called 'alpha'; there is model.parameters.C"),
        (lambda: plots.bias_variance(grid), "along which of 2 keys.*there is a, b"),
        (lambda: plots.bias_variance(grid, "a"), "b varies, too.*b: 1, b: 2"),
        (lambda: plots.bias_variance(grid, "a", fixed={"b": 3}), "nothing has b 3; there is 1, 2"),
        (lambda: plots.bias_variance(grid[["a", "error"]]), "lacks bias_and_noise, variance"),
        (
            lambda: plots.bias_variance(grid.assign(error=np.nan), "a", fixed={"b": 1}),
            "no value of a has a finite error",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"
