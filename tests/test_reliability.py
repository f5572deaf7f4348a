"""docs/reliability.md promises nothing that no test proves, and its policy is one that specs take."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from fitlab.spec import read_spec

TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (?!fault \||input \|)", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_every_promise_names_tests_that_there_are(row: str) -> None:
    _, fault, promise, proof, _ = row.split("|")
    assert fault.strip()
    assert promise.strip()
    source = None
    for word in re.findall(r"tests/\S+\.py|`test_\w+`", proof):
        if word.startswith("tests/"):
            source = (ROOT / word).read_text(encoding="utf-8")
        else:
            assert source is not None, f"{word} of no file"
            assert f"def {word.strip('`')}(" in source, word
    assert source is not None


def test_the_policy_is_one(tiny: dict) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    run = read_spec({**tiny, **YAML(typ="safe", pure=True).load(block)}).spec.run
    assert (run.on_failure, run.retries, run.max_failures, run.time_limit) == ("continue", 1, 10, 600)
