"""A diagnosis as a JSON document, and the JSON Schema that it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fitlab.diagnosis.gather import kind_of_loss
from fitlab.diagnosis.sweeps import rule_of
from fitlab.diagnosis.words import reason
from fitlab.records import Config, Interval
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Label, Selection, Severity, State, Verdict

VERSION = 1  # of the document; one that takes something away or changes what it means has another
Schema = dict[str, Any]


def document(sweep: Sweep) -> dict[str, Any]:
    """Return the diagnosis of a Sweep as plain data; bounds that are not known are NaN or infinite."""
    return {
        "version": VERSION,
        "name": sweep.spec.name,
        "question": sweep.spec.question,
        "loss": kind_of_loss(sweep),
        "seeds": list(sweep.spec.seeds.values),
        "rule": asdict(rule_of(sweep)),
        "configs": [_config(c, sweep.verdicts.by_config[c.digest]) for c in sweep.configs],
        "constant_predictor": [
            {"swept": dict(swept), "metrics": _intervals(metrics)} for swept, metrics in sweep.constants()
        ],
        "checks": _checks(sweep.verdicts.checks),
        "selection": _selection(sweep.verdicts.selection),
    }


def _config(config: Config, verdict: Verdict) -> dict[str, Any]:
    return {
        "digest": config.digest,
        "swept": dict(config.swept),
        "label": str(verdict.label),
        "leaning": None if verdict.leaning is None else str(verdict.leaning),
        "verdict": verdict.text,
        "reason": reason(verdict),
        "because": verdict.because,
        "deciding": verdict.deciding,
        "n": verdict.n,
        "seeds_needed": verdict.seeds_needed,
        "reference": verdict.reference,
        "unbeaten": verdict.unbeaten,
        "reasons": _intervals(verdict.reasons),
        "checks": _checks(verdict.checks),
        "note": verdict.note,
    }


def _intervals(found: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in found.items()}


def _checks(found: Sequence[Check]) -> list[dict[str, Any]]:
    return [{**asdict(one), "state": str(one.state), "severity": str(one.severity)} for one in found]


def _selection(found: Selection | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


# ── what it keeps ───────────────────────────────────────────────────────────────────────────────────────────


def schema() -> Schema:
    """Return the JSON Schema of ``fitlab diagnose NAME --json`` (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Diagnosis",
        "description": "What each Config of a sweep does, how sure that is, and what holds for the sweep as a whole.",
        **_object(
            version={"const": VERSION},
            name=_said("name of the sweep"),
            question=_said("what the experiment is to answer"),
            loss=_said("which loss decides; differences are in its units"),
            seeds={"type": "array", "items": {"type": "integer"}},
            rule=_open_object({"type": "number"}, "the constants of the rule, known before the sweep"),
            configs={"type": "array", "items": _config_schema()},
            constant_predictor={
                "type": "array",
                "items": _object(swept=_open_object({}, "swept data keys"), metrics=_map("Interval")),
            },
            checks=_list("Check"),
            selection=_or_null({"$ref": "#/$defs/Selection"}),
        ),
        "$defs": {"Interval": _interval_schema(), "Check": _check_schema(), "Selection": _selection_schema()},
    }


def _config_schema() -> Schema:
    labels = [str(label) for label in Label]
    return _object(
        digest=_said("of the Config"),
        swept=_open_object({}, "swept keys with their values"),
        label={"enum": labels},
        leaning={"enum": [*labels, None], "description": "of an inconclusive one: what it would be called"},
        verdict=_said("the label as people read it"),
        reason=_said("one line with the numbers that decided"),
        because=_said("the step of the rule that decided"),
        deciding=_or_null(_said("the reason that decided")),
        n={"type": "integer", "description": "seeds that it rests on"},
        seeds_needed=_or_null({"type": "integer", "description": "that would decide an inconclusive one"}),
        reference=_or_null(_said("digest of the Config that it was compared with; null: the constant predictor")),
        unbeaten={"type": "boolean", "description": "no Config on the same data beats the constant predictor"},
        reasons=_map("Interval"),
        checks=_list("Check"),
        note=_said("what it means, the numbers, what to try next; Markdown"),
    )


def _interval_schema() -> Schema:
    bound = {"type": ["number", "null"], "description": "null: not known, or no bound on this side"}
    return _object(
        estimate={"type": ["number", "null"]},
        low=bound,
        high=bound,
        level={"type": "number"},
        n={"type": "integer"},
        method={"type": "string"},
    )


def _check_schema() -> Schema:
    return _object(
        code={"type": "string", "pattern": "^(FIT|SWP)[0-9]{3}$"},
        title=_said("the same whatever it comes to"),
        state={"enum": [str(state) for state in State]},
        severity={"enum": [str(severity) for severity in Severity]},
        said=_said("what was found, or why it does not apply"),
        advice=_said("what to do"),
    )


def _selection_schema() -> Schema:
    interval = {"$ref": "#/$defs/Interval"}
    return _object(
        config=_said("digest of the Config with the lowest mean validation loss"),
        simplest=_or_null(_said("digest of the smallest Config within one standard error of it")),
        val=interval,
        test=_or_null(interval),
        optimism=_or_null(interval),
        among={"type": "integer"},
        epoch=_or_null({"type": "integer", "description": "at which it was chosen; null: the last"}),
        objective=_said("of the spec, where it is not about validation loss, which chooses all the same; else empty"),
    )


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _open_object(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


def _map(name: str) -> Schema:
    return {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{name}"}}


def _list(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _said(description: str) -> Schema:
    return {"type": "string", "description": description}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
