"""From a file, a dict or a Spec to a validated Spec, or to every problem at once."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from fitlab.errors import Path, Problem, SpecError
from fitlab.spec.model import Spec
from fitlab.spec.models import MODEL, Sections, labels
from fitlab.spec.overrides import override
from fitlab.spec.source import Source, read_yaml
from fitlab.spec.sweeps import Range, Values
from fitlab.spec.swept import sweep_problems
from fitlab.spec.tables import TableFile
from fitlab.spec.validate import problems_of, spec_of

MAX_PROBLEMS = 40


@dataclass(frozen=True)
class Document:
    """A Spec and the text that it came from, so that later findings can cite the line."""

    spec: Spec
    source: Source

    def error(self, problems: Sequence[Problem]) -> SpecError:
        """Make an error of ``problems``, each with its place: a swept key stands where it is swept."""
        return SpecError([self._placed(self._hinted(problem)) for problem in problems], self.source.name)

    def _hinted(self, problem: Problem) -> Problem:
        """Say where a file is, if it lies beside the spec instead of where fitlab is run."""
        data = self.spec.data
        if not isinstance(data, TableFile) or problem.given != str(FilePath(data.path).absolute()):
            return problem
        beside = FilePath(self.source.name).parent / data.path
        there = os.path.isfile(beside) and not os.path.exists(data.path)  # False for what is no path at all
        return replace(problem, hint=f"it lies beside the spec: path: {beside}") if there else problem

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
        *problems_of(source.data),
        *sweep_problems(source.data),
    ]
    if problems:
        raise SpecError(_placed(source, problems)[:MAX_PROBLEMS], source.name, source)
    return Document(spec_of(source.data), source)


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


def base_sections(spec: Spec) -> dict[str, Any]:
    """Return the sections of ``spec`` as the user wrote them, defaults left out, as plain JSON data."""
    plain: dict[str, Any] = spec.model_dump(mode="json", exclude_unset=True, include=set(Sections.model_fields))
    return plain


def alternatives(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return the alternatives of ``model:`` as they were written, under their labels; empty where it is no list."""
    models = base_sections(spec)["model"]
    return dict(zip(labels(models), models, strict=True)) if isinstance(models, list) else {}


def domain_of(spec: Spec) -> dict[str, Values | Range]:
    """Return the swept keys of ``spec`` and their domains, in the order in which they were written.

    A list of alternatives under ``model:`` is a key, ``model``, whose values are their labels.
    """
    models = alternatives(spec)
    first: dict[str, Values | Range] = {MODEL: Values(values=tuple(models))} if models else {}
    return first | dict(spec.sweep.parameters)
