"""Runs and curves of somebody's MLflow experiment. They are read; nothing is written, not even a database."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.entities import ViewType

from fitlab.errors import PublishError, SpecError, StoreError
from fitlab.spec.base import did_you_mean
from fitlab.tracking.backend import Backend, connect, failing, sqlite_file
from fitlab.tracking.guesses import there_is
from fitlab.tracking.links import is_server, masked

PAGE = 1000  # of runs, and of experiments
REQUESTS = 8
LARGEST = sys.float_info.max  # as what databases store an infinite value


@dataclass(frozen=True)
class Logged:
    """A run that is not deleted."""

    id: str
    name: str
    status: str  # RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
    started: int  # Unix time in ms
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.name} ({self.id[:8]})" if self.name else self.id[:8]


@dataclass(frozen=True)
class Curve:
    """A metric of a run: step -> value, and how many values were logged at a step that has a later one."""

    values: Mapping[int, float]
    repeated: int = 0


class Reader:
    """An MLflow, opened to read. Its methods raise StoreError where MLflow, its database or the network fails."""

    def __init__(self, uri: str) -> None:
        file = sqlite_file(uri)
        if file is not None and not Path(str(file).partition("?")[0]).exists():  # MLflow would make it
            raise StoreError(f"{masked(uri)}: there is no such database")
        if "://" not in uri and not uri.startswith("databricks"):
            raise SpecError(f"{uri} is no tracking URI: sqlite:///FILE for a database, http://HOST:PORT for a server")
        self.place = Backend(uri)
        self.at_once = REQUESTS if is_server(uri) else 1  # curves that are worth being read together
        try:
            with self._reading():
                self.client = connect(self.place)
        except PublishError as error:  # a database of another version
            raise StoreError(str(error)) from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with failing(self.place, StoreError):
            yield

    def experiment(self, wanted: str) -> Any:
        """Return the experiment of a name or an id. Raises SpecError where there is none, or it is deleted."""
        with self._reading():
            every = self._pages(self.client.search_experiments, view_type=ViewType.ALL)
        found = [one for one in every if one.name == wanted] or [one for one in every if one.experiment_id == wanted]
        at = masked(self.place.uri)
        if not found:
            names = [one.name for one in every if one.lifecycle_stage == "active"]
            hint = did_you_mean(wanted, names)
            meant = f" {hint[0].upper()}{hint[1:]}" if hint else ""
            raise SpecError(f"{at} has no experiment {wanted}.{meant} {there_is(names)}")
        if found[0].lifecycle_stage != "active":
            raise SpecError(
                f"the experiment {found[0].name} of {at} is deleted; `mlflow experiments restore` undoes it"
            )
        return found[0]

    def runs(self, experiment: Any) -> list[Logged]:
        """Return the runs that are not deleted, the first started first."""
        with self._reading():
            found = self._pages(
                self.client.search_runs, experiment_ids=[experiment.experiment_id], run_view_type=ViewType.ACTIVE_ONLY
            )
        runs = [
            Logged(
                run.info.run_id,
                run.info.run_name or "",
                run.info.status,
                run.info.start_time or 0,
                dict(run.data.params),
                dict(run.data.tags),
                frozenset(run.data.metrics),
            )
            for run in found
        ]
        return sorted(runs, key=lambda run: (run.started, run.id))

    def curve(self, run: Logged, metric: str) -> Curve:
        """Return all points of a metric; of several at one step the last logged counts, as MLflow has it."""
        with self._reading():
            points = self.client.get_metric_history(run.id, metric)
        last: dict[int, tuple[int, float]] = {}
        for point in points:
            value = math.copysign(math.inf, point.value) if abs(point.value) >= LARGEST else point.value
            there = last.get(point.step)
            if there is None or point.timestamp >= there[0]:
                last[point.step] = (point.timestamp, value)
        return Curve({step: value for step, (_, value) in sorted(last.items())}, len(points) - len(last))

    def _pages(self, search: Any, **words: Any) -> list[Any]:
        found: list[Any] = []
        token = None
        while True:
            page = search(max_results=PAGE, page_token=token, **words)
            found += page
            token = page.token
            if not token:
                return found
