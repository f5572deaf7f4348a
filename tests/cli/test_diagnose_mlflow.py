"""`fitlab diagnose --mlflow`: the table, what is said of how it was understood, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401  # a fixture
from conftest import ROOT
from diagnosis.frames import SHAPES, SIZES, frame
from jsonschema import Draft202012Validator
from tracking.test_elsewhere import LOSSES, Theirs

from fitlab.sweep import Sweep

NULL = ["--constant-train", 2, "--constant-val", 2]


@pytest.fixture
def theirs(store: Path) -> Theirs:
    found = Theirs(store)
    found.rows(frame(SHAPES, seeds=3).replace({"config": SIZES}), LOSSES)
    return found


def test_an_experiment_is_diagnosed_and_how_it_was_understood_is_said(
    fitlab: Fitlab, theirs: Theirs, store: Path, tmp_path: Path
) -> None:
    csv = tmp_path / "curves.csv"
    ask = ["diagnose", "--store", store, "--mlflow", theirs.name, *NULL]
    code, out, err = fitlab(*ask, "--capacity", "width", "--csv", csv)
    assert code == 0
    rows = [line.split() for line in out.splitlines() if line.split()[:1] == ["width"]]
    verdicts = [row[2] for row in rows[:3]]
    assert verdicts == ["underfit", "good", "overfit"]
    assert "Training loss: train_loss; validation loss: val_loss; taken as log loss." in err
    assert "3 Configs, 3 seeds, 9 runs." in err
    assert "Whether these were is not known" in err
    assert len(Sweep.from_frame(pd.read_csv(csv), capacity="params.width").fits) == 9
    code, out, err = fitlab(*ask, "--json")
    assert code == 0
    document = json.loads(out)
    Draft202012Validator(json.loads((ROOT / "experiments" / "diagnosis.schema.json").read_text())).validate(document)
    assert [one["verdict"] for one in document["configs"]] == verdicts
    assert document["name"] == "their-experiment"


def test_what_is_asked_wrongly_ends_with_2_and_a_missing_mlflow_with_3(
    fitlab: Fitlab, theirs: Theirs, store: Path, tmp_path: Path
) -> None:
    for words, code, said in [
        (["--mlflow", "their experimen", "--store", store, *NULL], 2, "Did you mean their experiment?"),
        (["--mlflow", theirs.name, "--store", store], 2, "--constant-train and --constant-val"),
        (["--mlflow", theirs.name, "--store", store, *NULL[:2]], 2, "--constant-train and --constant-val"),
        (["--mlflow", theirs.name, "--store", store, *NULL, "--csv", tmp_path], 2, "cannot be written"),
        (["--mlflow", theirs.name, "--store", tmp_path / "none", *NULL], 3, "mlflow.db is not there"),
        (["--mlflow", theirs.name, "name"], 2, "NAME of a sweep in the store, or --mlflow EXPERIMENT?"),
        (["name", "--val", "val_loss"], 2, "go with --mlflow EXPERIMENT"),
        ([], 2, "NAME of a sweep in the store, or --mlflow EXPERIMENT?"),
    ]:
        found, out, err = fitlab("diagnose", *words)
        assert (found, out) == (code, ""), (words, err)
        assert said in err
