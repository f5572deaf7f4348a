"""The sweep section against the others: every swept value is tried in its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fitlab.errors import Path, Problem
from fitlab.seeds import same
from fitlab.spec.grammar import can_be_swept, did_you_mean, sweepable
from fitlab.spec.models import MODEL, labels
from fitlab.spec.validate import models_of, problems_of, shown


def sweep_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with swept keys and values, each value tried in its place."""
    sweep = data.get("sweep")
    parameters = sweep.get("parameters") if isinstance(sweep, dict) else None
    swept = parameters if isinstance(parameters, dict) else {}
    known = {problem.path for problem in problems_of(data)}
    for key, domain in swept.items():
        at: Path = ("sweep", "parameters", key)
        inside = [other for other in swept if key.startswith(f"{other}.")]
        if inside:
            yield Problem(at, f"it stands inside {inside[0]}, which is swept too", hint="sweep one of the two")
        elif not can_be_swept(key):
            kind = key.rsplit(".", 1)[-1] == "kind"
            message = "kind cannot be swept" if kind else "not a key that can be swept"
            hint = None if kind else _of_estimator(key, data) or did_you_mean(key, sweepable())
            yield Problem(at, message, allowed="any key of data, model and training but kind", hint=hint)
        elif isinstance(domain, dict):
            yield from _when_problems(at, domain.get("when"), data, swept)
            yield from _value_problems(at, key, domain, data, known)
    yield from _axis_problems(data, swept)
    yield from _expect_problems(data, swept)


def _of_estimator(key: str, data: dict[str, Any]) -> str | None:
    """Say where a parameter of an estimator is swept."""
    section, _, name = key.partition(".")
    estimators = any(model.get("kind") == "estimator" for model in models_of(data))
    return f"did you mean model.parameters.{name}?" if section == MODEL and name and estimators else None


def _axis_problems(data: dict[str, Any], swept: dict[str, Any]) -> Iterator[Problem]:
    diagnosis = data.get("diagnosis")
    axis = diagnosis.get("capacity_axis") if isinstance(diagnosis, dict) else None
    if isinstance(axis, str) and axis not in swept:
        hint = did_you_mean(axis, swept)
        yield Problem(("diagnosis", "capacity_axis"), "not a swept key", axis, ", ".join(swept) or "none", hint)


def _expect_problems(data: dict[str, Any], swept: dict[str, Any]) -> Iterator[Problem]:
    """Yield the keys of expectations that are not swept, and values that these never have."""
    expect = data.get("expect")
    takes = _takes(data, swept)
    for i, one in enumerate(expect if isinstance(expect, list) else ()):
        found = one if isinstance(one, dict) else {}
        quantity = found.get("quantity")
        looked = quantity if isinstance(quantity, dict) else {}
        at: Path = ("expect", i, "quantity")
        if isinstance(looked.get("along"), str):
            yield from _unswept((*at, "along"), looked["along"], takes)
        for path, values in ((("expect", i, "where"), found.get("where")), ((*at, "to"), looked.get("to"))):
            for key, value in (values if isinstance(values, dict) else {}).items():
                yield from _unswept((*path, key), key, takes)
                yield from _never((*path, key), key, value, takes.get(key))


def _takes(data: dict[str, Any], swept: dict[str, Any]) -> dict[str, Any]:
    """Return the values that each swept key takes, where they are listed; for a list of models their names."""
    takes = {key: domain.get("values") if isinstance(domain, dict) else None for key, domain in swept.items()}
    return takes | ({MODEL: labels(models_of(data))} if isinstance(data.get(MODEL), list) else {})


def _unswept(path: Path, key: str, takes: dict[str, Any]) -> Iterator[Problem]:
    if key not in takes:
        yield Problem(path, "not a swept key", key, ", ".join(takes) or "none", did_you_mean(key, takes))


def _never(path: Path, key: str, value: Any, values: Any) -> Iterator[Problem]:
    """Yield that a key never has a value; of a range that is not said, for its points are computed."""
    if isinstance(values, list) and not any(same(value, one) for one in values):
        words = [one if isinstance(one, str) else shown(one) for one in values]
        hint = did_you_mean(value, words) if isinstance(value, str) else None
        yield Problem(path, f"{key} never has this value", shown(value), ", ".join(words), hint)


def _when_problems(at: Path, when: Any, data: dict[str, Any], swept: dict[str, Any]) -> Iterator[Problem]:
    takes = _takes(data, swept)
    for key, value in (when if isinstance(when, dict) else {}).items():
        path = (*at, "when", key)
        if key == at[-1]:
            yield Problem(path, "a parameter cannot depend on itself")
        elif key not in takes and not can_be_swept(key):
            hint = "model is no list of alternatives" if key == MODEL else did_you_mean(key, sweepable())
            yield Problem(path, "unknown key", hint=hint)
        elif isinstance(values := takes.get(key), list) and value not in values:
            yield Problem(path, f"{key} never has this value", shown(value), shown(values))


def _value_problems(
    at: Path, key: str, domain: dict[str, Any], data: dict[str, Any], known: set[Path]
) -> Iterator[Problem]:
    """Try each value in the section that it belongs to; report what was not wrong before."""
    values, when = domain.get("values"), domain.get("when")
    tried: list[tuple[Path, Any]] = [
        (("values", i), v) for i, v in enumerate(values if isinstance(values, list) else ())
    ]
    tried += [((name,), domain[name]) for name in ("low", "high") if isinstance(domain.get(name), int | float)]
    path = tuple(key.split("."))
    found: dict[str, list[Problem]] = {}
    for label, variant in _variants(data, _conditions(when, data["sweep"]["parameters"])):
        found[label] = list(_tried(at, path, tried, variant, known))
    fine = [label for label, problems in found.items() if not problems]
    for problems in found.values():
        if problems and fine:  # it is for other alternatives than this one
            hint = f"is it for {' or '.join(fine)} alone? then give it `when: {{model: {fine[0]}}}`"
            yield replace(problems[0], hint=hint)
            return
        yield from problems


def _tried(
    at: Path, path: Path, tried: list[tuple[Path, Any]], variant: dict[str, Any], known: set[Path]
) -> Iterator[Problem]:
    """Yield what is wrong with each of some values at ``path`` of the data, and was not wrong before."""
    for place, value in tried:
        changed = copy.deepcopy(variant)
        put(changed, ".".join(map(str, path)), value)
        for problem in problems_of(changed):
            common = min(len(problem.path), len(path))
            if problem.path[:common] == path[:common] and problem.path not in known:
                hint = problem.hint
                if problem.message == "unknown key":
                    hint = f"is it for another alternative? then give it `when: {{…}}`; {hint or ''}".rstrip("; ")
                yield replace(problem, path=(*at, *place, *problem.path[len(path) :]), hint=hint)


def _conditions(when: Any, swept: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return the conditions of a parameter with those of the keys that they name: c when b, b when a."""
    found: dict[str, Any] = {}
    for key, value in (when if isinstance(when, dict) and depth < len(swept) else {}).items():
        above = swept.get(key)
        found |= _conditions(above.get("when"), swept, depth + 1) if isinstance(above, dict) else {}
        found[key] = value
    return found


def _variants(data: dict[str, Any], when: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield label and data of each alternative for which ``when`` lets a parameter exist, and its conditions set."""
    models = models_of(data)
    several = isinstance(data.get(MODEL), list)
    for label, model in zip(labels(models), models, strict=True):
        if several and when.get(MODEL, label) != label:
            continue
        variant = copy.deepcopy({**data, MODEL: model} if several else data)
        if several and model.get("kind") == "estimator":
            variant.pop("training", None)  # it is for the other alternatives
        for path, set_to in when.items():
            if path != MODEL:
                put(variant, path, set_to)
        yield label, variant


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key of nested plain data in place; what stands in the way becomes a mapping."""
    *above, last = key.split(".")
    for step in above:
        if not isinstance(data.get(step), dict):
            data[step] = {}
        data = data[step]
    data[last] = value
