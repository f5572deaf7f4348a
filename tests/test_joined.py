"""Sweeps that are loaded as one: a sweep's parts joined are the sweep."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pandas as pd
import pytest

import fitlab
from fitlab.cli.commands import app
from fitlab.errors import SpecError
from fitlab.spec import put

WIDTHS, ALPHA, SIZE = "model.hidden_layer_sizes", "training.alpha", "data.train_size"
MODELS = [{"kind": "mlp", "hidden_layer_sizes": [4]}, {"kind": "mlp", "hidden_layer_sizes": [2], "activation": "tanh"}]
RATE = {"values": [0.1, 0.01], "when": {"training.solver": "sgd"}}


def trained(spec: dict, name: str, store: Path, **changes: object) -> fitlab.Sweep:
    spec = copy.deepcopy(spec)
    for key, value in changes.items():
        put(spec, key.replace("__", "."), value)
    return fitlab.run({**spec, "name": name}, store=store, jobs=1, publish=False)


def limited(spec: dict, key: str, values: list) -> dict:
    made = copy.deepcopy(spec)
    made["sweep"]["parameters"][key]["values"] = values
    return made


def rows(sweep: fitlab.Sweep) -> pd.DataFrame:
    table = sweep.table()
    return table.sort_values(["loss/val", "loss/train"]).sort_index(kind="stable")


@pytest.mark.parametrize(
    ("parameters", "key", "first", "second"),
    [
        ({WIDTHS: [[2], [3, 2]], ALPHA: [1e-4, 1, 10]}, ALPHA, [1e-4, 1], [10]),
        ({WIDTHS: [[2], [3, 2]], ALPHA: [1e-4, 1, 10]}, ALPHA, [1e-4, 1], [1, 10]),  # 1 is in both
        ({SIZE: [40, 60], WIDTHS: [[2], [4]]}, SIZE, [40], [60]),
        ({WIDTHS: [[2], [4]], "training.solver": ["adam", "sgd"]}, "training.solver", ["adam"], ["sgd"]),
    ],
    ids=["values", "overlapping", "data", "solver"],
)
def test_parts_of_a_sweep_joined_are_the_sweep(
    tiny: dict, tmp_path: Path, parameters: dict, key: str, first: list, second: list
) -> None:
    tiny["sweep"]["parameters"] = {name: {"values": values} for name, values in parameters.items()}
    whole = trained(tiny, "whole", tmp_path)
    for name, values in (("first", first), ("second", second)):
        trained(limited(tiny, key, values), name, tmp_path)
    both = fitlab.load(["first", "second"], tmp_path)
    assert both.spec.name == "first+second"
    pd.testing.assert_frame_equal(rows(both), rows(whole), check_like=True)
    assert {fit.job.digest for fit in both.fits} == {fit.job.digest for fit in whole.fits}
    assert len(both.fits) == len(whole.fits)
    assert repr(sorted(both.verdicts.by_config.items())) == repr(sorted(whole.verdicts.by_config.items()))
    assert repr(both.verdicts.selection) == repr(whole.verdicts.selection)
    assert len(both.curves()) == len(whole.curves())


def test_alternatives_keep_their_labels_and_a_condition_what_is_absent(tiny: dict, tmp_path: Path) -> None:
    tiny["model"] = MODELS
    tiny["sweep"]["parameters"] = {ALPHA: {"values": [1e-4, 1]}}
    whole = trained(tiny, "whole", tmp_path)
    parts = [trained(limited(tiny, ALPHA, [alpha]), f"alpha-{i}", tmp_path) for i, alpha in enumerate([1e-4, 1])]
    both = fitlab.load([part.spec.name for part in parts], tmp_path)
    pd.testing.assert_frame_equal(rows(both), rows(whole), check_like=True)
    del tiny["model"][1:]
    tiny["model"] = tiny["model"][0]
    tiny["sweep"]["parameters"] = {"training.solver": {"values": ["adam", "sgd"]}, "training.learning_rate_init": RATE}
    trained(tiny, "conditional", tmp_path)
    both = fitlab.load(["conditional", "alpha-1"], tmp_path)
    table = both.table().iloc[:-1]
    assert table.loc[table["training.solver"] == "adam", "training.learning_rate_init"].isna().tolist()[0]
    assert table["model"].isna().sum() == 3
    assert set(table[ALPHA]) == {1e-4, 1.0}


def test_what_is_fixed_in_each_and_differs_is_a_swept_key_of_both(tiny: dict, tmp_path: Path) -> None:
    tiny["sweep"]["parameters"] = {WIDTHS: {"values": [[2], [4]]}}
    trained(tiny, "relu", tmp_path)
    trained(tiny, "tanh", tmp_path, model__activation="tanh", training__epochs=4)
    both = fitlab.load(["relu", "tanh"], tmp_path)
    assert list(both.configs[0].swept) == [WIDTHS, "model.activation", "training.epochs"]
    assert both.table()["model.activation"].tolist()[:4] == ["relu", "relu", "tanh", "tanh"]
    assert both.table()["training.epochs"].tolist()[:4] == [6, 6, 4, 4]
    assert fitlab.load(["relu", "relu"], tmp_path).spec.name == "relu"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"seeds": 3}, "seeds"),
        ({"seeds": {"count": 2, "vary": ["init"]}}, "seeds.vary"),
        ({"diagnosis__margin": 0.1}, "diagnosis.margin"),
        ({"diagnosis__level": 0.5}, "diagnosis.level"),
        ({"sweep__objective": "accuracy/val"}, "sweep.objective"),
        ({"data": {"kind": "diabetes"}}, "loss"),
    ],
)
def test_what_must_agree_and_does_not_is_named(tiny: dict, tmp_path: Path, changes: dict, key: str) -> None:
    tiny["diagnosis"] = {"margin": 0.05}
    trained(tiny, "one", tmp_path)
    trained(tiny, "other", tmp_path, **changes)
    with pytest.raises(SpecError, match="differs between sweeps") as caught:
        fitlab.load(["one", "other"], tmp_path)
    assert [".".join(map(str, problem.path)) for problem in caught.value.problems] == [key]
    assert all("one: " in (p.given or "") and "other: " in (p.given or "") for p in caught.value.problems)


def test_recorded_sweeps_are_joined_as_frames(tiny: dict, tmp_path: Path) -> None:
    from fitlab.joined import joined

    sweep = trained(tiny, "one", tmp_path)
    recorded = fitlab.Sweep.from_frame(sweep.curves(constant=True))
    with pytest.raises(SpecError, match="recorded elsewhere"):
        joined([sweep, recorded])


def test_the_command_line_takes_several_names(tiny: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = trained(tiny, "whole", tmp_path)
    for i, alpha in enumerate([1e-4, 1]):
        trained(limited(tiny, ALPHA, [alpha]), f"alpha-{i}", tmp_path)
    with pytest.raises(SystemExit) as end:
        app(["diagnose", "alpha-0", "alpha-1", "--store", str(tmp_path), "--json"])
    assert not end.value.code
    said = json.loads(capsys.readouterr().out)
    assert said["name"] == "alpha-0+alpha-1"
    assert {one["digest"]: one["verdict"] for one in said["configs"]} == {
        digest: verdict.text for digest, verdict in whole.verdicts.by_config.items()
    }
