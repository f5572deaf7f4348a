"""``fitlab reproduce`` and what ``fitlab sweep`` says of expectations: lines, JSON, exit codes, other seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401 (a fixture)
from ruamel.yaml import YAML

from fitlab.store import Store

RIGHT = {"claim": "It is finite.", "source": "Nobody 2026", "quantity": "loss/val", "at_most": 100}
WRONG = {"claim": "It is tiny.", "quantity": "loss/val", "at_most": 1e-9}
OPEN = {"claim": "Of two seeds.", "quantity": "loss/val", "equals": 1, "within": "standard_errors"}


@pytest.fixture
def write(tiny: dict, tmp_path: Path) -> Callable[..., Path]:
    def spec(*expect: dict[str, Any], **changed: Any) -> Path:
        path = tmp_path / "expecting.yaml"
        with path.open("w") as file:
            YAML().dump({**tiny, **changed, "expect": list(expect)}, file)
        return path

    return spec


@pytest.mark.parametrize(
    ("expect", "code", "words", "counted"),
    [
        ([RIGHT], 0, ["passed"], "1 expectation: 1 passed"),
        ([RIGHT, WRONG], 1, ["passed", "FAILED"], "2 expectations: 1 passed, 1 failed"),
        ([RIGHT, OPEN], 1, ["passed", "open"], "2 expectations: 1 passed, 1 not evaluated"),
    ],
)
def test_it_exits_with_one_unless_everything_passes(
    fitlab: Fitlab, write: Callable[..., Path], tmp_path: Path, expect: list, code: int, words: list, counted: str
) -> None:
    ended, out, err = fitlab("reproduce", write(*expect), "--store", tmp_path / "store")
    assert (ended, err) == (code, "")
    assert all(word in out for word in words)
    assert out.splitlines()[-1] == counted
    _, out, _ = fitlab("reproduce", write(*expect), "--store", tmp_path / "store", "--json")
    ((path, found),) = json.loads(out).items()
    assert path == str(tmp_path / "expecting.yaml")
    assert [one["claim"] for one in found] == [one["claim"] for one in expect]
    assert found[0]["source"] == "Nobody 2026"
    assert found[0]["value"] < 100


def test_a_sweep_says_what_came_of_them_and_a_failed_one_is_a_result(
    fitlab: Fitlab, write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(RIGHT, {**WRONG, "equals": 0, "within": "standard_errors"} | {"at_most": None}, seeds=5)
    words = ("sweep", path, "--store", tmp_path / "store", "--no-publish")
    code, out, _ = fitlab(*words)
    assert code == 0
    assert "It is finite. (Nobody 2026)" in " ".join(out.split())
    code, out, _ = fitlab(*words, "--json")
    found = json.loads(out)["expectations"]
    assert code == 0
    assert [one["state"] for one in found] == ["passed", "failed"]
    assert found[1]["interval"]["n"] == 5
    assert found[1]["exact"] == 0


def test_other_seeds_leave_the_sweep_of_that_name_as_it_was(
    fitlab: Fitlab, write: Callable[..., Path], tmp_path: Path
) -> None:
    store = Store.at(tmp_path / "store", create=True)
    fitlab("reproduce", write(RIGHT), "--store", store.root)
    before = store.sweep_path("tiny").read_bytes()
    code, _, _ = fitlab("reproduce", write(RIGHT), "--store", store.root, "--seeds-from", 40)
    assert code == 0
    assert store.sweep_path("tiny").read_bytes() == before
    assert {fit.job.seed for fit in store.load("tiny-seeds-40").fits} == {40, 41}


def test_a_spec_that_expects_nothing_reproduces_nothing(
    fitlab: Fitlab, write: Callable[..., Path], tmp_path: Path
) -> None:
    code, out, err = fitlab("reproduce", write(), "--store", tmp_path / "store")
    assert (code, out) == (2, "")
    assert "nothing is expected there" in err
    assert not (tmp_path / "store").exists()
