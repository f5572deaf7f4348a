"""Double descent where theory puts it: linear models, random features; the threshold, the peak, the second descent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import PROVE

import fitlab
from fitlab.verdicts import State

SEEDS = 40 if PROVE else 12


def linear(n: int, d: int, sigma: float, visible: list[int], seeds: int = SEEDS, intercept: bool = False) -> dict:
    return {
        "name": "linear",
        "data": {"kind": "decaying_teacher", "n_samples": n, "n_features": d, "noise": sigma},
        "model": {
            "kind": "estimator",
            "estimator": "sklearn.linear_model.LinearRegression",
            "parameters": {"fit_intercept": intercept},
        },
        "seeds": seeds,
        "sweep": {"parameters": {"data.n_visible": {"values": visible}}},
        "diagnosis": {"capacity_axis": "data.n_visible"},
    }


def features(n: int, components: list[int], seeds: int = 5, **more: object) -> dict:
    return {
        "name": "features",
        "data": {"kind": "digits", "train_size": n, "label_noise": {"rate": 0.2, "parts": ["train"]}},
        "model": {
            "kind": "estimator",
            "estimator": "fitlab.estimators.RandomFeaturesClassifier",
            "parameters": {"alpha": 0.0, **more},
        },
        "seeds": seeds,
        "sweep": {"parameters": {"model.parameters.n_components": {"values": components}}},
        "diagnosis": {"capacity_axis": "model.parameters.n_components"},
    }


def said(sweep: fitlab.Sweep) -> State:
    return next(check for check in sweep.verdicts.checks if check.code == "SWP003").state


def risk(n: int, d: int, sigma: float, p: int) -> float:
    """Return the risk of Belkin, Hsu and Xu 2020, theorem 1."""
    w = 1 / np.arange(1, d + 1)
    w = (w / np.linalg.norm(w)) ** 2
    noise = w[p:].sum() + sigma**2
    return noise * (1 + p / (n - p - 1)) if p <= n - 2 else w[:p].sum() * (1 - n / p) + noise * (1 + n / (p - n - 1))


@pytest.mark.parametrize(
    ("n", "d", "sigma", "visible"),
    [
        (40, 200, 0.5, [1, 7, 20, 36, 40, 44, 60, 100, 200]),
        (60, 300, 0.3, [1, 10, 30, 50, 60, 70, 120, 300]),
        (25, 400, 0.4, [1, 5, 12, 21, 25, 30, 60, 400]),
    ],
)
def test_least_squares_has_its_peak_where_there_are_as_many_features_as_rows(
    n: int, d: int, sigma: float, visible: list[int], tmp_path: Path
) -> None:
    sweep = fitlab.run(linear(n, d, sigma, visible), store=tmp_path, jobs=1, publish=False)
    assert said(sweep) is State.FOUND
    (curve,) = fitlab.capacity_curves(sweep)
    assert curve.double_descent
    assert curve.expected_threshold == n
    assert curve.threshold == (visible[visible.index(n) - 1], n)
    around = visible[visible.index(n) - 1 : visible.index(n) + 2]
    assert curve.peak.value in around
    assert curve.first_minimum.value < around[0]
    assert curve.second_minimum.value > around[-1]
    assert curve.second_descent.low > 0
    for point in curve.points:
        if abs(point.value - n) > 8:
            error = (point.val.high - point.val.low) / 2 / 1.65  # of seeds; rows and heavy tails come on top
            assert abs(point.val.estimate - risk(n, d, sigma, point.value)) < 5 * error + 0.02
    table = curve.table()
    assert table["data.n_visible"].tolist() == visible
    assert table["interpolates"].tolist() == [value >= n for value in visible]
    assert sorted(table["role"])[-3:] == ["first minimum", "peak", "second minimum"]


def test_what_a_model_sees_is_no_other_data_set(tmp_path: Path) -> None:
    sweep = fitlab.run(linear(40, 200, 0.5, [1, 7, 100], 3), store=tmp_path, jobs=1, publish=False)
    assert next(check for check in sweep.verdicts.checks if check.code == "SWP011").state is State.CLEAR
    assert len(sweep.constants()) == 1
    splits = [fitlab.split(sweep.of(config)[0].job) for config in sweep.configs]
    assert all((one.y_val == splits[0].y_val).all() for one in splits)
    assert sweep.verdicts.selection.among == 3


def test_an_intercept_is_one_feature_more(tmp_path: Path) -> None:
    one = linear(30, 100, 0.5, [5, 27, 28, 29, 30], 2, intercept=True)
    (curve,) = fitlab.capacity_curves(fitlab.run(one, store=tmp_path, jobs=1, publish=False))
    assert curve.expected_threshold == 29
    assert curve.threshold == (28, 29)


@pytest.mark.slow
@pytest.mark.parametrize("n", [120, 200])
def test_random_features_of_digits_peak_at_as_many_features_as_rows(n: int, tmp_path: Path) -> None:
    around = [n - n // 10, n, n + n // 10]
    values = [n // 10, 3 * n // 10, n // 2, *around, 2 * n, 10 * n]
    sweep = fitlab.run(features(n, values), store=tmp_path, jobs=1, publish=False)
    assert said(sweep) is State.FOUND
    (curve,) = fitlab.capacity_curves(sweep)
    assert curve.expected_threshold == n
    assert curve.peak.value in around
    assert curve.threshold[1] <= n  # hard labels are right before outputs are exact
    assert curve.first_minimum.value == 3 * n // 10
    assert curve.second_minimum.value == 10 * n
    errors = {point.value: point.val.estimate for point in curve.points}
    if n == 200:  # SCIENCE 3: .237 at 60, .785 at 220, .223 at 2000
        assert errors[60] == pytest.approx(0.237, abs=0.05)
        assert errors[220] > 0.5
        assert errors[2000] == pytest.approx(0.223, abs=0.05)


@pytest.mark.slow
def test_a_penalty_removes_the_peak(tmp_path: Path) -> None:
    """Nakkiran et al. 2021: of the best alpha the loss falls along capacity."""
    one = features(200, [20, 60, 200, 600, 2000])
    one["sweep"]["parameters"]["model.parameters.alpha"] = {"values": [0.0, 1000.0]}
    del one["model"]["parameters"]
    sweep = fitlab.run(one, store=tmp_path, jobs=1, publish=False)
    with_peak, without = sorted(fitlab.capacity_curves(sweep), key=lambda c: c.swept["model.parameters.alpha"])
    assert with_peak.double_descent
    assert not without.double_descent
    assert without.expected_threshold is None


def test_a_loss_that_only_rises_has_no_second_descent(tmp_path: Path) -> None:
    sweep = fitlab.run(linear(40, 200, 0.5, [1, 7, 20, 30, 36]), store=tmp_path, jobs=1, publish=False)
    assert said(sweep) is State.CLEAR
    (curve,) = fitlab.capacity_curves(sweep)
    assert (curve.peak, curve.second_descent, curve.threshold) == (None, None, (36, None))


def test_without_an_axis_there_is_no_curve(tiny: dict, tmp_path: Path) -> None:
    with pytest.raises(fitlab.FitlabError, match="declare diagnosis.capacity_axis"):  # noqa: RUF043
        fitlab.capacity_curves(fitlab.run(tiny, store=tmp_path, jobs=1, publish=False))
