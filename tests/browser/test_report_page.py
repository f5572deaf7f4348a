"""The report in a real browser, from disk and without a network: it says what the sweep says, and its table sorts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.desk import Desk
from conftest import ROOT
from playwright.sync_api import Browser, Page

import fitlab
from fitlab.reporting.answers import answer
from fitlab.sweep import CONSTANT, Sweep

PICTURES = ROOT / "build" / "screenshots"
PHONE = {"width": 375, "height": 800}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def sweep(compared: Path) -> Sweep:
    return fitlab.load("compared", compared)


@pytest.fixture(scope="module")
def address(compared: Path) -> str:
    return fitlab.report("compared", store=compared).files[0].as_uri()


def opened(browser: Browser, address: str, **settings: object) -> tuple[Page, list[str]]:
    """Open a page without a network; return it, and what it complained of or asked the network for."""
    context = browser.new_context(offline=True, **settings)
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.goto(address)
    return page, wrong


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    found, wrong = opened(chromium, address, viewport={"width": 1200, "height": 900})
    yield found
    assert wrong == []
    found.context.close()


def column(page: Page, head: str) -> list[str]:
    """Return the first line of each cell below a head, of the Configs."""
    at = [text.split("\n")[0] for text in page.locator("#table thead th").all_inner_texts()].index(head)
    cells = page.locator(f"#table tbody tr[data-config] td:nth-child({at + 1})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_it_answers_first_and_its_numbers_are_those_of_the_table(page: Page, sweep: Sweep) -> None:
    assert page.locator("#question").inner_text() == sweep.spec.question
    assert page.locator("#answer").inner_text() == answer(sweep)
    table = sweep.table()
    rows = [name for name in table.index if name != CONSTANT]
    for head, metric in (("train loss", "loss/train"), ("gap", "gap/loss")):
        for text, value in zip(column(page, head), table.loc[rows, metric], strict=True):
            assert number(text) == pytest.approx(value, abs=0.5 * 10.0 ** -len(text.partition(".")[2]) * (1 + 1e-9))
    assert page.locator("figure img").count() >= 5
    loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
    assert page.locator("figure img").evaluate_all(loaded)
    page.screenshot(path=PICTURES / "report.png", full_page=True)


def test_a_click_or_a_key_on_a_head_sorts_the_table(page: Page) -> None:
    before = column(page, "gap")
    page.get_by_role("button", name="gap").click()
    assert [*map(number, column(page, "gap"))] == sorted(map(number, before))
    page.get_by_role("button", name="gap").press("Enter")
    assert [*map(number, column(page, "gap"))] == sorted(map(number, before), reverse=True)
    assert page.locator("#table th", has_text="gap").get_attribute("aria-sort") == "descending"
    assert page.locator("#table tbody tr").last.inner_text().split("\t")[3].split() == CONSTANT.split()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_only_tables_scroll_sideways(chromium: Browser, address: str, scheme: str) -> None:
    page, wrong = opened(chromium, address, viewport=PHONE, color_scheme=scheme, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) > 380) == (scheme == "light")
    page.screenshot(path=PICTURES / f"report_phone_{scheme}.png")
    assert wrong == []
    page.context.close()


def test_without_script_all_of_it_is_there_and_it_prints(chromium: Browser, address: str, sweep: Sweep) -> None:
    page, wrong = opened(chromium, address, java_script_enabled=False)
    assert page.locator("#table tbody tr[data-config]").count() == len(sweep.configs)
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert wrong == []
    page.context.close()


def test_mlflow_shows_it_with_the_summary(links: dict[str, str], chromium: Browser, sweep: Sweep) -> None:
    desk = Desk(chromium)
    desk.open(links["compared"].partition("&viewStateShareKey")[0].replace("CHART", "TABLE"))
    desk.open_run("summary")
    desk.tab("Artifacts")
    frame = desk.html("report.html")
    assert frame.locator("#answer").inner_text() == answer(sweep)
    assert frame.locator("figure img").first.evaluate("image => image.naturalWidth") > 0
    frame.get_by_role("button", name="gap").click()
    desk.picture(PICTURES / "report_in_mlflow.png")
    assert desk.errors == []
    desk.page.close()
