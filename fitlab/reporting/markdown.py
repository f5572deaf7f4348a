"""A report as Markdown: the same contents, for a repository or an editor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fitlab.reporting.contents import Contents, Finding, Row
from fitlab.reporting.figures import Picture

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def markdown(contents: Contents, pictures: Sequence[Picture], files: Mapping[str, str]) -> str:
    """Return the text. files: stem of a figure -> where its picture lies, as seen from the text; those not in it are
    left out."""
    return "\n\n".join(part for part in _parts(contents, pictures, files) if part) + "\n"


def escaped(text: str) -> str:
    """Return plain text so that Markdown shows it as it is, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _parts(contents: Contents, pictures: Sequence[Picture], files: Mapping[str, str]) -> Iterator[str]:
    yield f"# {escaped(contents.question or contents.name)}"
    yield f"*{escaped(contents.name)}*"
    yield f"**{escaped(' '.join(contents.answer))}**"
    yield "## Verdicts"
    table = contents.table
    yield _table([*table.keys, "verdict", *table.metrics, "because it"], map(_cells, table.rows))
    yield escaped(contents.table.legend)
    shown = [one for one in pictures if one.stem in files]
    yield "## Figures" if shown else ""
    for one in shown:
        yield f"![{escaped(one.alt)}](<{files[one.stem]}>)"
        yield escaped(one.caption)
    yield "## Selected"
    yield escaped(contents.selection) or "No Config is selected."
    yield _listed(contents.selected)
    yield from _expected(contents)
    yield from _undecided(contents)
    yield "## What checks found"
    yield "\n\n".join(map(_finding, contents.findings)) or "Nothing."
    yield escaped(contents.not_found)
    yield "## Provenance"
    yield _listed(contents.provenance)
    yield f"[Compare the curves in MLflow](<{contents.logged.link}>)" if contents.logged else ""
    yield _listed((name, run) for name, run, _ in contents.runs)
    yield f"### Methods, for a paper\n\n{escaped(contents.methods)}" if contents.methods else ""
    yield f"### The spec\n\n{_fenced(contents.spec)}"


def _cells(row: Row) -> list[str]:
    numbers = [escaped(f"{cell.text} {cell.bounds}".strip()) for cell in row.numbers]
    verdict = f"**{escaped(row.verdict)}** (selected)" if row.selected else escaped(row.verdict)
    return [*(escaped(cell.text) for cell in row.swept), verdict, *numbers, escaped(row.why)]


def _expected(contents: Contents) -> Iterator[str]:
    if not contents.expectations:
        return
    yield "## What the spec expects"
    rows = [
        [
            str(one.state).replace("_", " "),
            f"{one.claim}{f' ({one.source})' if one.source else ''}{f' {one.why}' if one.why else ''}",
            *(one.where or "all", one.quantity, one.expected, one.got, one.tolerance),
        ]
        for one in contents.expectations
    ]
    heads = ["", "claim", "where", "quantity", "expected", "got", "tolerance"]
    yield _table(heads, ([escaped(cell) for cell in row] for row in rows))


def _undecided(contents: Contents) -> Iterator[str]:
    yield "## Not decided"
    if not contents.undecided:
        yield "Every Config that was assessed is decided."
        return
    left = f" {contents.undecided_left} more are in the table above; these take the fewest seeds."
    yield escaped(contents.undecided_words + (left if contents.undecided_left else ""))
    rows = [[escaped(cell) for cell in (one.name, one.verdict, one.seeds, one.why)] for one in contents.undecided]
    yield _table(["Config", "verdict", "seeds that would decide it", "because it"], rows)


def _finding(one: Finding) -> str:
    return f"**{one.code} {escaped(one.title)}**: {escaped(one.said)} {escaped(one.advice)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [[escaped(head) for head in heads], ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {escaped(head)}: {escaped(words)}" for head, words in pairs)


def _fenced(text: str) -> str:
    """Return text as it is; the fence is longer than any within."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text.rstrip()}\n{fence}"
