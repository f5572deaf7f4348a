"""``fitlab rerun``: whether a Fit comes again."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from fitlab.cli.output import console
from fitlab.cli.progress import duration
from fitlab.records import Fit
from fitlab.upkeep.rerun import Rerun

SHOWN = 10  # arrays that differ most


def document(found: Rerun, verify: bool) -> dict[str, Any]:
    """Return a rerun as plain data."""
    return {
        "digest": found.stored.job.digest,
        "stored": _fit(found.stored),
        "again": _fit(found.again),
        "environment": {name: {"then": then, "here": now} for name, (then, now) in found.environment.items()},
        "same_platform": found.same_platform,
        "identical": found.identical,
        "tolerance": found.tolerance,
        "equal": found.equal if verify else None,
        "differs": list(found.words),
        "arrays": [vars(one) for one in found.arrays],
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "outcome": str(fit.outcome),
        "epochs": fit.epochs,
        "cause": fit.cause,
        "content_digest": fit.content_digest,
        "final": fit.final,
    }


def show(found: Rerun, verify: bool) -> None:
    """Print what came out then and now, what it was made with then and now, and whether it is the same."""
    to, stored, again = console(), found.stored, found.again
    seconds = 0.0 if again.provenance is None else again.provenance.seconds
    to.print(f"job {stored.job.digest}, seed {stored.job.seed}: trained again in {duration(seconds)}")
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for head in ("", "stored", "again"):
        table.add_column(head)
    table.add_row("outcome", *(f"{fit.outcome}, {fit.epochs} epochs" for fit in (stored, again)))
    for name in stored.final | again.final:
        table.add_row(name, *(f"{fit.final[name]:.12g}" if name in fit.final else "–" for fit in (stored, again)))
    for name, both in found.environment.items():
        table.add_row(name, *both)
    to.print(table)
    if not found.environment:
        to.print("Made with the same versions, CPU, BLAS and commit as are here.")
    if not verify:
        return
    for line in found.words:
        to.print(line)
    for one in found.arrays[:SHOWN]:
        since = "" if one.epoch is None else f", from epoch {one.epoch} on"
        to.print(f"{one.name} differs by up to {one.largest:.3g} ({one.relative:.3g} of its largest value){since}")
    to.print(_verdict(found), style="green" if found.equal else "red")


def _verdict(found: Rerun) -> str:
    if found.identical:
        return f"equal, bit for bit: content digest {found.stored.content_digest}"
    allowed = f"{found.tolerance:g} of the largest value of each array"
    if found.same_platform:
        return "not equal, and on the same platform it would be, bit for bit"
    if found.equal:
        return f"equal within {allowed}, which is what another platform may differ by"
    return f"not equal within {allowed}"
