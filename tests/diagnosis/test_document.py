"""The JSON document of a diagnosis keeps its published schema."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT
from diagnosis.frames import GOOD, NULL, SHAPES, SIZES, frame, recorded
from jsonschema import Draft202012Validator

from fitlab.cli import output
from fitlab.diagnosis import diagnose, document, schema
from fitlab.sweep import Sweep

PUBLISHED = ROOT / "experiments" / "diagnosis.schema.json"
SWEEPS = {
    "all labels": lambda: recorded(SHAPES, capacity=SIZES),
    "one seed": lambda: recorded(SHAPES, seeds=1),
    "one Config": lambda: recorded({"only": GOOD}),
    "missing seeds": lambda: Sweep.from_frame(frame(SHAPES).query("config != 'small' or seed < 3"), constant=NULL),
}


def printed(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> dict:
    from dataclasses import replace

    output.out_json(document(replace(sweep, verdicts=diagnose(sweep))))
    return json.loads(capsys.readouterr().out)


def test_the_published_schema_is_the_one_that_is_kept() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.loads(PUBLISHED.read_text()) == schema(), (
        "fitlab schema --diagnosis > experiments/diagnosis.schema.json"
    )


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_what_is_printed_validates(sweep, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(sweep(), capsys)
    Draft202012Validator(schema()).validate(said)
    assert [config["swept"]["model.name"] for config in said["configs"]] == [
        config.swept["model.name"] for config in sweep().configs
    ]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda said: said.pop("rule"),
        lambda said: said.update(more=1),
        lambda said: said["configs"][0].update(label="fine"),
        lambda said: said["configs"][0]["reasons"]["val"].pop("n"),
        lambda said: said["checks"][0].update(code="ABC1"),
        lambda said: said["selection"].update(config=None),
    ],
)
def test_what_is_no_diagnosis_does_not_validate(break_it, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(recorded(SHAPES), capsys)
    break_it(said)
    assert not Draft202012Validator(schema()).is_valid(said)
