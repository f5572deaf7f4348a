"""Plain data against the grammar: what is wrong with it, in words, each problem at its key path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from fitlab.errors import Path, Problem, SpecError
from fitlab.spec.grammar import allowed, child, choices, described, did_you_mean, keys_at
from fitlab.spec.model import Spec
from fitlab.spec.models import Sections
from fitlab.spec.not_yet import misplaced, refusals

T = TypeVar("T")
MAX_SHOWN = 60  # characters of a value in an error message


def sections(data: Mapping[str, Any]) -> Sections:
    """Validate the data, model and training sections of a Config.

    Raises SpecError, its problems not yet placed.
    """
    plain = {key: data[key] for key in Sections.model_fields if key in data}
    result = validated(_SECTIONS, plain)
    problems = result[1] or [*refusals(plain), *_training_problems(plain)]
    if result[0] is None or problems:
        raise SpecError(problems)
    return result[0]


_SECTIONS: TypeAdapter[Sections] = TypeAdapter(Sections)
_SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)


def spec_of(data: dict[str, Any]) -> Spec:
    """Return the Spec that ``data`` is; it has been found without problems."""
    return _SPEC.validate_json(json.dumps(_settled(data)))


def problems_of(data: dict[str, Any]) -> list[Problem]:
    """Return what is wrong with a whole spec; what is not built yet hides the grammar's own complaint."""
    refused = [*refusals(data), *misplaced(data)]
    hidden = {problem.path for problem in refused}
    _, found = validated(_SPEC, data)
    problems = [*found, *_training_problems(data)]
    return refused + [p for p in problems if not any(p.path[: len(path)] == path for path in hidden)]


def validated(adapter: TypeAdapter[T], data: dict[str, Any]) -> tuple[T | None, list[Problem]]:
    """Return what ``data`` is, or None and what is wrong with it."""
    try:
        return adapter.validate_json(json.dumps(_settled(data))), []
    except ValidationError as error:
        by_path: dict[Path, Problem] = {}
        locations = [details["loc"] for details in error.errors(include_url=False)]
        for details in error.errors(include_url=False):
            if details["type"] == "none_required" or _echo(details["loc"], details["type"], locations):
                continue  # the other alternative, or what is inside, says what is wrong
            problem = _problem(dict(details), data)
            if details["type"] == "fitlab":  # our own words, of the alternative that was meant
                by_path[problem.path] = problem
            by_path.setdefault(problem.path, problem)
        return None, list(by_path.values())


def _echo(location: Path, kind: str, locations: list[Path]) -> bool:
    """Whether a list is only called too short because an item of it is wrong."""
    inside = (other for other in locations if len(other) > len(location))
    return kind == "too_short" and any(other[: len(location)] == location for other in inside)


def _settled(data: dict[str, Any]) -> dict[str, Any]:
    """Say of an estimator that it has no training section: its settings are parameters of its own."""
    return {**data, "training": None} if _all_estimators(data) and "training" not in data else data


def _all_estimators(data: dict[str, Any]) -> bool:
    models = models_of(data)
    return bool(models) and all(one.get("kind") == "estimator" for one in models)


def models_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the model of plain sections, or the alternatives: those that are mappings."""
    model = data.get("model")
    return [one for one in (model if isinstance(model, list) else [model]) if isinstance(one, dict)]


def _training_problems(data: dict[str, Any]) -> Iterator[Problem]:
    training = data.get("training", ...)
    if _all_estimators(data) and training not in (None, ...):
        hint = "its settings are model.parameters, its epochs or stages model.axis"
        yield Problem(("training",), "an estimator has no training section", hint=hint)
    if isinstance(training, dict) and training.get("solver") == "lbfgs":
        yield from _lbfgs_problems(data)
    if not _all_estimators(data) and training is None:
        yield Problem(("training",), "not allowed", "null", allowed(("training",)))


def _lbfgs_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what scikit-learn's own estimator, which trains by lbfgs, does not have."""
    networks = [one for one in models_of(data) if one.get("kind") == "mlp"]
    for key, ordinary in (("biases", True), ("initial", None)):
        if any(one.get(key, ordinary) != ordinary for one in networks):
            message = f"scikit-learn trains by lbfgs, and has no {key}: {'false' if key == 'biases' else 'FILE'}"
            yield Problem(("training", "solver"), message, "lbfgs", "adam, sgd")


def _problem(details: dict[str, Any], data: Any) -> Problem:
    path, value = _document_path(details["loc"], data)
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            keys = keys_at(path[:-1], data)
            hint = did_you_mean(str(path[-1]), keys)
            own = _as_parameter(path, value, data)
            return Problem(
                path, "unknown key", shown(value), ", ".join(keys), "; ".join(filter(None, (hint, own))) or None
            )
        case "missing":
            return Problem(path, "missing key", allowed=allowed(path, data), hint=described(path, data))
        case "union_tag_not_found" if isinstance(value, dict):
            return Problem((*path, "kind"), "missing key", allowed=allowed((*path, "kind"), data))
        case "union_tag_invalid":
            tag = {"training": "solver", "sweep": "method", "early_terminate": "type"}.get(str(path[-1]), "kind")
            tags = context["expected_tags"].replace("'", "")
            hint = did_you_mean(context["tag"], tags.split(", "))
            if path[:1] == ("model",) and not hint and context["tag"] != context["tag"].lower():
                hint = "is it a class? then kind: estimator, estimator: its import name, such as sklearn.svm.SVC"
            if not isinstance(value, dict):  # an alternative that is named by one word
                return Problem(path, f"unknown {path[-1]}", shown(value), f"one of {tags}", hint)
            return Problem((*path, tag), f"unknown {tag}", shown(value.get(tag)), f"one of {tags}", hint)
        case "fitlab":
            given = None if value is None else shown(value)
            return Problem(path, context["message"], given, context["allowed"], context["hint"])
        case "string_type" if isinstance(value, int | float):
            return Problem(path, "not allowed", shown(value), allowed(path, data), f'"{shown(value)}"?')
        case _:
            hint = did_you_mean(value, choices(path, data)) if isinstance(value, str) else None
            return Problem(path, "not allowed", shown(value), allowed(path, data) or details["msg"], hint)


def _as_parameter(path: Path, value: Any, data: Any) -> str | None:
    """Say where a parameter of an estimator stands, where one stands beside its name."""
    for key in path[:-1]:
        data = child(data, key)
    beside = path[0] == "model" and isinstance(data, dict) and data.get("kind") == "estimator"
    return f"a parameter of the estimator? then parameters: {{{path[-1]}: {shown(value)}}}" if beside else None


def _document_path(loc: tuple[str | int, ...], data: Any) -> tuple[Path, Any]:
    """Leave out of pydantic's location what does not stand in the document: tags and names of types."""
    path = loc[:1] + _within(loc[1:], child(data, loc[0]), loc[:1]) if loc else ()
    for key in path:
        data = child(data, key)
    return path, data


def _within(loc: Path, data: Any, above: Path) -> Path:
    """Return the longest part of ``loc`` that stands in ``data``; of two, the one that takes the first for a tag."""
    if not loc:
        return ()
    key, there = loc[0], child(data, loc[0]) is not None
    below: Path = ()
    if there or (isinstance(data, dict) and (key in data or (len(loc) == 1 and key in keys_at(above, data)))):
        below = (key, *_within(loc[1:], child(data, key), (*above, key)))
    skipped = _within(loc[1:], data, above)
    return below if len(below) > len(skipped) else skipped


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
