"""`fitlab plot` and `fitlab report` as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab, spec  # noqa: F401 (fixtures)

import fitlab as library
from fitlab.reporting.answers import answer
from fitlab.runner.kinds import KINDS


@pytest.fixture
def trained(fitlab: Fitlab, spec: Path, store: Path) -> Path:
    assert fitlab("sweep", str(spec), "--store", str(store), "--no-publish")[0] == 0
    return store


def test_plot_writes_each_figure_as_four_files_and_says_its_caption(
    fitlab: Fitlab, trained: Path, tmp_path: Path
) -> None:
    kinds = ("--kind", "learning_curves", "--kind", "capacity_curve")
    code, out, err = fitlab("plot", "tiny", *kinds, "--venue", "nature", "--out", tmp_path / "fig", "--store", trained)
    assert (code, err) == (0, "")
    assert "not drawn: capacity_curve: no curve against capacity" in out
    stems = {path.stem for path in (tmp_path / "fig").iterdir()}
    assert "learning_curves_selected" in stems
    assert {path.name for path in (tmp_path / "fig").iterdir()} == {
        f"{stem}.{end}" for stem in stems for end in ("pdf", "png", "csv", "json")
    }
    said = json.loads((tmp_path / "fig" / "learning_curves_selected.json").read_text())
    assert " ".join(said["caption"].split()) in " ".join(out.split())
    assert said["panels"][0]["origin"]["sweep"] == "tiny"


def test_plot_refuses_what_there_is_not_and_writes_nothing(fitlab: Fitlab, trained: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "fig", "--store", trained)
    for words, said in (
        (("--kind", "learning_curve"), "got 'learning_curve'; did you mean learning_curves?"),
        (("--venue", "neurps2024"), "got 'neurps2024'; did you mean neurips2024?"),
        (("--width", "wide"), "width is column, text, or inches above 0, not 'wide'"),
        (("--kind", "sample_size_curve"), "none of the figures that were asked for applies"),
    ):
        code, _, err = fitlab("plot", "tiny", *words, *out)
        assert (code, said in err) == (2, True), err
    assert not (tmp_path / "fig").exists()
    assert fitlab("plot", "nothing", *out)[0] == 3


def test_what_cannot_be_written_is_said_with_where(fitlab: Fitlab, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for command in (("plot", "tiny", "--kind", "learning_curves"), ("report", "tiny")):
        code, _, err = fitlab(*command, "--store", trained, "--out", tmp_path / "file")
        assert (code, err.count(f"{tmp_path / 'file'}: cannot be written")) == (2, 1)


@pytest.mark.slow
def test_plot_draws_all_that_applies_and_says_of_the_rest_why_not(fitlab: Fitlab, trained: Path) -> None:
    code, out, _ = fitlab("plot", "tiny", "--json", "--store", trained)
    found = json.loads(out)
    assert code == 0
    assert [*dict.fromkeys(one["kind"] for one in found)] == [*KINDS]
    for one in found:
        assert bool(one["files"]) == bool(one["caption"]) != bool(one["why"])
        assert all(Path(path).parent == trained / "figures" / "tiny" for path in one["files"])
    assert sum(bool(one["files"]) for one in found) >= 10


def test_report_says_the_answer_and_where_it_lies(fitlab: Fitlab, trained: Path) -> None:
    code, out, err = fitlab("report", "tiny", "--json", "--store", trained)
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said["answer"] == answer(library.load("tiny", trained))
    folder = trained / "reports" / "tiny"
    assert said["files"][:4] == [
        str(folder / name) for name in ("report.html", "report.md", "table.tex", "methods.tex")
    ]
    assert all(Path(path).is_file() for path in said["files"])
    assert "name: tiny" in (folder / "report.html").read_text()  # the text of the spec file
    code, out, _ = fitlab("report", "tiny", "--store", trained)
    assert code == 0
    assert "Does it work?" in out
    assert str(folder / "report.html") in out
    assert fitlab("report", "nothing", "--store", trained)[0] == 3
