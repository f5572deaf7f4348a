"""Curves from elsewhere: the same verdicts as at home, and a clear word where a frame is wrong."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from diagnosis.frames import GOOD, NULL, OVERFIT, SHAPES, SIZES, check, frame, named, recorded

import fitlab
from fitlab import run, split
from fitlab.diagnosis import diagnose
from fitlab.errors import SpecError
from fitlab.recorded import CONSTANT
from fitlab.records import Outcome
from fitlab.spec.recorded import CAPACITY
from fitlab.sweep import Sweep
from fitlab.verdicts import Label, State


def test_a_frame_of_a_sweep_gives_the_verdicts_of_the_sweep(tiny: dict, tmp_path) -> None:
    tiny |= {"seeds": 3, "diagnosis": {"margin": 0.1, "level": 0.8}}
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    again = Sweep.from_frame(sweep.curves(constant=True), margin=0.1, level=0.8)
    here, there = ([*one.by_config.values()] for one in (sweep.verdicts, diagnose(again)))
    for own, its in zip(here, there, strict=True):
        assert (own.text, own.because, own.n, own.seeds_needed) == (its.text, its.because, its.n, its.seeds_needed)
        assert own.reasons == its.reasons
    both = ["loss/train", "loss/val", "loss/val/low", "accuracy/val"]
    np.testing.assert_array_equal(again.table()[both], sweep.table()[both])


def test_a_frame_of_a_sweep_keeps_how_each_fit_ended() -> None:
    """Pruned, diverged and failed Fits whose losses are numbers to the end are not taken to have completed."""
    sweep = recorded({**SHAPES, "fourth": GOOD})
    ended = dict(zip(SHAPES, (Outcome.PRUNED, Outcome.DIVERGED, Outcome.FAILED), strict=True))
    fits = [replace(f, outcome=ended.get(f.job.config.swept["model.name"], f.outcome)) for f in sweep.fits]
    sweep = replace(sweep, fits=tuple(fits))
    again = Sweep.from_frame(sweep.curves(constant=True))
    assert [fit.outcome for fit in again.fits] == [fit.outcome for fit in sweep.fits]
    here, there = ([one.text for one in diagnose(each).by_config.values()] for each in (sweep, again))
    assert here == there


def test_the_docstring_says_how_to_get_verdicts() -> None:
    sweep = recorded(SHAPES)
    assert set(sweep.table()["verdict"]) == {""}
    names = {"fitlab": fitlab, "dataclasses": dataclasses, "sweep": sweep}
    for statement in re.findall(r"``(\w+ = [^`]+)``", Sweep.from_frame.__doc__ or ""):
        exec(statement, names)  # noqa: S102  # our own docstring
    assert names["sweep"].table()["verdict"].tolist()[:3] == ["underfit", "good", "overfit"]


def test_labels_of_curves_from_elsewhere() -> None:
    found = named(recorded(SHAPES))
    assert {name: one.label for name, one in found.items()} == {
        "small": Label.UNDERFIT,
        "right": Label.GOOD,
        "large": Label.OVERFIT,
    }
    with_sizes = named(recorded(SHAPES, capacity=SIZES))
    assert {name: one.label for name, one in with_sizes.items()} == {name: one.label for name, one in found.items()}


def test_the_constant_predictor_may_be_rows_capacity_a_column_and_rows_in_any_order() -> None:
    rows = frame(SHAPES)
    rows["size"] = rows["config"].map(SIZES)
    null = pd.DataFrame(
        {"config": CONSTANT, "seed": seed, "epoch": 0, "split": part, "metric": "loss", "value": 2.0, "size": 0}
        for seed in range(5)
        for part in NULL
    )
    shuffled = pd.concat([rows, null]).sample(frac=1, random_state=0)
    found = named(Sweep.from_frame(shuffled, capacity="size"))
    assert {name: one.text for name, one in found.items()} == {
        name: one.text for name, one in named(recorded(SHAPES, capacity=SIZES)).items()
    }
    assert found["large"].reasons.keys() >= {"excess", "distance"}


def test_unequal_epochs_missing_seeds_and_divergence_are_what_they_are() -> None:
    rows = frame({**SHAPES, "wild": GOOD})
    rows = rows[~((rows["config"] == "small") & (rows["seed"] == 3))]
    rows = rows[~((rows["config"] == "right") & (rows["seed"] == 1) & (rows["epoch"] > 30))]
    rows.loc[(rows["config"] == "wild") & (rows["epoch"] == 40), "value"] = np.nan
    sweep = Sweep.from_frame(rows, constant=NULL)
    found = named(sweep)
    assert (found["small"].label, found["small"].because) == (Label.NOT_ASSESSED, "1 of 5 Fits are missing")
    assert found["right"].label is Label.GOOD, "it stopped early under one seed"
    assert found["wild"].label is Label.DIVERGED
    assert {fit.outcome for fit in sweep.of(sweep.configs[3])} == {Outcome.DIVERGED}


def test_what_was_given_up_is_said_by_an_outcome_column() -> None:
    rows = frame(SHAPES).assign(outcome="completed")
    rows.loc[rows["config"] == "large", "outcome"] = "pruned"
    found = named(Sweep.from_frame(rows, constant=NULL))
    assert found["large"].label is Label.NOT_ASSESSED


def test_without_an_epoch_axis_one_row_a_seed_is_enough() -> None:
    ends = {name: (train[-1:], val[-1:]) for name, (train, val) in SHAPES.items()}
    found = named(recorded(ends))
    assert [found[name].label for name in SHAPES] == [Label.UNDERFIT, Label.GOOD, Label.OVERFIT]
    assert "regret" not in found["large"].reasons


def test_metrics_measured_at_other_epochs_than_the_losses_are_no_holes() -> None:
    rows = frame({"one": GOOD, "two": OVERFIT})
    rows = rows[(rows["split"] == "train") | (rows["epoch"] % 5 == 0)]
    fit = Sweep.from_frame(rows, constant=NULL).fits[0]
    assert fit.curves.epoch.tolist() == list(range(0, 41, 5))
    assert np.isfinite(fit.curves["loss/train"]).all()


def test_a_metric_that_a_seed_lacks_is_missing_and_not_an_error() -> None:
    rows = frame(SHAPES)
    accuracy = rows[rows["split"] == "val"].assign(metric="accuracy", value=0.5)
    some = accuracy[(accuracy["config"] == "right") | ((accuracy["config"] == "small") & (accuracy["seed"] < 3))]
    sweep = Sweep.from_frame(pd.concat([rows, some]), constant=NULL)
    table = replace(sweep, verdicts=diagnose(sweep)).table()
    assert table["accuracy/val"].iloc[:3].tolist() == pytest.approx([np.nan, 0.5, np.nan], nan_ok=True)
    assert table["loss/val"].notna().all()
    assert {len(fit.curves.values) for fit in sweep.of(sweep.configs[2])} == {2}, "nobody measured it there"


Change = Callable[[pd.DataFrame], pd.DataFrame]
WRONG: dict[str, tuple[Change, str]] = {
    "no column": (lambda rows: rows.drop(columns="split"), "lacks split; it has config, seed"),
    "no rows": (lambda rows: rows[:0], "no rows"),
    "twice": (lambda rows: pd.concat([rows, rows[:1]]), "1 rows are there twice, such as loss/train of config 'small'"),
    "text": (lambda rows: rows.assign(value="low"), "column value holds what is no number"),
    "seed": (lambda rows: rows.assign(seed=0.5), "column seed holds whole numbers from 0 to 2^53, got 0.5"),
    "epoch": (lambda rows: rows.assign(epoch=-1), "column epoch holds whole numbers from 0 to 2^53, got -1"),
    "nameless": (lambda rows: rows.assign(config=None), "column config has missing values"),
    "other words": (
        lambda rows: rows.replace({"split": {"val": "validation"}}),
        "split is train or val (test is left out), got validation",
    ),
    "no val": (lambda rows: rows[rows["split"] == "train"], "no rows of metric loss, split val"),
    "never together": (
        lambda rows: rows[(rows["split"] == "train") == (rows["epoch"] % 2 == 0)],
        "never measured at the same epoch",
    ),
    "a hole": (
        lambda rows: rows.assign(value=rows["value"].where(rows["epoch"] != 3)),
        "config 'large', seed 0: a loss is not a number at epoch 3, and is one later on",
    ),
    "two columns": (lambda rows: pd.concat([rows, rows[["value"]]], axis=1), "more than one column value"),
    "complex": (lambda rows: rows.assign(value=rows["value"] + 1j), "column value holds what is no number"),
    "negative": (lambda rows: rows.assign(value=-rows["value"]), "log_loss cannot be negative"),
    "no seed": (
        lambda rows: rows.assign(seed=rows["seed"].astype("Int64").where(rows["seed"] > 0)),
        "column seed holds whole numbers from 0 to 2^53, got <NA>",
    ),
    "no epoch": (
        lambda rows: rows.assign(epoch=rows["epoch"].astype("Int64").where(rows["epoch"] > 0)),
        "column epoch holds whole numbers from 0 to 2^53, got <NA>",
    ),
    "large seed": (lambda rows: rows.assign(seed=2**63), "column seed holds whole numbers from 0 to 2^53"),
    "larger seed": (lambda rows: rows.assign(seed=2**70), "column seed holds whole numbers from 0 to 2^53"),
    "large epoch": (lambda rows: rows.assign(epoch=np.uint64(2**64 - 1)), "column epoch holds whole numbers"),
    "date": (lambda rows: rows.assign(epoch=pd.Timestamp("2026-01-01")), "column epoch holds what is no number"),
    "one and '1'": (
        lambda rows: rows.assign(config=[1 if one == "small" else "1" for one in rows["config"]]),
        "column config holds 1 as text and as something else",
    ),
    "outcome": (lambda rows: rows.assign(outcome="fine"), "outcome is one of completed, pruned"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_frame_is_refused_with_what_and_where(change: Change, said: str) -> None:
    with pytest.raises(SpecError) as error:
        Sweep.from_frame(change(frame(SHAPES)), constant=NULL)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"constant": None}, "log K for K balanced classes"),
        ({"constant": {"train": 2.0}}, "both finite and > 0"),
        ({"constant": {"train": 2.0, "val": 0.0}}, "both finite and > 0"),
        ({"constant": 2.3}, "constant is {'train': loss, 'val': loss}, got 2.3"),
        ({"constant": [1, 2]}, "constant is {'train': loss, 'val': loss}, got [1, 2]"),
        ({"constant": {"train": True, "val": True}}, "both finite and > 0"),
        ({"capacity": [1, 2, 3]}, "capacity is a column, or {config: number}"),
        ({"capacity": {1: 1, "1": 2}}, "capacity has a config twice"),
        ({"loss": 3}, "loss is a name"),
        ({"margin": 0}, "diagnosis.margin: not allowed"),
        ({"level": 1}, "diagnosis.level: not allowed"),
        ({"capacity": {"small": 1}}, "capacity is missing for 'right', 'large'"),
        ({"capacity": {"small": 1, "right": np.nan, "large": 2}}, "a capacity is a finite number"),
        ({"capacity": "size"}, "lacks size"),
        ({"name": "a b"}, "name: not allowed"),
    ],
)
def test_wrong_options_are_refused(options: dict, said: str) -> None:
    with pytest.raises(SpecError) as error:
        recorded(SHAPES, **options)
    assert said in str(error.value)


def test_names_and_whole_numbers_may_be_of_many_types() -> None:
    """Lists as configs, categories, numbers as text or nullable, and a capacity as a Series."""
    rows = frame({"one": GOOD, "two": OVERFIT})
    sizes = rows["config"].map({"one": 1, "two": 2})
    want = [fit.final for fit in Sweep.from_frame(rows, constant=NULL).fits]
    for changed in (
        rows.assign(config=[[size] for size in sizes]),
        rows.assign(config=rows["config"].astype("category"), seed=rows["seed"].astype(str)),
        rows.assign(seed=rows["seed"].astype("Int64"), epoch=rows["epoch"].astype(float)),
    ):
        assert [fit.final for fit in Sweep.from_frame(changed, constant=NULL).fits] == want
    seeds = Sweep.from_frame(rows.assign(seed=rows["seed"] + 2**40), constant=NULL).spec.seeds.values
    assert seeds == tuple(2**40 + seed for seed in range(5)), "larger than what numpy draws from"
    assert (
        Sweep.from_frame(rows, constant=NULL, capacity=pd.Series({"one": 1, "two": 2})).configs[1].swept[CAPACITY] == 2
    )


def test_losses_of_another_name_may_be_negative_and_rounding_is_forgiven() -> None:
    rows = frame({"one": GOOD, "two": OVERFIT})
    density = rows.assign(value=rows["value"] - 1.5)
    wild = density.assign(value=density["value"].where(density["epoch"] < 40, np.inf))
    with pytest.raises(SpecError, match="log_loss cannot be negative"):
        Sweep.from_frame(wild, constant=NULL)
    assert Sweep.from_frame(density, constant=NULL, loss="density").fits[0].final["loss/train"] < 0
    rows.loc[(rows["config"] == "two") & (rows["split"] == "train"), "value"] = -1e-8
    assert Sweep.from_frame(rows, constant=NULL).fits[-1].final["loss/train"] < 0


def test_a_nullable_value_that_is_missing_at_the_end_has_diverged() -> None:
    rows = frame({"one": GOOD, "two": OVERFIT})
    rows["value"] = rows["value"].astype("Float64").where((rows["config"] == "one") | (rows["epoch"] < 30))
    assert {fit.outcome for fit in Sweep.from_frame(rows, constant=NULL).fits[5:]} == {Outcome.DIVERGED}


def test_something_else_than_a_frame_is_refused() -> None:
    with pytest.raises(SpecError, match="a pandas DataFrame is wanted, got list"):
        Sweep.from_frame([])


def test_a_recorded_sweep_cannot_be_run_nor_split() -> None:
    sweep = recorded(SHAPES)
    with pytest.raises(SpecError, match="unknown kind"):
        run(sweep.spec)
    with pytest.raises(SpecError, match="trained elsewhere"):
        split(sweep.fits[0].job)
    assert check(diagnose(sweep), "SWP006").state is State.NOT_APPLICABLE
