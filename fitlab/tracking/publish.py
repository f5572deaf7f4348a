"""A Sweep to MLflow: a run per Config, a nested run per Fit, one summary run.

Names and tags derive from digests, so publishing twice changes nothing and a half-published run is completed.
Metrics are append-only in MLflow: a Config whose Fits changed gets a new run, the old one is tagged
``fitlab.superseded`` and deleted. What a user deleted stays deleted.
The run of a Config may be logged before the others are trained; tags that depend on them are set at the end.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from mlflow.entities import Metric, Param, RunTag

from fitlab.errors import FitlabError, PublishError
from fitlab.records import RECORD_VERSION, Config, Fit
from fitlab.sweep import Sweep
from fitlab.tracking import content
from fitlab.tracking.backend import Backend, all_runs, connect, experiment_id
from fitlab.tracking.experiment import describe, show
from fitlab.tracking.links import Published, masked
from fitlab.tracking.wanted import EDITABLE, NAME, SAID, Wanted, config_run, fit_run, said, source_tags, summary_run

PARENT = "mlflow.parentRunId"
T = TypeVar("T")


@contextmanager
def _as_publish_error(place: Backend) -> Iterator[None]:
    """Whatever MLflow, its database or the network throws is a failure to publish: training is safe in the store."""
    try:
        yield
    except FitlabError:
        raise
    except Exception as error:
        text = f"MLflow at {place.uri}: {type(error).__name__}: {error}".replace("<database_uri>", place.uri)
        if "out-of-date database schema" in text:  # MLflow says that of newer ones, too
            text += " Or was it made by a newer MLflow? Then upgrade this one: `pip install --upgrade mlflow`."
        raise PublishError(text.replace(place.uri, masked(place.uri)).strip()) from error


def open_client(place: Backend) -> Any:
    """Return an MlflowClient of ``place``. Raises PublishError where it cannot be reached or is no MLflow."""
    with _as_publish_error(place):
        return connect(place)


@dataclass(frozen=True)
class _Settled:
    """A Config that is published: under which identity, as which run (None: a user deleted it), saying what."""

    identity: str
    run_id: str | None
    tags: Mapping[str, str]
    standing: Mapping[str, float]


class Publisher:
    """Logs one sweep to MLflow: its Configs as they are settled, if one likes, then the whole.

    packed: from a Fit to the bytes of its file. ``interrupted`` is asked before every run; then KeyboardInterrupt
    is raised. Its methods raise PublishError, chained to its cause; publishing again continues.
    known: the id of the experiment that the sweep was published to before, if any.
    Nobody else may publish this sweep meanwhile: what is there is read once, at the beginning.
    """

    def __init__(
        self, client: Any, place: Backend, name: str, packed: Callable[[Fit], bytes], known: str | None = None
    ) -> None:
        self.client, self.place, self.packed = client, place, packed
        self.interrupted: Callable[[], bool] = lambda: False
        self.found: dict[tuple[str, str], list[Any]] = {}
        self.settled: dict[str, _Settled] = {}  # by the digest of the Config: published by this Publisher
        self.counts = {"created": 0, "unchanged": 0, "superseded": 0, "left_deleted": 0, "restored": 0}
        self.edited: set[str] = set()  # runs whose name, note or colour a user has changed
        with _as_publish_error(place):
            self.experiment = experiment_id(client, name, place, known)
            for run in all_runs(client, self.experiment):
                tags = run.data.tags
                if int(tags.get("fitlab.record_version", 0)) > RECORD_VERSION:
                    raise PublishError(
                        f"the runs of {name} in MLflow were written by a newer fitlab, and are left as they are; "
                        "upgrade this one: `pip install --upgrade fitlab`"
                    )
                if "fitlab.kind" in tags:
                    key = (tags["fitlab.kind"], tags.get("fitlab.digest", ""))
                    self.found.setdefault(key, []).append(run)

    def publish(self, sweep: Sweep) -> None:
        """Log the Configs of a sweep that are not logged yet, each with its Fits; of the others tags that changed.

        May be called with a part of the sweep: what a Config's run says at first depends on that Config alone.
        What depends on other Configs is a tag, and is set when the whole sweep is given.
        """
        with _as_publish_error(self.place):
            for config in sweep.configs:
                if sweep.of(config):
                    self._publish_config(sweep, config)

    def finish(self, sweep: Sweep) -> Published:
        """Log what is missing of the whole sweep, then what concerns it as a whole."""
        self.publish(sweep)
        with _as_publish_error(self.place):
            if sweep.fits:
                self._finish(*self._open(summary_run(sweep)))
            self._mark_gone(sweep)
            describe(self.client, self.experiment, sweep)
        view, no_view = show(self.client, self.place, self.experiment, sweep)
        identity = content.sweep_identity(sweep)
        counts = {**self.counts, "edited": len(self.edited)}
        return Published(masked(self.place.uri), self.experiment, identity, **counts, view=view, no_view=no_view)

    def _publish_config(self, sweep: Sweep, config: Config) -> None:
        """Open the Config's run, publish its Fits below it, then end it: ended means that all is there."""
        wanted = config_run(sweep, config)
        tags = wanted.all_tags
        before = self.settled.get(config.digest)
        if before is not None and before.identity == wanted.identity:
            run_id = before.run_id
            if run_id is not None:
                self._say(run_id, (before.tags, tags), (before.standing, wanted.standing))
        else:
            wanted, run, done = self._open(wanted)
            run_id = run and run.info.run_id
            if run is None:
                self.counts["left_deleted"] += len(sweep.of(config))  # its Fits with it
            else:
                for fit in sweep.of(config):
                    self._finish(*self._open(fit_run(fit, self.packed), parent=run_id))
                self._finish(wanted, run, done)
                self._say(run.info.run_id, (tags, tags), (run.data.metrics, wanted.standing))
        self.settled[config.digest] = _Settled(wanted.identity, run_id, tags, wanted.standing)

    # ── one run ─────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, wanted: Wanted, parent: str | None = None) -> tuple[Wanted, Any | None, bool]:
        """Return the run that ``wanted`` is: found, restored or made; None if a user deleted it; and if it is done."""
        if self.interrupted():
            raise KeyboardInterrupt
        candidates = self.found.get((wanted.kind, wanted.key), [])
        same = [run for run in candidates if run.data.tags.get("fitlab.identity") == wanted.identity]
        tags = {**wanted.all_tags, **({PARENT: parent} if parent else {})}
        for run in same:
            if run.data.tags.get("fitlab.incomplete") == "true":
                continue
            active = run.info.lifecycle_stage == "active"
            superseded = run.data.tags.get("fitlab.superseded") == "true"
            if not active and not superseded:
                self.counts["left_deleted"] += 1
                return wanted, None, True
            done = run.info.status != "RUNNING"
            if not done and run.info.start_time != wanted.provenance.started_ms:
                continue  # half-published from a Fit that has been trained again: other times, hence other points
            if not active:
                self.client.restore_run(run.info.run_id)
            if _is_edited(run.data.tags, wanted):
                self.edited.add(run.info.run_id)
            now = {**tags, "fitlab.superseded": "false"} if superseded else tags
            self._say(run.info.run_id, (run.data.tags, now))
            self.counts["unchanged"] += done
            return wanted, run, done
        self.counts["created"] += 1
        run = self.client.create_run(
            self.experiment,
            start_time=wanted.provenance.started_ms,
            tags={**source_tags(wanted.provenance), **tags},
            run_name=wanted.name,
        )
        self.found.setdefault((wanted.kind, wanted.key), []).append(run)
        return wanted, run, False

    def _finish(self, wanted: Wanted, run: Any | None, done: bool) -> None:
        """Log what the run is to say, end it, and supersede its earlier selves."""
        if run is None:
            return
        run_id = run.info.run_id
        if done:
            self._restore(run, wanted)
        else:
            self._log(run_id, wanted)
            self.client.set_terminated(run_id, wanted.status, end_time=wanted.provenance.ended_ms)
        candidates = self.found.get((wanted.kind, wanted.key), [])
        for old in [*candidates]:
            if old.info.run_id != run_id and old.info.lifecycle_stage == "active":
                self.client.set_tag(old.info.run_id, "fitlab.superseded", "true")
                self._give_up(old)
                self.client.delete_run(old.info.run_id)
                candidates.remove(old)
                self.counts["superseded"] += 1

    def _restore(self, run: Any, wanted: Wanted) -> None:
        """Log the files of a run again that somebody removed: looked for where they lie in a folder of this machine."""
        scheme, _, path = run.info.artifact_uri.partition("://")
        if scheme == "file" and wanted.file and not (Path(unquote(path)) / wanted.file).exists():
            self._log_files(run.info.run_id, wanted)
            self.counts["restored"] += 1

    def _log_files(self, run_id: str, wanted: Wanted) -> None:
        if wanted.artifacts is not None:
            with tempfile.TemporaryDirectory(prefix="fitlab-") as scratch:
                wanted.artifacts(Path(scratch))
                self.client.log_artifacts(run_id, scratch)

    def _give_up(self, run: Any) -> None:
        """End a run that was half published and is no longer wanted; if it is wanted again, another one is made."""
        if run.info.status == "RUNNING":
            self.client.set_tag(run.info.run_id, "fitlab.incomplete", "true")
            self.client.set_terminated(run.info.run_id, "KILLED")

    def _log(self, run_id: str, wanted: Wanted) -> None:
        """Log everything; done again it changes nothing, because all times come from the Fits."""
        start, end = wanted.provenance.started_ms, wanted.provenance.ended_ms
        points = wanted.metrics()
        last = max((step for _, _, step in points), default=0) or 1
        # The newest point first: MLflow rewrites the latest value of a metric whenever a newer one comes.
        points = sorted(points, key=lambda point: -point[2])
        metrics = [Metric(k, v, start + (end - start) * step // last, step) for k, v, step in points]
        params = [Param(key, value) for key, value in wanted.params.items()]
        self._log_files(run_id, wanted)  # first: MLflow reads all that the run says so far
        if wanted.datasets:
            self.client.log_inputs(run_id, datasets=list(wanted.datasets))
        self.client.log_batch(run_id, metrics=metrics, params=params)

    def _say(
        self,
        run_id: str,
        tags: tuple[Mapping[str, str], Mapping[str, str]],
        metrics: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {}),
    ) -> None:
        """Log the tags and metrics of one point that changed, each given as before and now.

        What a user has written as name, note or colour stays.
        """
        new = _changed(*tags)
        if run_id in self.edited:
            new = {key: value for key, value in new.items() if key not in (*EDITABLE, SAID)}
        changed = [RunTag(key, value) for key, value in new.items()]
        now = int(1000 * time.time())  # later than what it replaces: the newest point is the one that is shown
        points = [Metric(key, value, now, 0) for key, value in _changed(*metrics).items()]
        if changed or points:
            self.client.log_batch(run_id, metrics=points, tags=changed)

    # ── the experiment ──────────────────────────────────────────────────────────────────────────────────────

    def _mark_gone(self, sweep: Sweep) -> None:
        """Tag runs that the spec no longer contains, so that views can leave them out."""
        current = {("config", config.digest) for config in sweep.configs}
        current |= {("fit", fit.job.digest) for fit in sweep.fits} | {("summary", sweep.spec.name)}
        for key, runs in self.found.items():
            for run in runs if key not in current else ():
                if run.info.lifecycle_stage == "active":
                    self._say(run.info.run_id, (run.data.tags, {"fitlab.current": "false"}))
                    self._give_up(run)


def _is_edited(tags: Mapping[str, str], wanted: Wanted) -> bool:
    """Whether a user has changed what a run is called, its note or its colour since these were last written."""
    if SAID in tags:
        return tags[SAID] != said(tags)
    return tags.get(NAME) != wanted.name and wanted.kind == "fit"  # which have no note, and are always called the same


def _changed(before: Mapping[str, T], now: Mapping[str, T]) -> dict[str, T]:
    return {key: value for key, value in now.items() if before.get(key) != value}
