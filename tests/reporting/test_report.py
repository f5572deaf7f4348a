"""The report: its numbers are the sweep's, what users typed stays text, nothing is fetched, again it is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from diagnosis.frames import GOOD, OVERFIT, SHAPES, SIZES, UNDERFIT, recorded
from matplotlib import pyplot

import fitlab
from fitlab.diagnosis import diagnose
from fitlab.joined import joined
from fitlab.plots.kinds import draw_kinds
from fitlab.reporting.answers import answer
from fitlab.reporting.contents import contents_of
from fitlab.reporting.figures import page_style
from fitlab.reporting.logged import Logged
from fitlab.reporting.markdown import escaped, markdown
from fitlab.reporting.page import page
from fitlab.reporting.written import report
from fitlab.runner.kinds import KINDS
from fitlab.sweep import CONSTANT, Sweep
from fitlab.trainers import mlp

QUESTION = 'Is it </script><b onclick="x">good</b> & {{ 7 * 7 }} or 50 % of $x_1$?'
HOSTILE = {"<script>alert(1)</script>": UNDERFIT, "50 % of $x_1$ & co.": GOOD, "*bold* | `tick` ]( \\x": OVERFIT}
SPEC = {
    "name": "reported",
    "question": QUESTION,
    "data": {"kind": "iris", "label_noise": 0.2},
    "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
    "training": {"epochs": 8, "learning_rate_init": 0.02},
    "seeds": 3,
    "sweep": {
        "parameters": {"training.alpha": {"values": [1e-4, 1]}, "model.hidden_layer_sizes": {"values": [[1], [64]]}}
    },
    "diagnosis": {"capacity_axis": "model.hidden_layer_sizes"},
    "expect": [
        {
            "claim": "A <network> learns flowers",
            "quantity": {"kind": "metric", "metric": "loss/val"},
            "at_most": 5.0,
        }
    ],
}


class Read(HTMLParser):
    """The table of a page as text, and the attributes of all of its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.heads: list[str] = []
        self._row: list[list[str]] | None = None
        self._head = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "tr":
            self._row = self.rows.setdefault(given["data-config"], []) if "data-config" in given else None
        elif tag == "td" and self._row is not None:
            self._row.append([])
        elif tag == "th" and len(self.rows) == 0:
            self.heads.append("")
            self._head = True

    def handle_endtag(self, tag: str) -> None:
        self._head = self._head and tag != "th"

    def handle_data(self, data: str) -> None:
        if self._row:
            self._row[-1].append(data)
        if self._head:
            self.heads[-1] += data


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return fitlab.run(SPEC, store=tmp_path_factory.mktemp("report"), publish=False, jobs=1)


@pytest.fixture(scope="module")
def folder(sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    report(sweep, out, source="# a spec\nname: reported <b>")
    return out


@pytest.fixture(autouse=True)
def _a_guest() -> Iterator[None]:
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


def judged(*arguments: object, **options: object) -> Sweep:
    found = recorded(*arguments, **options)  # type: ignore[arg-type]
    return replace(found, verdicts=diagnose(found))


def html_of(sweep: Sweep) -> str:
    with page_style():
        return page(contents_of(sweep), (), ())


def test_every_number_of_its_table_is_that_of_the_sweep_to_the_digits_shown(sweep: Sweep, folder: Path) -> None:
    read, table = Read((folder / "report.html").read_text()), sweep.table()
    heads = dict(zip(read.heads, range(len(read.heads)), strict=True))
    columns = {
        "train loss": "loss/train",
        "validation loss": "loss/val",
        "gap": "gap/loss",
        "validation accuracy": "accuracy/val",
    }
    assert [*read.rows] == [name for name in table.index if name != CONSTANT]
    for name, cells in read.rows.items():
        for head, column in columns.items():
            shown = re.findall(r"[−\d.]+", " ".join(cells[heads[head]]))
            known = [table.loc[name, f"{column}{end}"] for end in ("", "/low", "/high")]
            assert len(shown) == 3
            for text, value in zip(shown, known, strict=True):
                digits = len(text.partition(".")[2])
                assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.5 * 10**-digits * (1 + 1e-9))
        verdict = " ".join(cells[heads["verdict"]])
        assert all(word in verdict for word in table.loc[name, "verdict"].split(", "))
        assert cells[heads["seeds"]] == [str(table.loc[name, "n"])]


def test_the_question_is_answered_first_and_the_text_says_the_same(sweep: Sweep, folder: Path) -> None:
    contents = contents_of(sweep)
    found = " ".join(contents.answer)
    html, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert found == answer(sweep, contents.expectations)
    said = re.search(r'<p class="answer" id="answer">(.*?)</p>', html).group(1)
    assert Read(said).tags == []
    assert said.count("&lt;") == found.count("<")
    assert html.index('id="question"') < html.index('id="answer"') < html.index('id="table"')
    parts = ["verdicts", "figures", "selected", "expected", "open", "checks", "provenance"]
    places = [html.index(f'<h2 id="{part}">') for part in parts]
    assert places == sorted(places)
    assert text.split("\n\n")[2] == f"**{escaped(found)}**"
    heads = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert " ".join(head.split()[0] for head in heads) == "Verdicts Figures Selected What Not What Provenance"


def test_what_users_typed_stays_text_and_nothing_is_fetched(sweep: Sweep, folder: Path) -> None:
    html = (folder / "report.html").read_text()
    read = Read(html)
    assert not any(name.startswith("on") for _, given in read.tags for name in given)
    assert "{{ 7 * 7 }}" in html
    assert [tag for tag, _ in read.tags].count("script") == 1
    loaded = [given[name] for tag, given in read.tags for name in ("src", "href", "srcset", "action") if name in given]
    assert all(address.startswith("data:image/") for address in loaded)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", html)
    assert ("meta", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'") in [
        (tag, given.get("content")) for tag, given in read.tags
    ]
    pictures = [given for tag, given in read.tags if tag == "img"]
    assert len(pictures) >= 4
    assert all(given["alt"] and given["width"] and given["height"] for given in pictures)


def test_hostile_names_stay_names_on_the_page_and_in_the_text() -> None:
    hostile = judged(HOSTILE, capacity=dict(zip(HOSTILE, (1.0, 2.0, 3.0), strict=True)), name="x")
    html = html_of(hostile)
    plain = html_of(judged(SHAPES, capacity=SIZES))
    assert {tag for tag, _ in Read(html).tags} <= {"code", *(tag for tag, _ in Read(plain).tags)}
    assert "&lt;script&gt;alert(1)" in html
    text = markdown(contents_of(hostile), (), {})
    rows = [line for line in text.splitlines() if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in rows[: 2 + len(HOSTILE) + 1]}
    assert len(columns) == 1
    before_spec = text.partition("### The spec")[0]
    assert r"\<script\>alert(1)" in before_spec
    assert not re.search(r"(?<!\\)<", before_spec)


def test_the_same_sweep_gives_the_same_bytes(sweep: Sweep, folder: Path, tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black"}):  # the user's own settings change nothing
        again = report(sweep, tmp_path, source="# a spec\nname: reported <b>")
    names = {path.relative_to(tmp_path) for path in again.files}
    assert {"report.html", "report.md", "table.tex", "methods.tex"} <= {str(name) for name in names}
    assert {path.relative_to(folder) for path in folder.rglob("*.*")} == names
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name
    text = (folder / "report.md").read_text()
    for picture in re.findall(r"!\[.*\]\(<(.*?)>\)", text):
        assert (folder / picture).is_file()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: replace(recorded(SHAPES), fits=()), "Nothing is trained yet"),
        (lambda: recorded(SHAPES), "not diagnosed yet"),
        (lambda: judged({"only": GOOD}), "The one Config is good"),
        (lambda: judged(SHAPES, seeds=1), "With one seed"),
        (lambda: judged({"a": (np.full(41, np.nan),) * 2, "b": (np.full(41, np.nan),) * 2}), "diverged"),
    ],
)
def test_a_sweep_of_which_little_is_known_has_a_report_that_says_so(made, said: str, tmp_path: Path) -> None:
    found = report(made(), tmp_path)
    html = (tmp_path / "report.html").read_text()
    assert said in html
    shown = re.sub(r"<style>.*?</style>|<script>.*?</script>|base64,[^\"]*", "", html, flags=re.DOTALL)
    assert not re.search(r"\b(nan|inf|None)\b", shown)
    assert found.pictures or found.absent


def test_where_all_failed_only_maps_are_drawn_and_the_cause_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: object) -> None:
        raise RuntimeError("out of <luck>")

    monkeypatch.setattr(mlp, "advance", raising)
    failed = fitlab.run({**SPEC, "name": "failed"}, store=tmp_path / "store", publish=False, jobs=1)
    found = report(failed, tmp_path / "out")
    assert [one.kind for one in found.pictures] == ["landscape"]  # which shows where they failed
    assert "RuntimeError: out of &lt;luck&gt;" in (tmp_path / "out" / "report.html").read_text()
    drawn = [one for one in draw_kinds(failed, KINDS) if one.figure is not None]
    assert {one.kind for one in drawn} == {"landscape", "verdict_map"}


def test_several_sweeps_have_one_report(sweep: Sweep, tmp_path: Path) -> None:
    other = fitlab.run(
        {**SPEC, "name": "other", "training": {"epochs": 9, "learning_rate_init": 0.02}},
        store=tmp_path / "store",
        publish=False,
        jobs=1,
    )
    both = joined([sweep, other])
    report(replace(both, verdicts=diagnose(both)), tmp_path / "out")
    html = (tmp_path / "out" / "report.html").read_text()
    assert len(Read(html).rows) == 8
    assert "reported+other" in html


def test_where_it_was_logged_configs_have_links(sweep: Sweep) -> None:
    runs = {config.digest: f"run{i}" for i, config in enumerate(sweep.configs)}
    logged = Logged(
        "https://tracking.example", "7", "https://tracking.example", "https://tracking.example/#/x", False, runs
    )
    with page_style():
        html = page(contents_of(sweep, logged=logged), (), ())
    addresses = [given["href"] for tag, given in Read(html).tags if tag == "a"]
    for run in runs.values():
        assert f"https://tracking.example/#/experiments/7/runs/{run}" in addresses
    assert "experiment 7 at https://tracking.example, 4 runs of Configs" in html


@pytest.mark.slow
def test_five_hundred_configs_are_reported_in_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    curves = {f"config {i}": (GOOD[0] + shift, GOOD[1] + 2 * shift) for i, shift in enumerate(rng.random(500))}
    found = report(judged(curves, seeds=3, capacity={name: i for i, name in enumerate(curves)}), tmp_path)
    html = (tmp_path / "report.html").read_text()
    assert len(Read(html).rows) == 500
    assert len(html) < 3_000_000
    assert found.pictures
