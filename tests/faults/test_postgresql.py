"""MLflow as teams run it: a server with users and passwords over PostgreSQL, all of it real and on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401 (a fixture)
from conftest import ROOT
from faults.database import Postgres, binaries, postgresql
from faults.serving import Server, served
from faults.test_servers import said
from mlflow.tracking import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from ruamel.yaml import YAML
from runner.test_failures import Unlucky

from fitlab.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgresql")]  # one server, not one a worker
GUIDE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
USERS = {"root": "password-of-root", "ada": "password-of-ada", "bob": "password-of-bob", "cyd": "password-of-cyd"}


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    if binaries() is None:
        pytest.skip("no PostgreSQL: on Debian, apt-get install postgresql")
    with postgresql("runs", "users") as one:
        yield one


@pytest.fixture(scope="module")
def server(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow's server as docs/server.md sets it up, and users of whom ``root`` may do everything."""
    folder = tmp_path_factory.mktemp("server")
    settings = ConfigParser(interpolation=None)
    settings.read_string(re.search(r"```ini\n(.*?)```", GUIDE, re.DOTALL)[1])
    settings["mlflow"].update({"database_uri": database.uri("users"), "admin_password": USERS["root"]})
    with (folder / "auth.ini").open("w") as file:
        settings.write(file)
    guarded = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "any"}
    with (
        served(Server(folder, database.uri("runs"), ("--app-name", "basic-auth"), **guarded)) as one,
        pytest.MonkeyPatch.context() as patch,
    ):
        login(patch, one, "root")
        for name in ("ada", "bob", "cyd"):
            ask(one, "2.0/mlflow/users/create", username=name, password=USERS[name])
        yield one


def ask(server: Server, what: str, **words: str) -> None:
    """Ask MLflow's server for what its client has no words for, as whoever is logged in."""
    answer = http_request(get_default_host_creds(server.uri), f"/api/{what}", "POST", json=words)
    assert answer.ok, answer.text


def login(patch: pytest.MonkeyPatch, server: Server, user: str | None, password: str | None = None) -> None:
    """Say where MLflow is, and who asks there; by default with the right password."""
    patch.setenv("MLFLOW_TRACKING_URI", server.uri)
    for name, value in (("USERNAME", user), ("PASSWORD", password or USERS.get(user or ""))):
        patch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
        if value is not None:
            patch.setenv(f"MLFLOW_TRACKING_{name}", value)


@pytest.fixture
def spec(tiny: dict, tmp_path: Path) -> Callable[..., Path]:
    """Write a small spec whose question is hard to store, and of whose two Configs one diverges."""

    def write(**changes: object) -> Path:
        rates = {"training.learning_rate_init": {"values": [0.01, 1e200]}}
        training = {**tiny["training"], "solver": "sgd"}
        hard = {"question": "Wie groß, 'so' \"oder\" %s; \\ \0?", "training": training, "sweep": {"parameters": rates}}
        path = tmp_path / "hard.yaml"
        with path.open("w") as file:
            YAML().dump({**tiny, **hard, **changes}, file)
        return path

    return write


def files(client: MlflowClient, name: str, folder: Path) -> dict[tuple[str, str], object]:
    """Return all files of the runs of a sweep, by the digest of the run and the file's path."""
    runs = client.search_runs([client.get_experiment_by_name(name).experiment_id], max_results=1000)
    found = {}
    for run in runs:
        place = folder / run.info.run_id
        place.mkdir(parents=True)
        client.download_artifacts(run.info.run_id, "", str(place))
        digest = run.data.tags["fitlab.digest"]
        for path in (path for path in place.rglob("*") if path.is_file()):
            content = path.read_bytes()
            found[digest, str(path.relative_to(place))] = json.loads(content) if path.suffix == ".json" else content
    return found


def test_a_sweep_arrives_as_it_does_in_a_local_database_and_once(
    fitlab: Fitlab,
    spec: Callable[..., Path],
    server: Server,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    login(monkeypatch, server, "ada")
    path = spec(name="whole")
    code, out, err = fitlab("sweep", path, "--store", store, "--jobs", 1)
    assert (code, err) == (0, "")
    assert "MLflow: 7 runs logged." in out
    assert f"{server.uri}/#/experiments/" in out
    client = MlflowClient(server.uri)
    there, sent = said(client, "whole"), files(client, "whole", tmp_path / "there")
    code, out, _ = fitlab("sweep", path, "--store", store, "--jobs", 1)
    assert (code, "MLflow: 7 were there." in out) == (0, True)
    assert said(client, "whole") == there
    note = client.get_experiment_by_name("whole").tags

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert fitlab("publish", "whole", "--store", store)[0] == 0
    local = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    assert said(local, "whole") == there
    assert local.get_experiment_by_name("whole").tags == note
    kept = files(local, "whole", tmp_path / "here")
    assert sent.keys() == kept.keys()
    assert {file for _, file in sent} >= {"fit.safetensors", "table.md", "report.html", "weights.html"}
    assert ("whole", "diagnosis.json") in sent
    linked = {("whole", file) for file in ("report.html", "report.md")}  # these lead to where the runs are
    assert {key for key in sent if sent[key] != kept[key]} == linked


@pytest.mark.parametrize(
    ("user", "password", "says"),
    [
        (None, None, "the server wants a user and a password, and these are not given"),
        ("ada", "wrong-password", "the server does not take user ada with the password that is given"),
    ],
)
def test_a_wrong_password_costs_no_training_and_the_right_one_completes_it(
    fitlab: Fitlab,
    spec: Callable[..., Path],
    server: Server,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str | None,
    password: str | None,
    says: str,
) -> None:
    name = f"wrong-{user}".lower()
    login(monkeypatch, server, user, password)
    code, out, err = fitlab("sweep", spec(name=name), "--store", store, "--jobs", 1)
    assert (code, "4 trained" in out) == (4, True)
    assert len(Store.at(store).load(name).fits) == 4
    assert f"trained and stored, but not published: MLflow at {server.uri}: {says}" in " ".join(err.split())
    assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in " ".join(err.split())
    assert f"`fitlab publish {name} --store {store}` catches up" in err
    assert "wrong-password" not in out + err
    login(monkeypatch, server, "ada")
    code, out, err = fitlab("publish", name, "--store", store)
    assert (code, err, "MLflow: 7 runs logged." in out) == (0, "", True)


def test_a_password_in_the_address_is_taken_and_stays_out_of_words_and_files(
    fitlab: Fitlab, spec: Callable[..., Path], server: Server, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = server.uri.removeprefix("http://")
    login(monkeypatch, server, None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:wrong-password@{place}//")
    code, out, err = fitlab("sweep", spec(name="address"), "--store", store, "--jobs", 1)
    assert (code, "does not take user ada" in err) == (4, True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:{USERS['ada']}@{place}")
    code, more, _ = fitlab("publish", "address", "--store", store)
    assert (code, "MLflow: 7 runs logged." in more) == (0, True)
    assert all(secret not in out + err + more for secret in ("wrong-password", USERS["ada"]))
    assert all(USERS["ada"].encode() not in path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_who_may_not_write_there_is_told_and_somebody_who_may_completes_it(
    fitlab: Fitlab, spec: Callable[..., Path], server: Server, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an experiment that is ada's, cyd may see nothing, bob may read it, then write into it, but delete no run."""
    login(monkeypatch, server, "ada")
    assert fitlab("sweep", spec(name="hers"), "--store", store, "--jobs", 1)[0] == 0
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("hers").experiment_id
    more = spec(name="hers", seeds=3)
    where = {"resource_type": "experiment", "resource_id": experiment}
    refused = [("cyd", "DENY", "experiments/get-by-name"), ("bob", None, "runs/create"), ("bob", "EDIT", "runs/delete")]
    for user, granted, asked in refused:
        if granted:
            login(monkeypatch, server, "root")
            ask(server, "3.0/mlflow/users/permissions/grant", username=user, permission=granted, **where)
        login(monkeypatch, server, user)
        code, out, err = fitlab("sweep", more, "--store", store, "--jobs", 1)
        assert code == 4
        assert f'does not let user {user} do mlflow/{asked}: "Permission denied"' in " ".join(err.split())
        assert "gives them MANAGE on the experiment" in " ".join(err.split())
        assert USERS[user] not in out + err
    assert len(Store.at(store).load("hers").fits) == 6
    login(monkeypatch, server, "ada")
    assert fitlab("publish", "hers", "--store", store)[0] == 0
    there = [run for run in said(client, "hers") if run[3] == "active"]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert fitlab("publish", "hers", "--store", store)[0] == 0
    assert said(MlflowClient(f"sqlite:///{store / 'mlflow.db'}"), "hers") == there


def test_a_database_that_goes_away_behind_its_server_costs_no_training(
    fitlab: Fitlab,
    spec: Callable[..., Path],
    database: Postgres,
    server: Server,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    login(monkeypatch, server, "ada")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    database.stop()
    try:
        code, out, err = fitlab("sweep", spec(name="gone"), "--store", store, "--jobs", 1)
    finally:
        database.start()
    assert (code, "4 trained" in out) == (4, True), err
    assert f"trained and stored, but not published: MLflow at {server.uri}" in " ".join(err.split())
    code, out, err = fitlab("publish", "gone", "--store", store)
    assert (code, err, "MLflow: 7 runs logged." in out) == (0, "", True)


def test_whatever_an_exception_says_is_logged(
    fitlab: Fitlab, spec: Callable[..., Path], server: Server, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes no NUL, UTF-8 no name of a file that is none in it, and MLflow no tag of any length."""
    Unlucky(monkeypatch, times=1, text=f"no \0 file a\udcff: {'x' * 9000}")
    login(monkeypatch, server, "ada")
    code, out, err = fitlab("sweep", spec(name="odd"), "--store", store, "--jobs", 1)
    assert (code, "MLflow: 7 runs logged." in out) == (1, True), err
    client = MlflowClient(server.uri)
    runs = client.search_runs([client.get_experiment_by_name("odd").experiment_id])
    causes = [run.data.tags["fitlab.cause"] for run in runs if run.data.tags.get("fitlab.outcome") == "failed"]
    assert [len(cause) for cause in causes] == [8000] * 2
    assert all(cause.startswith("RuntimeError: no \\x00 file a\\udcff: xx") for cause in causes)
    assert "MLflow: 7 were there." in fitlab("publish", "odd", "--store", store)[1]


def test_a_database_without_a_server_is_written_and_files_lie_in_the_store(
    fitlab: Fitlab,
    spec: Callable[..., Path],
    database: Postgres,
    server: Server,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not where the command happens to be run; and a wrong password is said, not tried for minutes."""
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database.uri("runs", "wrong-password"))
    code, out, err = fitlab("sweep", spec(name="direct"), "--store", store, "--jobs", 1)
    assert (code, "4 trained" in out, "password authentication failed" in err) == (4, True, True)
    assert "wrong-password" not in out + err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database.uri("runs"))
    code, out, err = fitlab("publish", "direct", "--store", store)
    assert (code, err, "MLflow: 7 runs logged." in out) == (0, "", True)
    assert len(list((store / "artifacts" / "direct").rglob("fit.safetensors"))) == 4
    assert {path.name for path in tmp_path.iterdir()} == before | {"hard.yaml"}
