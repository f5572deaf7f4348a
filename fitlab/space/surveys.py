"""Surveys: which points of a space are trained, in which order, each Config once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from fitlab.errors import Problem, SpecError
from fitlab.records import Config
from fitlab.seeds import canonical, stream
from fitlab.space.domains import at, choices
from fitlab.space.points import MAX_POINTS, Point, Space, active, config_of, grid, space_of
from fitlab.spec import Document
from fitlab.spec.sweeps import Grid, Qmc, Random, Tpe

BARREN = 1000  # draws in a row without anything new, before an endless space is taken to have no more
REPEATS = 50  # proposals in a row that bring nothing new, before the rest is enumerated
BLOCK = 64  # points of a Sobol sequence drawn at a time: a power of two keeps its balance
PROBES = 1000  # points that stand for a space
Found = tuple[Point, Config | SpecError]


def survey(space: Space) -> Iterator[Found]:
    """Yield the points of a survey with their Configs, or what is wrong with them; each Config once, without end
    where the space has none.

    Raises SpecError where a grid has no or too many points.
    """
    seen: set[str] = set()
    repeats = 0
    for point in _proposals(space):
        found = tried(space, point)
        repeats = repeats + 1 if identity(found) in seen else 0
        if repeats == REPEATS:
            break
        if not repeats:
            seen.add(identity(found))
            yield found
    yield from rest(space, seen)


def configs(document: Document) -> list[Config]:
    """Return every Config of a survey, in its order; of a search those that stand for its space.

    Raises SpecError with everything that is wrong with its points. The data are not touched: constraints are
    not looked at.
    """
    space, sweep = space_of(document), document.spec.sweep
    found = probes(space) if isinstance(sweep, Tpe) else survey(space)
    made = [one for _, one in islice(found, None if isinstance(sweep, Grid | Tpe) else sweep.trials)]
    problems = [problem for one in made if isinstance(one, SpecError) for problem in one.problems]
    if problems:
        raise document.error(problems)
    return [one for one in made if isinstance(one, Config)]


def tried(space: Space, point: Point) -> Found:
    """Return a point with its Config, or with what is wrong with it."""
    try:
        return point, config_of(space, point)
    except SpecError as error:
        return point, error


def identity(found: Found) -> str:
    """Return what tells a proposal from others: the digest of its Config."""
    point, made = found
    return made.digest if isinstance(made, Config) else canonical(point)


def rest(space: Space, seen: set[str], seed: int = 0) -> Iterator[Found]:
    """Yield what of a space is not among ``seen``, which grows: in grid order, or, where it cannot be enumerated, as
    drawn, until ``BARREN`` draws in a row bring nothing new."""
    barren = 0
    for point in grid(space) if finite(space) else independent(space, seed, "rest"):
        found = tried(space, point)
        barren += 1
        if identity(found) not in seen:
            seen.add(identity(found))
            barren = 0
            yield found
        if barren == BARREN and not finite(space):
            return


def probes(space: Space) -> Iterator[Found]:
    """Yield points that stand for a space before it is searched: all of a small one, else its ends, then draws."""
    small = finite(space) and sum(1 for _ in islice(grid(space), PROBES + 1)) <= PROBES
    points = grid(space) if small else (draw(space, shares) for shares in _ends(len(space.order)))
    drawn = () if small else islice(independent(space, seed=0), PROBES)
    seen: set[str] = set()
    for point in (*points, *drawn):
        found = tried(space, point)
        if identity(found) not in seen:
            seen.add(identity(found))
            yield found


def _ends(keys: int) -> Iterator[list[float]]:
    """Yield the corners of the unit cube at which all keys are low, all high, and one is unlike the others."""
    low, high = 0.0, 1 - 1e-9
    yield [low] * keys
    yield [high] * keys
    for i in range(keys):
        yield [high if i == j else low for j in range(keys)]
        yield [low if i == j else high for j in range(keys)]


def finite(space: Space) -> bool:
    """Whether the points of a space can be enumerated."""
    return all(choices(key, domain) is not None for key, domain in space.domains.items())


def _proposals(space: Space) -> Iterator[Point]:
    match space.document.spec.sweep:
        case Grid():
            _refuse_endless(space)
            return grid(space)
        case Qmc() as qmc:
            return sobol(space, qmc.seed)
        case Random() as random:
            return independent(space, random.seed)
        case Tpe():
            raise TypeError("a search is proposed by Optuna")


def _refuse_endless(space: Space) -> None:
    endless = [key for key, domain in space.domains.items() if choices(key, domain) is None]
    if endless:
        message, allowed = "missing key: a grid needs the number of points", "an integer ≥ 2"
        paths = [("sweep", "parameters", key, "points") for key in endless]
        raise space.document.error([Problem(path, message, allowed=allowed) for path in paths])
    if sum(1 for _ in islice(grid(space), MAX_POINTS + 1)) > MAX_POINTS:
        raise space.document.error([Problem(("sweep", "parameters"), f"more than {MAX_POINTS} points")])


# ── draws ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw(space: Space, shares: Sequence[float]) -> Point:
    """Return the point at ``shares`` (one in [0, 1) a key, in the order of keys) of the unit cube."""
    point: Point = {}
    for key, share in zip(space.order, shares, strict=True):
        if active(space, key, point):
            point[key] = at(key, space.domains[key], share)
    return {key: point[key] for key in space.domains if key in point}


def sobol(space: Space, seed: int) -> Iterator[Point]:
    """Yield points of a scrambled Sobol sequence (Sobol 1967; Owen 1998), which fills every axis evenly."""
    from scipy.stats import qmc  # half a second, for those who want it

    sequence = qmc.Sobol(max(1, len(space.order)), scramble=True, rng=stream("qmc", seed))
    while True:
        for shares in sequence.random(BLOCK).tolist():
            yield draw(space, shares[: len(space.order)])


def independent(space: Space, seed: int, purpose: str = "random") -> Iterator[Point]:
    """Yield independent draws."""
    rng = np.random.default_rng(stream(purpose, seed))
    while True:
        yield draw(space, rng.random(len(space.order)).tolist())
