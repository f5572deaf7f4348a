"""What parameters say about the fit, on sweeps whose order is known, and on digits with real test error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

import fitlab
from fitlab.parameters.measured import NETWORK, parameters_of
from fitlab.records import Curves, Fit
from fitlab.relations import CRITERION, WARNING, Relation, relations
from fitlab.stats import kendall_tau
from fitlab.sweep import Sweep

ALPHAS = [0, 1, 2, 3]
NORMS = ("norm", "distance", "path_norm", "spectral_product")
BASE: dict[str, Any] = {
    "name": "related",
    "data": {"kind": "digits", "train_size": 100},
    "model": {"kind": "mlp", "hidden_layer_sizes": [3]},
    "training": {"epochs": 1, "batch_size": 20},
    "seeds": 3,
    "sweep": {"parameters": {"training.alpha": {"values": ALPHAS}, "model.activation": {"values": ["relu", "tanh"]}}},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return fitlab.run(BASE, store=tmp_path_factory.mktemp("related"), publish=False)


def said(fit: Fit, norm: float, loss: float) -> Fit:
    """The same Fit as if its only array were a bias and a weight of that norm, and its validation loss that number."""
    weights = {"output/weight": np.array([[norm]]), "output/bias": np.zeros(1)}
    curves = {**fit.curves.values, "loss/val": np.full(len(fit.curves), loss)}
    curves["accuracy/val"] = 1 - curves["loss/val"] / 100
    return replace(fit, weights=weights, curves=Curves(fit.curves.epoch, curves), snapshots={})


def told(sweep: Sweep, numbers: Mapping[tuple[int, str], tuple[float, float]]) -> Sweep:
    """The sweep with (norm, loss) by alpha and activation, the same for all seeds."""
    fits = [
        said(fit, *numbers[fit.job.config.swept["training.alpha"], fit.job.config.swept["model.activation"]])
        for fit in sweep.fits
    ]
    return replace(sweep, fits=tuple(fits))


def of(sweep: Sweep, axis: str, metric: str = "norm", outcome: str = "loss/val") -> Relation:
    (found,) = (r for r in relations(sweep).rows if (r.axis, r.metric, r.outcome) == (axis, metric, outcome))
    return found


def test_each_setting_of_the_other_axes_is_looked_at_by_itself(trained: Sweep) -> None:
    """Pooled, loss rises with the norm; within each activation it falls (Simpson 1951)."""
    numbers = {(a, "relu"): (1.0 + a, 3.0 - a) for a in ALPHAS} | {(a, "tanh"): (11.0 + a, 13.0 - a) for a in ALPHAS}
    found = of(told(trained, numbers), "training.alpha")
    assert (found.tau.estimate, found.tau.low, found.tau.high) == (-1, -1, -1)
    assert (found.tau.n, found.points, found.strata, found.orders) == (3, 4, 2, True)
    assert kendall_tau(*np.transpose([*numbers.values()])) > 0


def test_opposite_orders_in_two_settings_are_no_order(trained: Sweep) -> None:
    numbers = {(a, kind): (1.0 + a, 3.0 + sign * a) for a in ALPHAS for kind, sign in (("relu", 1), ("tanh", -1))}
    found = relations(told(trained, numbers))
    (one,) = (r for r in found.rows if (r.metric, r.outcome) == ("norm", "loss/val"))
    assert (one.tau.estimate, one.orders) == (0, False)
    (line,) = (line for line in found.words("loss/val") if line.startswith("loss/val along training.alpha"))
    assert "norm 0.00" in line
    assert "do not order it" in line


def test_a_flat_outcome_and_an_axis_of_two_points_are_not_applicable_and_said(trained: Sweep) -> None:
    flat = {(a, kind): (5.0, 1.0) for a in ALPHAS for kind in ("relu", "tanh")}
    sweep = told(trained, flat)
    same = [
        replace(fit, curves=Curves(fit.curves.epoch, dict.fromkeys(fit.curves.values, np.ones(2))))
        for fit in sweep.fits
    ]
    found = relations(replace(sweep, fits=tuple(same)))
    assert found.rows == ()
    assert "same at all" in found.not_applicable["training.alpha"]
    assert "fewer than 3" in found.not_applicable["model.activation"]
    assert len(found.words()) == 2
    assert found.table().empty


def test_points_are_those_where_the_metric_is_a_number(trained: Sweep) -> None:
    """A margin of 0 or below has no quotient: along an axis there are fewer points of it."""
    marked = [
        replace(fit, probes=Curves(np.array([1]), {"margin/train": np.array([margin])}))
        for fit in told(trained, {(a, k): (1.0 + a, 1.0 + a) for a in ALPHAS for k in ("relu", "tanh")}).fits
        for margin in [2.0 if fit.job.config.swept["training.alpha"] else -1.0]
    ]
    found = relations(replace(trained, fits=tuple(marked)))
    assert {one.points for one in found.rows if one.metric == "margin"} == {4}
    assert {one.points for one in found.rows if one.metric == "path_norm/margin"} == {3}
    assert any("path_norm/margin 1.00 (at 3 of 4 values)" in line for line in found.words())


@given(st.integers(0, 10_000))
def test_bounds_lie_within_one_and_interval_and_table_agree(trained: Sweep, seed: int) -> None:
    rng = np.random.default_rng(seed)
    fits = [said(fit, float(rng.lognormal()), float(rng.lognormal())) for fit in trained.fits]
    found = relations(replace(trained, fits=tuple(fits)))
    for one in found.rows:
        assert -1 <= one.tau.low <= one.tau.estimate <= one.tau.high <= 1
    assert found.table().tau.tolist() == [one.tau.estimate for one in found.rows]


def test_one_seed_says_nothing_of_how_sure_an_order_is(trained: Sweep) -> None:
    single = replace(trained, fits=tuple(fit for fit in trained.fits if fit.job.seed == trained.fits[0].job.seed))
    found = relations(single)
    assert not any(one.orders for one in found.rows)
    assert np.isnan(found.rows[0].tau.low)
    assert any("one seed does not say" in line for line in found.words())


def test_the_warning_and_the_criterion_are_always_said(trained: Sweep) -> None:
    words = relations(told(trained, {(a, k): (a, a) for a in ALPHAS for k in ("relu", "tanh")})).words()
    assert words[0].startswith("error/val along training.alpha: norm 1.00")
    assert words[-2:] == [CRITERION, WARNING]


# ── digits ──────────────────────────────────────────────────────────────────────────────────────────────────


def shipped(name: str, folder: Path) -> Sweep:
    """Run a shipped experiment as it is: which widths and how many seeds are there decides what intervals say."""
    return fitlab.run(ROOT / "experiments" / f"{name}.yaml", store=folder, publish=False)


def with_test_error(sweep: Sweep) -> Sweep:
    """The sweep with the error on its test part where the one on validation was: ``relations`` knows no other."""

    def one(fit: Fit) -> Fit:
        right = np.mean(fit.predictions["test"].argmax(axis=1) == fitlab.split(fit.job).y_test)
        curves = {**fit.curves.values, "accuracy/val": np.full(len(fit.curves), right)}
        return replace(fit, curves=Curves(fit.curves.epoch, curves))

    return replace(sweep, fits=tuple(map(one, sweep.fits)))


def test_along_label_noise_norms_rise_with_the_error_on_test_rows(tmp_path: Path) -> None:
    """Issue 6, "It shows 3": τ of at least .9 (SCIENCE 4), on validation and on test rows."""
    sweep = shipped("label_noise", tmp_path)
    for judged in (sweep, with_test_error(sweep)):
        for metric in NORMS:
            found = of(judged, "data.label_noise.rate", metric, "error/val")
            assert found.tau.estimate >= 0.9
            assert found.orders
    assert "norm 1.00" in relations(sweep).words()[0]


@pytest.mark.slow
def test_along_width_and_alpha_the_report_says_that_they_do_not_order_it(tmp_path: Path) -> None:
    sweep = shipped("norms", tmp_path)
    for judged in (sweep, with_test_error(sweep)):
        for axis in ("model.hidden_layer_sizes", "training.alpha"):
            for metric in NORMS:
                found = of(judged, axis, metric, "error/val")
                assert not found.orders, (axis, metric)
        for line in relations(judged).words()[:2]:
            unordered = line.rpartition("; ")[2]
            assert unordered.endswith("do not order it.")
            assert {one.rpartition(" ")[0] for one in unordered.split(": ")[-1].split(", ")} >= set(NORMS)


def test_what_is_of_the_network_is_what_is_related(trained: Sweep) -> None:
    last = parameters_of(trained.fits[0]).last
    whole = {metric for layer, _, metric in last if layer == NETWORK}
    assert whole <= {one.metric for one in relations(trained).rows} | {
        "dead",
        "path_norm/margin",
        "spectral_product/margin",
    }
