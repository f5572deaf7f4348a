"""From a file, a dict or a Spec to a validated Spec, or to every problem at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from fitlab.errors import Path, Problem, SpecError
from fitlab.spec.grammar import allowed, can_be_swept, child, choices, described, did_you_mean, keys_at, sweepable
from fitlab.spec.model import Spec
from fitlab.spec.models import Sections
from fitlab.spec.not_yet import refusals
from fitlab.spec.overrides import override
from fitlab.spec.source import Source, read_yaml
from fitlab.spec.sweeps import Range, Values

T = TypeVar("T")
MAX_SHOWN = 60  # characters of a value in an error message
MAX_PROBLEMS = 40


@dataclass(frozen=True)
class Document:
    """A Spec and the text that it came from, so that later findings can cite the line."""

    spec: Spec
    source: Source

    def error(self, problems: Sequence[Problem]) -> SpecError:
        """Make an error of ``problems``, each with its place: a swept key stands where it is swept."""
        return SpecError([self._placed(problem) for problem in problems], self.source.name)

    def _placed(self, problem: Problem) -> Problem:
        path = problem.path
        for end in range(len(path), 1, -1):
            swept = ("sweep", "parameters", ".".join(map(str, path[:end])))
            if swept in self.source.places:
                path = swept
                break
        return replace(problem, where=problem.where or self.source.where(path))


def read_spec(given: str | FilePath | Mapping[str, Any] | Spec, overrides: Sequence[str] = ()) -> Document:
    """Read a spec from a YAML file, a dict or a Spec, apply ``path=value`` overrides, and validate it.

    Raises SpecError with every problem found, each with file, line, key, what is allowed and what was given.
    """
    return _document(override(_source(given), overrides))


def _document(source: Source) -> Document:
    if not isinstance(source.data, dict):
        found = "an empty file" if source.data is None else f"a {type(source.data).__name__}"
        problem = Problem((), f"a spec is a mapping, got {found}", hint="`fitlab init` writes one to start from")
        raise SpecError([*source.problems, replace(problem, where=source.where(()))], source.name)
    problems = [
        *source.problems,
        *_problems_of(source.data),
        *_training_problems(source.data),
        *_sweep_problems(source.data),
    ]
    if problems:
        raise SpecError(_placed(source, problems)[:MAX_PROBLEMS], source.name, source)
    return Document(_SPEC.validate_json(json.dumps(_settled(source.data))), source)


def without(error: SpecError) -> Document:
    """Return the spec of an error from ``read_spec`` without the keys that are wrong.

    Raises SpecError, with nothing to tell, where too little is left.
    """
    source = error.cause
    if not isinstance(source, Source):
        raise SpecError([])
    data = copy.deepcopy(source.data)
    for problem in error.problems:
        _drop(data, problem.path)
    data.setdefault("name", "unnamed")
    try:
        return _document(replace(source, data=data, problems=()))
    except SpecError:
        raise SpecError([]) from None


def _drop(data: Any, path: Path) -> None:
    """Remove what stands at ``path``: a swept value with its parameter, an item with its list."""
    path = path[:3] if path[:2] == ("sweep", "parameters") else path
    for depth, key in enumerate(path):
        if not isinstance(data, dict) or key not in data:
            return
        if depth == len(path) - 1 or isinstance(data[key], list):
            del data[key]
            return
        data = data[key]


def _placed(source: Source, problems: Sequence[Problem]) -> list[Problem]:
    found = {replace(p, where=p.where or source.where(p.path)): None for p in problems}
    return sorted(found, key=lambda p: _line(p.where))


def _line(where: str | None) -> tuple[int, int]:
    parts = (where or "").rsplit(":", 2)[1:]
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(p.isdigit() for p in parts) else (0, 0)


def _source(given: str | FilePath | Mapping[str, Any] | Spec) -> Source:
    if isinstance(given, Spec):
        return Source("spec", "", given.model_dump(mode="json", exclude_unset=True))
    if isinstance(given, Mapping):
        try:
            data = json.loads(json.dumps(given, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise SpecError(f"a spec holds plain JSON data: {error}") from None
        return Source("spec", "", data)
    if not isinstance(given, str | FilePath):
        raise SpecError(f"a spec is a path, a mapping or a Spec, got {type(given).__name__}")
    try:
        text = FilePath(given).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{given}: no such file; `fitlab init` writes a spec to start from") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"{given}: cannot be read as UTF-8 text: {error}") from None
    return read_yaml(text, str(given))


def sections(data: Mapping[str, Any]) -> Sections:
    """Validate the data, model and training sections of a Config.

    Raises SpecError, its problems not yet placed.
    """
    plain = {key: data[key] for key in Sections.model_fields if key in data}
    result = _validated(_SECTIONS, plain)
    problems = result[1] or list(refusals(plain))
    if result[0] is None or problems:
        raise SpecError(problems)
    return result[0]


_SECTIONS: TypeAdapter[Sections] = TypeAdapter(Sections)
_SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)


def _problems_of(data: dict[str, Any]) -> list[Problem]:
    """Return what is wrong with a whole spec; what is not built yet hides the grammar's own complaint."""
    refused = list(refusals(data))
    hidden = {problem.path for problem in refused}
    _, problems = _validated(_SPEC, data)
    return refused + [p for p in problems if not any(p.path[: len(path)] == path for path in hidden)]


def _validated(adapter: TypeAdapter[T], data: dict[str, Any]) -> tuple[T | None, list[Problem]]:
    """Return what ``data`` is, or None and what is wrong with it."""
    try:
        return adapter.validate_json(json.dumps(_settled(data))), []
    except ValidationError as error:
        by_path: dict[Path, Problem] = {}
        for details in error.errors(include_url=False):
            if details["type"] == "none_required":
                continue  # the other alternative says what is wrong
            problem = _problem(dict(details), data)
            by_path.setdefault(problem.path, problem)
        return None, list(by_path.values())


def _settled(data: dict[str, Any]) -> dict[str, Any]:
    """Say of an estimator that it has no training section: its settings are parameters of its own."""
    model = data.get("model")
    own = isinstance(model, dict) and model.get("kind") == "estimator"
    return {**data, "training": None} if own and "training" not in data else data


def _training_problems(data: dict[str, Any]) -> Iterator[Problem]:
    model, training = data.get("model"), data.get("training", ...)
    own = isinstance(model, dict) and model.get("kind") == "estimator"
    if own and training not in (None, ...):
        hint = "its settings are model.parameters, its epochs or stages model.axis"
        yield Problem(("training",), "an estimator has no training section", hint=hint)
    if not own and training is None:
        yield Problem(("training",), "not allowed", "null", allowed(("training",)))


def _problem(details: dict[str, Any], data: Any) -> Problem:
    path, value = _document_path(details["loc"], data)
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            keys = keys_at(path[:-1], data)
            hint = did_you_mean(str(path[-1]), keys)
            return Problem(path, "unknown key", _shown(value), ", ".join(keys), hint)
        case "missing":
            return Problem(path, "missing key", allowed=allowed(path, data), hint=described(path, data))
        case "union_tag_not_found" if isinstance(value, dict):
            return Problem((*path, "kind"), "missing key", allowed=allowed((*path, "kind"), data))
        case "union_tag_invalid":
            tag = "solver" if path == ("training",) else "kind"
            tags = context["expected_tags"].replace("'", "")
            hint = did_you_mean(context["tag"], tags.split(", "))
            return Problem((*path, tag), f"unknown {tag}", _shown(value.get(tag)), f"one of {tags}", hint)
        case "fitlab":
            given = None if value is None else _shown(value)
            return Problem(path, context["message"], given, context["allowed"], context["hint"])
        case _:
            hint = did_you_mean(value, choices(path, data)) if isinstance(value, str) else None
            return Problem(path, "not allowed", _shown(value), allowed(path, data) or details["msg"], hint)


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


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


# ── the sweep section against the others ────────────────────────────────────────────────────────────────────


def _sweep_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with swept keys and values, each value tried in its place."""
    sweep = data.get("sweep")
    parameters = sweep.get("parameters") if isinstance(sweep, dict) else None
    swept = parameters if isinstance(parameters, dict) else {}
    known = {problem.path for problem in _problems_of(data)}
    for key, domain in swept.items():
        at: Path = ("sweep", "parameters", key)
        inside = [other for other in swept if key.startswith(f"{other}.")]
        if inside:
            yield Problem(at, f"it stands inside {inside[0]}, which is swept too", hint="sweep one of the two")
        elif not can_be_swept(key):
            kind = key.rsplit(".", 1)[-1] == "kind"
            message = "kind cannot be swept" if kind else "not a key that can be swept"
            hint = None if kind else did_you_mean(key, sweepable())
            yield Problem(at, message, allowed="any key of data, model and training but kind", hint=hint)
        elif isinstance(domain, dict):
            yield from _when_problems(at, domain.get("when"), swept)
            yield from _value_problems(at, key, domain, data, known)
    yield from _axis_problems(data, swept)


def _axis_problems(data: dict[str, Any], swept: dict[str, Any]) -> Iterator[Problem]:
    diagnosis = data.get("diagnosis")
    axis = diagnosis.get("capacity_axis") if isinstance(diagnosis, dict) else None
    if isinstance(axis, str) and axis not in swept:
        hint = did_you_mean(axis, swept)
        yield Problem(("diagnosis", "capacity_axis"), "not a swept key", axis, ", ".join(swept) or "none", hint)


def _when_problems(at: Path, when: Any, swept: dict[str, Any]) -> Iterator[Problem]:
    for key, value in (when if isinstance(when, dict) else {}).items():
        path = (*at, "when", key)
        if key == at[-1]:
            yield Problem(path, "a parameter cannot depend on itself")
        elif not can_be_swept(key):
            yield Problem(path, "unknown key", hint=did_you_mean(key, sweepable()))
        elif (
            isinstance(swept.get(key), dict)
            and isinstance(swept[key].get("values"), list)
            and value not in swept[key]["values"]
        ):
            yield Problem(path, f"{key} never has this value", _shown(value), _shown(swept[key]["values"]))


def _value_problems(
    at: Path, key: str, domain: dict[str, Any], data: dict[str, Any], known: set[Path]
) -> Iterator[Problem]:
    """Try each value in the section that it belongs to; report what was not wrong before."""
    values = domain.get("values")
    tried: list[tuple[Path, Any]] = [
        (("values", i), v) for i, v in enumerate(values if isinstance(values, list) else ())
    ]
    tried += [((name,), domain[name]) for name in ("low", "high") if isinstance(domain.get(name), int | float)]
    for place, value in tried:
        when = domain.get("when")
        changed = copy.deepcopy(data)
        for path, set_to in [*(when.items() if isinstance(when, dict) else ()), (key, value)]:
            put(changed, path, set_to)
        path = tuple(key.split("."))
        for problem in _problems_of(changed):
            if problem.path[: len(path)] == path and problem.path not in known:
                below = problem.path[len(path) :]
                hint = problem.hint
                if problem.message == "unknown key":
                    hint = f"is it for another alternative? then give it `when: {{…}}`; {hint or ''}".rstrip("; ")
                yield replace(problem, path=(*at, *place, *below), hint=hint)


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key of nested plain data in place; what stands in the way becomes a mapping."""
    *above, last = key.split(".")
    for step in above:
        if not isinstance(data.get(step), dict):
            data[step] = {}
        data = data[step]
    data[last] = value


def base_sections(spec: Spec) -> dict[str, Any]:
    """Return the sections of ``spec`` as the user wrote them, defaults left out, as plain JSON data."""
    plain: dict[str, Any] = spec.model_dump(mode="json", exclude_unset=True, include=set(Sections.model_fields))
    return plain


def domain_of(spec: Spec) -> dict[str, Values | Range]:
    """Return the swept keys of ``spec`` and their domains, in the order in which they were written."""
    return dict(spec.sweep.parameters)
