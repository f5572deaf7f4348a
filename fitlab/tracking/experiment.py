"""What an experiment's page in MLflow says: its note, and the comparison view. What a user wrote there stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlflow
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from fitlab.errors import readable
from fitlab.seeds import digest
from fitlab.sweep import Sweep
from fitlab.tracking import content, view
from fitlab.tracking.backend import NAMED, Backend
from fitlab.tracking.links import VIEW, cleaned, is_server

NOTE = "mlflow.note.content"
LENGTH = 4900  # characters of a note, at most: an older MLflow takes 5,000
WAIT = 5  # seconds for a server to say its version


def describe(client: Any, experiment: str, sweep: Sweep) -> None:
    """Write the note: what was asked, and what came out; and the name that we know it by."""
    tags = client.get_experiment(experiment).tags
    if tags.get(NAMED) != sweep.spec.name:
        client.set_experiment_tag(experiment, NAMED, sweep.spec.name)
    note = readable(content.experiment_note(sweep))[:LENGTH]
    _write(client, experiment, tags, NOTE, note, "fitlab.note", first=tags.get("fitlab.question"))  # as it once was


def show(client: Any, place: Backend, experiment: str, sweep: Sweep) -> tuple[str | None, str | None]:
    """Write the comparison view; return its key, or why there is none. Never raises: without it all else is there."""
    if not sweep.fits:
        return None, "nothing is trained"
    try:
        why = view.refused(_version(place))
        if why is None:
            tags = client.get_experiment(experiment).tags
            if not _write(client, experiment, tags, view.TAG, view.tag(sweep), "fitlab.view"):
                why = None if view.TAG in tags else "it was deleted in MLflow"
    except Exception as error:  # MLflow's format is its own: whatever it does not take
        why = cleaned(f"{type(error).__name__}: {error}", place.uri)
    return (VIEW, None) if why is None else (None, why)


def _version(place: Backend) -> str:
    """Return the version of the MLflow whose pages will be opened: the server's, or our own."""
    if not is_server(place.uri):
        return str(mlflow.__version__)
    said = http_request(get_default_host_creds(place.uri), "/version", "GET", timeout=WAIT, max_retries=1)
    return str(said.text).strip()


def _write(
    client: Any, experiment: str, tags: Mapping[str, str], key: str, value: str, mark: str, first: str | None = None
) -> bool:
    """Set a tag of an experiment, unless a user has changed or deleted what was written; return whether it is ours.

    The tag ``mark`` has the digest of what was written; meanwhile also of what is to come, so that a publish that is
    killed in between does not take its own words for a user's. first: what is ours where there is no such tag.
    """
    there, wanted = digest(tags.get(key)), digest(value)
    if there not in tags.get(mark, digest(first)).split():
        return False
    if there != wanted:
        client.set_experiment_tag(experiment, mark, f"{there} {wanted}")
        client.set_experiment_tag(experiment, key, value)
    if there != wanted or tags.get(mark) != wanted:
        client.set_experiment_tag(experiment, mark, wanted)
    return True
