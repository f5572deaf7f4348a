"""What ``fitlab plot`` and ``fitlab report`` do and print: files, captions, and what does not apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from fitlab.errors import SpecError
from fitlab.plots.drawn import caption
from fitlab.plots.kinds import Kind, draw_kinds, named
from fitlab.plots.paper import paper
from fitlab.plots.saving import save
from fitlab.reporting.written import Report
from fitlab.runner.kinds import KINDS
from fitlab.sweep import Sweep

Row = dict[str, Any]


def write_figures(sweep: Sweep, kinds: Sequence[str], venue: str, width: str, out: Path) -> list[Row]:
    """Write the figures of some kinds (none given: of all) into ``out``; return what was written, and what was not.

    Raises SpecError for a kind, a venue or a width that there is not.
    """
    try:
        wanted = named(KINDS, kinds) or KINDS
        with paper(venue, width):  # type: ignore[arg-type]  # a word that paper looks at
            return [*_written(sweep, wanted, out)]
    except ValueError as error:
        raise SpecError(str(error).removeprefix("nothing to draw: ")) from None


def _written(sweep: Sweep, kinds: Mapping[str, Kind], out: Path) -> Iterator[Row]:
    for one in draw_kinds(sweep, kinds):
        if one.figure is None:
            yield {"kind": one.kind, "files": [], "caption": "", "why": one.why}
        else:
            files = save(one.figure, out / one.stem)
            yield {"kind": one.kind, "files": [*map(str, files)], "caption": caption(one.figure), "why": ""}


def show_figures(found: Sequence[Row], to: Console) -> None:
    """Print the files of each figure and its caption, then what was not drawn and why."""
    for one in found:
        if one["files"]:
            first, *others = one["files"]
            ends = ", ".join([first, *(f".{path.rpartition('.')[2]}" for path in others)])
            to.print(Text(ends, style="bold"), soft_wrap=True)
            to.print(Text(f"  {one['caption']}"))
    for one in found:
        if not one["files"]:
            to.print(Text(f"not drawn: {one['kind']}: {one['why']}", style="dim"))


def report_json(found: Report) -> Row:
    """Return what a report says first, its files, and what it does not have."""
    contents = found.contents
    return {
        "name": contents.name,
        "question": contents.question,
        "answer": " ".join(contents.answer),
        "files": [str(path) for path in found.files],
        "not_drawn": dict(found.absent),
    }


def show_report(found: Report, to: Console) -> None:
    """Print the question, the answer and the files."""
    contents = found.contents
    if contents.question:
        to.print(Text(f"\n{contents.question}", style="bold"))
    to.print(Text(" ".join(contents.answer)))
    texts = [path for path in found.files if path.parent == found.files[0].parent]
    for path in texts:
        to.print(f"wrote {path}", highlight=False, markup=False, soft_wrap=True)
    left = len(found.files) - len(texts)
    if left:
        to.print(f"and {left} files of figures in {found.files[-1].parent}", highlight=False, markup=False)
