"""What is written for papers compiles with the LaTeX that Debian has; see install.sh."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fitlab.papers import latex_table, methods_paragraph
from fitlab.sweep import Sweep

PREAMBLE = r"\documentclass{article}\usepackage{booktabs}\begin{document}"


def lacking() -> str:
    """Say which of the programs is not there; nothing where all are."""
    if missing := [program for program in ("pdflatex", "pdffonts") if shutil.which(program) is None]:
        return f"{' and '.join(missing)} not installed: `sh tests/papers/install.sh` does it on Debian, as root"
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True)
    return "" if found.returncode == 0 else "no booktabs.sty: it is in Debian's texlive-latex-recommended"


@pytest.mark.slow
def test_tables_and_paragraphs_compile_and_embed_no_bitmap_fonts(sweeps: dict[str, Sweep], tmp_path: Path) -> None:
    if why := lacking():
        pytest.skip(why)
    parts = [
        latex_table(sweep) + latex_table(sweep, rows=2, intervals="bounds") + methods_paragraph(sweep)
        for sweep in sweeps.values()
    ]
    (tmp_path / "paper.tex").write_text("\n\\clearpage\n".join([PREAMBLE, *parts, r"\end{document}"]), encoding="ascii")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert "Missing character" not in log
    assert "LaTeX Warning: Label" not in log.replace("LaTeX Warning: Label(s) may have changed", "")
    fonts = subprocess.run(["pdffonts", "paper.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Type 1" in fonts
    assert "Type 3" not in fonts
