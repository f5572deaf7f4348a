"""Bias and variance of a sweep: its Fits' own test errors, taken apart; ridge's closed form; what it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PROVE

import fitlab
from fitlab.records import Fit
from fitlab.trainers import measures

MODELS = {
    "ridge": ("diabetes", "sklearn.linear_model.Ridge", "alpha", [0.1, 100.0], {"target_scaling": "none"}),
    "scaled": ("diabetes", "sklearn.linear_model.Ridge", "alpha", [0.1, 100.0], {"target_scaling": "standard"}),
    "logistic": ("iris", "sklearn.linear_model.LogisticRegression", "C", [0.01, 1.0], {"label_noise": 0.2}),
    "svc": ("iris", "sklearn.svm.LinearSVC", "C", [0.01, 1.0], {"label_noise": 0.2}),
    "teacher": ("gaussian_logistic", "sklearn.linear_model.LogisticRegression", "C", [0.01, 1.0], {"label_noise": 0.1}),
}


def spec(data: dict[str, Any], estimator: str, key: str, values: list[Any], seeds: Any = 4, **more: Any) -> dict:
    return {
        "name": "parts",
        "data": data,
        "model": {"kind": "estimator", "estimator": estimator, **more},
        "seeds": seeds,
        "sweep": {"parameters": {key: {"values": values}}},
    }


def swept(which: str, store: Path) -> fitlab.Sweep:
    kind, estimator, key, values, options = MODELS[which]
    one = spec({"kind": kind, **options}, estimator, f"model.parameters.{key}", values)
    return fitlab.run(one, store=store, jobs=1, publish=False)


def on_test(fit: Fit) -> dict[str, float]:
    split = fitlab.split(fit.job)
    return measures.measure(split.task, "test", split.y_test, fit.predictions["test"])


@pytest.mark.parametrize("which", MODELS)
def test_the_parts_of_every_config_add_up_to_its_test_error(which: str, tmp_path: Path) -> None:
    sweep = swept(which, tmp_path)
    losses = {"ridge": [None], "scaled": [None], "svc": [None]}.get(which, [None, "zero_one_loss"])
    for loss in losses:
        found = fitlab.bias_variance(sweep, loss=loss)
        table = found.table()
        assert list(table.index) == [config.digest[:12] for config in sweep.configs]
        assert table[next(iter(sweep.configs[0].swept))].tolist() == MODELS[which][3]
        for config, one in found.parts.items():
            measured = [on_test(fit) for fit in sweep.of(config)]
            name = "accuracy/test" if found.loss == "zero_one_loss" else "loss/test"
            values = [1 - one[name] if name == "accuracy/test" else one[name] for one in measured]
            if which != "scaled":  # whose losses are in units of their own
                assert one.error.estimate == pytest.approx(np.mean(values), rel=1e-12)
            parts = [one.bias_and_noise, one.variance, *([one.interaction] if one.interaction else [])]
            assert sum(part.estimate for part in parts) == pytest.approx(one.error.estimate, rel=1e-12)
            assert all(part.low <= part.estimate <= part.high for part in parts)
            assert (one.bias is not None) == (which == "teacher")
            if one.bias and one.noise:
                assert one.bias.estimate + one.noise.estimate == pytest.approx(one.bias_and_noise.estimate, rel=1e-12)


def test_a_scaled_target_gives_the_parts_of_the_same_model_in_units_of_the_data(tmp_path: Path) -> None:
    plain, scaled = (fitlab.bias_variance(swept(one, tmp_path / one)).table() for one in ("ridge", "scaled"))
    columns = [name for name in plain.columns if name.startswith(("error", "bias", "variance"))]
    assert scaled[columns].to_numpy() == pytest.approx(plain[columns].to_numpy(), rel=1e-9)


@pytest.mark.parametrize(("n", "p", "lam", "sigma"), [(50, 20, 20.0, 1.0), (40, 10, 10.0, 2.0)])
def test_a_sweep_of_ridge_has_the_parts_of_its_closed_form(
    n: int, p: int, lam: float, sigma: float, tmp_path: Path
) -> None:
    data = {"kind": "fixed_design", "n_samples": n, "n_features": p, "noise": sigma, "validation": n, "test": n}
    one = spec(
        data, "sklearn.linear_model.Ridge", "model.parameters.alpha", [lam], 3000 if PROVE else 400,
        parameters={"fit_intercept": False},
    )  # fmt: skip
    found = fitlab.bias_variance(fitlab.run(one, store=tmp_path, jobs=1, publish=False))
    (parts,) = found.parts.values()
    X = np.random.default_rng(0).standard_normal((n, p))
    u, d, _ = np.linalg.svd(X, full_matrices=False)
    s = d**2 / (d**2 + lam)
    bias = np.sum(((1 - s) * (u.T @ X.sum(axis=1))) ** 2) / p / n
    for part, exact in ((parts.bias, bias), (parts.variance, sigma**2 * np.sum(s**2) / n)):
        error = (part.high - part.low) / 2 / 1.65
        assert abs(part.estimate - exact) < 4 * error
        assert error < 0.15 * exact
    assert found.over == "training rows, drawn anew; initialisation; order of rows"
    assert parts.noise.estimate == pytest.approx(sigma**2, rel=4 * np.sqrt(2 / n))


def test_what_the_variance_is_over_is_what_the_seeds_vary(tiny: dict, tmp_path: Path) -> None:
    varied = {
        "init": "initialisation; all on the same training rows",
        "split": "training rows, dealt anew from one data set",
    }
    for name, words in varied.items():
        sweep = fitlab.run(tiny | {"seeds": {"count": 2, "vary": [name]}}, store=tmp_path, jobs=1, publish=False)
        assert fitlab.bias_variance(sweep).over == words


def test_equal_predictions_have_no_interval_and_one_seed_no_parts(tmp_path: Path) -> None:
    one = spec({"kind": "iris"}, "sklearn.svm.LinearSVC", "model.parameters.C", [1.0], {"count": 3, "vary": ["init"]})
    (alike,) = fitlab.bias_variance(fitlab.run(one, store=tmp_path, jobs=1, publish=False)).parts.values()
    assert (alike.n, alike.variance.estimate) == (1, 0)
    assert np.isnan(alike.variance.low)
    found = fitlab.bias_variance(
        fitlab.run(one | {"seeds": 1, "name": "single"}, store=tmp_path, jobs=1, publish=False)
    )
    assert not found.parts
    row = found.table().iloc[0]
    assert row["missing"] == "1 of 1 seeds have predictions; it takes two"
    assert np.isnan(row["error"])
    assert row["n"] == 0


def test_a_loss_that_does_not_suit_is_refused_by_name(tmp_path: Path) -> None:
    sweep = swept("svc", tmp_path)
    with pytest.raises(
        fitlab.FitlabError, match="log_loss does not suit predictions that are classes; zero_one_loss does"
    ):
        fitlab.bias_variance(sweep, loss="log_loss")
    with pytest.raises(fitlab.FitlabError, match="loss must be squared_error, log_loss, zero_one_loss, got 'brier'"):
        fitlab.bias_variance(sweep, loss="brier")
