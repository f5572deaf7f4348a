"""What the printed table says beside its numbers."""

from __future__ import annotations

import io
from dataclasses import replace

from diagnosis.frames import SHAPES, falling, recorded
from rich.console import Console

from fitlab.cli import diagnosis
from fitlab.cli.table import legend, sweep_table
from fitlab.diagnosis import diagnose, document
from fitlab.spec.sweeps import Objective
from fitlab.sweep import Sweep
from fitlab.tracking.content import standing, table_markdown


def diagnosed(sweep: Sweep) -> Sweep:
    return replace(sweep, verdicts=diagnose(sweep))


def bold(sweep: Sweep) -> list[str]:
    """Return the first cells of the bold rows."""
    table = sweep_table(sweep, Console(width=200))
    names = [*table.columns[0].cells]
    return [name for name, row in zip(names, table.rows, strict=True) if row.style == "bold"]


def test_the_legend_names_the_selected_config_where_it_is_not_the_bold_one() -> None:
    sweep = diagnosed(recorded(SHAPES))
    assert bold(sweep) == ["right"]
    assert "selects" not in legend(sweep, strip=False)
    swept = sweep.spec.sweep.model_copy(update={"objective": (Objective(metric="loss/train"),)})
    sweep = diagnosed(replace(sweep, spec=sweep.spec.model_copy(update={"sweep": swept})))
    assert bold(sweep) == ["large"]
    assert "Bold: lowest loss/train. Validation loss selects another: right." in legend(sweep, strip=False)
    to = Console(width=200, file=io.StringIO())
    diagnosis.show_selection(sweep, to)
    said = to.file.getvalue()
    assert "whatever the objective is (here: lowest loss/train)" in said
    assert "the objective prefers large" in said


def test_a_config_that_diverged_is_not_bold() -> None:
    wild = (falling(4.0), falling(3.0))
    assert bold(diagnosed(recorded({"one": wild, "other": wild}))) == []


def test_that_nothing_beats_the_constant_predictor_stands_in_every_table_and_reason() -> None:
    noise = {f"c{i}": (falling(1.9), falling(2.0 + 0.01 * i)) for i in range(3)}
    for curves, beside in ((noise, "nothing beats it"), (SHAPES, "")):
        sweep = diagnosed(recorded(curves))
        assert sweep.table()["verdict"].iloc[-1] == beside
        assert table_markdown(sweep).split("\n\n")[0].splitlines()[-1].endswith(f"| {beside or '–'} |")
        to = Console(width=200, file=io.StringIO())
        to.print(sweep_table(sweep, to))
        assert ("nothing beats it" in to.file.getvalue()) is bool(beside)
        for config in sweep.configs:
            tags, _ = standing(sweep, config)
            assert ("nothing beats the constant predictor" in tags["fitlab.reason"]) is bool(beside)
        assert [one["unbeaten"] for one in document(sweep)["configs"]] == [bool(beside)] * 3
