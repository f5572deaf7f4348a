"""Mending what can be mended without losing anything: each step holds the lock of what it touches, or leaves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fitlab.errors import FitlabError
from fitlab.runner.execute import write_journal
from fitlab.runner.plan import plan
from fitlab.runner.publishing import publish
from fitlab.runner.verdicts import diagnosed
from fitlab.spec import Document, read_spec
from fitlab.store import Store
from fitlab.tracking.backend import backend
from fitlab.tracking.publish import count_left_running, end_left_running
from fitlab.upkeep.examine import left_running as of_dead_owners
from fitlab.upkeep.examine import leftovers
from fitlab.upkeep.finding import Finding
from fitlab.upkeep.quarantine import put_aside

ORDER = ("leftover", "damaged", "set_aside", "record", "journal", "left_running", "files_gone")


def mend(store: Store, found: Sequence[Finding]) -> list[Finding]:
    """Return findings with what was done about them, or why nothing was.

    A damaged file is moved into quarantine, a journal is written again by replaying its sweep, runs that nobody ends
    are completed by publishing their sweep or ended as KILLED. What a live sweep holds is left alone.
    """
    published: dict[str, str] = {}  # sweep -> what publishing it said
    steps = sorted((one for one in found if one.mendable), key=lambda one: ORDER.index(one.kind))
    done = {id(one): _tried(one, lambda one=one: _step(store, one, published)) for one in steps}  # type: ignore[misc]
    return [done.get(id(one), one) for one in found]


def _tried(finding: Finding, step: Callable[[], str]) -> Finding:
    try:
        return replace(finding, mended=step())
    except (FitlabError, OSError) as error:
        return replace(finding, left=str(error))


def _step(store: Store, finding: Finding, published: dict[str, str]) -> str:
    match finding.kind, finding.sweep:
        case "leftover", _:
            return _without_leftovers(store)
        case (("damaged" | "set_aside"), _):
            with store.alone():
                return _aside(store, finding)
        case "record", str(name):
            with store.locked(name):
                return _aside(store, finding)
        case "journal", str(name):
            return _replayed(store, name)
        case "left_running", str(name):
            return _ended(store, name, published)
        case "files_gone", str(name):
            return _published(store, name, published)
        case other:
            raise AssertionError(f"nothing mends {other}")


def _without_leftovers(store: Store) -> str:
    gone = 0
    for path, lock in leftovers(store):
        with store.locked(lock):
            path.unlink(missing_ok=True)
            gone += 1
    return f"{gone} deleted"


def _aside(store: Store, finding: Finding) -> str:
    """Move files into quarantine that are damaged still."""
    moved = []
    for name in finding.paths:
        path = store.root / name
        if path.exists() and (finding.kind != "damaged" or store.read(path.stem) is None):
            moved.append(put_aside(store, path))
    return f"{len(moved)} moved into {moved[0].parent}" if moved else "nothing left to move"


def _replayed(store: Store, name: str) -> str:
    with store.locked(name):
        record = store.sweep_record(name)
        read = read_spec(record["spec"])
        source = replace(read.source, name=record["source"]["name"], text=record["source"]["text"])
        write_journal(plan(Document(read.spec, source)), store)
    return "replayed and written"


def _published(store: Store, name: str, published: dict[str, str]) -> str:
    if name not in published:
        done = publish(diagnosed(store.load(name)), store)
        published[name] = f"published: {done.created} runs logged, {done.unchanged} were there"
        published[name] += f", files of {done.restored} logged again" if done.restored else ""
    return published[name]


def _ended(store: Store, name: str, published: dict[str, str]) -> str:
    """Publish a sweep, where it is in the store, and end what is RUNNING then all the same."""
    said = []
    if name in store.names():
        try:
            said.append(_published(store, name, published))
        except FitlabError as error:
            said.append(f"could not be published ({error})")
    with store.locked(name), store.locked(".mlflow", wait=True):
        ended = end_left_running(backend(store.database, store.artifacts), name)
    said += [f"{ended} ended as KILLED"] if ended else []
    return "; ".join(said)


def on_server(store: Store) -> list[Finding]:
    """Return what a tracking server has of our sweeps that is RUNNING though nobody runs them; the store's own: none.

    Raises PublishError where it cannot be reached.
    """
    place = backend(store.database, store.artifacts)
    if place.database is not None:
        return []
    counts = {name: count_left_running(place, name) for name in store.names() if not store.running(name)}
    return list(of_dead_owners({name: count for name, count in counts.items() if count}))
