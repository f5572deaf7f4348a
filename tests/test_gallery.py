"""The gallery: every plot is in it, the committed page has the code that draws it, and that code is three lines."""

from __future__ import annotations

import ast

import pytest
from conftest import ROOT

from experiments import gallery
from fitlab import plots

OTHER = {"VENUES", "caption", "drawn", "paper", "save", "write_config_figures", "write_weight_figures"}  # no plots
DOCS = ROOT / "docs" / "gallery"


def test_every_plot_has_an_entry() -> None:
    assert sorted(one.name for one in gallery.GALLERY) == sorted({*plots.__all__} - OTHER)


@pytest.mark.parametrize("one", gallery.GALLERY, ids=lambda one: one.name)
def test_its_code_is_three_lines_that_the_page_shows_beside_the_small_picture(one: gallery.Entry) -> None:
    assert len(ast.parse(one.code).body) == 2
    assert len(one.code.splitlines()) == 3
    assert all(len(line) <= 100 for line in one.code.splitlines())
    assert f"![{one.name}]({one.name}.png)\n\n```python\n{one.code}\n```" in (DOCS / "README.md").read_text()
    assert (DOCS / f"{one.name}.png").stat().st_size <= gallery.LARGEST
    assert one.sweep in gallery.specs()
