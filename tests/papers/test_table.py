"""The LaTeX table: a row per Config, the numbers of ``sweep.table()``, and a caption that a referee asks for."""

from __future__ import annotations

import math
import re

import pytest
from papers.sweeps import NASTY, SPECS

from fitlab.errors import SpecError
from fitlab.papers import escaped, latex_table
from fitlab.sweep import Sweep

NAMES = [*SPECS, "joined", "recorded", "losses", "undiagnosed"]
METRICS = ("loss/train", "loss/val", "gap/loss")


def rows(tex: str) -> list[list[str]]:
    r"""Return the cells of each row; ``\&`` separates none, \multicolumn counts for as many as it spans."""
    found = []
    for line in re.findall(r"^    (?!\\)(.*) \\\\$", tex, re.MULTILINE):
        cells = re.split(r"(?<!\\)&", line)
        found.append([cell.strip() for cell in cells for _ in range(span(cell))])
    return found


def span(cell: str) -> int:
    several = re.search(r"\\multicolumn\{(\d+)\}", cell)
    return int(several[1]) if several else 1


def numbers(cell: str) -> list[float]:
    plain = re.sub(r"\\cdot 10\^\{(-?\d+)\}", r"e\1", cell)
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["half-width", "bounds"])
def test_numbers_are_those_of_the_table_and_every_row_has_every_column(
    sweeps: dict[str, Sweep], name: str, form: str
) -> None:
    sweep = sweeps[name]
    tex, table = latex_table(sweep, rows=100, intervals=form), sweep.table()
    columns = re.search(r"\\begin\{tabular\}\{(.*)\}$", tex, re.MULTILINE)[1]
    body = [cells for cells in rows(tex) if any("$" in cell and "star" not in cell for cell in cells) or "--" in cells]
    assert {len(cells) for cells in rows(tex)} == {len(re.sub(r"@\{[^l]*?\}+", "", columns))}
    assert len(body) == len(table)
    first = len(body[0]) - 4 - ("Fits" in tex)
    wanted = sorted(tuple(row[metric] for metric in METRICS) for _, row in table.iterrows())
    found = sorted(
        tuple(numbers(cell)[0] if "$" in cell else math.nan for cell in cells[first : first + 3]) for cells in body
    )
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours == pytest.approx(theirs, rel=6e-2, abs=6e-3, nan_ok=True)


def test_each_cell_is_mean_and_half_width_or_bounds(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["grid"]
    for form in ("half-width", "bounds"):
        for cells, config in zip(rows(latex_table(sweep, intervals=form))[2:], sweep.configs, strict=False):
            for cell, metric in zip(cells[3:6], METRICS, strict=True):
                one = sweep.intervals(config)[metric]
                digits = len(re.search(r"\d+(?:\.(\d+))?", cell)[1] or "")
                said = (
                    (one.estimate, one.high - one.estimate)
                    if form == "half-width"
                    else (one.estimate, one.low, one.high)
                )
                assert numbers(cell) == [round(value, digits) for value in said]


def test_the_selected_config_alone_is_marked_and_the_constant_predictor_is_last(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["grid"]
    body = rows(latex_table(sweep))[2:]
    marked = [i for i, cells in enumerate(body) if cells[0] == r"$\star$"]
    assert [sweep.configs[i].digest for i in marked] == [sweep.verdicts.selection.config]
    assert "constant predictor" in body[-1][1]
    for name, data in (("sizes", 2), ("one", 1)):  # one for each way the data are set up, beside no swept key
        ends = rows(latex_table(sweeps[name]))[-data:]
        assert all("constant predictor" in cells[-1] for cells in ends)
    assert [cells[6] for cells in body[:-1]] == [
        sweep.verdicts.by_config[config.digest].brief for config in sweep.configs
    ]


def test_the_caption_says_what_a_referee_asks(sweeps: dict[str, Sweep]) -> None:
    tex = latex_table(sweeps["grid"])
    caption = re.search(r"\\caption\{(.*)\}", tex)[1]
    for said in (
        escaped("Is 5 % & $3_a enough?").replace("5 ", "5~"),
        "mean over $S$~=~3 seeds",
        r"half of the 90~\% Student t interval",
        "6 configurations tried (grid)",
        "the lowest mean validation loss",
        "scikit-learn 1.",
        "$n$~=~74 training, 38 validation and 38 test rows",
    ):
        assert said in caption, said
    assert "optimism, test minus validation" in tex


def test_of_many_configs_the_best_are_shown_and_the_rest_is_said(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["grid"]
    tex = latex_table(sweep, rows=2)
    losses = sorted(sweep.intervals(config)["loss/val"].estimate for config in sweep.configs)
    shown = sorted(numbers(cells[4])[0] for cells in rows(tex)[2:-1])
    assert shown == pytest.approx(losses[:2], abs=6e-3)
    assert "of which the 2 best are shown" in tex
    rest = re.search(r"Not shown: (.*)\.$", tex, re.MULTILINE)[1]
    assert sum(map(int, re.findall(r"\d+", rest))) == 4


def test_of_a_search_the_best_come_first_and_what_was_given_up_is_said(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["search"]
    body = rows(latex_table(sweep))[2:-1]
    found = [numbers(cells[3])[0] for cells in body if "$" in cells[3]]
    assert found == sorted(found)
    assert any("pruned at 2" in cells[-1] for cells in body)


def test_names_with_specials_are_in_their_cells(sweeps: dict[str, Sweep]) -> None:
    tex = latex_table(sweeps["recorded"])
    assert [cells[1] for cells in rows(tex)[2:5]] == [escaped(name) for name in NASTY]
    assert "recorded elsewhere" in tex
    assert tex.isascii()


def test_wrong_requests_are_refused(sweeps: dict[str, Sweep]) -> None:
    sweep = sweeps["grid"]
    for options in ({"rows": 0}, {"intervals": "sd"}):
        with pytest.raises(SpecError):
            latex_table(sweep, **options)
    with pytest.raises(SpecError, match="there is no Config"):
        latex_table(Sweep(sweep.spec, (), ()))
