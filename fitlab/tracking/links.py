"""What was published, and where a browser finds it. Imports no mlflow: commands print this that need none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fitlab.reporting.logged import Logged

HOST = "127.0.0.1"
PORT = 5000
LOCAL = f"http://{HOST}:{PORT}"
PAGE = "workflowType=machine_learning&compareRunsMode=CHART"
CURRENT = "searchFilter=tags.%60fitlab.current%60%3D%22true%22"  # what the spec still contains
VIEW = "fitlab"  # the key of the view that fitlab writes
ARTIFACT = "fit.safetensors"  # the file of a Fit, on its run
_PASSWORD = re.compile(r"([?&]\w*password=)[^&\s]+")  # PostgreSQL takes it at the end of an address, too


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
    edited: int = 0  # into which a user wrote, which is left as it is
    restored: int = 0  # whose files somebody had removed
    view: str | None = None  # the key of the comparison view
    no_view: str | None = None  # why there is none
    runs: Mapping[str, str] = field(default_factory=dict)  # Config digest -> run id


def masked(uri: str) -> str:
    """Return a URI without the user and password that may stand in it."""
    return cleaned(uri, uri)


def cleaned(text: str, uri: str) -> str:
    """Return a text without the user and password of ``uri``, in whatever address they stand in it."""
    place = uri.partition("://")[2].partition("/")[0]
    who, sign, _ = place.rpartition("@")
    text = text.replace(f"//{who}@", "//") if sign else text
    return _PASSWORD.sub(r"\1…", text)


def is_server(uri: str) -> bool:
    """Whether a tracking URI names a server with its own web pages."""
    return uri.startswith(("http://", "https://"))


def charts(experiment_ids: str | Sequence[str], base: str = LOCAL, view: str | None = None) -> str:
    """Return the address at which MLflow's UI opens the charts of current runs, of one experiment or several together.

    view: the key of a view that was written to the (first) experiment. It says itself which runs: MLflow heeds an
    address that says so, too, instead of the view.
    """
    shows = CURRENT if view is None else f"viewStateShareKey={view}"
    if isinstance(experiment_ids, str):
        page = f"experiments/{experiment_ids}/runs?{PAGE}"
    else:
        ids = quote(json.dumps(list(experiment_ids), separators=(",", ":")))
        page = f"compare-experiments/s?experiments={ids}&{PAGE}"
    return f"{base.rstrip('/')}/#/{page}&{shows}"


def is_logged(uri: str, experiment: str, runs: Mapping[str, str], view: str | None = None) -> Logged:
    """Return where a sweep is, for its report: the pages of a local store are there while somebody serves them."""
    base = uri.rstrip("/") if is_server(uri) else LOCAL
    return Logged(uri, experiment, base, charts(experiment, base, view), not is_server(uri), runs)


def listed(published: Mapping[str, Mapping[str, Any]], base: str, together: bool) -> Iterator[str]:
    """Yield a line with a link for each sweep, as it was noted when it was published, and one for all together."""
    for name, found in published.items():
        yield f"{name}: {charts(found['experiment'], base, found.get('view'))}"
    if together and len(published) > 1:
        first = next(iter(published.values()))
        yield f"together: {charts([found['experiment'] for found in published.values()], base, first.get('view'))}"
