"""From a Document to the jobs of its sweep, with the data touched and every Config checked against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from fitlab.trainers.importing import DEFAULT as SAFE


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
    given: str | Path | Mapping[str, Any] | Spec,
    overrides: Sequence[str] = (),
    arrays: Arrays | None = None,
    packages: frozenset[str] = SAFE,
) -> Plan:
    """Read a spec and plan it. Raises SpecError with the problems of the spec and those that its data show.

    packages: what an estimator may be imported from.
    """
    try:
        document = read_spec(given, overrides)
    except SpecError as error:
        raise SpecError([*error.problems, *_further(error, arrays, packages)], error.source) from None
    return plan(document, arrays, packages)


def _further(error: SpecError, arrays: Arrays | None, packages: frozenset[str]) -> tuple[Problem, ...]:
    """Return what the data say of the part of a wrong spec that is right, so that all is told at once."""
    try:
        plan(without(error), arrays, packages)
    except SpecError as further:
        return further.problems
    return ()


def plan(document: Document, arrays: Arrays | None = None, packages: frozenset[str] = SAFE) -> Plan:
    """Return the Configs and jobs of a sweep.

    arrays: (X, y) for ``data.kind: arrays``. X: (N, D), y: (N,). packages: what an estimator may be imported from.
    Raises SpecError, with every problem at its line, for what the data cannot give and Configs that do not fit.
    """
    spec = document.spec
    problems: dict[Problem, None] = {}
    sets: dict[str, tuple[str, Task, dict[str, int]]] = {}
    loaded: dict[str, Dataset] = {}
    planned, infeasible = [], []
    for config in space.configs(document):
        own = dict.fromkeys(trainers.problems(config.sections, packages))
        problems |= own
        key = canonical(config.plain["data"])
        try:
            if key not in sets:
                sets[key] = _touch(config, arrays, loaded)
            fingerprint, task, sizes = sets[key]
        except SpecError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        if own:
            continue
        problems |= dict.fromkeys(trainers.misfits(config.sections, task, sizes))
        problems |= dict.fromkeys(_uncounted(spec.sweep.constraints, config, sizes))
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


def refuse(document: Document, configs: Sequence[Config], packages: frozenset[str]) -> None:
    """Raise SpecError for what is wrong with Configs whatever the data are."""
    problems = dict.fromkeys(p for config in configs for p in trainers.problems(config.sections, packages))
    if problems:
        raise document.error(list(problems))


def allowed(packages: Sequence[str]) -> frozenset[str]:
    """Return the packages that may be imported from: scikit-learn and what the user names (``--allow``)."""
    named = [packages] if isinstance(packages, str) else packages
    return SAFE | {name.partition(".")[0] for name in named}


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


def _uncounted(constraints: tuple[Constraint, ...], config: Config, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Yield a problem where a constraint is on what is not known before training."""
    if constraints and trainers.n_parameters(config.sections, sizes) is None:
        message = "n_parameters of an estimator is not known before it is trained"
        yield Problem(("sweep", "constraints"), message, hint="leave the constraints out")


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
