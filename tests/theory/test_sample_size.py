"""Curves against the number of training samples, of whole sweeps: what more data would bring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fitlab
from fitlab.theory.sample_size import SampleSizeCurve


def spec(sizes: list[int], seeds: int, **more: object) -> dict:
    return {
        "name": "sizes",
        "data": {"kind": "linear_teacher", "n_samples": 100},
        "model": {
            "kind": "estimator",
            "estimator": "sklearn.linear_model.Ridge",
            "parameters": {"fit_intercept": False, "alpha": 1e-6},
        },
        "seeds": seeds,
        "sweep": {"parameters": {"data.train_size": {"values": sizes}, **more}},
    }


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> fitlab.Sweep:
    one = spec([15, 20, 25, 35, 50, 70, 100], 20)
    return fitlab.run(one, store=tmp_path_factory.mktemp("sizes"), jobs=1, publish=False)


@pytest.fixture(scope="module")
def curve(sweep: fitlab.Sweep) -> SampleSizeCurve:
    (found,) = fitlab.sample_size_curves(sweep)
    return found


def test_the_curve_is_what_the_fits_measured_and_reaches_to_the_known_risk(
    sweep: fitlab.Sweep, curve: SampleSizeCurve
) -> None:
    assert curve.sizes == (15, 20, 25, 35, 50, 70, 100)
    for config, one in zip(sweep.configs, curve.measured, strict=True):
        assert one.estimate == pytest.approx(np.mean([fit.final["loss/val"] for fit in sweep.of(config)]))
    for law in ("pow4", "mmf"):
        found = curve.predicted(400, law)
        assert found.low <= 1 + 10 / 389 <= found.high
    assert curve.last.low > 1 + 10 / 389  # as if more data brought nothing
    assert curve.last == curve.measured[-1]


def test_the_table_has_the_laws_beside_the_last_value(curve: SampleSizeCurve) -> None:
    table = curve.table()
    assert table["n_train"].tolist() == [15, 20, 25, 35, 50, 70, 100, 200, 400]
    assert table["loss/val"].isna().tolist() == [False] * 7 + [True] * 2
    assert table["last_value"].dropna().tolist() == [curve.last.estimate] * 2
    assert (table["pow4/low"] <= table["pow4"]).all()
    assert curve.table([1000])["n_train"].tolist()[-1] == 1000


def test_how_many_more_samples_a_loss_takes(curve: SampleSizeCurve) -> None:
    found = curve.needed(1.15)
    exact = 11 + 10 / 0.15
    assert found.samples.low <= exact <= found.samples.high
    near = curve.needed(1.05)  # more than was measured: 211
    assert near.samples.low <= 211 <= near.samples.high
    assert near.more.estimate == pytest.approx(max(near.samples.estimate - 100, 0))
    assert curve.needed(2.0).more.estimate == 0  # fewer than there are


def test_a_loss_below_that_of_endless_data_has_no_number(curve: SampleSizeCurve) -> None:
    found = curve.needed(0.2)
    assert (found.samples, found.more) == (None, None)
    assert "never falls to 0.2: with endless data it comes to" in found.said
    unsure = curve.needed(curve.laws["pow4"].limit.estimate + 1e-3)
    assert unsure.samples.high == np.inf
    assert "that it is ever reached is not sure" in unsure.said


def test_every_other_setting_has_a_curve_and_too_few_sizes_no_law(tmp_path: Path) -> None:
    alphas = {"model.parameters.alpha": {"values": [1e-6, 10.0]}}
    found = fitlab.sample_size_curves(
        fitlab.run(spec([20, 40, 80], 2, **alphas), store=tmp_path, jobs=1, publish=False)
    )
    assert [one.swept for one in found] == [{"model.parameters.alpha": 1e-6}, {"model.parameters.alpha": 10.0}]
    assert not found[0].laws
    assert len(found[0].table()) == 5
    with pytest.raises(fitlab.FitlabError, match="pow4 has 4 parameters: it takes 5 sizes"):
        found[0].predicted(100)


def test_a_sweep_without_sizes_is_refused(tiny: dict, tmp_path: Path) -> None:
    sweep = fitlab.run(tiny, store=tmp_path, jobs=1, publish=False)
    with pytest.raises(fitlab.FitlabError, match="no curve against sample size: sweep data"):
        fitlab.sample_size_curves(sweep)
