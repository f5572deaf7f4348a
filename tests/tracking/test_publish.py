"""MLflow read back: what is there, that it is there once, and that it follows the sweep."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
from safetensors.numpy import load_file

import fitlab
from fitlab.errors import PublishError
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking import content, links
from fitlab.tracking.publish import Publisher
from fitlab.verdicts import COLOURS


class Mlflow:
    """What MLflow says, by its own client."""

    def __init__(self, store: Path, name: str = "tiny") -> None:
        self.client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
        self.experiment = self.client.get_experiment_by_name(name)

    def runs(self, kind: str | None = None, view: int = ViewType.ACTIVE_ONLY) -> list:
        found = self.client.search_runs([self.experiment.experiment_id], "", view, max_results=1000)
        return [run for run in found if kind is None or run.data.tags["fitlab.kind"] == kind]

    def points(self, run) -> dict[str, list]:
        return {key: self.client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}

    def rows(self) -> int:
        return sum(len(history) for run in self.runs(view=ViewType.ALL) for history in self.points(run).values())

    def nested(self, config_run) -> list:
        return [run for run in self.runs("fit") if run.data.tags["mlflow.parentRunId"] == config_run.info.run_id]


def run(spec: dict, store: Path, **options: object) -> Sweep:
    return fitlab.run(spec, store=store, jobs=1, **options)


def test_a_run_per_config_with_a_nested_run_per_fit_and_one_summary(tiny: dict, store: Path, tmp_path: Path) -> None:
    sweep = run(tiny, store)
    mlflow = Mlflow(store)
    assert Counter(r.data.tags["fitlab.kind"] for r in mlflow.runs()) == {"config": 4, "fit": 8, "summary": 1}
    assert {r.info.status for r in mlflow.runs()} == {"FINISHED"}
    by_digest = {fit.job.digest: fit for fit in sweep.fits}
    for config_run in mlflow.runs("config"):
        assert "mlflow.parentRunId" not in config_run.data.tags
        nested = mlflow.nested(config_run)
        (fingerprint,) = {by_digest[one.data.tags["fitlab.digest"]].job.fingerprint[:36] for one in nested}
        assert [i.dataset.digest for i in config_run.inputs.dataset_inputs] == [fingerprint]
        assert sorted(r.data.params["seed"] for r in nested) == ["0", "1"]
        for one in nested:
            fit = by_digest[one.data.tags["fitlab.digest"]]
            for name, curve in fit.curves.values.items():
                history = mlflow.points(one)[name]
                assert [(p.step, p.value) for p in history] == list(enumerate(curve))
            assert one.data.params["training.alpha"] == str(fit.job.config.plain["training"]["alpha"])
            assert one.data.params["random_state"] == str(fit.random_state)
            own = {key: value for key, value in one.data.params.items() if key not in ("seed", "random_state")}
            assert own.items() <= config_run.data.params.items()
            (artifact,) = mlflow.client.list_artifacts(one.info.run_id)
            arrays = load_file(mlflow.client.download_artifacts(one.info.run_id, artifact.path, str(tmp_path)))
            assert (arrays["weights/output/bias"] == fit.weights["output/bias"]).all()
    (summary,) = mlflow.runs("summary")
    files = {a.path for a in mlflow.client.list_artifacts(summary.info.run_id)}
    assert files == {"diagnosis.json", "spec.json", "table.csv", "table.md", "report.html", "report.md"}
    assert "Does it work?" in summary.data.tags["mlflow.note.content"]


def test_every_run_says_what_it_was_made_with_and_where_that_differs_each_of_it(tiny: dict, store: Path) -> None:
    run(tiny, store, publish=False)
    place = Store.at(store)
    fit = place.load("tiny").fits[0]
    place.write(fit.stamped(replace(fit.provenance, cpu="another CPU")))
    fitlab.publish("tiny", store)
    runs = Mlflow(store).runs()
    assert len(runs) == 13
    for one in (one.data.tags for one in runs):
        assert f"numpy {np.__version__}" in one["fitlab.versions"]
        assert one["fitlab.blas"] == fit.provenance.blas
        assert one.get("mlflow.source.git.commit") == fit.provenance.commit
        assert one.get("fitlab.dirty") == {True: "true", False: "false", None: None}[fit.provenance.dirty]
    both = {fit.provenance.cpu, "another CPU"}
    assert [set(one.data.tags["fitlab.cpu"].split("; ")) == both for one in runs].count(True) == 2, "Config and summary"


def test_config_runs_say_their_verdict_and_say_it_anew_when_it_changes(tiny: dict, store: Path) -> None:
    """What a verdict compares with is other Configs: a wider sweep may change it, and the run of a Config stays."""
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3]}  # nothing is learned
    first = run(tiny, store)
    before = {r.data.tags["fitlab.digest"]: r for r in Mlflow(store).runs("config")}
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3, 1e-4]}
    second = run(tiny, store)
    after = {r.data.tags["fitlab.digest"]: r for r in Mlflow(store).runs("config")}
    for sweep, runs in ((first, before), (second, after)):
        for digest, verdict in sweep.verdicts.by_config.items():
            one = runs[digest]
            assert one.data.tags["fitlab.verdict"] == verdict.text
            assert one.data.tags["mlflow.runColor"] == COLOURS[verdict.label]
            assert one.info.run_name.endswith(f"· {verdict.brief}")
            assert verdict.note in one.data.tags["mlflow.note.content"]
            said = {key: one.data.metrics.get(f"verdict/excess{key}") for key in ("", "/low", "/high")}
            excess = verdict.reasons["excess"]
            assert said == {"": excess.estimate, "/low": excess.low, "/high": excess.high}
    assert all(before[d].info.run_id == after[d].info.run_id for d in before)
    assert any(before[d].data.metrics["verdict/excess"] < after[d].data.metrics["verdict/excess"] for d in before)


def test_config_runs_say_what_the_table_says(tiny: dict, store: Path) -> None:
    sweep = run(tiny, store)
    table = sweep.table()
    for config_run in Mlflow(store).runs("config"):
        row = table.loc[config_run.data.tags["fitlab.digest"][:12]]
        said = config_run.data.metrics
        assert said["final/loss/val"] == said["loss/val"] == row["loss/val"]
        assert said["gap/loss"] == pytest.approx(row["gap/loss"])
        assert (said["ci/gap/loss/low"], said["ci/gap/loss/high"]) == (row["gap/loss/low"], row["gap/loss/high"])
        assert said["best/loss/val"] <= said["final/loss/val"]


def test_publishing_twice_changes_nothing(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    before = (len(mlflow.runs(view=ViewType.ALL)), mlflow.rows())
    run(tiny, store)
    published = fitlab.publish("tiny", store)
    assert (published.created, published.unchanged) == (0, 13)
    assert (len(mlflow.runs(view=ViewType.ALL)), mlflow.rows()) == before


@pytest.mark.slow
@pytest.mark.parametrize("call", [0, 4])
@pytest.mark.parametrize("step", ["create_run", "log_batch", "log_inputs", "_upload", "set_terminated"])
def test_a_half_published_sweep_is_completed(
    tiny: dict, store: Path, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    """Publishing breaks before or after one of its steps, as when the server goes away or the plug is pulled."""
    tiny["seeds"], left = 1, call - 1 if step == "log_inputs" and call else call  # of four Configs, all but the last
    where = Publisher if step == "_upload" else MlflowClient
    real = getattr(where, step)

    def breaking(*arguments: object, **named: object) -> object:
        nonlocal left
        left -= 1
        if left == -1 and call:
            real(*arguments, **named)  # done, but the answer was lost
        if left < 0:
            raise ConnectionError("the server went away")  # at a chosen moment, which a real one does not offer
        return real(*arguments, **named)

    monkeypatch.setattr(where, step, breaking)
    with pytest.raises(PublishError, match="the server went away"):
        run(tiny, store)
    monkeypatch.setattr(where, step, real)
    fitlab.publish("tiny", store)
    mlflow = Mlflow(store)
    current = [r for r in mlflow.runs() if r.data.tags["fitlab.current"] == "true"]
    assert Counter(r.data.tags["fitlab.kind"] for r in current) == {"config": 4, "fit": 4, "summary": 1}
    assert {r.info.status for r in mlflow.runs()} == {"FINISHED"}
    for one in mlflow.runs():
        assert all(len({p.step for p in points}) == len(points) for points in mlflow.points(one).values())
        assert len(one.inputs.dataset_inputs) <= 1


def test_what_was_killed_right_before_its_end_has_every_point_once(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    before = mlflow.rows()
    for one in mlflow.runs():
        mlflow.client.update_run(one.info.run_id, "RUNNING")
    fitlab.publish("tiny", store)
    assert {one.info.status for one in mlflow.runs()} == {"FINISHED"}
    assert mlflow.rows() == before


@pytest.mark.parametrize("change", ["seeds", "value", "level"])
def test_a_widened_sweep_has_one_current_run_per_config_with_one_point_per_step(
    tiny: dict, store: Path, change: str
) -> None:
    first = run(tiny, store)
    if change == "seeds":
        tiny["seeds"] = 4
    elif change == "value":
        tiny["sweep"]["parameters"]["training.alpha"]["values"].append(0.1)
    else:
        tiny["diagnosis"] = {"level": 0.5}
    second = run(tiny, store)
    mlflow = Mlflow(store)
    configs = mlflow.runs("config")
    assert sorted(r.data.tags["fitlab.digest"] for r in configs) == sorted(c.digest for c in second.configs)
    assert len(mlflow.runs("fit")) == len(second.fits)
    assert len(mlflow.runs("summary")) == 1
    for one in configs:
        assert len(mlflow.nested(one)) == len(second.spec.seeds.values)
    for one in mlflow.runs():
        curves = {key: points for key, points in mlflow.points(one).items() if not key.startswith("verdict/")}
        assert all(len({p.step for p in points}) == len(points) for points in curves.values())
        assert one.info.status != "RUNNING"
    gone = [r for r in mlflow.runs(view=ViewType.DELETED_ONLY) if r.data.tags["fitlab.kind"] != "summary"]
    assert len(gone) == (0 if change == "value" else len(first.configs))
    assert all(r.data.tags["fitlab.superseded"] == "true" for r in gone)


@pytest.mark.slow
def test_going_back_brings_the_old_runs_back(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    ids = {r.info.run_id for r in mlflow.runs("config")}
    run({**tiny, "seeds": 3}, store)
    assert not ids & {r.info.run_id for r in mlflow.runs("config")}
    run(tiny, store)
    assert {r.info.run_id for r in mlflow.runs("config")} == ids
    current = Counter(r.data.tags["fitlab.current"] for r in mlflow.runs("fit"))
    assert current == {"true": 8, "false": 4}


@pytest.mark.slow
def test_names_and_the_question_follow_the_spec(tiny: dict, store: Path) -> None:
    run(tiny, store)
    tiny["sweep"]["parameters"]["model.activation"] = {"values": ["relu", "tanh"]}
    tiny["question"] = "Does it still?"
    run(tiny, store)
    mlflow = Mlflow(store)
    assert all(r.info.run_name.split(" · ")[-2] in ("relu", "tanh") for r in mlflow.runs("config"))  # then the verdict
    note = mlflow.client.get_experiment_by_name("tiny").tags["mlflow.note.content"]
    assert note.startswith("**Does it still?** ")
    (summary,) = mlflow.runs("summary")
    assert "Does it still?" in summary.data.tags["mlflow.note.content"]
    mlflow.client.set_experiment_tag(mlflow.experiment.experiment_id, "mlflow.note.content", "mine")
    run({**tiny, "question": "And now?"}, store)
    assert mlflow.client.get_experiment_by_name("tiny").tags["mlflow.note.content"] == "mine"


def test_passwords_stay_out_of_messages_and_files() -> None:
    assert links.masked("https://user:pass@host:1/a?b") == "https://host:1/a?b"
    assert links.masked("postgresql://u:p@h/db") == "postgresql://h/db"
    assert links.masked("postgresql://h/db?user=u&password=p") == "postgresql://h/db?user=u&password=…"
    assert links.masked("sqlite:////tmp/a@b/mlflow.db") == "sqlite:////tmp/a@b/mlflow.db"
    assert links.cleaned("at https://h/api: https://u:p@h/api", "https://u:p@h//") == "at https://h/api: https://h/api"


def test_files_of_a_database_elsewhere_lie_in_the_store(
    tiny: dict, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not where the command happens to be run, as MLflow would have it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (store / "mlflow.db").rename(tmp_path / "elsewhere" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}")
    run(tiny, store)
    assert len(list((store / "artifacts" / "tiny").rglob("fit.safetensors"))) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"store", "elsewhere"}


@pytest.mark.slow
def test_what_left_the_spec_is_tagged_and_stays(tiny: dict, store: Path) -> None:
    run(tiny, store)
    tiny["sweep"]["parameters"]["training.alpha"]["values"] = [1e-4]
    run(tiny, store)
    current = Counter((r.data.tags["fitlab.kind"], r.data.tags["fitlab.current"]) for r in Mlflow(store).runs())
    assert current == {
        ("config", "true"): 2, ("config", "false"): 2, ("fit", "true"): 4, ("fit", "false"): 4, ("summary", "true"): 1,
    }  # fmt: skip


def test_what_a_user_deleted_stays_deleted_and_is_said(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    victim = mlflow.runs("fit")[0]
    mlflow.client.delete_run(victim.info.run_id)
    published = fitlab.publish("tiny", store)
    assert (published.left_deleted, published.created) == (1, 0)
    assert len(mlflow.runs("fit")) == 7
    parent = mlflow.runs("config")[0]
    mlflow.client.delete_run(parent.info.run_id)
    (store / "sweeps" / "tiny.json").touch()
    run({**tiny, "seeds": 2}, store)
    ids = {r.info.run_id for r in mlflow.runs("config")}
    assert len(ids) == 3
    assert all(r.data.tags["mlflow.parentRunId"] in {*ids, parent.info.run_id} for r in mlflow.runs("fit"))
    mlflow.client.delete_experiment(mlflow.experiment.experiment_id)
    with pytest.raises(PublishError, match="was deleted; bring it back with"):
        fitlab.publish("tiny", store)


def test_a_config_that_a_user_deleted_stays_deleted_when_its_seeds_change_until_it_is_restored(
    tiny: dict, store: Path
) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    victim = mlflow.runs("config")[0]
    mlflow.client.delete_run(victim.info.run_id)

    def of_victim(view: int = ViewType.ACTIVE_ONLY) -> list:
        key = victim.data.tags["fitlab.digest"]
        return [r.info.run_id for r in mlflow.runs("config", view) if r.data.tags["fitlab.digest"] == key]

    for seeds in (3, 2):
        run({**tiny, "seeds": seeds}, store)
        assert of_victim(ViewType.ALL) == [victim.info.run_id]
        assert of_victim() == []
    run({**tiny, "seeds": 3}, store, publish=False)
    assert fitlab.publish("tiny", store).left_deleted == 1 + 3, "the Config, and its Fits with it"
    mlflow.client.restore_run(victim.info.run_id)
    assert fitlab.publish("tiny", store).left_deleted == 0
    (again,) = of_victim()
    assert again != victim.info.run_id
    assert len(mlflow.nested(mlflow.client.get_run(again))) == 3


def test_status_and_counts_are_truthful(tiny: dict, store: Path) -> None:
    tiny["model"]["activation"] = "identity"
    tiny["training"] = {"solver": "sgd", "epochs": 6, "batch_size": 16}
    tiny["sweep"]["parameters"] = {"training.learning_rate_init": {"values": [0.01, 1e200]}}
    run(tiny, store)
    mlflow = Mlflow(store)
    status = {(r.data.params["training.learning_rate_init"], r.info.status) for r in mlflow.runs("fit")}
    assert status == {("0.01", "FINISHED"), ("1e+200", "FAILED")}
    wild = next(r for r in mlflow.runs("config") if r.info.status == "FAILED")
    assert wild.data.tags["fitlab.outcomes"] == "2 diverged"
    assert "final/loss/val" not in wild.data.metrics
    assert "non-finite" in mlflow.nested(wild)[0].data.tags["fitlab.cause"]


def test_a_database_that_is_none_costs_no_training(tiny: dict, store: Path) -> None:
    (store / "mlflow.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(PublishError, match=r"MLflow at sqlite.*move mlflow\.db away"):
        run(tiny, store)
    assert len(fitlab.load("tiny", store).fits) == 8


def test_what_a_database_that_is_gone_left_does_not_get_into_the_new_one(tiny: dict, tmp_path: Path) -> None:
    run(tiny, tmp_path / "s", publish=False)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("PRAGMA journal_mode=WAL")
        with other:
            other.execute("CREATE TABLE other (x)")
        wal = (tmp_path / "other.db-wal").read_bytes()
    (tmp_path / "s" / "mlflow.db-wal").write_bytes(wal)
    assert fitlab.publish("tiny", tmp_path / "s").created == 13
    with closing(sqlite3.connect(tmp_path / "s" / "mlflow.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'other'").fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert (tmp_path / "s" / "mlflow.db-wal.left").read_bytes() == wal


@pytest.mark.slow
def test_a_publish_killed_while_it_makes_the_database_leaves_none_behind(tiny: dict, tmp_path: Path) -> None:
    root = tmp_path / "s"
    run(tiny, root, publish=False)
    command = [sys.executable, "-m", "fitlab", "publish", "tiny", "--store", str(root)]
    slow = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "empty")}  # where no copy of one is kept
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=slow)
    while not list(root.glob(".mlflow.*.tmp")):
        assert process.poll() is None, "the database was made before it could be killed"
        time.sleep(0.01)
    time.sleep(0.3)
    process.kill()
    process.wait()
    assert not (root / "mlflow.db").exists()
    assert fitlab.publish("tiny", root).created == 13


def test_long_curves_are_thinned_geometrically() -> None:
    for length in (1, 2, 49, 50, 51, 101, 1001, 100_001):
        kept = content.thinned(length, 50)
        assert len(kept) == min(length, 50)
        assert (kept[0], kept[-1]) == (0, length - 1)
        assert (kept[1:] > kept[:-1]).all()
    assert content.thinned(1001, 50)[:10].tolist() == list(range(10))


def test_a_fresh_database_is_made_and_put_into_wal_mode(tiny: dict, tmp_path: Path) -> None:
    import sqlite3

    run(tiny, tmp_path / "fresh")
    connection = sqlite3.connect(tmp_path / "fresh" / "mlflow.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert Store.at(tmp_path / "fresh").published("tiny")["experiment"] == "1"


def test_what_was_half_published_and_is_no_longer_wanted_does_not_run_for_ever(tiny: dict, store: Path) -> None:
    whole = run(tiny, store)
    mlflow = Mlflow(store)
    last = next(r for r in mlflow.runs("config") if r.data.tags["fitlab.digest"] == whole.configs[-1].digest)
    mlflow.client.update_run(last.info.run_id, "RUNNING")  # as if killed before its end
    values = tiny["sweep"]["parameters"]["training.alpha"]["values"]
    for wanted in (values[:1], values):  # without it, then with it again
        tiny["sweep"]["parameters"]["training.alpha"]["values"] = wanted
        now = run(tiny, store)
        assert all(r.info.status == "FINISHED" for r in mlflow.runs() if r.info.run_id != last.info.run_id)
        current = [r for r in mlflow.runs("config") if r.data.tags["fitlab.current"] == "true"]
        assert sorted(r.data.tags["fitlab.digest"] for r in current) == sorted(c.digest for c in now.configs)
        assert mlflow.client.get_run(last.info.run_id).info.status == "KILLED"
    assert (
        "final/loss/val"
        in next(r for r in current if r.data.tags["fitlab.digest"] == whole.configs[-1].digest).data.metrics
    )


def test_a_finished_sweep_that_lost_fits_is_not_published_over_the_whole_one(tiny: dict, store: Path) -> None:
    sweep = run(tiny, store)
    Store.at(store).fit_path(sweep.fits[0].job.digest).unlink()
    with pytest.raises(PublishError, match=r"1 Fits of tiny are lost; `fitlab sweep SPEC` trains them again"):
        fitlab.publish("tiny", store)
    assert len(Mlflow(store).runs("fit")) == 8
    run(tiny, store)
    assert fitlab.publish("tiny", store).unchanged == 13
