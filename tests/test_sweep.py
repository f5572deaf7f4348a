"""Tables and curves of a Sweep against the arrays that they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from trainers.conformance import ALL

from fitlab import data, space, trainers
from fitlab.records import Fit, Job, Outcome, upto
from fitlab.spec import read_spec
from fitlab.spec.sweeps import Objective
from fitlab.stats import t_interval
from fitlab.sweep import CONSTANT, Sweep, mean_curve, score
from fitlab.tracking.content import config_metrics


@pytest.fixture
def sweep(tiny: dict) -> Sweep:
    document = read_spec(tiny)
    configs = space.configs(document)
    dataset = data.load(document.spec.data)
    fits = []
    for config in configs:
        for seed in (0, 1, 2):
            job = Job(config, seed, ALL, dataset.fingerprint, trainers.version(config.sections))
            split = data.split(dataset, config.sections.data, job.stream("split"))
            state = trainers.advance(trainers.start(job, split), split, 6, lambda: False)
            fits.append(trainers.finish(state, split))
    last = fits[-1].job
    fits[-1] = Fit(last, Outcome.FAILED, 0, cause="ValueError: for the test")
    return Sweep(document.spec, tuple(configs), tuple(fits))


def test_the_table_has_means_with_intervals_and_the_constant_predictor_last(sweep: Sweep) -> None:
    table = sweep.table()
    assert table.index[-1] == CONSTANT
    assert len(table) == len(sweep.configs) + 1
    assert table["n"].tolist() == [3, 3, 3, 2, 3]
    assert table["failed"].tolist() == [0, 0, 0, 1, 0]
    fits = sweep.completed(sweep.configs[0])
    gap = t_interval([fit.final["loss/val"] - fit.final["loss/train"] for fit in fits])
    assert tuple(table.iloc[0][["gap/loss", "gap/loss/low", "gap/loss/high"]]) == (gap.estimate, gap.low, gap.high)
    null = t_interval([fit.null["loss/val"] for fit in fits])
    assert table.loc[CONSTANT, "loss/val"] == pytest.approx(null.estimate)


def test_curves_are_tidy_and_whole(sweep: Sweep) -> None:
    curves = sweep.curves()
    assert list(curves.columns) == ["config", "seed", "epoch", "split", "metric", "value", "outcome"]
    assert len(curves) == 11 * 4 * 7  # completed Fits, metrics of both parts, epochs 0 to 6
    one = curves.query("config == @sweep.configs[1].digest[:12] and seed == 2 and split == 'val' and metric == 'loss'")
    assert one["value"].tolist() == sweep.of(sweep.configs[1])[2].curves["loss/val"].tolist()


def test_what_was_given_up_has_no_intervals_of_those_that_had_stopped_early(sweep: Sweep) -> None:
    config = sweep.configs[0]
    given_up = upto(sweep.of(config)[0], 3)
    assert given_up.outcome is Outcome.PRUNED
    cut = replace(sweep, fits=(given_up, *sweep.fits[1:]))
    assert sweep.intervals(config)
    assert cut.intervals(config) == {}
    assert np.isnan(cut.table().iloc[0]["loss/val"])


def test_means_go_on_from_where_a_fit_stopped_early(sweep: Sweep) -> None:
    config, objective = sweep.configs[0], Objective(metric="loss/val", epoch="last")
    first, second, third = sweep.of(config)
    short = replace(upto(second, 3), outcome=Outcome.COMPLETED)
    fits = (first, short, third)
    curve = mean_curve("loss/val", fits)
    rows = np.array([fit.curves["loss/val"] for fit in (first, second, third)])
    rows[1, 3:] = rows[1, 3]
    assert curve == pytest.approx(rows.mean(axis=0), rel=1e-12)
    assert score(objective, fits) == curve[-1]
    stopped = Sweep(sweep.spec, (config,), fits)
    assert stopped.intervals(config)["loss/val"].estimate == pytest.approx(curve[-1], rel=1e-12)
    points = [value for name, value, _ in config_metrics(stopped, config) if name == "loss/val"]
    assert points == pytest.approx(curve, rel=1e-12)


def test_the_order_of_seeds_does_not_matter(sweep: Sweep) -> None:
    turned = Sweep(sweep.spec, sweep.configs, tuple(reversed(sweep.fits)))
    np.testing.assert_allclose(turned.table().select_dtypes("number"), sweep.table().select_dtypes("number"))


def test_a_config_without_fits_is_a_row_without_numbers(sweep: Sweep) -> None:
    empty = Sweep(sweep.spec, sweep.configs, ())
    table = empty.table()
    assert table["n"].tolist() == [0, 0, 0, 0, 0]
    assert table["loss/val"].isna().all()
    assert empty.curves().empty


def test_where_data_are_swept_there_is_a_constant_predictor_for_each(tiny: dict) -> None:
    tiny["sweep"]["parameters"] = {"data.label_noise": {"values": [0.0, 0.4]}}
    document = read_spec(tiny)
    sweep = Sweep(document.spec, tuple(space.configs(document)), ())
    assert sweep.table().loc[CONSTANT, "data.label_noise"].tolist() == [0.0, 0.4]
