"""The small estimators in specs: allowed without asking, with curves where they have an axis."""

from __future__ import annotations

from pathlib import Path

import pytest

import fitlab


def spec(estimator: str, key: str, values: list[float], **more: object) -> dict:
    return {
        "name": "theory",
        "data": {"kind": "linear_teacher", "n_samples": 40, "n_features": 5},
        "model": {"kind": "estimator", "estimator": estimator, **more},
        "seeds": 3,
        "sweep": {"parameters": {f"model.parameters.{key}": {"values": values}}},
    }


def test_descent_has_curves_and_is_stable_below_a_rate_of_two_alone(tmp_path: Path) -> None:
    axis = {"kind": "partial_fit", "epochs": 800, "batch_size": 40, "shuffle": False}
    one = spec("fitlab.estimators.GradientDescentRegressor", "learning_rate", [1.0, 1.99, 2.01, 4.0], axis=axis)
    sweep = fitlab.run(one, store=tmp_path, jobs=1, publish=False)
    for config in sweep.configs:
        for fit in sweep.of(config):
            rate = config.swept["model.parameters.learning_rate"]
            curve = fit.curves["loss/train"]
            assert (curve[-1] <= curve[:400].min() * (1 + 1e-9)) == (rate < 2)
    labels = [sweep.verdicts.by_config[config.digest].text for config in sweep.configs]
    assert labels[2:] == ["diverged"] * 2
    assert "diverged" not in labels[:2]


def test_random_features_interpolate_from_as_many_as_rows_on(tmp_path: Path) -> None:
    sweep = fitlab.run(
        spec("fitlab.estimators.RandomFeaturesRegressor", "n_components", [20, 39, 40, 80]),
        store=tmp_path, jobs=1, publish=False,
    )  # fmt: skip
    fitted = [max(fit.final["loss/train"] for fit in sweep.of(config)) < 1e-9 for config in sweep.configs]
    assert fitted == [False, False, True, True]


@pytest.mark.parametrize("name", ["fitlab.records.Fit", "fitlab.estimatorsx.A", "fitlab.cli.app.App"])
def test_nothing_else_of_fitlab_is_an_estimator_to_import(name: str, tmp_path: Path) -> None:
    with pytest.raises(fitlab.SpecError, match="a package that is not allowed"):
        fitlab.run(spec(name, "alpha", [1.0]), store=tmp_path, jobs=1, publish=False)
