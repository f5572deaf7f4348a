"""From a Document to the jobs of its sweep, with the data touched and every Config checked against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitlab import data, space, trainers
from fitlab.data import Arrays, Dataset
from fitlab.errors import Problem, SpecError
from fitlab.records import Config, Job, Task
from fitlab.seeds import canonical
from fitlab.spec import Document, Spec, read_spec, without
from fitlab.spec.sweeps import Constraint
from fitlab.store import Planned


@dataclass(frozen=True)
class Plan:
    """What a sweep is to train, before anything is."""

    document: Document
    planned: tuple[Planned, ...]
    infeasible: tuple[tuple[Config, dict[str, float]], ...]  # Configs that break a constraint, and by how much

    @property
    def jobs(self) -> list[Job]:
        """Every job, in the order of Configs and seeds."""
        return [job for one in self.planned for job in one.jobs]


def read_plan(
    given: str | Path | Mapping[str, Any] | Spec, overrides: Sequence[str] = (), arrays: Arrays | None = None
) -> Plan:
    """Read a spec and plan it. Raises SpecError with the problems of the spec and those that its data show."""
    try:
        document = read_spec(given, overrides)
    except SpecError as error:
        raise SpecError([*error.problems, *_further(error, arrays)], error.source) from None
    return plan(document, arrays)


def _further(error: SpecError, arrays: Arrays | None) -> tuple[Problem, ...]:
    """Return what the data say of the part of a wrong spec that is right, so that all is told at once."""
    try:
        plan(without(error), arrays)
    except SpecError as further:
        return further.problems
    return ()


def plan(document: Document, arrays: Arrays | None = None) -> Plan:
    """Return the Configs and jobs of a sweep.

    arrays: (X, y) for ``data.kind: arrays``. X: (N, D), y: (N,).
    Raises SpecError, with every problem at its line, for what the data cannot give and Configs that do not fit.
    """
    spec = document.spec
    problems: dict[Problem, None] = {}
    sets: dict[str, tuple[str, Task, dict[str, int]]] = {}
    loaded: dict[str, Dataset] = {}
    planned, infeasible = [], []
    for config in space.configs(document):
        key = canonical(config.plain["data"])
        try:
            if key not in sets:
                sets[key] = _touch(config, arrays, loaded)
            fingerprint, task, sizes = sets[key]
        except SpecError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        problems |= dict.fromkeys(trainers.misfits(config.sections, task, sizes))
        excess = _excess(spec.sweep.constraints, config, sizes)
        if excess:
            infeasible.append((config, excess))
            continue
        trainer = trainers.version(config.sections)
        jobs = tuple(Job(config, seed, spec.seeds.vary, fingerprint, trainer) for seed in spec.seeds.values)
        planned.append(Planned(config, jobs, trainers.end(config.sections)))
    if not planned and not problems:
        given = f"all {len(infeasible)} Configs break one"
        problems[Problem(("sweep", "constraints"), "nothing satisfies the constraints", given)] = None
    if problems:
        raise document.error(list(problems))
    return Plan(document, tuple(planned), tuple(infeasible))


def _touch(config: Config, arrays: Arrays | None, loaded: dict[str, Dataset]) -> tuple[str, Task, dict[str, int]]:
    section = config.sections.data
    key = data.source_key(section)
    if key not in loaded:
        loaded[key] = data.load(section, arrays)
    problems = data.problems(loaded[key], section)
    if problems:
        raise SpecError(problems)
    dataset = loaded[key]
    return dataset.fingerprint, dataset.task, data.split(dataset, section, seed_stream=0).sizes


def _excess(constraints: tuple[Constraint, ...], config: Config, sizes: Mapping[str, int]) -> dict[str, float]:
    """Return by how much a Config is outside each constraint that it breaks; Optuna's sign: > 0 is infeasible."""
    found: dict[str, float] = {}
    count = trainers.n_parameters(config.sections, sizes)
    if count is None:
        return found
    for constraint in constraints:
        bound = constraint.n_parameters
        above = count - bound.max if bound.max is not None else 0
        below = bound.min - count if bound.min is not None else 0
        if max(above, below) > 0:
            found["n_parameters"] = max(above, below, found.get("n_parameters", 0))
    return found
