"""The tutorial runs from its first cell to its last, in a kernel of its own, and is kept without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


def test_the_notebook_is_valid_and_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.slow
def test_every_cell_runs_and_it_ends_with_a_figure_and_an_answer(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert {path.name for path in (tmp_path / "fig").iterdir()} >= {"capacity.pdf", "capacity.png", "capacity.json"}
    (answer,) = [one.text for one in notebook.cells[-1].outputs if one.output_type == "stream"]
    assert answer.startswith(("Most Configs ", "Of 8 Configs "))
    shown = [data for cell in notebook.cells if cell.cell_type == "code" for data in cell.outputs]
    assert sum("image/png" in one.get("data", {}) for one in shown) >= 4
