"""Somebody's own MLflow experiment: understood as it is logged, read and never written, and the same verdicts."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from diagnosis.frames import GOOD, NULL, OVERFIT, SHAPES, SIZES, frame, named
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from tracking.test_bad_days import OLD, everything

import fitlab
from fitlab.errors import SpecError, StoreError
from fitlab.records import Outcome
from fitlab.runner import elsewhere
from fitlab.sweep import Sweep
from fitlab.tracking.elsewhere import Asked, Recording
from fitlab.tracking.guesses import Pair, kind_of_loss, pair_of_losses, pair_of_scores
from fitlab.tracking.server import free_port, serve
from fitlab.verdicts import Label

LOSSES = {"train": "train_loss", "val": "val_loss"}


class Theirs:
    """An experiment of somebody who has never heard of fitlab."""

    def __init__(self, store: Path, name: str = "their experiment") -> None:
        self.uri = f"sqlite:///{store / 'mlflow.db'}"
        self.client = MlflowClient(self.uri)
        self.name = name
        self.id = self.client.create_experiment(name)
        self.clock = 0

    def run(
        self,
        params: Mapping[str, Any],
        curves: Mapping[str, Mapping[int, float]] | None = None,
        status: str | None = "FINISHED",
        **tags: str,
    ) -> str:
        """Log a run. curves: metric -> step -> value."""
        self.clock += 1
        run = self.client.create_run(self.id, start_time=self.clock, run_name=f"run-{self.clock}").info.run_id
        points = [Metric(k, v, 0, step) for k, curve in (curves or {}).items() for step, v in curve.items()]
        own = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run, points[:900], own, [RunTag(key, value) for key, value in tags.items()])
        if status is not None:
            self.client.set_terminated(run, status)
        return run

    def rows(self, rows: pd.DataFrame, names: Mapping[str, str], keep: Any = lambda _config, _seed: True) -> None:
        """Log a tidy frame, a run per Config and seed; the Config is a param, width."""
        for (config, seed), table in rows.groupby(["config", "seed"], sort=False):
            if keep(config, seed):
                self.run({"width": config, "seed": seed}, curves_of(table, names))

    def read(self, **asked: Any) -> Recording:
        return elsewhere.read(self.name, Asked(**asked), self.uri, "nowhere")

    def sweep(self, **options: Any) -> Sweep:
        """What is said, too, is looked at by ``read``."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fitlab.from_mlflow(self.name, **{"constant": NULL, "uri": self.uri, **options})


def curves_of(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, dict[int, float]]:
    return {
        names[split]: dict(zip(part["epoch"], part["value"], strict=True)) for split, part in table.groupby("split")
    }


def losses(shape: tuple[Any, Any], shift: float = 0.0) -> dict[str, dict[int, float]]:
    return {name: dict(enumerate(curve + shift)) for name, curve in zip(LOSSES.values(), shape, strict=True)}


def outcomes(sweep: Sweep) -> dict[str, list[Outcome]]:
    return {c.swept["model.name"]: [fit.outcome for fit in sweep.of(c)] for c in sweep.configs}


@pytest.fixture
def theirs(store: Path) -> Theirs:
    return Theirs(store)


# ── the same verdicts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("names", [("train_loss", "val_loss"), ("loss", "val_loss"), ("trainLoss", "valLoss")])
def test_curves_that_went_through_mlflow_have_the_verdicts_of_the_frame(theirs: Theirs, names: tuple) -> None:
    rows = frame(SHAPES, seeds=3)
    theirs.rows(rows, dict(zip(("train", "val"), names, strict=True)))
    here = named(theirs.sweep())
    there = named(Sweep.from_frame(rows, constant=NULL))
    assert here.keys() == {f"width {name}" for name in there}
    for name, its in there.items():
        own = here[f"width {name}"]
        assert (own.text, own.because, own.n, own.reasons) == (its.text, its.because, its.n, its.reasons)


@pytest.mark.slow
def test_an_experiment_that_fitlab_published_has_the_verdicts_of_the_sweep(tiny: dict, store: Path) -> None:
    sweep = fitlab.run(tiny, store=store, jobs=1)
    null = sweep.constants()[0][1]
    uri = f"sqlite:///{store / 'mlflow.db'}"
    constant = {part: null[f"loss/{part}"].estimate for part in ("train", "val")}
    with pytest.warns(UserWarning, match="loss/train"):
        again = fitlab.from_mlflow("tiny", constant=constant, uri=uri)
    assert [one.text for one in again.verdicts.by_config.values()] == [
        one.text for one in sweep.verdicts.by_config.values()
    ]
    both = ["loss/train", "loss/val", "loss/val/low", "accuracy/val"]
    np.testing.assert_array_equal(again.table()[both].iloc[:4], sweep.table()[both].iloc[:4])
    assert len(again.fits) == 8, "runs of Configs and the summary are no trainings"


def test_the_csv_is_a_frame_that_says_all(theirs: Theirs, tmp_path: Path) -> None:
    rows = frame(SHAPES, seeds=2).replace({"config": SIZES})
    theirs.rows(rows, LOSSES)
    found = theirs.read(capacity="width")
    path = tmp_path / "curves.csv"
    path.write_text(elsewhere.tidy(found, NULL))
    again = Sweep.from_frame(pd.read_csv(path), capacity="params.width")
    sweep = theirs.sweep(capacity="width")
    assert [fit.final for fit in again.fits] == [fit.final for fit in sweep.fits]
    assert [config.swept for config in again.configs] == [config.swept for config in sweep.configs]


@pytest.mark.slow
def test_thousands_of_points_are_all_read(theirs: Theirs) -> None:
    run = theirs.run({"width": 1}, losses(GOOD), status=None)
    steps = range(41, 3_041)
    for part in LOSSES.values():
        for first in range(0, len(steps), 1000):
            theirs.client.log_batch(run, [Metric(part, 1.0, 0, step) for step in steps[first : first + 1000]])
    theirs.client.set_terminated(run)
    (fit,) = theirs.sweep().fits
    assert fit.curves.epoch.tolist() == list(range(3_041))


# ── which runs count ────────────────────────────────────────────────────────────────────────────────────────


def test_a_status_is_an_outcome_and_what_is_left_out_is_said(theirs: Theirs) -> None:
    for seed in range(3):
        theirs.run({"width": 8, "seed": seed}, losses(GOOD, seed / 100))
    theirs.run({"width": 9, "seed": 0}, losses(GOOD), "FAILED")
    theirs.run({"width": 9, "seed": 1}, losses(GOOD), "KILLED")
    theirs.run({"width": 9, "seed": 2}, losses(GOOD), None)
    theirs.client.delete_run(theirs.run({"width": 10, "seed": 0}, losses(GOOD)))
    theirs.run({}, {"accuracy": {0: 1.0}})
    theirs.run({"width": 8, "seed": 3}, {"train_loss": {0: 1.0}}, "FAILED")
    assert outcomes(theirs.sweep()) == {
        "width 8": [Outcome.COMPLETED] * 3,
        "width 9": [Outcome.FAILED, Outcome.PRUNED],
    }
    assert outcomes(theirs.sweep(unfinished=True))["width 9"][2] is Outcome.COMPLETED
    said = "\n".join(theirs.read().assumed)
    assert "1 run left out, with neither loss (a parent run?): run-8" in said
    assert "1 run left out, with only one of both losses: run-9" in said
    assert "takes them): run-6" in said
    assert "1 run FAILED, counted as failed: run-4" in said
    assert "1 run KILLED, counted as given up (pruned): run-5" in said


@pytest.mark.parametrize("last", [np.nan, np.inf])
@pytest.mark.parametrize("status", ["FINISHED", "FAILED"])
def test_a_loss_that_ends_without_being_a_number_has_diverged(theirs: Theirs, last: float, status: str) -> None:
    for seed in range(2):
        theirs.run({"lr": 0.1, "seed": seed}, losses(GOOD))
        wild = losses(GOOD)
        wild["train_loss"][40] = last
        theirs.run({"lr": 10, "seed": seed}, wild, status)
    sweep = theirs.sweep()
    assert outcomes(sweep)["lr 10"] == [Outcome.DIVERGED] * 2
    assert named(sweep, sweep.verdicts)["lr 10"].label is Label.DIVERGED


def test_unlike_epochs_and_missing_seeds_are_what_they_are(theirs: Theirs) -> None:
    rows = frame({"1": GOOD, "2": OVERFIT})
    rows = rows[~((rows["config"] == "1") & (rows["seed"] == 1) & (rows["epoch"] > 30))]
    theirs.rows(rows, LOSSES, keep=lambda config, seed: (config, seed) != ("2", 3))
    sweep = theirs.sweep()
    assert [fit.epochs for fit in sweep.of(sweep.configs[0])] == [40, 30, 40, 40, 40]
    assert named(sweep, sweep.verdicts)["width 2"].because == "1 of 5 Fits are missing"
    assert "1 Config without all seeds: not assessed." in theirs.read().assumed


# ── Configs and seeds ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_seed_each_run_of_the_same_params_is_one_more(theirs: Theirs) -> None:
    for shift in (0.0, 0.01, 0.02):
        theirs.run({"lr": "1e-3"}, losses(GOOD, shift))
        theirs.run({"lr": "0.010"}, losses(OVERFIT, shift))
    sweep = theirs.sweep()
    assert [config.swept["model.name"] for config in sweep.configs] == ["lr 0.001", "lr 0.01"]
    assert [fit.final["loss/val"] for fit in sweep.of(sweep.configs[0])] == pytest.approx(
        GOOD[1][-1] + np.arange(3) / 100
    )
    assert any("numbered by its start" in line for line in theirs.read().assumed)
    with pytest.warns(UserWarning, match="numbered by its start"):
        fitlab.from_mlflow(theirs.name, constant=NULL, uri=theirs.uri)


def test_nothing_is_warned_of_where_all_is_said(theirs: Theirs) -> None:
    theirs.rows(frame({"1": GOOD, "2": OVERFIT}, seeds=2), LOSSES)
    fitlab.from_mlflow(theirs.id, train="train_loss", val="val_loss", seed="seed", constant=NULL, uri=theirs.uri)


def test_a_seed_may_be_a_tag_and_seeds_that_no_config_shares_can_be_numbered(theirs: Theirs) -> None:
    for place, width in enumerate((1, 1, 2, 2)):
        theirs.run({"width": width}, losses(GOOD, place / 100), luck=str(7 * place))
    assert {fit.job.seed for fit in theirs.sweep(seed="luck").fits} == {0, 7, 14, 21}
    assert any("--by-start" in line for line in theirs.read(seed="luck").assumed)
    assert outcomes(theirs.sweep(seed="luck", by_start=True)) == {
        "width 1": [Outcome.COMPLETED] * 2,
        "width 2": [Outcome.COMPLETED] * 2,
    }


def test_configs_stand_in_the_order_of_numbers_also_within_text(theirs: Theirs) -> None:
    for layers in ("[32]", "[8]", "[8, 8]", "relu"):
        theirs.run({"layers": layers, "seed": 0}, losses(GOOD))
    theirs.run({"seed": 0}, losses(GOOD))
    names = [*dict.fromkeys(theirs.read().frame["config"])]
    assert names == ["no layers", "layers [8]", "layers [8, 8]", "layers [32]", "layers relu"]


def test_what_follows_the_seed_makes_no_config(theirs: Theirs) -> None:
    for seed in range(2):
        for width in (16, 4):
            theirs.run({"width": width, "seed": seed, "split_seed": seed + 1, "out": f"/{seed}", "lr": 1}, losses(GOOD))
    found = theirs.read()
    assert [*dict.fromkeys(found.frame["config"])] == ["width 4", "width 16"], "small before large"
    assert "out and split_seed follow the seed and make no Config." in found.assumed


def test_params_of_a_config_can_be_named_and_many_layouts_of_one_say_so(theirs: Theirs) -> None:
    for seed in range(2):
        for width in (4, 16):
            theirs.run({"width": width, "seed": seed, "folder": f"{width}-{seed}"}, losses(GOOD, seed / 10))
    assert "Every run is a Config of its own. Which params make one (config, --config)?" in theirs.read().assumed
    assert outcomes(theirs.sweep(config="width")).keys() == {"width 4", "width 16"}


def test_of_a_run_and_its_retry_the_finished_one_counts_and_unlike_ones_are_refused(theirs: Theirs) -> None:
    for seed in range(2):
        theirs.run({"width": 1, "seed": seed, "note": "a"}, losses(GOOD))
    theirs.run({"width": 2, "seed": 0, "note": "a"}, losses(GOOD, 1.0), "FAILED")
    theirs.run({"width": 2, "seed": 0, "note": "a"}, losses(GOOD, 0.5))
    theirs.run({"width": 2, "seed": 0, "note": "a"}, losses(GOOD, 0.2))
    theirs.run({"width": 2, "seed": 1, "note": "a"}, losses(GOOD, 0.1))
    finals = [fit.final["loss/val"] - GOOD[1][-1] for fit in theirs.sweep().fits]
    assert finals == pytest.approx([0, 0, 0.2, 0.1])
    assert any("1 Config and seed with several runs" in line for line in theirs.read().assumed)
    theirs.run({"width": 2, "seed": 0, "note": "b"}, losses(GOOD, 0.3))
    with pytest.raises(SpecError, match=r"differ in note: run-4 .*run-5 .*--newest"):
        theirs.sweep(config="width")
    assert theirs.sweep(config="width", newest=True).fits[2].final["loss/val"] - GOOD[1][-1] == pytest.approx(0.3)


# ── points ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_several_values_at_one_step_the_last_counts(theirs: Theirs) -> None:
    run = theirs.run({"width": 1}, losses(GOOD), status=None)
    theirs.client.log_metric(run, "val_loss", 0.25, timestamp=2_000, step=40)
    theirs.client.log_metric(run, "val_loss", 9.0, timestamp=1_000, step=40)
    theirs.client.set_terminated(run)
    assert theirs.sweep().fits[0].final["loss/val"] == 0.25
    said = "\n".join(theirs.read().assumed)
    assert "logged several values at one step" in said
    assert "No step was given" not in said


def test_without_steps_there_is_the_last_value_and_that_is_said(theirs: Theirs) -> None:
    run = theirs.run({"width": 1}, status=None)
    for name, curve in losses(GOOD).items():
        for time, value in [*curve.items()][::-8][::-1]:  # the last one among them
            theirs.client.log_metric(run, name, value, timestamp=time)
    theirs.client.set_terminated(run)
    (fit,) = theirs.sweep().fits
    assert (fit.curves.epoch.tolist(), fit.final["loss/val"]) == ([0], GOOD[1][-1])
    assert "No step was given, so there are no curves" in "\n".join(theirs.read().assumed)


def test_a_loss_by_minibatch_beside_one_by_epoch_is_refused(theirs: Theirs) -> None:
    theirs.run({}, {"train_loss": dict.fromkeys(range(400), 1.0), "val_loss": dict.fromkeys(range(10), 1.0)})
    with pytest.raises(SpecError, match="train_loss to step 399 and val_loss to step 9"):
        theirs.sweep()


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        ("train_loss val_loss accuracy", "train_loss val_loss"),
        ("loss val_loss accuracy val_accuracy lr", "loss val_loss"),  # Keras
        ("training_loss validation_loss test_loss", "training_loss validation_loss"),
        ("loss/train loss/val final/loss/train final/loss/val gap/loss", "loss/train loss/val"),
        ("train_loss_step train_loss_epoch val_loss", "train_loss_epoch val_loss"),  # Lightning
        ("train_mse val_mse", "train_mse val_mse"),
        ("train_loss val_loss train_log_loss val_log_loss", "train_loss val_loss"),
        ("train_loss val_loss best_val_loss best_train_loss", "train_loss val_loss"),
        ("train/cross_entropy valid/cross_entropy", "train/cross_entropy valid/cross_entropy"),
        ("dev.nll training.nll", "training.nll dev.nll"),
        ("train-mlogloss validation-mlogloss", "train-mlogloss validation-mlogloss"),  # XGBoost
    ],
)
def test_metrics_by_their_names(names: str, pair: str) -> None:
    assert pair_of_losses(names.split()) == Pair(*pair.split())
    assert pair_of_scores(["acc", "val_acc"]) == Pair("acc", "val_acc")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("train_loss test_loss", "no two metrics are train and validation loss"),
        ("training_log_loss training_score", "There is training_log_loss, training_score"),  # scikit-learn's autolog
        ("train_mse val_mse train_log_loss val_log_loss", "more than one pair"),
        ("train_loss training_loss val_loss", "train_loss and val_loss; training_loss and val_loss"),
        (
            "loss eval_loss train_loss",
            "loss and eval_loss; train_loss and eval_loss",
        ),  # Hugging Face: a mean at the end
        ("", "There is none."),
    ],
)
def test_names_that_say_too_little_or_too_much_are_no_guess(names: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        pair_of_losses(names.split())


def test_one_name_that_is_given_settles_the_other() -> None:
    names = ["train_mse", "val_mse", "train_log_loss", "val_log_loss"]
    assert pair_of_losses(names, val="val_mse") == Pair("train_mse", "val_mse")


def test_a_score_is_no_loss_and_a_loss_of_another_kind_keeps_its_name() -> None:
    with pytest.raises(SpecError, match="train_acc is a score by its name, and no loss"):
        pair_of_losses(["train_acc", "val_acc"], "train_acc", "val_acc")
    kinds = {"loss": "log_loss", "mlogloss": "log_loss", "mse": "squared_error", "rmse": "rmse"}
    assert {name: kind_of_loss(Pair(f"train_{name}", f"val_{name}")) for name in kinds} == kinds


# ── what is asked wrongly, and MLflow on a bad day ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"experiment": "their experimnt"}, "Did you mean their experiment?"),
        ({"val": "val_los"}, "no run logged the metric val_los. Did you mean val_loss?"),
        ({"seed": "sed"}, "Did you mean seed?"),
        ({"seed": "note"}, "note holds what is no whole number from 0 on"),
        ({"config": ["witdh"]}, "no run has the param witdh. Did you mean width?"),
        ({"capacity": "note"}, "the capacity note is a, which is no number"),
        ({"capacity": "depth"}, "no run has the param depth"),
        ({"constant": None}, "The rest was understood: Training loss: train_loss; validation loss: val_loss"),
        ({"constant": {"train": -1, "val": 1}}, "both finite and > 0"),
        ({"uri": "mlflow.db"}, "is no tracking URI"),
        ({"margin": 2}, "diagnosis.margin"),
    ],
)
def test_a_wrong_request_is_answered_with_what_there_is(theirs: Theirs, options: dict, said: str) -> None:
    for seed in range(2):
        theirs.run({"width": 1, "seed": seed, "note": "a"}, losses(GOOD))
    whole = {"experiment": theirs.name, "constant": NULL, "uri": theirs.uri, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SpecError) as error:
            fitlab.from_mlflow(**whole)
    assert said in str(error.value)


def test_an_empty_and_a_deleted_experiment_say_so(theirs: Theirs) -> None:
    with pytest.raises(SpecError, match="There is none"):
        theirs.sweep()
    theirs.client.delete_experiment(theirs.id)
    with pytest.raises(SpecError, match="deleted"):
        theirs.sweep()


def test_nothing_is_written_there(theirs: Theirs, store: Path) -> None:
    theirs.rows(frame({"1": GOOD, "2": OVERFIT}, seeds=2), LOSSES)
    before = everything(store / "mlflow.db")
    theirs.sweep()
    assert everything(store / "mlflow.db") == before


def test_a_database_that_is_not_there_or_of_another_version_is_left_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such database"):
        fitlab.from_mlflow("one", uri=f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(StoreError, match="MLFLOW_TRACKING_URI"):
        fitlab.from_mlflow("one", store=tmp_path)
    assert not [*tmp_path.iterdir()]
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(OLD.read_text())
    copy = shutil.copy(old, tmp_path / "copy.db")
    with pytest.raises(StoreError, match="mlflow db upgrade"):
        fitlab.from_mlflow("one", uri=f"sqlite:///{old}")
    assert everything(old) == everything(Path(copy))


@pytest.mark.slow
@pytest.mark.xdist_group("port 5000")  # which two workers would take at the same time
def test_a_server_says_what_its_database_says(theirs: Theirs, store: Path) -> None:
    theirs.rows(frame(SHAPES, seeds=3), LOSSES)
    theirs.run({"width": "wild", "seed": 0}, {"train_loss": {0: 1.0, 1: np.inf}, "val_loss": {0: 1.0, 1: np.nan}})
    with serve(store / "mlflow.db", store / "artifacts", free_port()) as base:
        there = elsewhere.read(theirs.name, Asked(), base, "nowhere")
    here = theirs.read()
    pd.testing.assert_frame_equal(there.frame, here.frame)
    assert (there.said, there.assumed) == (here.said, here.assumed)


def test_a_server_that_is_away_is_an_unusable_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError, match=r"MLflow at http://127\.0\.0\.1:9: "):
        fitlab.from_mlflow("one", uri="http://user:secret@127.0.0.1:9")
