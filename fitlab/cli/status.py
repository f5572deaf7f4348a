"""``fitlab status``: what is running, stale, done, failed and why, and what MLflow has of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from fitlab.cli.output import console
from fitlab.errors import StoreError
from fitlab.records import Fit, Outcome
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.content import sweep_identity

CAUSES = 5  # of a sweep that are shown
ADVICE = {  # by state: what to do about it
    "stale": "it was begun, is not finished, and nobody runs it: the same `fitlab sweep SPEC` continues it",
    "lost": "it was finished, but Fits of it are gone: `fitlab sweep SPEC` trains them again",
}


def rows(store: Store, name: str | None = None) -> list[dict[str, Any]]:
    """Return a row as plain data for one sweep, or for all: also those that began and have written nothing yet.

    state: running (a live process holds its lock), stale (not finished, and nobody runs it), done, lost (finished,
    but some of its Fits are gone) or damaged. Raises StoreError for a ``name`` that there is not.
    """
    running = store.running_sweeps()
    names = sorted({*store.names(), *running}) if name is None else [name]
    return [_row(store, one, running.get(one)) for one in names]


def _row(store: Store, name: str, owner: str | None) -> dict[str, Any]:
    if name not in store.names():
        if owner is None:
            store.sweep_record(name)  # says which there are
        return {**_nothing(name), "state": "running", "running": True, "owner": owner}
    try:
        record, sweep = store.sweep_record(name), store.load(name)
    except StoreError as error:
        return {**_nothing(name), "state": "damaged", "running": owner is not None, "owner": owner, "error": str(error)}
    total, finished = sum(len(one["fits"]) for one in record["configs"]), record.get("finished", True)
    whole = len(sweep.fits) == total
    state = "running" if owner else "stale" if not finished else "done" if whole else "lost"
    return {
        "name": name,
        "state": state,
        "running": owner is not None,
        "owner": owner,
        "configs": len(sweep.configs),
        "fits": total,
        "done": len(sweep.fits),
        "finished": finished and whole,
        "outcomes": dict(Counter(str(fit.outcome) for fit in sweep.fits)),
        "causes": dict(Counter(cause_of(fit) for fit in sweep.fits if fit.cause).most_common()),
        "published": published(store, sweep),
    }


def _nothing(name: str) -> dict[str, Any]:
    counts = {"configs": 0, "fits": 0, "done": 0, "finished": False}
    return {"name": name, **counts, "outcomes": {}, "causes": {}, "published": "no"}


def published(store: Store, sweep: Sweep) -> str:
    """Return whether MLflow has a sweep as it is now: yes, no, or an earlier state."""
    noted = store.published(sweep.spec.name)
    return "no" if noted is None else "yes" if noted["identity"] == sweep_identity(sweep) else "an earlier state"


def cause_of(fit: Fit) -> str:
    """Return how a Fit ended and why, in whichever epoch: a cause is the same."""
    ended = "warned" if fit.outcome is Outcome.COMPLETED else str(fit.outcome)
    return f"{ended}: {re.sub(r' in epoch [0-9]+', '', fit.cause or '')}"


def show(found: Sequence[Mapping[str, Any]], store: Store) -> None:
    """Print a row per sweep, then who runs it, what to do, why Fits diverged or failed, what libraries warned of."""
    to = console()
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for head in ("sweep", "Configs", "Fits done", "outcomes", "state", "in MLflow"):
        table.add_column(head)
    for row in found:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in row["outcomes"].items()) or "–"
        fits = f"{row['done']}/{row['fits']}" if row["fits"] else "–"
        table.add_row(row["name"], str(row["configs"]), fits, outcomes, row["state"], row["published"])
    to.print(table if found else f"{store.root}: no sweeps yet; `fitlab sweep SPEC` makes one")
    for row in found:
        said = f"run by {row['owner']}" if row["owner"] else ADVICE.get(row["state"])
        if said:
            to.print(f"{row['name']}: {said}")
        for cause, count in [*row["causes"].items()][:CAUSES]:
            to.print(f"{row['name']}: {count} × {cause}")
    for name in store.set_aside():
        to.print(f"damaged, set aside: {name}; `fitlab doctor` says more", style="yellow")
