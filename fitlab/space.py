"""The space of a sweep: which points a survey has, as validated Configs, and how Optuna is told of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Config
from fitlab.seeds import canonical
from fitlab.spec import Document, Spec, base_sections, domain_of, put, sections, takes
from fitlab.spec.sweeps import Range, Values

MAX_POINTS = 100_000
Point = dict[str, Any]


def configs(document: Document) -> list[Config]:
    """Return every Config of a survey in grid order (the last swept key runs fastest), repeats dropped.

    Raises SpecError where a point is not a valid Config, where the grid has no or too many points.
    """
    spec = document.spec
    base = base_sections(spec)
    problems: dict[Problem, None] = {}
    found: dict[str, Config] = {}
    for point in _points(document):
        plain = copy.deepcopy(base)
        for key, value in point.items():
            put(plain, key, value)
        try:
            parts = sections(plain)
        except SpecError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        config = Config(parts, {})
        swept = {key: _as_read(value, config.plain, key) for key, value in point.items()}
        found.setdefault(config.digest, Config(parts, swept))
    if problems:
        raise document.error(list(problems))
    return list(found.values())


def _points(document: Document) -> list[Point]:
    domains = domain_of(document.spec)
    plain = document.spec.model_dump(mode="json")
    points: list[Point] = [{}]
    for key in _dependencies_first(document, domains):
        values = _values(document, key, domains[key])
        active = [_active(domains[key].when, point, plain) for point in points]
        if sum(len(values) if there else 1 for there in active) > MAX_POINTS:
            raise document.error([Problem(("sweep", "parameters"), f"more than {MAX_POINTS} points")])
        points = [
            {**point, key: value} if there else point
            for point, there in zip(points, active, strict=True)
            for value in (values if there else [None])
        ]
        if not any(key in point for point in points):
            at: Path = ("sweep", "parameters", key, "when")
            raise document.error([Problem(at, "never true: the parameter would never be used")])
    return [{key: point[key] for key in domains if key in point} for point in points]


def _dependencies_first(document: Document, domains: Mapping[str, Values | Range]) -> list[str]:
    """Order swept keys so that each comes after those that its ``when`` names, else as written."""
    order: list[str] = []
    waiting = list(domains)
    while waiting:
        ready = [key for key in waiting if not any(other in waiting for other in domains[key].when)]
        if not ready:
            at: Path = ("sweep", "parameters", waiting[0], "when")
            raise document.error([Problem(at, "the conditions form a circle", ", ".join(waiting))])
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _active(when: Mapping[str, Any], point: Point, plain: dict[str, Any]) -> bool:
    return all(same(point.get(key, _get(plain, key)), value) for key, value in when.items())


def same(a: Any, b: Any) -> bool:
    """Whether two values of a spec are the same; 1 and 1.0 are, true and 1 are not."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _get(plain: Any, key: str) -> Any:
    for step in key.split("."):
        plain = plain.get(step) if isinstance(plain, dict) else None
    return plain


def _as_read(value: Any, plain: dict[str, Any], key: str) -> Any:
    """The value as the grammar reads it: an int where a float is wanted becomes one."""
    read = _get(plain, key)
    return read if isinstance(read, float) and not isinstance(value, bool) else value


def _values(document: Document, key: str, domain: Values | Range) -> list[Any]:
    if isinstance(domain, Values):
        return list(domain.values)
    if domain.points is None and not integer(key, domain):
        at: Path = ("sweep", "parameters", key, "points")
        raise document.error([Problem(at, "missing key: a grid needs the number of points", allowed="an integer ≥ 2")])
    if domain.points is None and domain.high - domain.low >= MAX_POINTS:
        raise document.error([Problem(("sweep", "parameters", key), f"more than {MAX_POINTS} values")])
    return grid_values(domain, integer(key, domain))


def integer(key: str, domain: Range) -> bool:
    """Whether a range holds whole numbers: what the key takes decides; where it takes both, how it is written."""
    types = takes(key)
    return "integer" in types and ("number" not in types or domain.whole)


def grid_values(domain: Range, whole: bool) -> list[int] | list[float]:
    """Return the points of a range, both ends included, rounded to 12 significant digits (or to whole numbers)."""
    low, high = domain.low, domain.high
    if domain.points is None:
        return list(range(int(low), int(high) + 1))
    steps = [i / (domain.points - 1) for i in range(1, domain.points - 1)]
    inner = [low * (high / low) ** step if domain.log else low + (high - low) * step for step in steps]
    if whole:
        return sorted({int(low), *(round(value) for value in inner), int(high)})
    return [float(low), *(float(f"{value:.12g}") for value in inner), float(high)]


def distributions(spec: Spec, point: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """Return Optuna's view of the parameters that are active at ``point``; the same under every sampler."""
    return {key: _distribution(key, domain) for key, domain in domain_of(spec).items() if key in point}


def _distribution(key: str, domain: Values | Range) -> BaseDistribution:
    if isinstance(domain, Values):
        return CategoricalDistribution(tuple(dict.fromkeys(encode(value) for value in domain.values)))
    if integer(key, domain):
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(float(domain.low), float(domain.high), log=domain.log)


def encode(value: Any) -> bool | int | float | str | None:
    """Write a value as Optuna takes it: plain scalars as they are, lists and mappings as canonical JSON."""
    return value if value is None or isinstance(value, bool | int | float | str) else canonical(value)
