"""From a Document to the jobs of its sweep, with the data touched and every Config checked against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from pathlib import Path as FilePath
from typing import Any

from fitlab import data, space, trainers
from fitlab.data import Arrays, Dataset
from fitlab.errors import Path, Problem, SpecError
from fitlab.records import Config, Job, Task
from fitlab.seeds import canonical
from fitlab.space import Found, Point, Space
from fitlab.spec import MODEL, Document, Spec, alternatives, read_spec, without
from fitlab.spec.models import Estimator, WarmStartAxis
from fitlab.spec.sweeps import Constraint, Grid, Swept, Tpe
from fitlab.store import Planned
from fitlab.trainers.importing import DEFAULT as SAFE

MAX_INFEASIBLE = 10_000  # draws of a survey that break a constraint, before it ends
UNLIKE = "Configs can only be compared at epochs that all of them have"
PROBES = 100  # points at which a search is checked before it begins; more where they break the constraints


@dataclass(frozen=True)
class Made:
    """What became of a Config: jobs, or by how much it breaks constraints, or what is wrong with it."""

    planned: Planned | None = None
    excess: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    task: Task | None = None
    loss: str | None = None


class Planner:
    """Makes jobs of Configs; every data set is loaded once, every way to split it is tried once."""

    def __init__(self, spec: Spec, arrays: Arrays | None = None, packages: frozenset[str] = SAFE) -> None:
        self.spec, self.arrays, self.packages = spec, arrays, packages
        self.labels = list(alternatives(spec))
        self._touched: dict[str, tuple[Dataset, dict[str, int]]] = {}
        self._loaded: dict[str, Dataset] = {}

    def make(self, config: Config) -> Made:
        """Return the jobs of a Config, one a seed, or why there are none."""
        made = self._made(config)
        return replace(made, problems=_placed(made.problems, config, self.labels))

    def _made(self, config: Config) -> Made:
        sections, constraints = config.sections, self.spec.sweep.constraints
        own = tuple(trainers.problems(sections, self.packages))
        try:
            dataset, sizes = self._touch(config)
        except SpecError as error:
            return Made(problems=(*own, *error.problems))
        task = dataset.task
        if own:
            return Made(problems=own, task=task)
        loss = trainers.loss(sections, task)
        problems = (*trainers.misfits(sections, task, sizes, dataset.classes), *_uncounted(constraints, config, sizes))
        excess = _excess(constraints, config, sizes)
        if problems or excess:
            return Made(None, excess, problems, task, loss)
        trainer, vary = trainers.version(sections), self.spec.seeds.vary
        jobs = tuple(Job(config, seed, vary, dataset.fingerprint, trainer) for seed in self.spec.seeds.values)
        return Made(Planned(config, jobs, trainers.end(sections)), task=task, loss=loss)

    def _touch(self, config: Config) -> tuple[Dataset, dict[str, int]]:
        """Return the data of a Config, and the sizes of their parts. Raises SpecError for what they cannot give."""
        section = config.sections.data
        key, source = canonical(config.plain["data"]), data.source_key(section)
        if key not in self._touched:
            if source not in self._loaded:
                self._loaded[source] = data.load(section, self.arrays)
            dataset = self._loaded[source]
            problems = data.problems(dataset, section)
            if problems:
                raise SpecError(problems)
            sizes = data.split(dataset, section, seed_stream=0).sizes
            self._touched[key] = (dataset, sizes)
        return self._touched[key]


@dataclass(frozen=True)
class Infeasible:
    """A Config that breaks a constraint: it is never trained. Excess: by how much, for Optuna."""

    point: Point
    config: Config
    excess: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """What a sweep is to train, before anything is. A search has no Configs yet, but ``probes`` that stand for them."""

    document: Document
    space: Space
    planner: Planner
    planned: tuple[Planned, ...]  # of a survey
    points: tuple[Point, ...]  # of ``planned``, as they were proposed
    infeasible: tuple[Infeasible, ...]  # of a survey
    probes: tuple[Planned, ...] = ()  # of a search
    rungs: tuple[int, ...] = ()  # epochs at which the Configs of a search are compared

    @property
    def jobs(self) -> list[Job]:
        """Every job that is known, in the order of Configs and seeds."""
        return [job for one in self.planned for job in one.jobs]

    @property
    def search(self) -> Tpe | None:
        """The sweep section, if it is a search."""
        method = self.document.spec.sweep
        return method if isinstance(method, Tpe) else None

    @property
    def without_lock(self) -> bool:
        """Whether all that is known to be trained runs without Python's lock."""
        return all(trainers.releases_lock(one.config.sections) for one in (*self.planned, *self.probes))

    @property
    def time_limit(self) -> float | None:
        """Seconds that a Fit may take."""
        return self.document.spec.run.time_limit

    @property
    def trials(self) -> int | None:
        """How many Configs were asked for; None for a grid, which has those that it has."""
        method = self.document.spec.sweep
        return None if isinstance(method, Grid) else method.trials

    @property
    def configs(self) -> int:
        """How many Configs are to be trained; of a search at most."""
        return self.search.trials if self.search else len(self.planned)

    @property
    def fits(self) -> int:
        """How many Fits are to be there in the end; of a search at most."""
        return self.configs * len(self.document.spec.seeds.values)


def read_plan(
    given: str | FilePath | Mapping[str, Any] | Spec,
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
    """Return the Configs and jobs of a survey, or what a search is to begin with.

    arrays: (X, y) for ``data.kind: arrays``. X: (N, D), y: (N,). packages: what an estimator may be imported from.
    Raises SpecError, with every problem at its line, for what the data cannot give and Configs that do not fit.
    """
    found = space.space_of(document)
    planner = Planner(document.spec, arrays, packages)
    if isinstance(document.spec.sweep, Tpe):
        return _search(document, found, planner)
    sweep = document.spec.sweep
    wanted = None if isinstance(sweep, Grid) else sweep.trials
    sieve = _Sieve(document, planner)
    for one in space.survey(found):
        sieve.add(one)
        if len(sieve.planned) + len(sieve.problems) == wanted or len(sieve.infeasible) == MAX_INFEASIBLE:
            break
    sieve.check()
    return Plan(document, found, planner, tuple(sieve.planned), tuple(sieve.points), tuple(sieve.infeasible))


def _search(document: Document, found: Space, planner: Planner) -> Plan:
    sieve = _Sieve(document, planner)
    for one in space.probes(found):
        if len(sieve.planned) == PROBES and not space.finite(found):
            break  # enough stand for the rest; of a space that can be enumerated all that there are
        sieve.add(one)
    sieve.check()
    rungs = _rungs(document, sieve.planned)
    return Plan(document, found, planner, (), (), (), tuple(sieve.planned), rungs)


def _rungs(document: Document, probes: Sequence[Planned]) -> tuple[int, ...]:
    """Return the epochs at which the Configs of a search are compared: all of its Configs have the same last one."""
    sweep = document.spec.sweep
    if not isinstance(sweep, Tpe) or sweep.early_terminate is None:
        return ()
    at, rule = ("sweep", "early_terminate"), sweep.early_terminate
    ends = sorted({one.end for one in probes})
    steps = {m.axis.step for one in probes if isinstance(m := one.config.sections.model, Estimator)
             and isinstance(m.axis, WarmStartAxis)}  # fmt: skip
    if len(ends) > 1 or steps - {1}:
        given = f"last epochs from {ends[0]} to {ends[-1]}, steps of {', '.join(map(str, steps or {1}))}"
        raise document.error([Problem(at, UNLIKE, given, "one length, step: 1; or no early_terminate")])
    epochs = (rule.min_epochs * rule.reduction_factor**k for k in count())
    rungs = tuple(takewhile(lambda epoch: epoch < ends[0], epochs))
    if not rungs:
        given = f"min_epochs: {rule.min_epochs}, of {ends[0]}"
        hint = "what has no training axis cannot be given up early" if ends[0] == 1 else None
        raise document.error([Problem((*at, "min_epochs"), "no rung before the last epoch", given, hint=hint)])
    return rungs


def refuse_unlike(plan: Plan, one: Planned) -> None:
    """Raise SpecError for a Config of a search that cannot be compared with the others at its rungs."""
    if plan.rungs and one.end != plan.probes[0].end:
        given = f"a last epoch of {one.end}, where others have {plan.probes[0].end}"
        raise plan.document.error([Problem(("sweep", "early_terminate"), UNLIKE, given)])


def _objective_problems(sweep: Swept, tasks: set[Task], planned: Sequence[Planned]) -> Iterator[Problem]:
    """Yield the objectives that nobody would record."""
    at = ("sweep", "objective")
    for objective in sweep.objective:
        score = "r2" if objective.metric.startswith("accuracy/") else "accuracy"
        task: Task = "regression" if score == "r2" else "classification"
        if objective.metric.startswith(("accuracy/", "r2/")) and task in tasks:
            yield Problem(at, f"a {task} does not record it", objective.metric, f"loss/val, {score}/val …")
        estimators = [one for one in planned if isinstance(one.config.sections.model, Estimator)]
        if objective.metric == "n_parameters" and estimators:
            yield Problem(at, "parameters are counted of kind: mlp alone", objective.metric)


class _Sieve:
    """Sorts proposals into jobs, Configs that break a constraint, and problems."""

    def __init__(self, document: Document, planner: Planner) -> None:
        self.document, self.planner = document, planner
        self.planned: list[Planned] = []
        self.points: list[Point] = []
        self.infeasible: list[Infeasible] = []
        self.problems: dict[Problem, None] = {}
        self.tasks: set[Task] = set()
        self.losses: set[str] = set()

    def add(self, found: Found) -> None:
        point, config = found
        made = Made(problems=config.problems) if isinstance(config, SpecError) else self.planner.make(config)
        self.problems |= dict.fromkeys(made.problems)
        self.tasks |= {made.task} if made.task else set()
        self.losses |= {made.loss} if made.loss else set()
        if made.planned is not None:
            self.planned.append(made.planned)
            self.points.append(point)
        elif made.excess and isinstance(config, Config):
            self.infeasible.append(Infeasible(point, config, made.excess))

    def check(self) -> None:
        """Raise SpecError with everything that is wrong."""
        sweep = self.document.spec.sweep
        found = {(p.path, p.message) if not isinstance(sweep, Grid) else p: p for p in reversed(self.problems)}
        problems = [*reversed(found.values()), *_objective_problems(sweep, self.tasks, self.planned)]
        if len(self.losses) > 1:
            given = "; ".join(sorted(loss.partition(",")[0] for loss in self.losses))
            hint = "sklearn.calibration.CalibratedClassifierCV gives a classifier probabilities; or sweep them apart"
            message = "different losses, which cannot be compared in one sweep"
            problems.append(Problem(("model",), message, given, hint=hint))
        if not self.planned and not problems:
            tried = "" if isinstance(sweep, Grid) else " that were tried"
            given = f"all {len(self.infeasible)} Configs{tried} break one"
            problems.append(Problem(("sweep", "constraints"), "nothing satisfies the constraints", given))
        if problems:
            raise self.document.error(problems)


def refuse(document: Document, configs: Sequence[Config], packages: frozenset[str]) -> None:
    """Raise SpecError for what is wrong with Configs whatever the data are."""
    labels = list(alternatives(document.spec))
    problems: dict[Problem, None] = {}
    for config in configs:
        problems |= dict.fromkeys(_placed(trainers.problems(config.sections, packages), config, labels))
    if problems:
        raise document.error(list(problems))


def _placed(problems: Iterable[Problem], config: Config, labels: Sequence[str]) -> tuple[Problem, ...]:
    """Return problems of a Config at the alternative that it is of, where ``model:`` is a list."""
    if MODEL not in config.swept:
        return tuple(problems)
    at: Path = (MODEL, labels.index(config.swept[MODEL]))
    swept = {tuple(key.split(".")) for key in config.swept if key != MODEL}
    return tuple(
        replace(p, path=(*at, *p.path[1:]))
        if p.path[:1] == (MODEL,) and not any(p.path[: len(key)] == key for key in swept)
        else p
        for p in problems
    )


def allowed(packages: Sequence[str]) -> frozenset[str]:
    """Return the packages that may be imported from: scikit-learn and what the user names (``--allow``)."""
    named = [packages] if isinstance(packages, str) else packages
    return SAFE | {name.partition(".")[0] for name in named}


def _uncounted(constraints: tuple[Constraint, ...], config: Config, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Yield a problem where a constraint is on what is not known before training."""
    if constraints and trainers.n_parameters(config.sections, sizes) is None:
        message = "n_parameters of an estimator is not known before it is trained"
        yield Problem(("sweep", "constraints"), message, hint="leave the constraints out")


def _excess(constraints: tuple[Constraint, ...], config: Config, sizes: Mapping[str, int]) -> dict[str, float]:
    """Return by how much a Config is outside each constraint that it breaks; Optuna's sign: > 0 is infeasible."""
    found: dict[str, float] = {}
    parameters = trainers.n_parameters(config.sections, sizes)
    if parameters is None:
        return found
    for constraint in constraints:
        bound = constraint.n_parameters
        above = parameters - bound.max if bound.max is not None else 0
        below = bound.min - parameters if bound.min is not None else 0
        if max(above, below) > 0:
            found["n_parameters"] = max(above, below, found.get("n_parameters", 0))
    return found
