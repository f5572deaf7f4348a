"""The published schema is fresh, is a schema, and accepts what the parser accepts."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, SHIPPED
from jsonschema import Draft202012Validator

from fitlab.spec import read_spec, schema

SPECS = [*sorted((ROOT / "experiments").rglob("*.yaml")), ROOT / "fitlab" / "cli" / "template.yaml"]


def test_the_file_that_editors_use_is_fresh() -> None:
    assert json.loads((ROOT / "experiments" / "schema.json").read_text()) == schema(), "run `make schema`"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_satisfy_schema_and_parser(path) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(read_spec(path).source.data)


def test_the_schema_refuses_misspelt_keys_and_unknown_sweeps() -> None:
    data = json.loads(json.dumps(read_spec(SHIPPED).source.data))
    data["training"]["epoch"] = 3
    data["sweep"]["parameters"]["training.alfa"] = {"values": [1]}
    found = [error.json_path for error in Draft202012Validator(schema()).iter_errors(data)]
    assert "$.training" in found
    assert "$.sweep" in found
