"""Which Configs are trained next: all of a survey at once, those of a search wave by wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import TrialState

from fitlab import space
from fitlab.errors import SpecError
from fitlab.records import Config, Fit
from fitlab.runner.plan import Plan, refuse_unlike
from fitlab.runner.study import Study, Told
from fitlab.spec.sweeps import Tpe
from fitlab.store import Planned

CONFIG = "fitlab.config"  # attribute of a trial: the digest of its Config


@dataclass
class Entrant:
    """A Config that is in training, and the trial that proposed it."""

    trial: optuna.Trial
    planned: Planned


class Proposals:
    """Asks Optuna and tells it, in the order of trials."""

    def __init__(self, plan: Plan, study: Study) -> None:
        self.plan, self.study = plan, study
        self.known: dict[str, Told] = {}  # digest of a Config -> what Optuna was told of it
        self.repeats: list[tuple[optuna.Trial, str]] = []  # asked again before it was known
        self.rest: Iterator[space.Found] | None = None  # of a space of which nothing new is proposed any more
        self.trained = 0  # Configs so far
        self.infeasible: list[Config] = [one.config for one in plan.infeasible]

    def wave(self) -> list[Entrant]:
        """Return the Configs that are to be trained next; none where the sweep is at its end."""
        search = self.plan.search
        found = self._survey() if search is None else self._search(search)
        self.trained += len(found)
        return found

    def tell(self, wave: Sequence[tuple[Entrant, tuple[Fit, ...]]]) -> None:
        """Tell what became of a wave, and of what was asked again during it."""
        for entrant, fits in wave:
            self.known[entrant.planned.config.digest] = self.study.tell(entrant.trial, fits)
        for trial, digest in self.repeats:
            self.study.repeat(trial, self.known[digest])
        self.repeats.clear()

    def _survey(self) -> list[Entrant]:
        if self.trained:
            return []
        found = []
        for point, one in zip(self.plan.points, self.plan.planned, strict=True):
            found.append(Entrant(self._asked(point, one.config), one))
        for broken in self.plan.infeasible:
            trial = self._asked(broken.point, broken.config)
            self.study.repeat(trial, Told(TrialState.PRUNED, excess=broken.excess))
        return found

    def _asked(self, point: space.Point, config: Config) -> optuna.Trial:
        trial, _ = self.study.ask(point)
        trial.set_user_attr(CONFIG, config.digest)
        return trial

    def _search(self, search: Tpe) -> list[Entrant]:
        found: list[Entrant] = []
        asked: set[str] = set()
        idle = barren = 0
        while len(found) < min(search.wave, search.trials - self.trained):
            if self.rest is None and idle == space.REPEATS:
                self.rest = space.rest(self.plan.space, {*self.known, *asked}, search.seed)
            given = None if self.rest is None else next(self.rest, None)
            enumerated = self.rest is not None and space.finite(self.plan.space)
            if (self.rest is not None and given is None) or (barren >= space.BARREN and not enumerated):
                break
            trial, point = self.study.ask(None if given is None else given[0])
            config = self._config(point)
            trial.set_user_attr(CONFIG, config.digest)
            idle += 1
            if config.digest in self.known:
                self.study.repeat(trial, self.known[config.digest])
            elif config.digest in asked:
                self.repeats.append((trial, config.digest))
            else:
                idle = 0
                entrant = self._entrant(trial, config)
                barren = 0 if entrant else barren + 1
                if entrant is not None:
                    asked.add(config.digest)
                    found.append(entrant)
        return found

    def _config(self, point: space.Point) -> Config:
        _, made = space.tried(self.plan.space, point)
        if isinstance(made, SpecError):
            raise self.plan.document.error(made.problems)
        return made

    def _entrant(self, trial: optuna.Trial, config: Config) -> Entrant | None:
        """Return what is to be trained of a proposal; one that breaks a constraint is told, and nothing is."""
        made = self.plan.planner.make(config)
        if made.problems:
            raise self.plan.document.error(made.problems)
        if made.planned is not None:
            refuse_unlike(self.plan, made.planned)
            return Entrant(trial, made.planned)
        self.known[config.digest] = self.study.repeat(trial, Told(TrialState.PRUNED, excess=made.excess))
        self.infeasible.append(config)
        return None
