"""Maps of what was swept: landscape, verdict_map, gap_vs_excess and parallel_coordinates, by their structure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from diagnosis import frames
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import fitlab
from fitlab import plots
from fitlab.plots.excess import excess_of
from fitlab.plots.keys import axis, words, written
from fitlab.plots.landscape import COLOURS, landscape_of
from fitlab.plots.marks import mark_of
from fitlab.plots.parallel import parallel_of
from fitlab.plots.rows import FROM_A_SEARCH
from fitlab.plots.verdict_map import verdicts_of
from fitlab.records import Outcome
from fitlab.verdicts import COLOURS as OF_VERDICTS
from fitlab.verdicts import Label, Verdicts

SIZES, ALPHA, RATE, ACTIVATION = (
    "model.hidden_layer_sizes",
    "training.alpha",
    "training.learning_rate_init",
    "model.activation",
)
SPEC = {
    "name": "mapped",
    "data": {"kind": "iris", "label_noise": 0.2},
    "model": {"kind": "mlp"},
    "training": {"epochs": 15, "batch_size": 16},
    "seeds": 2,
    "sweep": {
        "parameters": {
            SIZES: {"values": [[2], [16], [4, 4]]},
            ALPHA: {"values": [1e-3, 1]},
            RATE: {"values": [1e-3, 0.1]},
        }
    },
    "diagnosis": {"capacity_axis": SIZES},
}
CONDITIONAL = {
    **SPEC,
    "name": "conditional",
    "sweep": {
        "parameters": {
            "training.solver": {"values": ["sgd", "adam"]},
            "training.momentum": {"values": [0.0, 0.9], "when": {"training.solver": "sgd"}},
        }
    },
    "diagnosis": {},
}
SEARCH = {
    **SPEC,
    "name": "searched",
    "sweep": {
        "method": "tpe",
        "trials": 8,
        "early_terminate": {"type": "hyperband", "min_epochs": 3},
        "parameters": {RATE: {"low": 1e-4, "high": 1, "log": True}, ALPHA: {"values": [1e-3, 1]}},
    },
    "diagnosis": {},
}
Trained = Callable[[dict], fitlab.Sweep]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    store = tmp_path_factory.mktemp("mapped")
    return lambda spec: fitlab.run(spec, store=store, publish=False, jobs=1)


@pytest.fixture(scope="module")
def sweep(trained: Trained) -> fitlab.Sweep:
    return trained(SPEC)


@pytest.fixture
def ax() -> Iterator[Axes]:
    yield Figure().subplots()
    assert pyplot.get_fignums() == [], "a figure was made beside the axes that were given"


def without(sweep: fitlab.Sweep, place: int, outcome: Outcome) -> fitlab.Sweep:
    """Return the sweep with one Config all of whose Fits came to nothing, diagnosed anew."""
    lost = sweep.configs[place]
    fits = tuple(replace(f, outcome=outcome) if f.job.config == lost else f for f in sweep.fits)
    changed = replace(sweep, fits=fits, verdicts=Verdicts())
    return replace(changed, verdicts=fitlab.diagnose(changed))


def panels_of(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


# ── landscape ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cell_has_the_mean_of_the_table_in_one_scale_of_colours(sweep: fitlab.Sweep) -> None:
    figure = plots.landscape(sweep, figure=Figure(layout="constrained"))
    panels, table = panels_of(figure), sweep.table()
    assert [ax.get_title() for ax in panels] == ["learning rate init 0.001", "learning rate init 0.1"]
    assert [t.get_text() for t in panels[0].get_xticklabels()] == ["2", "4-4", "16"], "by weights and biases"
    assert [t.get_text() for t in panels[0].get_yticklabels()] == ["0.001", "1"]
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("hidden layer sizes", "alpha")
    scales = set()
    for ax, rate in zip(panels, (1e-3, 0.1), strict=True):
        (mesh,) = ax.collections
        scales.add((*mesh.get_clim(), mesh.get_cmap().name))
        for (down, across), value in np.ndenumerate(mesh.get_array()):
            size, alpha = [[2], [4, 4], [16]][across], [1e-3, 1][down]
            (row,) = table[(table[SIZES].map(str) == str(size)) & (table[ALPHA] == alpha) & (table[RATE] == rate)].index
            assert value == table.loc[row, "loss/val"]
    trained = table.drop(index="constant predictor")
    assert scales == {(trained["loss/val"].min(), trained["loss/val"].max(), COLOURS)}


def test_glyphs_are_those_of_verdicts_and_the_selected_config_is_outlined(sweep: fitlab.Sweep) -> None:
    figure = plots.landscape(sweep, figure=Figure(layout="constrained"))
    rows = landscape_of(sweep).table()
    drawn = sorted(line.get_marker() for ax in panels_of(figure) for line in ax.lines)
    assert drawn == sorted(mark_of(text).glyph for text in rows["verdict"])
    outlined = [p for ax in panels_of(figure) for p in ax.patches if isinstance(p, Rectangle) and not p.get_hatch()]
    assert len(outlined) == rows["selected"].sum() == 1
    chosen = sweep.verdicts.selection.config[:12]
    assert rows.loc[rows["selected"], "config"].tolist() == [chosen]
    table = sweep.table().loc[rows["config"]]
    assert rows["loss/val"].tolist() == table["loss/val"].tolist()
    assert rows["loss/val/low"].tolist() == table["loss/val/low"].tolist()
    assert rows["verdict"].tolist() == table["verdict"].tolist()


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PRUNED, Outcome.DIVERGED])
def test_what_has_no_value_is_hatched_and_said(sweep: fitlab.Sweep, outcome: Outcome) -> None:
    lacking = without(sweep, 0, outcome)
    figure = plots.landscape(lacking, figure=Figure(layout="constrained"))
    hatched = [p for ax in panels_of(figure) for p in ax.patches if p.get_hatch()]
    assert len(hatched) == 1
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert str(outcome) in said
    one_less = replace(
        sweep, configs=sweep.configs[1:], fits=tuple(f for f in sweep.fits if f.job.config != sweep.configs[0])
    )
    figure = plots.landscape(one_less, figure=Figure(layout="constrained"))
    assert "not in the sweep" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_where_all_failed_there_is_no_scale_of_colours_and_no_empty_picture(sweep: fitlab.Sweep) -> None:
    lost = replace(sweep, fits=tuple(replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits))
    lost = replace(lost, verdicts=fitlab.diagnose(lost))
    figure = plots.landscape(lost, figure=Figure(layout="constrained"))
    assert len(figure.axes) == len(panels_of(figure)) > 0
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"not assessed", "failed"}
    with pytest.raises(ValueError, match="no Config has loss/val; there is failed"):
        plots.parallel_coordinates(lost)


def test_keys_that_have_no_axis_are_held_where_the_selected_config_is(sweep: fitlab.Sweep) -> None:
    held = landscape_of(sweep, x="alpha", y=SIZES)
    assert held.panels.key == RATE
    more = landscape_of(sweep.table().assign(**{ACTIVATION: "relu"}), x=ALPHA, y=SIZES)
    assert more.fixed == {}, "what is the same everywhere is no key"
    tables = [sweep.table().drop(index="constant predictor").assign(**{ACTIVATION: one}) for one in ("relu", "tanh")]
    tables[1]["loss/val"] -= 10
    found = landscape_of(pd.concat(tables, ignore_index=True))
    assert found.fixed == {ACTIVATION: "tanh"}, "the lowest, where none is selected"
    assert (len(found.found.rows), found.left_out) == (12, 12)
    assert "at activation tanh" in found.remark
    assert "Held at activation tanh, as in the best Config: 12 Configs not shown" in found.caption


def test_one_key_is_a_strip_and_a_colour_is_logarithmic_where_losses_spread() -> None:
    frame = pd.DataFrame({"width": [1, 10, 100], "loss/val": [0.1, 1.0, 5.0]})
    figure = plots.landscape(frame, figure=Figure(layout="constrained"))
    (ax,) = panels_of(figure)
    assert ax.collections[0].get_array().shape == (1, 3)
    assert type(ax.collections[0].norm).__name__ == "LogNorm"
    assert figure.get_supylabel() == ""


def test_from_a_search_configs_are_points_and_the_figure_says_what_is_not_on_it(trained: Trained, ax: Axes) -> None:
    searched = trained(SEARCH)
    figure = plots.landscape(searched, figure=Figure(layout="constrained"))
    assert figure.legends[0].get_title().get_text() == FROM_A_SEARCH
    points = [line for ax in panels_of(figure) for line in ax.lines]
    assert len(points) == len(searched.configs)
    rates = sorted(float(line.get_xdata()[0]) for line in points)
    assert rates == sorted(config.swept[RATE] for config in searched.configs)
    for draw in (plots.verdict_map, plots.parallel_coordinates):
        ax.clear()
        assert draw(searched, ax=ax).get_title().replace("\n", " ") == FROM_A_SEARCH
        assert FROM_A_SEARCH[1:] in plots.caption(ax)


# ── verdict_map ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_config_has_its_glyph_in_its_colour_in_its_cell(sweep: fitlab.Sweep, ax: Axes) -> None:
    plots.verdict_map(sweep, ax=ax)
    found = verdicts_of(sweep)
    assert [one.key for one in found.inside] == [RATE]
    for row, (x, y) in zip(found.found.rows, found.at, strict=True):
        assert (round(x), round(y)) == (found.x.place(row.point), found.y.place(row.point))
        (line,) = [one for one in ax.lines if one.get_xydata().tolist() == [[x, y]] and one.get_markersize() < 10][:1]
        mark = mark_of(
            sweep.verdicts.by_config[next(c.digest for c in sweep.configs if c.digest[:12] == row.config)].text
        )
        assert line.get_color() == mark.colour == OF_VERDICTS[mark.label]
        assert line.get_marker() == mark.glyph
        assert (line.get_markerfacecolor() == "white") == mark.leaning
    assert len({*found.at}) == len(sweep.configs), "none hides another"
    words_of = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words_of == [*dict.fromkeys(words_of)]
    assert words_of[-1] == "selected"


def test_keys_that_a_config_does_not_have_are_absent(trained: Trained, ax: Axes) -> None:
    conditional = trained(CONDITIONAL)
    plots.verdict_map(conditional, x="solver", y="momentum", ax=ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0", "0.9", "absent"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["sgd", "adam"]
    found = parallel_of(conditional)
    momentum = next(one for one in found.ladders if one.label == "momentum")
    assert "absent" in [text for _, text in momentum.ticks]
    assert [at < 0 for at in momentum.at] == ["training.momentum" not in c.swept for c in conditional.configs]
    figure = plots.landscape(conditional, x="solver", y="momentum", figure=Figure(layout="constrained"))
    assert figure.legends[0].get_texts()[-1].get_text() == "not in the sweep", "adam with a momentum"


# ── gap_vs_excess ───────────────────────────────────────────────────────────────────────────────────────────


def test_excess_and_gap_are_those_of_the_verdict_and_of_the_table(sweep: fitlab.Sweep, ax: Axes) -> None:
    plots.gap_vs_excess(sweep, ax=ax)
    table = excess_of(sweep).table().set_index("config")
    finals = sweep.table()
    for config in sweep.configs:
        row, excess = table.loc[config.digest[:12]], sweep.verdicts.by_config[config.digest].reasons["excess"]
        assert [*row[["excess", "excess_low", "excess_high"]]] == [excess.estimate, excess.low, excess.high]
        expected = finals.loc[config.digest[:12], ["gap/loss", "gap/loss/low", "gap/loss/high"]]
        assert [*row[["gap", "gap_low", "gap_high"]]] == [*expected]
        assert row["margins"] == pytest.approx(excess.estimate / (0.05 * finals.loc["constant predictor", "loss/val"]))
    assert ax.get_xscale() == "asinh"
    assert ax.xaxis.get_transform().linear_width == 1
    drawn = sorted(line.get_xydata()[0].tolist() for line in ax.lines if line.get_marker() not in ("None", None, ""))
    unit = table["delta"] if excess_of(sweep).wide else 1.0
    np.testing.assert_allclose(drawn, sorted(zip(table["margins"], table["gap"] / unit, strict=True)), rtol=1e-12)


def test_curves_from_elsewhere_are_diagnosed_and_one_seed_has_no_bars(ax: Axes) -> None:
    curves = frames.frame(frames.SHAPES, seeds=1)
    null = pd.DataFrame({"config": "constant predictor", "seed": 0, "epoch": 0, "metric": "loss", "value": 2.0,
                         "split": ["train", "val"]})  # fmt: skip
    plots.gap_vs_excess(pd.concat([curves, null]), ax=ax)
    table = excess_of(pd.concat([curves, null])).table().set_index("name")
    assert table["verdict"].to_dict()["large"].endswith("overfit")
    assert table["gap_low"].isna().all()
    assert table.loc["right", "excess"] <= 0.1 * table.loc["large", "excess"]


# ── parallel_coordinates ────────────────────────────────────────────────────────────────────────────────────


def test_a_line_a_config_through_its_values_to_its_loss(sweep: fitlab.Sweep, ax: Axes) -> None:
    plots.parallel_coordinates(sweep, ax=ax)
    found, table = parallel_of(sweep), parallel_of(sweep).table()
    segments = [s for c in ax.collections if isinstance(c, LineCollection) for s in c.get_segments()]
    assert len(segments) == len(sweep.configs)
    drawn = sorted(segment[:, 1].tolist() for segment in segments)
    np.testing.assert_allclose(drawn, sorted(found.lines.tolist()), rtol=1e-12)
    order = table["loss/val"].rank()
    last = pd.Series(found.ladders[-1].at).rank()
    assert order.tolist() == last.tolist()
    assert table.loc[table["best"], "loss/val"].tolist() == [table["loss/val"].min()]
    assert [t.get_text().replace("\n", " ") for t in ax.get_xticklabels()] == [
        *("hidden layer sizes", "alpha", "learning rate init", "validation loss")
    ]


def test_the_best_of_an_accuracy_is_the_highest_and_a_table_is_drawn_in_the_colours_of_losses(ax: Axes) -> None:
    frame = pd.DataFrame({"a": [1, 10, 100, 1000], "kind": [*"xyxy"], "accuracy/val": [0.1, 0.9, 0.5, math.nan]})
    found = parallel_of(frame, metric="accuracy/val")
    assert found.best == (False, True, False, False)
    plots.parallel_coordinates(found, ax=ax)
    assert found.by == "loss"
    assert [one.label for one in found.ladders] == ["a", "kind", "validation accuracy"]
    np.testing.assert_allclose(found.ladders[0].at, [0, 1 / 3, 2 / 3, 1], atol=0.03)


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────────────

DRAW: dict[str, Callable] = {
    "landscape": lambda source, place: plots.landscape(source, figure=place),
    "verdict_map": lambda source, place: plots.verdict_map(source, ax=place.subplots()),
    "gap_vs_excess": lambda source, place: plots.gap_vs_excess(source, ax=place.subplots()),
    "parallel_coordinates": lambda source, place: plots.parallel_coordinates(source, ax=place.subplots()),
}


@pytest.mark.parametrize("kind", DRAW)
def test_guests_change_no_setting_give_the_same_bytes_again_and_say_what_they_show(
    sweep: fitlab.Sweep, kind: str, tmp_path: Path
) -> None:
    before = dict(mpl.rcParams)
    files = []
    for name in "ab":
        figure = Figure(layout="constrained")
        DRAW[kind](sweep, figure)
        files.append(plots.save(figure, tmp_path / name))
    for one, again in zip(*files, strict=True):
        assert one.read_bytes() == again.read_bytes()
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []
    (record,) = plots.drawn(figure)
    assert set(record.origin.configs) == {config.digest for config in sweep.configs}
    assert "12 Configs" in record.caption or "(12)" in record.caption
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(record.table()) == 12
    again = Figure(layout="constrained")
    DRAW[kind](record, again)
    assert plots.caption(again) == record.caption


@pytest.mark.parametrize("kind", DRAW)
def test_no_sweep_is_drawn_of_which_nothing_is_known(sweep: fitlab.Sweep, kind: str) -> None:
    alone = replace(sweep, configs=sweep.configs[:1], fits=sweep.of(sweep.configs[0]))
    lost = replace(sweep, fits=tuple(replace(fit, outcome=Outcome.FAILED) for fit in sweep.fits), verdicts=Verdicts())
    for source, said in ((alone, "same swept values"), (lost, "failed|no verdict|no Config has")):
        if source is alone and kind == "gap_vs_excess":
            continue  # one Config has a gap, and an excess over the constant predictor
        with pytest.raises(ValueError, match=f"nothing to draw: .*({said})"):
            DRAW[kind](source, Figure(layout="constrained"))
    with pytest.raises(ValueError, match="nothing to draw: the DataFrame lacks"):
        DRAW[kind](pd.DataFrame({"x": [1, 2]}), Figure(layout="constrained"))
    assert pyplot.get_fignums() == []


def test_what_is_asked_for_and_not_there_is_said_with_what_there_is(sweep: fitlab.Sweep) -> None:
    for draw, said in (
        (lambda: plots.landscape(sweep, x="momentum"), "'momentum' is not a key that differs.*there is model.hidden"),
        (lambda: plots.landscape(sweep, x="alpha", y="alpha"), "different keys"),
        (lambda: plots.landscape(sweep, metric="r2/val"), "r2/val was not measured; there is loss/train"),
        (lambda: plots.parallel_coordinates(sweep, by="size"), "by is verdict or loss, not 'size'"),
        (lambda: plots.verdict_map(replace(sweep, verdicts=Verdicts())), "diagnose it first"),
        (lambda: plots.verdict_map(pd.DataFrame({"a": [1, 2], "verdict": ["fine", "good"]})), "'fine' is no verdict"),
    ):
        with pytest.raises(ValueError, match=said):
            draw()
    assert pyplot.get_fignums() == [], "an empty figure was left behind"


def test_names_of_users_are_drawn_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"a_b%$": ["$x$_{", "50%", "&_"], "c": [1, 2, 3], "loss/val": [1.0, 2.0, 3.0], "verdict": "good"}
    )
    for kind in ("landscape", "verdict_map", "parallel_coordinates"):
        figure = Figure(layout="constrained")
        DRAW[kind](frame, figure)
        plots.save(figure, tmp_path / kind)
        assert "$x$_{" in {text.get_text() for ax in figure.axes for text in ax.findobj(mpl.text.Text)}


def test_values_are_written_short_and_never_alike() -> None:
    assert written([1e-5, 0.001, 1.0, 30]) == ["1e-5", "0.001", "1", "30"]
    assert written([0.12341, 0.12342]) == ["0.12341", "0.12342"]
    assert written([[64, 32], [8]]) == ["64-32", "8"]
    assert words("model.parameters.polynomialfeatures__max_degree") == "max degree"
    ordered = axis("k", [{"k": 10}, {"k": None}, {"k": 2}, {}])
    assert (ordered.values, ordered.texts) == ((2, 10, None), ["2", "10", "null", "absent"])
    for label in Label:
        text = str(label).replace("_", " ")
        assert (mark_of(text).label, mark_of(text).leaning) == (label, False)
    assert mark_of("inconclusive, leaning not converged").leaning


@pytest.mark.parametrize("kind", DRAW)
def test_text_is_at_least_six_points_and_none_is_cut_off_in_a_column(sweep: fitlab.Sweep, kind: str) -> None:
    with plots.paper("nature", "column"):
        figure = Figure(layout="constrained")
        DRAW[kind](sweep, figure)
        figure.draw_without_rendering()
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 6
    at_ticks = {label for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)}  # some are out of view
    for text in {*texts} - at_ticks:
        box = text.get_window_extent()
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1, text
        assert box.y1 <= figure.bbox.height + 1, text


def test_the_legend_stands_above_the_titles_of_panels_in_figures_of_users_too(sweep: fitlab.Sweep) -> None:
    plain, parts = Figure(), Figure(layout="constrained").subfigures(1, 2)
    for figure, whole in ((plain, plain), (parts[0], parts[0].figure)):
        plots.landscape(sweep, figure=figure)
        whole.draw_without_rendering()
        legend = figure.legends[0].get_window_extent()
        titles = [ax.title.get_window_extent() for ax in panels_of(figure)]
        assert all(title.y1 <= legend.y0 for title in titles)
        assert all(one.x1 <= other.x0 for one, other in pairwise(titles) if one.y0 == other.y0)
    assert not parts[1].axes, "what is beside it is left alone"
