"""What commands print of expectations: what was claimed, expected and got, and whether that passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitlab.expectations import Checked, State
from fitlab.seeds import canonical
from fitlab.spec import Spec

MARKS = {
    State.PASSED: ("passed", "green"),
    State.FAILED: ("FAILED", "bold red"),
    State.NOT_EVALUATED: ("open", "yellow"),
}


def show(found: Sequence[Checked], to: Console) -> None:
    """Print a row per expectation; nothing where there is none."""
    if not found:
        return
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for head in ("", "claim", "where", "quantity", "expected", "got", "tolerance"):
        right = head in ("expected", "got")
        table.add_column(head, justify="right" if right else "left", overflow="fold", no_wrap=right or not head)
    above = ""
    for one in found:
        word, style = MARKS[one.state]
        claim = f"{one.claim} ({one.source})" if one.source else one.claim
        cells = (one.where or "all", one.quantity, one.expected, one.got, one.tolerance)
        table.add_row(Text(word, style), Text("" if claim == above else claim), *map(Text, cells))
        above = claim  # of a closed form there is a row for each Config
    to.print(table)
    for one in found:
        if one.state is State.NOT_EVALUATED:
            to.print(Text(f"open: {one.claim}: {one.why}", style="yellow"))


def show_named(path: str, found: Sequence[Checked], to: Console) -> None:
    """Print the expectations of one spec."""
    to.print(Text(f"\n{path}", style="bold"))
    show(found, to)


def shifted(spec: Spec, start: int) -> list[str]:
    """Return the overrides that give a spec as many seeds from ``start`` on; none where it is 0.

    Its name is another one then: the sweep of this name stays as it is in the store.
    """
    if start == 0:
        return []
    seeds = {"values": [start + i for i in range(len(spec.seeds.values))], "vary": list(spec.seeds.vary)}
    return [f"name={spec.name[:80]}-seeds-{start}", f"seeds={canonical(seeds)}"]


def all_passed(results: Iterable[Sequence[Checked]]) -> bool:
    """Whether every expectation was evaluated and holds."""
    return all(one.state is State.PASSED for found in results for one in found)


def counts(found: Sequence[Checked]) -> str:
    """Say how many passed: ``7 expectations: 7 passed``."""
    by_state = Counter(one.state for one in found)
    words = ", ".join(f"{by_state[s]} {s.replace('_', ' ')}" for s in State if by_state[s])
    return f"{len(found)} expectation{'s' * (len(found) != 1)}: {words}"
