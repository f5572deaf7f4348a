"""The process that logs to MLflow, started before what trains is imported: each takes two seconds to come up.

Nothing is imported here that trains.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from fitlab.errors import FitlabError
from fitlab.runner.processors import default_jobs
from fitlab.space import space_of, survey
from fitlab.spec import read_spec

MANY = 50  # Fits, for which it is worth it
Process = subprocess.Popen[bytes]


@contextmanager
def ahead(spec: str, overrides: Sequence[str], store: str) -> Iterator[Process | None]:
    """Start the process where a sweep is large and a processor has nothing to do; it ends with ``with``."""
    name = _large(spec, overrides) if default_jobs() > 1 else None
    process = None if name is None else start(Path(store).absolute(), name)
    try:
        yield process
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            process.communicate()


def start(root: Path, name: str) -> Process | None:
    """Start the process for a sweep; it opens nothing before it is given something to log. None where none can be."""
    with suppress(OSError):  # too many processes: what it would do is done at the end
        return subprocess.Popen(
            [sys.executable, "-m", "fitlab.runner.publishing", str(root), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what fails there is tried again here, and said
            start_new_session=True,  # Ctrl-C is ours
        )
    return None


def is_for(process: Process, root: Path, name: str) -> bool:
    """Whether the process was started for this sweep, of a store that is there: a spec may have changed since."""
    *_, its_root, its_name = process.args  # type: ignore[misc]  # a list, see above
    return its_name == name and os.path.samefile(its_root, root)


def _large(spec: str, overrides: Sequence[str]) -> str | None:
    """Return the name of a sweep of many Fits; None for another one, and for a spec that is wrong: others say how."""
    if not os.path.isfile(spec):  # what comes through a pipe can be read once
        return None
    try:
        document = read_spec(spec, overrides)
        trials = getattr(document.spec.sweep, "trials", None)
        configs = sum(1 for _ in islice(survey(space_of(document)), MANY)) if trials is None else trials
    except FitlabError:
        return None
    return document.spec.name if configs * len(document.spec.seeds.values) >= MANY else None
