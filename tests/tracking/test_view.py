"""The comparison view and the note of an experiment: what they say, when they are written anew, when they are left."""

from __future__ import annotations

import base64
import html
import json
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mlflow.tracking import MlflowClient

import fitlab
from fitlab.expectations import each_claim, in_three_sentences
from fitlab.spec import read_spec
from fitlab.sweep import Sweep
from fitlab.tracking import content, experiment, links, view
from fitlab.tracking.backend import Backend
from fitlab.verdicts import COLOURS, Label

NOTE = "mlflow.note.content"


@pytest.fixture
def client(store: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{store / 'mlflow.db'}")


def run(spec: dict, store: Path) -> Sweep:
    return fitlab.run(spec, store=store, jobs=1)


def tags(client: MlflowClient) -> dict[str, str]:
    return dict(client.get_experiment_by_name("tiny").tags)


def unpacked(tag: str) -> dict:
    """Read a shared view as MLflow's pages do."""
    kind, _, packed = json.loads(tag)["state"].partition(";")
    assert kind == "deflate"
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_all_that_the_view_names_is_on_every_config_run(tiny: dict, store: Path, client: MlflowClient) -> None:
    run(tiny, store)
    state = unpacked(tags(client)[view.TAG])
    found = client.search_runs(["1"], state["searchFilter"], order_by=[f"{state['orderByKey']} ASC"])
    assert len(found) == 4  # Configs, without seeds and the summary
    losses = [one.data.metrics["final/loss/val"] for one in found]
    assert losses == sorted(losses)
    charts = {chart["type"]: chart for chart in state["compareRunCharts"]}
    assert list(charts) == ["LINE", "SCATTER", "PARALLEL", "IMAGE"]
    metrics = {axis["key"] for axis in (charts["SCATTER"]["xaxis"], charts["SCATTER"]["yaxis"])}
    metrics |= {key for chart in state["compareRunCharts"] for key in chart.get("selectedMetricKeys", [])}
    metrics |= set(charts["PARALLEL"]["selectedMetrics"])
    for one in found:
        assert metrics <= set(one.data.metrics)
        assert set(charts["PARALLEL"]["selectedParams"]) <= set(one.data.params)
        said = {"params": one.data.params, "metrics": one.data.metrics, "tags": one.data.tags}
        for column in state["selectedColumns"]:
            kind, _, key = column.partition(".")
            assert key.strip("`") in said[kind], column


def test_the_view_follows_the_sweep_and_nothing_else(tiny: dict, store: Path, client: MlflowClient) -> None:
    run(tiny, store)
    before = tags(client)
    assert fitlab.publish("tiny", store).view == links.VIEW
    assert tags(client) == before
    tiny["sweep"]["parameters"]["model.activation"] = {"values": ["relu", "tanh"]}
    run(tiny, store)
    now = tags(client)
    assert "params.`model.activation`" in unpacked(now[view.TAG])["selectedColumns"]
    assert now[NOTE] != before[NOTE]


@pytest.mark.parametrize("key", [view.TAG, NOTE])
@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_what_a_user_changed_stays(tiny: dict, store: Path, client: MlflowClient, key: str, change: str) -> None:
    run(tiny, store)
    if change == "edited":
        client.set_experiment_tag("1", key, "mine")
    else:
        client.delete_experiment_tag("1", key)
    run({**tiny, "question": "And now?", "seeds": 3}, store)
    assert tags(client).get(key) == ("mine" if change == "edited" else None)
    published = fitlab.publish("tiny", store)
    gone = key == view.TAG and change == "deleted"
    assert (published.view, published.no_view) == ((None, "it was deleted in MLflow") if gone else (links.VIEW, None))


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("key", [view.TAG, NOTE])
def test_a_write_that_was_cut_off_is_taken_up(
    tiny: dict, store: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch, key: str, after: int
) -> None:
    """However many of its tags were set, the next publish does not take them for a user's."""
    calls, real = 0, MlflowClient.set_experiment_tag

    def counted(self: MlflowClient, identity: str, name: str, value: str) -> None:
        nonlocal calls
        calls += name in (key, {view.TAG: "fitlab.view", NOTE: "fitlab.note"}[key])
        if calls <= after:
            real(self, identity, name, value)

    monkeypatch.setattr(MlflowClient, "set_experiment_tag", counted)
    run(tiny, store)
    monkeypatch.setattr(MlflowClient, "set_experiment_tag", real)
    sweep = run({**tiny, "question": "And now?"}, store)
    assert tags(client)[NOTE] == content.experiment_note(sweep)
    assert tags(client)[view.TAG] == view.tag(sweep)


def test_the_question_that_an_earlier_fitlab_wrote_becomes_a_note(
    tiny: dict, store: Path, client: MlflowClient
) -> None:
    client.create_experiment("tiny", tags={NOTE: "Does it work?", "fitlab.question": "Does it work?"})
    sweep = run(tiny, store)
    assert tags(client)[NOTE] == content.experiment_note(sweep)


def test_the_note_begins_with_question_counts_and_choice(tiny: dict, store: Path) -> None:
    sweep = run(tiny, store)
    first, *rest = content.experiment_note(sweep).splitlines()
    assert first.startswith("**Does it work?** ")
    for verdict in sweep.verdicts.by_config.values():
        assert verdict.text in first
    assert "selected: hidden_layer_sizes [" in first
    assert rest[-1] == content.HOW_TO_READ


def test_pages_say_in_three_sentences_what_was_claimed_and_came_out(
    tiny: dict, store: Path, client: MlflowClient
) -> None:
    """From the record of the sweep: nothing is checked a second time to be published."""
    right = {"claim": "It is finite.", "source": "Nobody 2026", "quantity": "loss/val", "at_most": 100}
    wrong = {"claim": "It is tiny.", "quantity": "loss/val", "at_most": 1e-9}
    sweep = run({**tiny, "expect": [right, wrong]}, store)
    said = in_three_sentences(sweep.claims)
    assert said.startswith("**Claimed**: “It is finite” and “It is tiny”. **By** Nobody 2026; 1 of 2 by this ")
    experiment = client.get_experiment_by_name("tiny")
    (summary,) = client.search_runs([experiment.experiment_id], "tags.`fitlab.kind` = 'summary'")
    for note in (experiment.tags[NOTE], summary.data.tags[NOTE]):
        assert said in note
        assert each_claim(sweep.claims) in note
    other = replace(sweep, claims=(replace(sweep.claims[0], claim="As it was checked."),))
    assert "“As it was checked”" in content.experiment_note(other)
    assert "Claimed" not in content.experiment_note(replace(sweep, claims=()))


def test_alternatives_are_told_apart_and_what_only_some_configs_have_is_left_out(tiny: dict, store: Path) -> None:
    tree = {"kind": "estimator", "estimator": "sklearn.tree.DecisionTreeClassifier"}
    tiny["model"] = [tiny["model"], tree]
    tiny["sweep"]["parameters"] = {"training.alpha": {"values": [1e-4, 1], "when": {"model": "mlp"}}}
    charts = {chart["type"]: chart for chart in view.state(run(tiny, store))["compareRunCharts"]}
    assert charts["PARALLEL"]["selectedParams"] == ["model.kind"]
    assert charts["PARALLEL"]["selectedMetrics"] == ["final/loss/val"]


def test_curves_of_one_point_are_bars_and_nothing_swept_needs_no_parallels(tiny: dict, store: Path) -> None:
    tiny["model"] = {"kind": "estimator", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    del tiny["training"], tiny["sweep"]
    assert [chart["type"] for chart in view.state(run(tiny, store))["compareRunCharts"]] == ["BAR", "SCATTER", "BAR"]


# ── another MLflow ──────────────────────────────────────────────────────────────────────────────────────────────


def test_another_mlflow_gets_the_plain_charts_and_one_line(
    tiny: dict, store: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from fitlab.cli.render import print_published

    monkeypatch.setattr(view, "MADE_FOR", ("2.0",))
    run(tiny, store)
    published = fitlab.publish("tiny", store)
    assert (published.unchanged, published.view) == (13, None)
    assert view.TAG not in tags(client)
    print_published(published, fitlab.store.Store.at(store))
    said = " ".join(capsys.readouterr().out.split())
    assert "The comparison view was not written: it is made for MLflow 2.0, and this is '3." in said
    assert links.charts("1") in said
    assert "viewStateShareKey" not in said


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Something that answers /version with the parameter of the test."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/version" else 404)
            self.end_headers()
            self.wfile.write(request.param.encode())

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()


@pytest.mark.parametrize("server", ["9.1.0", "<html>log in</html>"], indirect=True)
def test_a_server_is_asked_for_its_version(tiny: dict, store: Path, server: str) -> None:
    sweep = run(tiny, store)
    key, why = experiment.show(None, Backend(server), "1", sweep)
    assert key is None
    assert why.startswith("it is made for MLflow 3.17, and this is '")


@pytest.mark.parametrize("server", ["3.17.9"], indirect=True)
def test_whatever_fails_is_said_without_a_password(tiny: dict, store: Path, server: str) -> None:
    sweep = run(tiny, store)
    refuses_all = None  # no client at all: any use of it raises
    key, why = experiment.show(refuses_all, Backend(server), "1", sweep)
    assert key is None
    assert why.startswith("AttributeError: ")
    key, why = experiment.show(None, Backend("http://me:secret@127.0.0.1:9"), "1", sweep)
    assert key is None
    assert "secret" not in why


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────────

numbers = st.one_of(st.floats(1e-9, 1e9), st.integers(1, 10**6))


@given(st.lists(numbers, min_size=2, max_size=5, unique=True))
def test_logarithms_of_swept_values_keep_their_order(values: list) -> None:
    spec = read_spec(
        {
            "name": "logs",
            "data": {"kind": "iris"},
            "model": {"kind": "mlp"},
            "sweep": {"parameters": {"training.alpha": {"values": values}}},
        }
    ).spec
    wide = max(values) / min(values) >= view.WIDE
    assert view.logarithmic(spec) == (["training.alpha"] if wide else [])
    assert list(view.log_names(spec).values()) == (["log10/alpha"] if wide else [])


def test_layers_of_one_size_have_a_logarithm_and_others_none(tiny: dict) -> None:
    sizes = tiny["sweep"]["parameters"]["model.hidden_layer_sizes"]
    for values, wide in (([[2], [200]], True), ([[2], [3, 200]], False), ([[2], [4]], False)):
        sizes["values"] = values
        assert ("model.hidden_layer_sizes" in view.logarithmic(read_spec(tiny).spec)) is wide


def test_every_verdict_has_the_name_of_its_colour() -> None:
    assert set(view.SEEN) == set(COLOURS) == set(Label)
    assert len(set(view.SEEN.values())) == len(Label)


def test_the_axis_of_losses_shows_every_validation_curve(tiny: dict, store: Path) -> None:
    """Where losses lie far apart it is logarithmic, and may leave out of the train losses what falls for ever."""
    from fitlab.records import Outcome
    from fitlab.sweep import mean_curve

    tiny["data"] = {"kind": "digits", "train_size": 100}
    tiny["training"]["epochs"] = 40
    tiny["sweep"]["parameters"]["model.hidden_layer_sizes"] = {"values": [[2], [128]]}
    sweep = run(tiny, store)
    chart = view.state(sweep)["compareRunCharts"][0]
    low, high = 10 ** chart["range"]["yMin"], 10 ** chart["range"]["yMax"]
    assert chart["scaleType"] == "log"
    for config in sweep.configs:
        curve = mean_curve("loss/val", [fit for fit in sweep.of(config) if fit.outcome is Outcome.COMPLETED])
        assert np.all((low < curve) & (curve < high))


def test_what_users_typed_is_text_on_every_page(
    store: Path, tmp_path: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In notes of the experiment, of Configs and of the summary: MLflow shows Markdown, and that may hold HTML."""
    monkeypatch.chdir(tmp_path)
    script, image = "<script>alert(1)<script>", "![x](http:evil.example)"
    paths = [f"{script}.csv", f"*{image}*.csv"]
    for path in paths:
        Path(path).write_text("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(60)))
    spec = {
        "name": "typed",
        "question": f"Is {script} text? {image}",
        "data": {"kind": "csv", "path": paths[0], "target": "y"},
        "model": {"kind": "mlp"},
        "training": {"epochs": 2, "batch_size": 16},
        "seeds": 2,
        "sweep": {"parameters": {"data.path": {"values": paths}}},
        "expect": [{"claim": script, "source": image, "quantity": "loss/val", "at_most": 1e9}],
    }
    run(spec, store)
    found = client.get_experiment_by_name("typed")
    runs = [one for one in client.search_runs([found.experiment_id]) if NOTE in one.data.tags]
    assert len(runs) == 3
    for note in (found.tags[NOTE], *(one.data.tags[NOTE] for one in runs)):
        reader = MarkdownIt("commonmark").enable("table")
        tokens = [token for block in reader.parse(note) for token in (block, *(block.children or ()))]
        bad = {"html_inline", "html_block", "link_open", "image"}
        assert not [token.content for token in tokens if token.type in bad], note
        assert any(html.escape(typed) in reader.render(note) for typed in (script, image))
