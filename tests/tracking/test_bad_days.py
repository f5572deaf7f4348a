"""What people do to runs and experiments in MLflow, and what other versions left: said, and nothing is overwritten."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
from tracking.test_publish import Mlflow, run

import fitlab
from fitlab.cli.doctor import findings
from fitlab.errors import PublishError, StoreError
from fitlab.records import RECORD_VERSION
from fitlab.store import Store, write_fit
from fitlab.sweep import Sweep
from fitlab.tracking import edits, schema
from fitlab.tracking.backend import Backend
from fitlab.tracking.publish import Publisher, open_client
from fitlab.tracking.server import serve

OLD = Path(__file__).with_name("mlflow_2_16.sql")
NOTE, COLOUR, NAME = "mlflow.note.content", "mlflow.runColor", "mlflow.runName"
USERS = {NOTE: "look at this one", COLOUR: "#123456", NAME: "the good one", "fitlab.reason": "I think so"}


def everything(database: Path) -> list[str]:
    """Return all that a database holds."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def edit(mlflow: Mlflow, run_id: str, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        mlflow.client.set_tag(run_id, key, value)


def of_kind(mlflow: Mlflow, kind: str, digest: str | None = None) -> object:
    return next(r for r in mlflow.runs(kind) if digest in (None, r.data.tags["fitlab.digest"]))


# ── what a user wrote ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", USERS)
def test_what_a_user_wrote_into_a_run_stays_and_the_rest_follows_the_sweep(tiny: dict, store: Path, key: str) -> None:
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3]}  # nothing is learned
    first = run(tiny, store)
    mlflow, digest = Mlflow(store), first.configs[0].digest
    edit(mlflow, of_kind(mlflow, "config", digest).info.run_id, {key: USERS[key]})
    before = everything(store / "mlflow.db")
    published = fitlab.publish("tiny", store)
    assert (published.edited, published.created, published.unchanged) == (1, 0, 7)
    assert everything(store / "mlflow.db") == before
    tiny["sweep"]["parameters"]["training.alpha"] = {"values": [1e3, 1e-4]}  # and now the verdict is another
    verdict = run(tiny, store).verdicts.by_config[digest]
    after = of_kind(mlflow, "config", digest)
    assert after.data.tags[key] == USERS[key]
    assert after.data.tags["fitlab.verdict"] == verdict.text
    assert (verdict.note in after.data.tags[NOTE]) == (key != NOTE)
    assert after.info.run_name == (USERS[NAME] if key == NAME else after.data.tags[NAME])
    assert fitlab.publish("tiny", store).edited == 1


def test_a_note_that_a_user_took_away_or_brought_back_is_known(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    one = of_kind(mlflow, "config")
    mlflow.client.delete_tag(one.info.run_id, NOTE)
    assert fitlab.publish("tiny", store).edited == 1
    assert NOTE not in mlflow.client.get_run(one.info.run_id).data.tags
    edit(mlflow, one.info.run_id, {NOTE: one.data.tags[NOTE]})
    assert fitlab.publish("tiny", store).edited == 0


def test_names_of_nested_runs_and_the_note_of_the_summary_stay(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    fit, summary = (of_kind(mlflow, kind).info.run_id for kind in ("fit", "summary"))
    mlflow.client.update_run(fit, name="odd")
    edit(mlflow, fit, {NOTE: "diverges at home"})
    edit(mlflow, summary, {NOTE: "mine"})
    published = fitlab.publish("tiny", store)
    assert (published.edited, published.created) == (2, 0)
    assert mlflow.client.get_run(fit).info.run_name == "odd"
    assert mlflow.client.get_run(fit).data.tags[NOTE] == "diverges at home"
    assert mlflow.client.get_run(summary).data.tags[NOTE] == "mine"


def test_what_a_user_wrote_goes_with_the_run_that_takes_the_place(tiny: dict, store: Path) -> None:
    sweep = run(tiny, store)
    mlflow, digest = Mlflow(store), sweep.configs[0].digest
    edit(mlflow, of_kind(mlflow, "config", digest).info.run_id, {NOTE: "mine", NAME: "my name"})
    run({**tiny, "seeds": 3}, store)
    after = of_kind(mlflow, "config", digest)
    assert (after.data.tags[NOTE], after.info.run_name) == ("mine", "my name")
    assert after.data.tags["fitlab.outcomes"] == "3 completed"
    assert fitlab.publish("tiny", store).edited == 1


def test_edits_while_the_sweep_goes_on_stay_too(tiny: dict, store: Path) -> None:
    """Config runs are logged as they are settled; their verdicts come at the end, hours later."""
    sweep = run(tiny, store, publish=False)
    place = Backend(f"sqlite:///{store / 'mlflow.db'}", store / "mlflow.db", store / "artifacts")
    publisher = Publisher(open_client(place), place, "tiny", write_fit)
    undiagnosed = Sweep(sweep.spec, sweep.configs, sweep.fits)
    publisher.publish(undiagnosed)
    mlflow = Mlflow(store)
    noted, deleted = mlflow.runs("config")[:2]
    edit(mlflow, noted.info.run_id, {NOTE: "mine", COLOUR: "#123456"})
    mlflow.client.delete_run(deleted.info.run_id)
    whole = fitlab.load("tiny", store)
    published = publisher.finish(whole)
    assert (published.edited, published.left_deleted) == (1, 1)
    after = {r.info.run_id: r.data.tags for r in mlflow.runs("config", ViewType.ALL)}
    assert (after[noted.info.run_id][NOTE], after[noted.info.run_id][COLOUR]) == ("mine", "#123456")
    assert "fitlab.verdict" in after[noted.info.run_id]
    assert "fitlab.verdict" not in after[deleted.info.run_id]


def test_runs_of_an_earlier_version_remember_nothing_and_are_ours(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    one = of_kind(mlflow, "config")
    mlflow.client.delete_tag(one.info.run_id, edits.SAID)
    edit(mlflow, one.info.run_id, {NOTE: "as an earlier version said it"})
    assert fitlab.publish("tiny", store).edited == 0
    after = mlflow.client.get_run(one.info.run_id).data.tags
    assert after[NOTE] == one.data.tags[NOTE]
    assert edits.SAID in after


# ── experiments ─────────────────────────────────────────────────────────────────────────────────────────────


def command_in(message: str, verb: str) -> str:
    found = re.search(rf"`(MLFLOW_TRACKING_URI=[^`]* mlflow experiments {verb} [^`]*)`", message)
    assert found, message
    return found.group(1)


def obey(command: str) -> None:
    """Run a command of a message, with the mlflow that belongs to this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "PATH": path}, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["rename", "restore"])
def test_an_experiment_that_was_renamed_or_deleted_comes_back_by_the_command_that_is_said(
    tiny: dict, tmp_path: Path, migrated: Path, verb: str
) -> None:
    store = tmp_path / "a store's"
    store.mkdir()
    shutil.copy(migrated, store / "mlflow.db")
    run(tiny, store)
    mlflow = Mlflow(store)
    identity = mlflow.experiment.experiment_id
    if verb == "rename":
        mlflow.client.rename_experiment(identity, "for the paper")
    else:
        mlflow.client.delete_experiment(identity)
    before = everything(store / "mlflow.db")
    with pytest.raises(PublishError, match="was renamed to for the paper" if verb == "rename" else "was deleted") as e:
        fitlab.publish("tiny", store)
    assert everything(store / "mlflow.db") == before
    obey(command_in(str(e.value), verb))
    published = fitlab.publish("tiny", store)
    assert (published.experiment, published.created, published.unchanged) == (identity, 0, 13)


def test_a_renamed_experiment_goes_on_under_its_new_name(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    mlflow.client.rename_experiment(mlflow.experiment.experiment_id, "paper")
    with pytest.raises(PublishError, match="name: paper"):
        run(tiny, store)
    run({**tiny, "name": "paper"}, store)
    assert len(Mlflow(store, "paper").runs("fit")) == 8
    run(tiny, store)  # and the old name is free
    assert len(Mlflow(store).runs("fit")) == 8


@pytest.mark.slow
def test_a_config_run_that_is_gone_for_good_is_made_again_over_its_fits(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    one = of_kind(mlflow, "config")
    mlflow.client.delete_run(one.info.run_id)
    uri = f"sqlite:///{store / 'mlflow.db'}"
    obey(f"mlflow gc --backend-store-uri '{uri}' --tracking-uri '{uri}' --run-ids {one.info.run_id}")
    published = fitlab.publish("tiny", store)
    assert (published.created, published.left_deleted) == (1, 0)
    again = of_kind(mlflow, "config", one.data.tags["fitlab.digest"])
    assert len(mlflow.nested(again)) == 2


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_that_somebody_removed_are_said_and_logged_again(tiny: dict, store: Path) -> None:
    run(tiny, store)
    files = sorted((store / "artifacts").rglob("fit.safetensors"))
    content = {file: file.read_bytes() for file in files}
    files[0].unlink()
    shutil.rmtree(files[1].parent)
    (said,) = findings(store)["store"]["problems"]
    assert "files of 2 runs of tiny are not where MLflow has them" in said
    assert "fitlab publish" in said
    before = everything(store / "mlflow.db")
    assert fitlab.publish("tiny", store).restored == 2
    assert {file: file.read_bytes() for file in files} == content
    assert everything(store / "mlflow.db") == before
    assert fitlab.publish("tiny", store).restored == 0
    assert findings(store)["store"]["problems"] == []


@pytest.mark.parametrize(("kind", "file"), [("fit", "fit.safetensors"), ("config", "weights.html")])
def test_files_that_are_gone_are_logged_again(tiny: dict, store: Path, kind: str, file: str) -> None:
    run(tiny, store)
    one = of_kind(Mlflow(store), kind)
    folder = Path(unquote(urlsplit(one.info.artifact_uri).path))
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert Path(file) in before
    shutil.rmtree(folder)
    published = fitlab.publish("tiny", store)
    assert (published.restored, published.created) == (1, 0)
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert fitlab.publish("tiny", store).restored == 0


def test_in_a_store_that_was_moved_nothing_is_written_where_it_was(tiny: dict, store: Path) -> None:
    run(tiny, store)
    moved = store.rename(store.with_name("moved"))
    published = fitlab.publish("tiny", moved)
    assert (published.restored, published.unchanged) == (0, 13)
    assert not store.exists()


def test_a_store_that_was_copied_has_its_files_and_those_of_new_runs(tiny: dict, store: Path) -> None:
    """MLflow knows files by absolute paths: those of the copy are the copy's, and the first store is left alone."""
    run(tiny, store)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and "mlflow" not in path.name}
    copied = Path(shutil.copytree(store, store.with_name("copied")))
    tiny["seeds"] = 3
    run(tiny, copied)
    runs = Mlflow(copied).client.search_runs([Mlflow(copied).experiment.experiment_id], max_results=1000)
    folders = [Path(unquote(urlsplit(one.info.artifact_uri).path)) for one in runs]
    assert len(folders) == 4 * (1 + 3) + 1
    assert all(copied / "artifacts" in folder.parents and any(folder.iterdir()) for folder in folders)
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in (store / "artifacts").rglob("*") if path.is_file()} <= before.keys()


# ── other versions ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A store with the database that MLflow 2.16.2 left."""
    root = tmp_path / "old store"
    root.mkdir()
    with closing(sqlite3.connect(root / "mlflow.db")) as connection:
        connection.executescript(OLD.read_text())
    return root


def test_an_older_database_is_not_migrated_behind_its_owner(tiny: dict, older: Path, monkeypatch) -> None:
    before = everything(older / "mlflow.db")
    with pytest.raises(PublishError, match="written by an older MLflow than MLflow 3") as caught:
        run(tiny, older)
    assert len(fitlab.load("tiny", older).fits) == 8
    with pytest.raises(StoreError, match="mlflow db upgrade"), serve(older / "mlflow.db", older / "artifacts", 5000):
        pass
    assert any("older MLflow" in problem for problem in findings(older)["store"]["problems"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{older / 'mlflow.db'}")
    with pytest.raises(PublishError, match="older MLflow"):
        fitlab.publish("tiny", older)
    assert everything(older / "mlflow.db") == before
    assert "mlflow db upgrade" in str(caught.value)


@pytest.mark.slow
def test_the_command_that_is_said_upgrades_an_older_database(tiny: dict, older: Path) -> None:
    with pytest.raises(PublishError) as caught:
        run({**tiny, "name": "new"}, older)
    found = re.search(r"`(cp [^`]*)`", str(caught.value))
    assert found
    obey(found.group(1))
    assert fitlab.publish("new", older).created == 13
    (old,) = MlflowClient(f"sqlite:///{older / 'mlflow.db'}").search_runs(["1"])
    assert old.data.params == {"a": "1"}
    assert "4465047574b1" in str(everything(older / "mlflow.db.before-upgrade"))


def test_a_newer_database_is_named_as_such(tiny: dict, store: Path) -> None:
    with closing(sqlite3.connect(store / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    with pytest.raises(PublishError, match=r"newer MLflow than MLflow .*pip install --upgrade mlflow"):
        run(tiny, store)


def test_revisions_of_this_mlflow_are_found(migrated: Path, tmp_path: Path) -> None:
    assert schema.obstacle(migrated) is None
    assert schema.obstacle(tmp_path / "none.db") is None
    known, head = schema._revisions()
    assert head in known
    assert "4465047574b1" in known


def test_runs_of_a_newer_fitlab_are_left_as_they_are(tiny: dict, store: Path) -> None:
    run(tiny, store)
    mlflow = Mlflow(store)
    edit(mlflow, of_kind(mlflow, "config").info.run_id, {"fitlab.record_version": str(RECORD_VERSION + 1)})
    before = everything(store / "mlflow.db")
    tiny["sweep"]["parameters"]["training.alpha"]["values"].append(0.1)
    with pytest.raises(PublishError, match="1 runs of tiny in MLflow were written by a newer fitlab"):
        run(tiny, store)
    assert everything(store / "mlflow.db") == before


def test_a_sweep_and_a_fit_of_a_newer_fitlab_are_left_as_they_are(tiny: dict, store: Path) -> None:
    sweep = run(tiny, store)
    place = Store.at(store)
    record, fit = place.sweep_path("tiny"), place.fit_path(sweep.fits[0].job.digest)
    newer = record.read_bytes().replace(b'"record_version": 2', b'"record_version": 3')
    record.write_bytes(newer)
    tiny["seeds"] = 3
    for act in (lambda: run(tiny, store), lambda: fitlab.load("tiny", store), lambda: fitlab.publish("tiny", store)):
        with pytest.raises(StoreError, match="written by a newer fitlab; upgrade fitlab, or use another store"):
            act()
    assert record.read_bytes() == newer
    record.unlink()
    newer = re.sub(rb'(record_version\\+":)2', rb"\g<1>3", fit.read_bytes())
    fit.write_bytes(newer)
    with pytest.raises(StoreError, match="written by a newer fitlab; upgrade fitlab, or use another store"):
        run(tiny, store)
    assert fit.read_bytes() == newer
