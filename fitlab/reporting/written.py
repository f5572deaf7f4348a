"""A report as files: the page, the Markdown with its figures, the table and the methods paragraph for LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fitlab.papers import latex_table, methods_paragraph
from fitlab.plots.saving import save
from fitlab.reporting.contents import Contents, contents_of
from fitlab.reporting.figures import Picture, page_style, pictures_of
from fitlab.reporting.logged import Logged
from fitlab.reporting.markdown import markdown
from fitlab.reporting.page import page
from fitlab.sweep import Sweep

PAGE, TEXT = "report.html", "report.md"
FIGURES = "figures"


@dataclass(frozen=True)
class Report:
    """What was written, and what it says first."""

    contents: Contents
    pictures: tuple[Picture, ...]
    absent: tuple[tuple[str, str], ...]  # kinds of figures that do not apply, each with the reason
    files: tuple[Path, ...]


def report(sweep: Sweep, out: str | Path, *, source: str | None = None, logged: Logged | None = None) -> Report:
    """Write the report of a Sweep into the folder ``out``: report.html, report.md, figures/, table.tex, methods.tex.

    source: the text of its spec. logged: where it was published. The same sweep gives the same bytes.
    Raises StoreError where its weights are gone, OSError where ``out`` cannot be written.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    contents = contents_of(sweep, source, logged)
    with page_style():
        drawn, absent = pictures_of(sweep)
        html = page(contents, drawn, absent)
        figures = [path for one in drawn for path in save(one.figure, folder / FIGURES / one.stem)]
    text = markdown(contents, drawn, {one.stem: f"{FIGURES}/{one.stem}.png" for one in drawn})
    written = {PAGE: html, TEXT: text}
    if sweep.configs:
        written |= {"table.tex": latex_table(sweep), "methods.tex": methods_paragraph(sweep)}
    for name, said in written.items():
        (folder / name).write_text(said, encoding="utf-8")
    files = (*(folder / name for name in written), *figures)
    return Report(contents, tuple(drawn), tuple(absent), files)


def write_logged(sweep: Sweep, folder: Path, logged: Logged | None = None) -> None:
    """Write what is logged to MLflow into ``folder``: the page, and the text without figures, which the page has."""
    contents = contents_of(sweep, None, logged)
    (folder / TEXT).write_text(markdown(contents, (), {}), encoding="utf-8")
    with page_style():  # the page last: where it is, all is
        (folder / PAGE).write_text(page(contents, *pictures_of(sweep)), encoding="utf-8")
