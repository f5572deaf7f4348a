"""A Sweep to MLflow: a run per Config, a nested run per Fit, one summary run.

Names and tags derive from digests, so publishing twice changes nothing and a half-published run is completed.
Metrics are append-only in MLflow: a Config whose Fits changed gets a new run, the old one is tagged
``fitlab.superseded`` and deleted. What a user deleted stays deleted, what a user wrote (see ``edits``) stays as it is.
The run of a Config may be logged before the others are trained; tags that depend on them are set at the end.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlflow.entities import Metric, Param, RunTag
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from fitlab.errors import PublishError
from fitlab.records import RECORD_VERSION, Config, Fit
from fitlab.sweep import Sweep
from fitlab.tracking import content
from fitlab.tracking.backend import Backend, all_runs, connect, experiment_id, failing
from fitlab.tracking.edits import carried, merged, merged_for_good, remembered
from fitlab.tracking.experiment import describe, show
from fitlab.tracking.left import end, left_running
from fitlab.tracking.links import Published, is_logged, masked
from fitlab.tracking.wanted import NAME, Wanted, config_run, fit_run, source_tags, summary_run

PARENT = "mlflow.parentRunId"
CONFIGS = "tags.`fitlab.kind` = 'config'"
T = TypeVar("T")


def _as_publish_error(place: Backend) -> AbstractContextManager[None]:
    """A failure to publish: training is safe in the store."""
    return failing(place, PublishError)


def open_client(place: Backend) -> Any:
    """Return an MlflowClient of ``place``. Raises PublishError where it cannot be reached or is no MLflow."""
    with _as_publish_error(place):
        return connect(place)


def count_left_running(place: Backend, name: str) -> int:
    """Return how many runs of a sweep are RUNNING, for whoever knows that nobody runs it. Raises PublishError."""
    with _as_publish_error(place):
        return len(left_running(connect(place), name))


def end_left_running(place: Backend, name: str) -> int:
    """End runs of a sweep that are RUNNING, for whoever holds its lock, and return how many. Raises PublishError."""
    with _as_publish_error(place):
        runs = left_running(client := connect(place), name)
        for run in runs:
            end(client, run)
        return len(runs)


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
    Nobody else may publish this sweep meanwhile: what is there is read once, at the beginning.
    """

    def __init__(self, client: Any, place: Backend, name: str, packed: Callable[[Fit], bytes]) -> None:
        self.client, self.place, self.packed = client, place, packed
        self.interrupted: Callable[[], bool] = lambda: False
        self.found: dict[tuple[str, str], list[Any]] = {}
        self.settled: dict[str, _Settled] = {}  # by the digest of the Config: published by this Publisher
        self.edited: set[str] = set()  # ids of runs into which a user wrote
        self.counts = {"created": 0, "unchanged": 0, "superseded": 0, "left_deleted": 0, "restored": 0}
        with _as_publish_error(place):
            self.experiment = experiment_id(client, name, place)
            runs = [run for run in all_runs(client, self.experiment) if "fitlab.kind" in run.data.tags]
            _refuse_newer(name, runs)
            for run in runs:
                key = (run.data.tags["fitlab.kind"], run.data.tags.get("fitlab.digest", ""))
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
        with _as_publish_error(self.place):
            self._read_again()
        self.publish(sweep)
        uri = masked(self.place.uri)
        runs = {config: one.run_id for config, one in self.settled.items() if one.run_id is not None}
        with _as_publish_error(self.place):
            if sweep.fits:
                self._finish(*self._open(summary_run(sweep, is_logged(uri, self.experiment, runs))))
            self._mark_gone(sweep)
            describe(self.client, self.experiment, sweep)
        view, no_view = show(self.client, self.place, self.experiment, sweep)
        identity = content.sweep_identity(sweep)
        counts = {**self.counts, "edited": len(self.edited)}
        at = uri, self.experiment, identity
        return Published(*at, **counts, view=view, no_view=no_view, runs=runs)  # type: ignore[arg-type]  # counts are int

    def _read_again(self) -> None:
        """Read what users did to the runs of Configs since these were logged: a sweep may take days."""
        if not any(one.run_id for one in self.settled.values()):
            return
        runs = {run.info.run_id: run for run in all_runs(self.client, self.experiment, CONFIGS)}
        for key, one in self.settled.items():
            run = None if one.run_id is None else runs.get(one.run_id)
            if run is not None and run.info.lifecycle_stage == "active":
                self.settled[key] = replace(one, tags=run.data.tags)
            elif one.run_id is not None:
                self.counts["left_deleted"] += 1
                self.settled[key] = replace(one, run_id=None)

    def _publish_config(self, sweep: Sweep, config: Config) -> None:
        """Open the Config's run, publish its Fits below it, then end it: ended means that all is there."""
        wanted = config_run(sweep, config)
        before = self.settled.get(config.digest)
        if before is not None and before.identity == wanted.identity:
            run_id, tags = before.run_id, before.tags
            if run_id is not None:
                said = self._merged(wanted, run_id, tags)
                self._say(run_id, (tags, said), (before.standing, wanted.standing))
                tags = {**tags, **said}
        else:
            wanted, run, done = self._open(wanted)
            run_id, tags = (None, {}) if run is None else (run.info.run_id, {**run.data.tags, **wanted.all_tags})
            if run is None:
                self.counts["left_deleted"] += len(sweep.of(config))  # its Fits with it
            else:
                for fit in sweep.of(config):
                    self._finish(*self._open(fit_run(fit, self.packed), parent=run_id))
                self._finish(wanted, run, done)
                if done:
                    self._say(run.info.run_id, metrics=(run.data.metrics, wanted.standing))
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
            now = self._merged(wanted, run.info.run_id, run.data.tags, tags)
            self._say(run.info.run_id, (run.data.tags, {**now, "fitlab.superseded": "false"} if superseded else now))
            if done:
                self._mend(run, wanted)
            self.counts["unchanged"] += done
            return wanted, run, done
        if wanted.kind != "fit" and _deleted_by_user(candidates):  # as what it was then; what it is now is no new run
            self.counts["left_deleted"] += 1
            return wanted, None, True
        self.counts["created"] += 1
        first = self._first_tags(wanted, tags, candidates)
        run = self.client.create_run(
            self.experiment,
            start_time=wanted.provenance.started_ms,
            tags={**source_tags(wanted.provenance), **first},
            run_name=first[NAME],
        )
        self.found.setdefault((wanted.kind, wanted.key), []).append(run)
        return wanted, run, False

    def _first_tags(self, wanted: Wanted, tags: Mapping[str, str], earlier: Sequence[Any]) -> Mapping[str, str]:
        """Return the tags of a new run, with what a user wrote into the one whose place it takes."""
        if wanted.kind == "fit":
            return tags
        replaced = next((run for run in earlier if run.info.lifecycle_stage == "active"), None)
        return remembered(tags) if replaced is None else {NAME: tags[NAME], **carried(replaced.data.tags, tags)}

    def _merged(
        self, wanted: Wanted, run_id: str, there: Mapping[str, str], tags: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        """Return the tags to log over what is there, and note where a user wrote."""
        found = (merged_for_good if wanted.kind == "fit" else merged)(there, tags or wanted.all_tags)
        if found.edited:
            self.edited.add(run_id)
        return found.tags

    def _mend(self, run: Any, wanted: Wanted) -> None:
        """Log again files that are gone from this machine, and params that an earlier sweep had no need of."""
        absent = [Param(key, value) for key, value in wanted.params.items() if key not in run.data.params]
        if absent:
            self.client.log_batch(run.info.run_id, params=absent)
        folder = self._folder(run)
        if folder is not None and wanted.file and not (folder / wanted.file).is_file():
            self._upload(run, wanted)
            self.counts["restored"] += 1

    def _folder(self, run: Any) -> Path | None:
        """Return where the files of a run lie; None where that is not below the store, as in one that was moved."""
        parts = urlsplit(run.info.artifact_uri)
        path = Path(url2pathname(parts.path))
        local = self.place.artifacts is not None and parts.scheme in ("", "file")
        return path if local and self.place.artifacts in path.parents and ".." not in path.parts else None

    def _finish(self, wanted: Wanted, run: Any | None, done: bool) -> None:
        """Log what the run is to say, end it, and supersede its earlier selves."""
        if run is None:
            return
        run_id = run.info.run_id
        if not done:
            self._log(run, wanted)
            self.client.set_terminated(run_id, wanted.status, end_time=wanted.provenance.ended_ms)
        candidates = self.found.get((wanted.kind, wanted.key), [])
        for old in [*candidates]:
            if old.info.run_id != run_id and old.info.lifecycle_stage == "active":
                self.client.set_tag(old.info.run_id, "fitlab.superseded", "true")
                self._give_up(old)
                self.client.delete_run(old.info.run_id)
                candidates.remove(old)
                self.counts["superseded"] += 1

    def _give_up(self, run: Any) -> None:
        """End a run that was half published and is no longer wanted; if it is wanted again, another one is made."""
        if run.info.status == "RUNNING":
            end(self.client, run)

    def _upload(self, run: Any, wanted: Wanted) -> None:
        """Log the files: of a new run right to where they lie on this machine, else by a copy.

        The client's own way would first read back all of a run, for where its files are to lie.
        """
        if wanted.artifacts is None:
            return
        folder = self._folder(run)
        if folder is not None:
            self._unlink(folder)
            if not folder.exists():
                folder.mkdir(parents=True)
                wanted.artifacts(folder)
                return
        with tempfile.TemporaryDirectory(prefix="fitlab-") as scratch:
            wanted.artifacts(Path(scratch))
            if folder is not None:
                for path in Path(scratch).rglob("*"):
                    self._unlink(folder / path.relative_to(scratch))
            get_artifact_repository(run.info.artifact_uri, tracking_uri=self.place.uri).log_artifacts(scratch)

    def _unlink(self, there: Path) -> None:
        """Remove links on the way to what is ours: it would be written to where they lead."""
        assert self.place.artifacts is not None  # noqa: S101 (for the type checker: it lies below)
        one = self.place.artifacts
        for part in there.relative_to(one).parts:
            one /= part
            if one.is_symlink():
                one.unlink()

    def _log(self, run: Any, wanted: Wanted) -> None:
        """Log everything; done again it changes nothing but what depends on others, if that changed."""
        start, end = wanted.provenance.started_ms, wanted.provenance.ended_ms
        points = wanted.metrics()
        last = max((step for _, _, step in points), default=0) or 1
        # The newest point first: MLflow rewrites the latest value of a metric whenever a newer one comes.
        points = sorted(points, key=lambda point: -point[2])
        metrics = [Metric(k, v, start + (end - start) * step // last, step) for k, v, step in points]
        there = run.data.metrics
        metrics += self._points(_changed(there, wanted.standing), run.info.run_id, there)
        params = [Param(key, value) for key, value in wanted.params.items()]
        self._upload(run, wanted)
        if wanted.datasets:
            self.client.log_inputs(run.info.run_id, datasets=list(wanted.datasets))
        self.client.log_batch(run.info.run_id, metrics=metrics, params=params)

    def _say(
        self,
        run_id: str,
        tags: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
        metrics: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {}),
    ) -> None:
        """Log the tags and metrics of one point that changed, each given as before and now."""
        changed = [RunTag(key, value) for key, value in _changed(*tags).items()]
        points = self._points(_changed(*metrics), run_id, there=metrics[0])
        if changed or points:
            self.client.log_batch(run_id, metrics=points, tags=changed)

    def _points(self, metrics: Mapping[str, float], run_id: str = "", there: Container[str] = ()) -> list[Metric]:
        """Return metrics of one point, later than what they replace: the newest point is the one that is shown.

        there: those that the run has. A clock may have gone back since.
        """
        now = int(1000 * time.time())
        times = dict.fromkeys(metrics, now)
        for key in metrics:
            if key in there:
                before = max(point.timestamp for point in self.client.get_metric_history(run_id, key))
                times[key] = max(now, before + 1)
        return [Metric(key, value, times[key], 0) for key, value in metrics.items()]

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


def _deleted_by_user(runs: Sequence[Any]) -> bool:
    """Whether somebody deleted the run that was the last one of these; those that took each other's place we did."""
    deleted = [run for run in runs if run.info.lifecycle_stage != "active"]
    ours = ("fitlab.superseded", "fitlab.incomplete")
    users = [run for run in deleted if not any(run.data.tags.get(tag) == "true" for tag in ours)]
    return bool(users) and len(deleted) == len(runs)


def _refuse_newer(name: str, runs: Sequence[Any]) -> None:
    """Raise PublishError where a newer fitlab logged this sweep: it may say things that we would set back."""
    versions = [run.data.tags.get("fitlab.record_version", "") for run in runs]
    newer = [int(one) for one in versions if one.isdecimal() and int(one) > RECORD_VERSION]
    if newer:
        raise PublishError(
            f"{len(newer)} runs of {name} in MLflow were written by a newer fitlab (record version {max(newer)}, this "
            f"one writes {RECORD_VERSION}) and are left as they are: upgrade fitlab, or give the spec another name"
        )


def _changed(before: Mapping[str, T], now: Mapping[str, T]) -> dict[str, T]:
    return {key: value for key, value in now.items() if before.get(key) != value}
