"""Bad days in MLflow: what users deleted, renamed and edited there, lost files, other versions."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from urllib.parse import urlparse

import pytest
from mlflow.tracking import MlflowClient
from tracking.test_publish import Mlflow, run

import fitlab
from fitlab.errors import PublishError

NOTE, COLOUR, NAME = "mlflow.note.content", "mlflow.runColor", "mlflow.runName"


@pytest.fixture
def client(store: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{store / 'mlflow.db'}")


def config_run(store: Path):
    return next(r for r in Mlflow(store).runs() if r.data.tags["fitlab.kind"] == "config")


@pytest.mark.parametrize(("key", "value"), [(NAME, "my favourite"), (NOTE, "seen"), (COLOUR, "#123456")])
def test_what_a_user_wrote_on_a_run_stays_and_is_said(
    tiny: dict, store: Path, client: MlflowClient, key: str, value: str
) -> None:
    run(tiny, store)
    edited = config_run(store).info.run_id
    client.set_tag(edited, key, value)
    tiny["diagnosis"] = {"margin": 0.9}  # other verdicts, hence other names, notes and colours
    run(tiny, store)
    published = fitlab.publish("tiny", store)
    assert (published.edited, published.created) == (1, 0)
    tags = client.get_run(edited).data.tags
    assert tags[key] == value
    assert tags["fitlab.verdict"] == fitlab.load("tiny", store).verdicts.by_config[tags["fitlab.config"]].text


def test_a_seed_that_a_user_renamed_keeps_its_name(tiny: dict, store: Path, client: MlflowClient) -> None:
    run(tiny, store)
    one = next(r for r in Mlflow(store).runs() if r.data.tags["fitlab.kind"] == "fit")
    client.update_run(one.info.run_id, name="the odd one")
    assert fitlab.publish("tiny", store).edited == 1
    assert client.get_run(one.info.run_id).info.run_name == "the odd one"


def test_a_renamed_experiment_is_not_made_again(tiny: dict, store: Path, client: MlflowClient) -> None:
    run(tiny, store)
    client.rename_experiment("1", "paper")
    with pytest.raises(PublishError, match=r"was renamed to paper; .* --experiment-id 1 --new-name tiny"):
        fitlab.publish("tiny", store)
    assert {one.name for one in client.search_experiments()} == {"Default", "paper"}
    client.rename_experiment("1", "tiny")
    assert fitlab.publish("tiny", store).created == 0


@pytest.mark.parametrize(("kind", "file"), [("fit", "fit.safetensors"), ("config", "weights.html")])
def test_files_that_are_gone_are_logged_again(tiny: dict, store: Path, kind: str, file: str) -> None:
    run(tiny, store)
    one = next(r for r in Mlflow(store).runs() if r.data.tags["fitlab.kind"] == kind)
    folder = Path(urlparse(one.info.artifact_uri).path)
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert Path(file) in before
    shutil.rmtree(folder)
    published = fitlab.publish("tiny", store)
    assert (published.restored, published.created) == (1, 0)
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert fitlab.publish("tiny", store).restored == 0


def test_runs_of_a_newer_fitlab_are_left_as_they_are(tiny: dict, store: Path, client: MlflowClient) -> None:
    run(tiny, store)
    one = config_run(store)
    client.set_tag(one.info.run_id, "fitlab.record_version", "99")
    before = [r.to_dictionary() for r in Mlflow(store).runs()]
    with pytest.raises(PublishError, match=r"newer fitlab.*upgrade"):
        fitlab.publish("tiny", store)
    assert [r.to_dictionary() for r in Mlflow(store).runs()] == before


@pytest.mark.parametrize("revision", ["bd07f7e963c5", "ffffffffffff"])  # of an older MLflow, of none that we know
def test_a_database_of_another_mlflow_is_left_as_it_is(tiny: dict, store: Path, revision: str) -> None:
    database = store / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("update alembic_version set version_num = ?", (revision,))
    connection.close()
    with pytest.raises(PublishError, match=rf"mlflow db upgrade sqlite:///{database}.*pip install --upgrade mlflow"):
        run(tiny, store)
    connection = sqlite3.connect(database)
    assert connection.execute("select version_num from alembic_version").fetchall() == [(revision,)]
    connection.close()
    assert len(fitlab.load("tiny", store).fits) == 8  # trained and kept
