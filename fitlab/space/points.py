"""The points of a sweep: which there are, in which order a survey takes them, and the Config that each one is."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Config
from fitlab.seeds import canonical
from fitlab.space.domains import Domain, choices, distribution, from_optuna, to_optuna
from fitlab.spec import MODEL, Document, alternatives, base_sections, domain_of, put, sections, takes
from fitlab.spec.sweeps import Range, Values

MAX_POINTS = 100_000
Point = dict[str, Any]


@dataclass(frozen=True)
class Space:
    """What a spec sweeps: the sections as written, alternatives of the model, and the domain of each swept key."""

    document: Document
    base: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]  # label -> alternative; empty where the model is no list
    domains: Mapping[str, Domain]  # in the order of the spec
    order: tuple[str, ...]  # of the keys: each after those that its ``when`` names
    facts: Mapping[tuple[str, str, str], bool]  # (alternative, key, value) of conditions on keys that are not swept


def space_of(document: Document) -> Space:
    """Return the space of a spec.

    Raises SpecError where conditions form a circle or a parameter never exists.
    """
    spec = document.spec
    domains = domain_of(spec)
    order = _dependencies_first(document, domains)
    space = Space(document, base_sections(spec), alternatives(spec), domains, order, {})
    facts = {
        (label, key, canonical(value)): _has(space, {MODEL: label} if space.models else {}, key, value)
        for domain in domains.values()
        for key, value in domain.when.items()
        if key not in domains
        for label in (space.models or ("",))
    }
    space = replace(space, facts=facts)
    _refuse_idle_keys(space)
    _refuse_lost_points(space)
    return space


def _dependencies_first(document: Document, domains: Mapping[str, Domain]) -> tuple[str, ...]:
    order: list[str] = []
    waiting = list(domains)
    while waiting:
        ready = [key for key in waiting if not any(other in waiting for other in domains[key].when)]
        if not ready:
            at_when: Path = ("sweep", "parameters", waiting[0], "when")
            raise document.error([Problem(at_when, "the conditions form a circle", ", ".join(waiting))])
        order.append(ready[0])
        waiting.remove(ready[0])
    return tuple(order)


def _refuse_idle_keys(space: Space) -> None:
    """Refuse a parameter whose conditions are never true together, judged by the values that conditions name."""
    named: dict[str, list[Any]] = {key: [] for key in space.domains}
    for domain in space.domains.values():
        for key, value in domain.when.items():
            if key in named and _among(value, choices(key, space.domains[key]) or ()):
                named[key].append(value)
    few = {key: Values(values=tuple(values) or ("\0",), when=space.domains[key].when) for key, values in named.items()}
    seen = {key for point in islice(grid(replace(space, domains=few)), MAX_POINTS) for key in point}
    idle = [key for key in space.domains if key not in seen]
    if idle:
        message = "never true: the parameter would never be used"
        raise space.document.error([Problem(("sweep", "parameters", key, "when"), message) for key in idle])


def _refuse_lost_points(space: Space) -> None:
    """Refuse a range whose points coincide because it is written as whole numbers, where the key takes others too."""
    for key, domain in space.domains.items():
        if not isinstance(domain, Range) or domain.points is None or "number" not in takes(key):
            continue
        values = choices(key, domain) or ()
        if len(values) < domain.points:
            given = f"{domain.points}, of which {len(values)} differ: {', '.join(map(str, values))}"
            hint = f"low: {float(domain.low)} makes it a range of all numbers"
            message = "more points than the range has whole numbers"
            at: Path = ("sweep", "parameters", key, "points")
            raise space.document.error([Problem(at, message, given, f"at most {len(values)}", hint)])


def _among(value: Any, values: Sequence[Any]) -> bool:
    """Whether a domain has a value; a range of whole numbers can be long."""
    if isinstance(values, range):
        return isinstance(value, int) and not isinstance(value, bool) and value in values
    return any(same(value, there) for there in values)


# ── one point ───────────────────────────────────────────────────────────────────────────────────────────────


def config_of(space: Space, point: Point) -> Config:
    """Return the Config of a point. Raises SpecError, its problems not yet placed, where it is none."""
    plain = _sections_at(space, point)
    for key, value in point.items():
        if key != MODEL:
            put(plain, key, value)
    config = Config(sections(plain), {})
    return replace(config, swept={key: _as_read(value, config.plain, key) for key, value in point.items()})


def _sections_at(space: Space, point: Point) -> dict[str, Any]:
    """Return the sections as written, with the alternative of the point."""
    plain = dict(copy.deepcopy(space.base))
    if MODEL in point:
        plain[MODEL] = dict(copy.deepcopy(space.models[point[MODEL]]))
        if plain[MODEL]["kind"] == "estimator":
            plain.pop("training", None)  # it is for the other alternatives
    return plain


def _as_read(value: Any, plain: Mapping[str, Any], key: str) -> Any:
    """The value as the grammar reads it: an int where a float is wanted becomes one."""
    read = _get(plain, key)
    return read if isinstance(read, float) and not isinstance(value, bool) else value


def _get(plain: Any, key: str) -> Any:
    for step in key.split("."):
        plain = plain.get(step) if isinstance(plain, dict) else None
    return plain


def active(space: Space, key: str, point: Point) -> bool:
    """Whether a key exists at a point, of which the keys that its ``when`` names are known."""
    return all(_holds(space, point, other, value) for other, value in space.domains[key].when.items())


def _holds(space: Space, point: Point, key: str, value: Any) -> bool:
    """Whether ``key`` has ``value``: a swept key that does not exist at the point has none."""
    if key in space.domains:
        return key in point and same(point[key], value)
    return space.facts[point.get(MODEL, ""), key, canonical(value)]


def _has(space: Space, point: Point, key: str, value: Any) -> bool:
    """Whether the sections as written have ``value`` at ``key``, both as the grammar reads them."""
    plain = _sections_at(space, point)
    wanted = copy.deepcopy(plain)
    put(wanted, key, value)
    try:
        here, there = (Config(sections(one), {}).plain for one in (plain, wanted))
    except SpecError:
        return False
    return same(_get(here, key), _get(there, key))


def same(a: Any, b: Any) -> bool:
    """Whether two values of a spec are the same; 1 and 1.0 are, true and 1 are not."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


# ── all points ──────────────────────────────────────────────────────────────────────────────────────────────


def grid(space: Space, depth: int = 0, point: Point | None = None) -> Iterator[Point]:
    """Yield every point, the last key of ``order`` running fastest; none where a range has no points."""
    point = point or {}
    if depth == len(space.order):
        yield {key: point[key] for key in space.domains if key in point}
        return
    key = space.order[depth]
    if not active(space, key, point):
        yield from grid(space, depth + 1, point)
        return
    for value in choices(key, space.domains[key]) or ():
        yield from grid(space, depth + 1, {**point, key: value})


def suggest(space: Space, trial: optuna.Trial) -> Point:
    """Return the point that Optuna proposes (or was told to propose) for a trial."""
    point: Point = {}
    for key in space.order:
        domain = space.domains[key]
        if active(space, key, point):
            point[key] = from_optuna(domain, _suggested(trial, key, domain))
    return {key: point[key] for key in space.domains if key in point}


def _suggested(trial: optuna.Trial, key: str, domain: Domain) -> Any:
    match distribution(key, domain):
        case CategoricalDistribution() as categories:
            return trial.suggest_categorical(key, categories.choices)
        case IntDistribution() as whole:
            return trial.suggest_int(key, whole.low, whole.high, log=whole.log)
        case FloatDistribution() as real:
            return trial.suggest_float(key, real.low, real.high, log=real.log)
    raise TypeError(key)


def as_enqueued(space: Space, point: Point) -> dict[str, Any]:
    """Write a point as Optuna's ``enqueue_trial`` takes it."""
    return {key: to_optuna(space.domains[key], value) for key, value in point.items()}
