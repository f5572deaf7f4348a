"""``-o path=value``: change one value of a spec from the command line, before it is validated."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fitlab.errors import Path, Problem, SpecError
from fitlab.spec.grammar import keys_at
from fitlab.spec.source import Source, read_yaml


def override(source: Source, options: Sequence[str]) -> Source:
    """Return ``source`` with every ``path=value`` applied in order; later ones win.

    The value is YAML. The path is matched against the longest key that exists or may exist, because swept
    keys hold dots: ``sweep.parameters.training.alpha.values=[1e-3, 1]``.
    """
    if isinstance(options, str):
        raise SpecError(f"overrides are a list of path=value, got the text {options!r}")
    if not options:
        return source
    data, places = copy.deepcopy(source.data), dict(source.places)
    problems = list(source.problems)
    for option in options:
        where = f"-o {option}"
        name, equals, text = option.partition("=")
        if not equals or not name.strip():
            problems.append(Problem((), "not an override", where=where, allowed="path=value"))
            continue
        try:
            given = read_yaml(text, where, place=where)
        except SpecError as error:
            problems += error.problems
            continue
        problems += given.problems
        path = _match(name.strip(), data)
        blocked = _put(data, path, given.data)
        if blocked is not None:
            problems.append(Problem(blocked, "not a mapping: nothing can be set below it", where=where))
            continue
        for old in [place for place in places if place[: len(path)] == path]:
            del places[old]
        places |= {path + below: where for below in given.places} | {path: where}
    return replace(source, data=data, places=places, problems=tuple(problems))


def _match(name: str, data: Any) -> Path:
    path: Path = ()
    while name:
        keys = [*(data if isinstance(data, dict) else ()), *keys_at(path)]
        fitting = [key for key in keys if name == key or name.startswith(f"{key}.")]
        key = max(fitting, key=len, default=name.partition(".")[0])
        path, name = (*path, key), name[len(key) + 1 :]
        data = data.get(key) if isinstance(data, dict) else None
    return path


def _put(data: Any, path: Path, value: Any) -> Path | None:
    """Set ``value`` at ``path``, making mappings on the way; return the path that cannot hold it, or None."""
    for depth, key in enumerate(path[:-1]):
        if not isinstance(data, dict):
            return path[:depth]
        data = data.setdefault(key, {})
    if not isinstance(data, dict):
        return path[:-1]
    data[path[-1]] = value
    return None
