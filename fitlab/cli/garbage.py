"""``fitlab gc``: Fits that no sweep uses, and what they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from fitlab.cli.output import console
from fitlab.store import Store
from fitlab.upkeep.finding import megabytes
from fitlab.upkeep.unused import Unused

SHOWN = 20  # the largest ones


def document(store: Store, found: Sequence[Unused], removed: Sequence[Unused], yes: bool) -> dict[str, Any]:
    """Return what was found and removed as plain data; ``fits`` are those that are there no more, or would go."""
    going = removed if yes else [one for one in found if one.kept is None]
    return {
        "store": str(store.root),
        "removed": yes,
        "fits": [asdict(one) for one in going],
        "bytes": sum(one.bytes for one in going),
        "kept": [asdict(one) for one in found if one.kept is not None],
    }


def show(store: Store, found: Sequence[Unused], removed: Sequence[Unused], yes: bool) -> None:
    """Print the largest of them, then how many there are and what they take or took."""
    to = console()
    going = removed if yes else [one for one in found if one.kept is None]
    kept = [one for one in found if one.kept is not None]
    total = megabytes(sum(one.bytes for one in going))
    to.print(_table(going)) if going else None
    if not going:
        to.print(f"{store.root}: every Fit that may go is used by a sweep, nothing to remove.")
    elif yes:
        to.print(f"{len(going)} Fits removed, {total} freed.")
    else:
        to.print(f"{len(going)} Fits that no sweep uses take {total}; `fitlab gc --yes` removes them.")
    if kept:
        reasons = dict.fromkeys(one.kept for one in kept)
        to.print(f"{len(kept)} are kept: {'; '.join(map(str, reasons))}.")


def _table(going: Sequence[Unused]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for head in ("Fit of job", "size", "stored"):
        table.add_column(head, no_wrap=True)
    for one in going[:SHOWN]:
        stored = datetime.fromtimestamp(one.stored, UTC).astimezone()
        table.add_row(one.digest[:12], megabytes(one.bytes), f"{stored:%Y-%m-%d %H:%M}")
    if len(going) > SHOWN:
        table.add_row(f"… {len(going) - SHOWN} more", "", "")
    return table
