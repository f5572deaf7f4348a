"""Runs that a process left RUNNING when it was killed: nothing in MLflow ever ends them."""

from __future__ import annotations

from typing import Any

from fitlab.tracking.backend import all_runs, experiment_named


def left_running(client: Any, name: str) -> list[Any]:
    """Return the runs of a sweep that fitlab began and that are RUNNING; for whoever knows that nobody runs it."""
    experiment = experiment_named(client, name)
    if experiment is None:
        return []
    runs = all_runs(client, experiment.experiment_id, "attributes.status = 'RUNNING'")
    return [run for run in runs if "fitlab.kind" in run.data.tags and run.info.lifecycle_stage == "active"]


def end(client: Any, run: Any) -> None:
    """End a run as KILLED; if it is wanted again, another one is made."""
    client.set_tag(run.info.run_id, "fitlab.incomplete", "true")
    client.set_terminated(run.info.run_id, "KILLED")
