"""`fitlab weights` as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab, spec  # noqa: F401 (fixtures)

import fitlab as library


@pytest.fixture
def trained(fitlab: Fitlab, spec: Path, store: Path) -> Path:
    assert fitlab("sweep", str(spec), "--store", str(store), "--no-publish")[0] == 0
    return store


def test_its_numbers_are_those_of_the_sweep(fitlab: Fitlab, trained: Path) -> None:
    name = json.loads(fitlab("status", "--json", "--store", str(trained))[1])[0]["name"]
    code, out, _ = fitlab("weights", name, "--json", "--store", str(trained))
    found = json.loads(out)
    sweep = library.load(name, trained)
    assert (code, len(found["configs"])) == (0, len(sweep.configs))
    table = sweep.parameters()
    for one in found["configs"]:
        mine = table[table.config == one["config"][:12]]
        for number in one["parameters"]:
            same = mine.query("layer == @number['layer'] and role == @number['role'] and metric == @number['metric']")
            assert same[same.epoch == same.epoch.max()].value.mean() == pytest.approx(number["mean"], rel=1e-9)
    code, out, _ = fitlab("weights", name, "--store", str(trained))
    assert code == 0
    assert "path norm" in out


def test_one_config_is_shown_layer_by_layer_however_it_is_named(fitlab: Fitlab, trained: Path) -> None:
    name = json.loads(fitlab("status", "--json", "--store", str(trained))[1])[0]["name"]
    config = library.load(name, trained).configs[-1]
    swept = [f"{key.rsplit('.')[-1]}={value!r}" for key, value in config.swept.items()]
    shown = [fitlab("weights", name, *words, "--store", str(trained))[1] for words in ([config.digest[:9]], swept)]
    assert shown[0] == shown[1]
    assert "hidden_1" in shown[0]
    assert fitlab("weights", name, "best", "--store", str(trained))[0] == 0


def test_what_is_not_there_is_said_with_what_is(fitlab: Fitlab, trained: Path) -> None:
    name = json.loads(fitlab("status", "--json", "--store", str(trained))[1])[0]["name"]
    code, _, err = fitlab("weights", name, "alpha=77", "--store", str(trained))
    assert code == 2
    assert library.load(name, trained).configs[0].digest[:12] in err
    code, _, err = fitlab("weights", name, "--epoch", "1", "--store", str(trained))
    assert (code, "there are those of" in err) == (2, True)
