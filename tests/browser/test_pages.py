"""MLflow's pages in a real browser: what is there at the link that fitlab prints, without a click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.desk import Chart, Desk
from conftest import ROOT

import fitlab
from fitlab.sweep import Sweep, mean_curve
from fitlab.tracking import links as written
from fitlab.tracking.content import experiment_note
from fitlab.verdicts import COLOURS

PICTURES = ROOT / "build" / "screenshots"
TITLES = ["loss/train vs loss/val", "final/loss/val vs. final/gap/loss", "loss/val", "Parallel Coordinates"]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]  # one server and one browser, not one a worker


@pytest.fixture(scope="module")
def sweep(compared: Path) -> Sweep:
    return fitlab.load("compared", compared)


@pytest.fixture(scope="module")
def page(links: dict[str, str], chromium) -> Iterator[Desk]:
    """The page at the printed link, as it stands when all is drawn."""
    desk = Desk(chromium)
    desk.open(links["compared"])
    yield desk
    desk.page.close()


@pytest.fixture(scope="module")
def charts(page: Desk) -> dict[str, Chart]:
    found = page.charts(len(TITLES))
    page.picture(PICTURES / "charts.png")
    return {chart.title: chart for chart in found}


def named(sweep: Sweep) -> dict[str, tuple]:
    """Return Config and Verdict by the name that a run begins with."""
    from fitlab.tracking.content import config_name

    return {config_name(config): (config, sweep.verdicts.by_config[config.digest]) for config in sweep.configs}


def of(sweep: Sweep, run: str) -> tuple:
    """Return Config and Verdict of a run by its name: that of the Config, and the verdict in brief."""
    return named(sweep)[run.rpartition(" · ")[0]]


def test_the_page_says_first_what_was_asked_and_what_came_out(page: Desk, sweep: Sweep) -> None:
    first = experiment_note(sweep).splitlines()[0].replace("**", "")
    assert first.startswith("How wide before it memorises label noise? ")
    assert page.note().startswith(first)


def test_all_current_configs_are_rows_and_are_charted_the_best_first(page: Desk, sweep: Sweep) -> None:
    rows = page.rows()
    assert len(rows) == len(sweep.configs) == 12
    losses = [sweep.intervals(of(sweep, row)[0])["loss/val"].estimate for row in rows]
    assert losses == sorted(losses)
    assert page.shown() == 12


def test_train_and_validation_curves_of_all_configs_lie_over_each_other(charts: dict[str, Chart], sweep: Sweep) -> None:
    chart = charts[TITLES[0]]
    assert chart.lines == len(chart.traces) == 2 * len(sweep.configs)
    assert {(trace.metric, trace.dash) for trace in chart.traces} == {("loss/train", "solid"), ("loss/val", "dash")}
    for trace in chart.traces:
        config, verdict = of(sweep, trace.name)
        curve = mean_curve(trace.metric, sweep.of(config))
        assert np.allclose(trace.y, curve[trace.x], rtol=1e-12)
        assert trace.colours == [COLOURS[verdict.label]]
    assert charts[TITLES[2]].lines == len(sweep.configs)


def test_gap_stands_against_validation_loss_in_the_colours_of_verdicts(charts: dict[str, Chart], sweep: Sweep) -> None:
    chart = charts[TITLES[1]]
    assert chart.points == len(sweep.configs)
    (cloud,) = chart.traces
    shown = set(zip(np.round(cloud.x, 9), np.round(cloud.y, 9), cloud.colours, strict=True))
    wanted = set()
    for config, verdict in named(sweep).values():
        means = sweep.intervals(config)
        point = (means["loss/val"].estimate, means["gap/loss"].estimate)
        wanted.add((*np.round(point, 9), COLOURS[verdict.label]))
    assert shown == wanted
    assert len(set(cloud.colours)) > 1


def test_swept_parameters_are_parallel_to_the_validation_loss(charts: dict[str, Chart]) -> None:
    chart = charts[TITLES[3]]
    assert chart.drawn
    kept = ["model.activation", "log10/hidden_layer_sizes", "log10/alpha", "final/loss/val"]
    assert [(axis[:5], axis[-5:]) for axis in chart.axes] == [(name[:5], name[-5:]) for name in kept]  # "log10/…_sizes"


def test_nothing_else_is_unfolded_and_the_page_has_no_error(page: Desk, charts: dict[str, Chart]) -> None:
    assert list(charts) == TITLES
    assert page.errors == []


def test_the_table_has_the_useful_columns(links: dict[str, str], chromium, sweep: Sweep) -> None:
    desk = Desk(chromium)
    desk.open(links["compared"].replace("CHART", "TABLE"))
    swept = ["model.hidden_layer_sizes", "training.alpha", "model.activation"]
    said = ["final/loss/val", "final/gap/loss", "fitlab.verdict", "fitlab.outcomes"]
    assert {*swept, *said} <= set(desk.columns())
    assert len(desk.rows()) == len(sweep.configs)
    desk.page.close()


def test_the_page_of_a_run_has_its_note(links: dict[str, str], chromium, sweep: Sweep) -> None:
    desk = Desk(chromium)
    desk.open(links["compared"])
    run = desk.rows()[0]
    desk.open_run(run)
    _, verdict = of(sweep, run)
    assert desk.run_note().startswith(verdict.note.splitlines()[0].replace("**", ""))
    assert desk.errors == []
    desk.as_training()
    desk.picture(PICTURES / "run.png")
    desk.page.close()


def test_a_run_has_a_page_of_its_weights_whose_numbers_are_those_of_the_table(
    links: dict[str, str], chromium, sweep: Sweep
) -> None:
    desk = Desk(chromium)
    desk.open(links["compared"])
    run = desk.rows()[0]
    desk.open_run(run)
    desk.tab("Artifacts")
    frame = desk.html("weights.html")
    rows = frame.locator("#losses tbody tr").all_inner_texts()
    config, _ = of(sweep, run)
    row = sweep.table().loc[config.digest[:12]]
    for text in rows:
        metric, _, said = text.partition("\t")
        numbers = [float(one) for one in said.replace("[", " ").replace("]", " ").replace(",", " ").split()]
        assert numbers == [float(f"{row[metric + end]:.4g}") for end in ("", "/low", "/high")]
    assert len(rows) == 5
    cells = frame.locator("#arrays canvas")
    assert cells.count() == 4  # weights and biases of two layers
    first = cells.first.evaluate("canvas => canvas.toDataURL()")
    frame.locator("#epoch").fill("0")
    assert cells.first.evaluate("canvas => canvas.toDataURL()") != first
    assert frame.locator("#at").inner_text() == "0"
    cells.first.hover()
    assert "hidden_1 weight, input" in frame.locator("#said").inner_text()
    desk.picture(PICTURES / "weights.png")
    assert desk.errors == []
    desk.page.close()


def test_a_run_has_pictures_of_its_weights_over_the_epochs(links: dict[str, str], chromium, sweep: Sweep) -> None:
    desk = Desk(chromium)
    desk.open(links["compared"])
    desk.open_run(desk.rows()[0])
    desk.tab("Model metrics")
    for key in ("weights", "histograms"):
        assert desk.images(key) == 3  # epochs 0, 10 and 40
    desk.picture(PICTURES / "images.png")
    assert desk.errors == []
    desk.page.close()


def test_several_experiments_open_together(links: dict[str, str], chromium, sweep: Sweep) -> None:
    assert list(links) == ["compared", "beside", "together"]
    desk = Desk(chromium)
    desk.open(links["together"])
    charts = desk.charts(len(TITLES))
    assert [chart.title for chart in charts] == TITLES
    assert charts[0].lines == 2 * (len(sweep.configs) + 2)
    assert len(desk.rows()) == len(sweep.configs) + 2
    desk.page.close()


def test_without_a_view_the_charts_of_all_current_runs_open(links: dict[str, str], chromium, sweep: Sweep) -> None:
    desk = Desk(chromium)
    desk.open(written.charts("1", links["compared"].partition("/#")[0]))  # what is printed then
    rows = desk.rows()
    assert "summary" in rows
    assert len(rows) == len(sweep.configs) + 1  # seeds are folded
    desk.page.close()
