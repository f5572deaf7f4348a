"""What was published, and where a browser finds it. Imports no mlflow: commands print this that need none."""

from __future__ import annotations

from dataclasses import dataclass

HOST = "127.0.0.1"
PORT = 5000
ARTIFACT = "fit.safetensors"  # the file of a Fit, on its run
# Charts, of what the spec still contains: tags.`fitlab.current` = "true"
CHARTS = "runs?workflowType=machine_learning&compareRunsMode=CHART&searchFilter=tags.%60fitlab.current%60%3D%22true%22"


@dataclass(frozen=True)
class Published:
    """What publishing did, in runs."""

    uri: str
    experiment: str  # its id
    identity: str  # of what was published
    created: int = 0
    unchanged: int = 0
    superseded: int = 0
    left_deleted: int = 0  # deleted by a user, hence not made again
    left_edited: int = 0  # names, notes, colours or tags that a user wrote, hence kept
    restored: int = 0  # of which files were missing below artifacts/, logged again


def masked(uri: str) -> str:
    """Return a URI without the user and password that may stand in it."""
    scheme, sign, rest = uri.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{sign}{place.rpartition('@')[2]}{slash}{path}"


def is_server(uri: str) -> bool:
    """Whether a tracking URI names a server with its own web pages."""
    return uri.startswith(("http://", "https://"))


def charts(experiment_id: str, base: str = f"http://{HOST}:{PORT}") -> str:
    """Return the address at which MLflow's UI opens the charts of an experiment's current runs."""
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/{CHARTS}"
