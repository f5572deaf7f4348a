"""Figures on the page of every venue: text that can be read, in place, in fonts that publishers take."""

from __future__ import annotations

import itertools
import logging
import shutil
import string
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from conftest import PROVE
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

import fitlab
from fitlab import plots
from fitlab.plots.latex import for_latex
from fitlab.plots.parts import stacked_of
from fitlab.plots.shared import SMALLEST
from fitlab.plots.sizes import sample_size_of

VENUES = sorted(plots.VENUES) if PROVE else ["icml2024", "nature", "tmlr2023"]  # narrow; smallest text; one column
NASTY = "50 %_of $x^2$ & #1"
FOREIGN = f"{string.printable.strip()} µ½é“…”–💥中\u200b\n$\\no$"
Draw = Callable[..., Any]


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Draw]:
    """Every plot, of results that have what is hard to place: verdicts, long names, many values."""
    spec = {
        "name": "page",
        "data": {"kind": "digits", "train_size": 100, "label_noise": 0.2},
        "model": {"kind": "mlp"},
        "training": {"epochs": 20, "learning_rate_init": 0.01, "snapshots": [0, 5]},
        "seeds": 3,
        "diagnosis": {"capacity_axis": "model.hidden_layer_sizes"},
        "sweep": {
            "parameters": {
                "model.hidden_layer_sizes": {"values": [[2], [16], [64]]},
                "training.alpha": {"values": [1e-4, 10]},
            }
        },
    }
    sweep = fitlab.run(spec, store=tmp_path_factory.mktemp("page"), publish=False, jobs=1)
    random = np.random.default_rng(0)
    sizes = pd.DataFrame(
        [(n, seed, 1 + 20 / n + random.normal(0, 1 / n)) for n in (10, 20, 40, 80, 160, 320) for seed in range(5)],
        columns=["n_train", "seed", "value"],
    )
    parts = pd.DataFrame({NASTY: [f"{NASTY} {i}" for i in range(6)], "noise": 0.5, "bias": np.linspace(0.1, 2, 6),
                          "variance": np.linspace(2, 0.1, 6), "interaction": -0.3})  # fmt: skip
    parts = parts.assign(error=parts[["noise", "bias", "variance", "interaction"]].sum(axis=1))
    named = pd.DataFrame(
        [(f"{NASTY} {i}", seed, part, i + seed) for i in range(9) for seed in (0, 1) for part in ("train", "val")],
        columns=[NASTY, "seed", "split", "value"],
    )
    more, stacked = sample_size_of(sizes), stacked_of(parts)
    return {
        "learning_curves": lambda ax: plots.learning_curves(sweep, ax=ax),
        "validation_curve": lambda ax: plots.validation_curve(sweep, "alpha", ax=ax),
        "validation_names": lambda ax: plots.validation_curve(named, ax=ax),
        "capacity_curve": lambda ax: plots.capacity_curve(sweep, fixed={"alpha": 1e-4}, ax=ax),
        "sample_size_curve": lambda ax: plots.sample_size_curve(more, ax=ax),
        "bias_variance": lambda ax: plots.bias_variance(stacked, ax=ax),
        "weight_heatmap": lambda ax: plots.weight_heatmap(sweep, ax=ax),
        "weight_histograms": lambda ax: plots.weight_histograms(sweep, ax=ax),
        "bias_shift": lambda ax: plots.bias_shift(sweep, ax=ax),
        "norms_vs_gap": lambda ax: plots.norms_vs_gap(sweep, ax=ax),
    }


PLOTS = ["learning_curves", "validation_curve", "validation_names", "capacity_curve", "sample_size_curve",
         "bias_variance", "weight_heatmap", "weight_histograms", "bias_shift", "norms_vs_gap"]  # fmt: skip


def page(draw: Draw) -> Figure:
    """Return a figure as wide as the column, drawn."""
    figure = Figure()
    draw(figure.subplots())
    figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> list[Text]:
    """Return the text that is seen: of ticks that which lies on the axis."""
    found = [
        one for one in figure.findobj(Text) if isinstance(one, Text) and one.get_text().strip() and one.get_visible()
    ]
    hidden = {id(label) for ax in _axes(figure) for label in _beyond(ax)}
    return [one for one in found if id(one) not in hidden]


def _axes(figure: Figure) -> list[Axes]:
    return [one for one in figure.findobj(Axes) if isinstance(one, Axes)]


def _beyond(ax: Axes) -> list[Text]:
    """Return labels of ticks that are not drawn, for they lie beyond the ends of an axis."""
    labels = []
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(axis.get_transform().transform(np.array(limits)))
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            at = float(axis.get_transform().transform(np.array([tick.get_loc()]))[0])
            if not low - 1e-9 <= at <= high + 1e-9:
                labels += [tick.label1, tick.label2]
    return labels


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("venue", VENUES)
def test_text_is_large_enough_within_the_page_and_apart(
    drawing: dict[str, Draw], name: str, venue: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = dict(mpl.rcParams)
    with caplog.at_level(logging.WARNING, "matplotlib"), plots.paper(venue):
        figure = page(drawing[name])
        found = texts(figure)
        boxes = [one.get_window_extent() for one in found]
    assert not caplog.records, "a font that is missing falls back quietly"
    assert dict(mpl.rcParams) == before
    small = [one.get_text() for one in found if one.get_fontsize() < SMALLEST - 1e-9]
    assert not small
    width, height = figure.bbox.size
    out = [one.get_text() for one, box in zip(found, boxes, strict=True)
           if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1]  # fmt: skip
    assert not out, "cut off"
    straight = [(one, box) for one, box in zip(found, boxes, strict=True) if one.get_rotation() % 90 == 0]
    hit = [(one.get_text(), other.get_text()) for (one, a), (other, b) in itertools.combinations(straight, 2)
           if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1]  # fmt: skip
    assert not hit, "texts lie on each other"


@pytest.mark.parametrize("name", PLOTS)
def test_files_are_the_same_bytes_again_and_have_fonts_that_publishers_take(
    drawing: dict[str, Draw], name: str, tmp_path: Path
) -> None:
    for copy in "ab":
        with plots.paper("icml2024"):
            plots.save(page(drawing[name]), tmp_path / copy)
    for kind in ("png", "pdf", "csv", "json"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in (tmp_path / "a.pdf").read_bytes()


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts, of poppler-utils, is not installed")
def test_pdffonts_sees_embedded_fonts_and_none_of_type_3(drawing: dict[str, Draw], tmp_path: Path) -> None:
    for venue in ("icml2024", "nature", "tmlr2023"):
        with plots.paper(venue):
            plots.save(page(drawing["capacity_curve"]), tmp_path / venue)
        said = subprocess.run(
            ["pdffonts", tmp_path / f"{venue}.pdf"], capture_output=True, text=True, check=True
        ).stdout
        fonts = [line.split() for line in said.splitlines()[2:]]
        assert fonts
        assert not [line for line in fonts if line[1:3] == ["Type", "3"]]
        assert all(line[-5] == "yes" for line in fonts), "embedded"


@pytest.mark.parametrize("venue", sorted(plots.VENUES))
def test_a_venue_sets_its_width_and_readable_text_and_gives_all_back(venue: str) -> None:
    before = dict(mpl.rcParams)
    with plots.paper(venue, "text"):
        assert mpl.rcParams["figure.figsize"][0] == plots.VENUES[venue].text
        assert min(mpl.rcParams[f"{part}.labelsize"] for part in ("xtick", "ytick", "axes")) >= SMALLEST
        assert mpl.rcParams["pdf.fonttype"] == 42
    assert dict(mpl.rcParams) == before
    assert plots.VENUES[venue].column <= plots.VENUES[venue].text
    with plots.paper(venue, 2.5, height=1.0):
        assert mpl.rcParams["figure.figsize"] == [2.5, 1.0]


def test_settings_are_given_back_after_an_error_and_no_window_opens() -> None:
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError), plots.paper("nature"):
        _ = 1 / 0
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("neurps2024",), "did you mean neurips2024"),
        (("nature", "wide"), "column, text, or inches"),
        (("nature", 0), "above 0"),
    ],
)
def test_a_venue_or_width_that_there_is_not_is_said(arguments: tuple, said: str) -> None:
    with pytest.raises(ValueError, match=said), plots.paper(*arguments):
        pass


@pytest.mark.parametrize("height", [0, -1.0, float("nan"), 1e6])
def test_a_height_that_no_page_has_is_said(height: float) -> None:
    with pytest.raises(ValueError, match="height is inches above 0"), plots.paper("nature", height=height):
        pass


# ── LaTeX ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PLOTS)
def test_names_are_escaped_where_latex_is_asked_for(drawing: dict[str, Draw], name: str) -> None:
    with plots.paper("icml2024", usetex=True):
        figure = Figure(layout="none")  # nothing is drawn: LaTeX need not be there
        drawing[name](figure.subplots())
        said = [one.get_text() for one in figure.findobj(Text) if isinstance(one, Text)]
        fixed = [
            word
            for ax in _axes(figure)
            for axis in (ax.xaxis, ax.yaxis)
            if isinstance(axis.get_major_locator(), FixedLocator)
            for word in axis.get_major_formatter().format_ticks(axis.get_majorticklocs())
        ]
    for text in (*said, *fixed):
        assert all(text[at - 1] == "\\" for at, sign in enumerate(text) if sign in "%&#_" and at), text
        assert text.isascii()


def _lacking() -> list[str]:
    """Return what a LaTeX that matplotlib can use lacks."""
    programs = [one for one in ("latex", "dvipng", "kpsewhich") if shutil.which(one) is None]
    if programs:
        return programs
    files = ("type1ec.sty", "type1cm.sty", "underscore.sty", "ptmr7t.tfm", "phvr7t.tfm", "sfrm0900.pfb")
    return [one for one in files if not subprocess.run(["kpsewhich", one], capture_output=True).stdout]


@pytest.mark.slow
def test_latex_sets_names_as_they_stand(drawing: dict[str, Draw], tmp_path: Path) -> None:
    lacking = _lacking()
    if lacking:
        pytest.skip(f"LaTeX is not installed as matplotlib needs it: {', '.join(lacking)} lacking")
    for venue in ("icml2024", "nature", "tmlr2023"):
        for name in ("validation_names", "capacity_curve", "weight_heatmap"):
            with plots.paper(venue, usetex=True):
                plots.save(page(drawing[name]), tmp_path / f"{venue}-{name}")
            assert b"/Type3" not in (tmp_path / f"{venue}-{name}.pdf").read_bytes()
    with plots.paper("icml2024", usetex=True):
        page(lambda ax: ax.set_title(FOREIGN, parse_math=False) and for_latex(ax))
