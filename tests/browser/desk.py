"""MLflow's web pages as a reader finds them: the page objects of the browser tests and of the pictures in docs/.

Everything that depends on how MLflow builds its pages is here; tests speak of charts, rows, notes and tabs.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Locator, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT = 60_000  # milliseconds that a page may take; what is there is found at once
THEIRS = (  # errors that every page of MLflow has
    "/users/current",  # it asks who is logged in, which a server without users does not know
    "ResizeObserver loop completed with undelivered notifications",  # a layout that took two frames
    "> attribute ",  # a chart of MLflow's that was left while it was drawn
)
READ_CHARTS = """() => [...document.querySelectorAll('[data-testid="experiment-view-compare-runs-card"]')].map(card => {
  const plot = card.querySelector('.js-plotly-plot');
  const traces = plot ? plot.data.filter(trace => trace.hoverinfo !== 'skip') : [];  // what it skips are bands
  const inked = canvas => canvas.width && canvas.height && [...canvas.getContext('2d').getImageData(
      0, 0, canvas.width, canvas.height).data].some((value, i) => i % 4 === 3 && value > 0);
  return {
    title: card.innerText.split('\\n')[0],
    scale: plot ? plot.layout.yaxis.type : '',
    traces: traces.map(trace => ({
      name: trace.name || '', metric: trace.metricKey || '', x: [...trace.x], y: [...trace.y],
      colours: [trace.marker.color].flat(), dash: trace.line ? trace.line.dash : ''})),
    lines: [...card.querySelectorAll('.scatterlayer path.js-line')].filter(
        line => line.getAttribute('d') && parseFloat(line.style.strokeOpacity || 1) > 0.5).length,  // else raw
    points: card.querySelectorAll('.scatterlayer path.point').length,
    axes: [...card.querySelectorAll('.dimension .label')].map(label => label.textContent),
    drawn: [...card.querySelectorAll('canvas')].some(inked),
  };
})"""


def chromium() -> str | None:
    """Return a browser of this machine: playwright's own cannot be had everywhere."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser without a window. As root, as in containers, it has no sandbox; it opens our pages alone."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def serving(store: Path, *names: str) -> Iterator[dict[str, str]]:
    """Run `fitlab ui` as a user does and yield the links that it prints, by the name of the sweep."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fitlab", "ui", *names, "--store", str(store), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    links = {}
    try:
        for line in process.stdout:
            name, sign, link = line.strip().partition(": http")
            if not sign:
                break
            links[name] = f"http{link}"
        yield links
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@dataclass(frozen=True)
class Trace:
    """A curve or a cloud of points, as the page was given it."""

    name: str
    metric: str
    x: list[float]
    y: list[float]
    colours: list[str]
    dash: str | None


@dataclass(frozen=True)
class Chart:
    """A chart of the comparison page: what it was given, and how much of that is drawn."""

    title: str
    scale: str  # of the y axis
    traces: list[Trace]
    lines: int  # drawn curves
    points: int  # drawn points
    axes: list[str]  # of parallel coordinates
    drawn: bool  # whether a canvas has ink


class Desk:
    """One page of the browser, as on a first visit, but for MLflow's assistant, which lies over the right third."""

    def __init__(self, browser: Browser, width: int = 1600, height: int = 1200) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(WAIT)
        self.page.add_init_script(  # a frame has no storage
            "try { localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true') } catch {}"
        )
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location['url']}"
        if message.type == "error" and not any(text in said for text in THEIRS):
            self.errors.append(said)

    # ── the page of an experiment ───────────────────────────────────────────────────────────────────────────────

    def open(self, link: str) -> None:
        """Open a link and wait for what is to come: the charts or, without them, the rows."""
        self.page.goto(link)
        ready = "experiment-view-compare-runs-card" if "CHART" in link else "experiment-view-table-run-color"
        self.page.get_by_test_id(ready).first.wait_for()

    def charts(self, count: int) -> list[Chart]:
        """Return the charts that are unfolded, once all of ``count`` are drawn."""
        self.page.wait_for_function(
            f"""() => {{ const charts = ({READ_CHARTS})();
            return charts.length >= {count} && charts.every(one => one.lines || one.points || one.drawn) }}"""
        )
        self.page.wait_for_timeout(500)  # MLflow draws once more after its first layout
        found = self.page.evaluate(READ_CHARTS)
        return [Chart(**{**one, "traces": [Trace(**trace) for trace in one["traces"]]}) for one in found]

    def rows(self) -> list[str]:
        """Return the names of the runs, from top to bottom."""
        links = self.page.locator(".ag-row a[href*='/runs/']")
        return [text for text in links.all_inner_texts() if text.strip()]

    def shown(self) -> int:
        """Return how many runs are charted: an eye that is open stands beside each."""
        return self.page.locator(".ag-row .is-visibility-toggle-checkbox:checked").count()

    def columns(self) -> list[str]:
        """Return the heads of the columns; the table has them, the charts have the names alone."""
        return [text for text in self.page.locator(".ag-header-cell").all_inner_texts() if text.strip()]

    def note(self) -> str:
        """Return what the page says first, above everything."""
        return self.page.get_by_test_id("experiment-metadata-editor-edit-button").locator("xpath=..").inner_text()

    # ── the page of a run ───────────────────────────────────────────────────────────────────────────────────────

    def open_run(self, name: str) -> None:
        """Follow the link of a run in the list, and wait for its page."""
        self.page.locator(".ag-row a[href*='/runs/']", has_text=name).first.click()
        self._run_note().wait_for()

    def run_note(self) -> str:
        """Return the whole note of the run."""
        return self._run_note().inner_text()

    def _run_note(self) -> Locator:
        return self.page.get_by_test_id("entity-overview-container").get_by_test_id("note-editor-preview-content")

    def as_training(self) -> None:
        """Show the run's page under MLflow's heading of model training: its links lose that on the way."""
        self.page.goto(f"{self.page.url.partition('?')[0]}?workflowType=machine_learning")
        self._run_note().wait_for()

    def unfold_note(self) -> None:
        """Show the whole note of the run; MLflow cuts a long one."""
        self.page.get_by_test_id("show-comment-toggle").click()

    def tab(self, name: str) -> None:
        """Open a tab of a run's page: Overview, Model metrics, Artifacts."""
        self.page.get_by_role("tab", name=name).click()

    def images(self, key: str) -> int:
        """Return at how many steps the tab Model metrics has a picture, once one of them is drawn."""
        self.page.get_by_placeholder("Search metric charts").fill("histograms")  # finds the section of all pictures
        head = self.page.get_by_text(key, exact=True)
        card = self.page.get_by_test_id("experiment-view-compare-runs-card").filter(has=head).first
        card.locator("img").first.wait_for()
        return card.locator("xpath=.//span[contains(@class, 'TRACK')]/preceding-sibling::div/div").count()

    def unfold(self, section: str) -> None:
        """Open a folded section of charts."""
        self.page.get_by_test_id("experiment-view-compare-runs-section-header").filter(has_text=section).first.click()

    def html(self, name: str) -> FrameLocator:
        """Choose a page of the tab Artifacts; return what is shown of it, in its frame."""
        self.page.get_by_text(name, exact=True).first.click()
        self.page.locator("iframe").first.wait_for()
        return self.page.frame_locator("iframe").first

    # ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────

    def tidy(self) -> None:
        """Leave out what is MLflow's own: its menu, what it says of shared views, the button of its assistant."""
        if self.page.get_by_text("Model registry").is_visible():  # the menu is unfolded
            self.page.get_by_role("button", name="Toggle sidebar").click()
        for banner in self.page.get_by_role("button", name="Hide banner").all():
            banner.click()
        self.page.add_style_tag(content="[data-assistant-ui] { display: none }")
        self.page.mouse.move(0, 0)  # no tooltip
        self.page.wait_for_timeout(1000)  # charts follow the width

    def picture(self, path: Path) -> Path:
        """Keep what the page looks like."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path
