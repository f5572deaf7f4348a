"""Importance of swept parameters: Optuna's own numbers, of sweeps by any method, and as it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import optuna
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fitlab
from fitlab import plots
from fitlab.errors import FitlabError
from fitlab.plots.importance import bars_of
from fitlab.records import Outcome

ALPHA, RATE, SOLVER, MOMENTUM = (f"training.{x}" for x in ("alpha", "learning_rate_init", "solver", "momentum"))
SPEC = {
    "name": "ranked",
    "data": {"kind": "iris", "label_noise": 0.2},
    "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
    "training": {"epochs": 5, "batch_size": 16},
    "seeds": 3,
    "sweep": {"parameters": {ALPHA: {"values": [1e-6, 1e-5, 1e-4]}, RATE: {"values": [1e-5, 1e-3, 1e-1]}}},
}
CONDITIONAL = {
    **SPEC,
    "name": "conditional",
    "sweep": {
        "parameters": {
            RATE: {"values": [1e-4, 1e-1]},
            SOLVER: {"values": ["sgd", "adam"]},
            MOMENTUM: {"values": [0.0, 0.5, 0.9], "when": {SOLVER: "sgd"}},
        }
    },
}
Trained = Callable[[dict], fitlab.Sweep]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    store = tmp_path_factory.mktemp("ranked")
    return lambda spec: fitlab.run(spec, store=store, publish=False, jobs=1)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


@pytest.mark.parametrize("method", ["ped_anova", "fanova"])
def test_what_decides_the_loss_is_what_matters_and_shares_add_up(trained: Trained, method: str) -> None:
    found = fitlab.importance(trained(SPEC), method=method)
    shares = {key: one.estimate for key, one in found.shares.items()}
    assert [*shares] == [RATE, ALPHA], "the largest first"
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[RATE] > 0.8
    assert {seed for of_key in found.by_seed.values() for seed in of_key} == {0, 1, 2}
    for seed in (0, 1, 2):
        assert sum(of_key[seed] for of_key in found.by_seed.values()) == pytest.approx(1)
    assert (found.configs, found.best, found.left_out) == (9, 5, 0)
    assert all(np.isnan(one.low) for one in found.shares.values()) == (method == "ped_anova")


def test_it_is_optunas_own_number(trained: Trained) -> None:
    sweep = trained(SPEC)
    study = optuna.create_study()
    scale = {
        key: optuna.distributions.CategoricalDistribution(v["values"]) for key, v in SPEC["sweep"]["parameters"].items()
    }
    for config in sweep.configs:
        loss = sweep.table().loc[config.digest[:12], "loss/val"]
        study.add_trial(optuna.trial.create_trial(params=dict(config.swept), distributions=scale, value=loss))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.5)
    known = optuna.importance.get_param_importances(study, evaluator=evaluator)
    ours = fitlab.importance(sweep).shares
    assert {key: one.estimate for key, one in ours.items()} == pytest.approx(known, rel=1e-9)


def test_parameters_that_not_all_configs_have_are_ranked_or_said_to_be_left_out(trained: Trained, ax: Axes) -> None:
    sweep = trained(CONDITIONAL)
    assert {*fitlab.importance(sweep).shares} == {RATE, SOLVER, MOMENTUM}
    forest = fitlab.importance(sweep, method="fanova")
    assert ({*forest.shares}, forest.omitted) == ({RATE, SOLVER}, (MOMENTUM,))
    plots.parameter_importance(forest, ax=ax)
    assert "momentum left out: not every Config has it" in plots.caption(ax)


def test_what_diverged_counts_as_the_worst_and_what_failed_does_not_count(trained: Trained) -> None:
    sweep = trained(SPEC)
    worst = [config for config in sweep.configs if config.swept[RATE] == 0.1]

    def ended(outcome: Outcome) -> fitlab.Sweep:
        return replace(
            sweep, fits=tuple(replace(f, outcome=outcome) if f.job.config in worst else f for f in sweep.fits)
        )

    lost = fitlab.importance(ended(Outcome.DIVERGED))
    assert (lost.configs, lost.penalised, lost.left_out) == (9, 3, 0)
    assert lost.shares[RATE].estimate > 0.8
    failed = fitlab.importance(ended(Outcome.FAILED))
    assert (failed.configs, failed.penalised, failed.left_out) == (6, 0, 3)
    text = bars_of(failed).caption
    assert "3 Configs pruned or failed left out" in text
    assert "no intervals; dots: each seed alone" in text


def test_bars_dots_and_lines_are_the_table(trained: Trained, ax: Axes) -> None:
    found = fitlab.importance(trained(SPEC), method="fanova")
    plots.parameter_importance(found, ax=ax)
    means = found.table().query("seed == 'mean'")
    assert [bar.get_width() for bar in ax.patches] == means["value"].tolist()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["learning rate init", "alpha"]
    *lines, dots = ax.lines
    assert [[*line.get_xdata()] for line in lines] == means[["low", "high"]].to_numpy().tolist()
    assert dots.get_xdata().tolist() == found.table().query("seed != 'mean'")["value"].tolist()
    again = plots.parameter_importance(found.table(), ax=Figure().subplots())
    assert [bar.get_width() for bar in again.patches] == means["value"].tolist()


def test_what_cannot_be_ranked_is_said(trained: Trained) -> None:
    sweep = trained(SPEC)
    one_rate = [config for config in sweep.configs if config.swept[RATE] == 0.1]
    fits = tuple(fit for fit in sweep.fits if fit.job.config in one_rate)
    with pytest.raises(FitlabError, match=f"two at least; got {ALPHA}"):
        fitlab.importance(replace(sweep, configs=tuple(one_rate), fits=fits))
    with pytest.raises(FitlabError, match="two Configs at least with r2/val under every seed, got 0"):
        fitlab.importance(sweep, metric="r2/val")
    with pytest.raises(FitlabError, match="method must be one of ped_anova, fanova"):
        fitlab.importance(sweep, method="guess")
    for source, said in (
        (sweep, r"plots.parameter_importance\(fitlab.importance\(sweep\)\)"),
        (pd.DataFrame({"value": [1.0]}), "lacks parameter"),
        (pd.DataFrame({"parameter": ["a"], "value": [np.nan]}), "no parameter has an importance; there is a"),
    ):
        with pytest.raises(ValueError, match=f"nothing to draw: .*{said}"):
            plots.parameter_importance(source)
    assert pyplot.get_fignums() == []


def test_guests_change_no_setting_and_give_the_same_bytes_again(trained: Trained, tmp_path: Path) -> None:
    sweep, before, verbosity = trained(SPEC), dict(mpl.rcParams), optuna.logging.get_verbosity()
    files = []
    for name in "ab":
        figure = Figure(layout="constrained")
        plots.parameter_importance(fitlab.importance(sweep), ax=figure.subplots())
        files.append([path.read_bytes() for path in plots.save(figure, tmp_path / name)])
    assert files[0] == files[1]
    assert b"/Type3" not in files[0][1]
    assert (dict(mpl.rcParams), optuna.logging.get_verbosity()) == (before, verbosity)
