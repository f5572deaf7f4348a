"""``fitlab doctor``: what is wrong is found, what can be mended is, what a live sweep holds is left alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from cli.test_cli import Fitlab, fitlab  # noqa: F401 (a fixture)
from cli.test_status import cut, held
from mlflow.tracking import MlflowClient
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fitlab import load, publish, run
from fitlab.store import Store, write_fit
from fitlab.tracking.server import free_port, serve

Doctor = Callable[..., tuple[int, dict[str, dict]]]
SEARCH = {
    "method": "tpe",
    "trials": 6,
    "wave": 3,
    "early_terminate": {"type": "median", "min_epochs": 2, "n_startup_trials": 1},
    "parameters": {"training.learning_rate_init": {"low": 1e-4, "high": 1e-1, "log": True}},
}


def train(spec: dict, store: Path, publish: bool = False) -> None:
    run(spec, store=store, jobs=1, publish=publish)


@pytest.fixture
def doctor(fitlab: Fitlab) -> Doctor:
    """Return exit code and findings by kind, remarks left out."""

    def call(store: Path, *options: str, remarks: bool = False) -> tuple[int, dict[str, dict]]:
        code, out, err = fitlab("doctor", "--store", store, "--json", *options)
        assert err == ""
        found = json.loads(out)["store"]["findings"]
        return code, {one["kind"]: one for one in found if remarks or one["severity"] != "remark"}

    return call


def test_a_sound_store_is_exit_0_whatever_is_remarked(doctor: Doctor, tiny: dict, store: Path) -> None:
    train(tiny, store)
    assert doctor(store) == doctor(store, "--quick") == doctor(store, "--fix") == (0, {})
    assert "tiny is not in MLflow" in doctor(store, remarks=True)[1]["unpublished"]["said"]
    publish("tiny", store)
    Store.at(store).sweep_path("tiny").unlink()
    code, found = doctor(store, remarks=True)
    assert (code, found["unused"]["detail"]["fits"]) == (0, 8)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────

LEFT = (
    ".mlflow.123.0a1b2c3d.tmp",
    ".mlflow.123.0a1b2c3d.tmp-journal",
    "fits/.x.safetensors.123.0a.tmp",
    "sweeps/.tiny.json.123.0a.tmp",
    "optuna/.tiny.journal.123.tmp",
    "published/.tiny.json.123.0a.tmp",
)


def test_what_killed_writers_left_is_deleted_and_what_a_live_one_writes_is_not(
    doctor: Doctor, tiny: dict, store: Path
) -> None:
    train(tiny, store)
    place = Store.at(store)

    def files() -> set[Path]:
        """All but locks, and what SQLite has beside a database that is read."""
        return {
            path for path in store.rglob("*") if path.is_file() and not re.search(r"\.lock$|-wal$|-shm$", path.name)
        }

    before = files()
    for name in LEFT:
        (store / name).write_text("half")
    with held(place, "tiny"):
        code, found = doctor(store, "--fix")
        assert (code, found["leftover"]["mended"]) == (0, "3 deleted")
        left = {str(path.relative_to(store)) for path in store.rglob("*.tmp*")}
        assert left == {name for name in LEFT if "/.tiny." in name}
    assert doctor(store)[0] == 1
    assert set(doctor(store, "--fix")[1]["leftover"]["paths"]) == left
    assert files() == before
    assert doctor(store) == (0, {})


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "another job's"])
def test_a_damaged_fit_is_found_put_aside_and_trained_again(
    doctor: Doctor, tiny: dict, tmp_path: Path, damage: str
) -> None:
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    place = Store.at(tmp_path)
    path, other = (place.fit_path(fit.job.digest) for fit in sweep.fits[:2])
    sound = path.read_bytes()
    flipped = sound[:-9] + bytes([sound[-9] ^ 4]) + sound[-8:]  # in an array of weights
    match damage:
        case "truncated":
            path.write_bytes(sound[:-7])
        case "flipped":
            path.write_bytes(flipped)
        case "empty":
            path.write_bytes(b"")
        case _:
            shutil.copy(other, path)
    before = path.read_bytes()
    code, found = doctor(tmp_path)
    assert (code, found["damaged"]["paths"]) == (1, [f"fits/{path.name}"])
    assert "1 of its 8 Fits are lost" in found["lost"]["said"]
    assert doctor(tmp_path, "--quick")[0] == (0 if damage == "flipped" else 1), "quick leaves arrays out"
    with held(place, "tiny"):
        code, found = doctor(tmp_path, "--fix")
        assert (code, path.read_bytes()) == (1, before)
        assert "tiny is being run by process" in found["damaged"]["left"]
    doctor(tmp_path, "--fix")
    assert (tmp_path / "quarantine" / "fits" / path.name).read_bytes() == before
    again = run(tiny, store=tmp_path, jobs=1, publish=False)
    assert again.fits == sweep.fits
    assert doctor(tmp_path) == (0, {})
    assert doctor(tmp_path, remarks=True)[1]["quarantine"]["said"].startswith("quarantine/ has 1 damaged file")


def test_what_a_sweep_set_aside_goes_into_quarantine_beside_what_is_there(
    doctor: Doctor, tiny: dict, tmp_path: Path
) -> None:
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    path = Store.at(tmp_path).fit_path(sweep.fits[0].job.digest)
    for text in ("first", "second"):
        path.write_text(text)
        train(tiny, tmp_path)
        assert doctor(tmp_path)[1].keys() == {"set_aside"}
        assert doctor(tmp_path, "--fix")[0] == 0
    texts = {path.read_text() for path in (tmp_path / "quarantine").rglob("*") if path.is_file()}
    assert texts == {"first", "second"}


def test_nothing_is_moved_out_of_the_store(doctor: Doctor, tiny: dict, tmp_path: Path) -> None:
    sweep = run(tiny, store=tmp_path / "s", jobs=1, publish=False)
    path = Store.at(tmp_path / "s").fit_path(sweep.fits[0].job.digest)
    path.write_bytes(b"damaged")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "s" / "quarantine").symlink_to(tmp_path / "elsewhere")
    code, found = doctor(tmp_path / "s", "--fix")
    assert (code, "is a link" in found["damaged"]["left"]) == (1, True)
    assert path.exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_files_that_fitlab_did_not_write_are_said_and_left(doctor: Doctor, tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    notes, link = tmp_path / "fits" / "notes.txt", tmp_path / "fits" / f"{'0' * 64}.safetensors"
    notes.write_text("mine")
    link.symlink_to("/etc/hostname")
    code, found = doctor(tmp_path, "--fix")
    assert (code, set(found["foreign"]["paths"])) == (1, {"fits/notes.txt", f"fits/{link.name}"})
    assert notes.exists()
    assert link.is_symlink()


def test_a_fit_of_a_newer_fitlab_is_said_and_left(doctor: Doctor, tiny: dict, tmp_path: Path) -> None:
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    path = Store.at(tmp_path).fit_path(sweep.fits[0].job.digest)
    path.write_bytes(newer := re.sub(rb'(record_version\\+":)2', rb"\g<1>3", path.read_bytes()))
    code, found = doctor(tmp_path, "--fix")
    assert code == 1
    assert "newer fitlab" in found["unreadable"]["said"]
    assert path.read_bytes() == newer


# ── sweeps and journals ─────────────────────────────────────────────────────────────────────────────────────


def test_a_damaged_record_is_put_aside_and_written_anew_by_its_sweep(
    doctor: Doctor, fitlab: Fitlab, tiny: dict, tmp_path: Path
) -> None:
    train(tiny, tmp_path)
    train({**tiny, "name": "other"}, tmp_path)
    record = Store.at(tmp_path).sweep_path("tiny")
    record.write_bytes(record.read_bytes()[:-100])
    assert fitlab("status", "--store", tmp_path)[0] == 3
    code, found = doctor(tmp_path)
    assert (code, found["record"]["sweep"]) == (1, "tiny")
    assert doctor(tmp_path, "--fix")[0] == 0
    assert fitlab("status", "--store", tmp_path)[0] == 0
    assert run(tiny, store=tmp_path, jobs=1, publish=False).configs
    assert doctor(tmp_path) == (0, {})


def test_a_copy_of_a_record_is_said_and_left(doctor: Doctor, tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    copy = tmp_path / "sweeps" / "copy.json"
    shutil.copy(tmp_path / "sweeps" / "tiny.json", copy)
    code, found = doctor(tmp_path, "--fix")
    assert (code, found.keys(), copy.exists()) == (1, {"record"}, True)
    assert "a copy of the record of tiny" in found["record"]["said"]


def test_a_sweep_that_stopped_is_a_remark_and_one_that_lost_fits_is_not(
    doctor: Doctor, tiny: dict, tmp_path: Path
) -> None:
    cut(tiny, tmp_path)
    code, found = doctor(tmp_path, remarks=True)
    assert (code, "is not finished" in found["stale"]["said"]) == (0, True)
    with held(Store.at(tmp_path), "tiny"):
        assert doctor(tmp_path, remarks=True)[1].keys() >= {"running"}
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    Store.at(tmp_path).fit_path(sweep.fits[0].job.digest).unlink()
    code, found = doctor(tmp_path, "--fix")
    assert (code, found.keys()) == (1, {"lost"})


def trials(path: Path) -> list[tuple]:
    """What a journal says of trials, but for when."""
    storage = JournalStorage(JournalFileBackend(str(path)))
    (summary,) = optuna.get_all_study_summaries(storage)
    study = optuna.load_study(study_name=summary.study_name, storage=storage)
    return [(t.number, t.state, t.values, t.params, t.intermediate_values, t.user_attrs) for t in study.trials]


@pytest.mark.parametrize("method", ["grid", "tpe"])
@pytest.mark.parametrize("damage", ["gone", "truncated", "shortened"])
def test_a_journal_is_written_again_by_replaying_the_sweep(
    doctor: Doctor, tiny: dict, tmp_path: Path, method: str, damage: str
) -> None:
    spec = tiny if method == "grid" else {**tiny, "training": {**tiny["training"], "epochs": 8}, "sweep": SEARCH}
    train(spec, tmp_path)
    place = Store.at(tmp_path)
    path, record = place.journal_path("tiny"), place.sweep_path("tiny").read_bytes()
    before, lines = trials(path), path.read_bytes().splitlines(keepends=True)
    match damage:
        case "gone":
            path.unlink()
        case "truncated":
            path.write_bytes(path.read_bytes()[:-5])
        case _:
            path.write_bytes(b"".join(lines[:3]))
    assert doctor(tmp_path)[1].keys() == {"journal"}
    assert doctor(tmp_path, "--fix")[0] == 0
    assert trials(path) == before
    assert place.sweep_path("tiny").read_bytes() == record
    assert doctor(tmp_path) == (0, {})


# ── MLflow ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_but_findings_is_said(tiny: dict, tmp_path: Path) -> None:
    train(tiny, tmp_path)
    Store.at(tmp_path).journal_path("tiny").unlink()
    words = [sys.executable, "-m", "fitlab", "doctor", "--fix", "--store", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "replayed and written" in done.stdout


def statuses(store: Path, name: str = "tiny") -> set[str]:
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    return {one.info.status for one in client.search_runs([client.get_experiment_by_name(name).experiment_id])}


PUBLISH = "import sys, fitlab; fitlab.publish('tiny', sys.argv[1])"


@pytest.mark.slow
def test_runs_of_a_publish_that_was_killed_are_completed(doctor: Doctor, tiny: dict, store: Path) -> None:
    train({**tiny, "seeds": 20}, store)
    process = subprocess.Popen([sys.executable, "-c", PUBLISH, str(store)], stderr=subprocess.DEVNULL)
    while not list(store.glob("artifacts/*/*/artifacts/fit.safetensors")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)  # alive, and it holds its locks
    assert "RUNNING" in statuses(store)
    code, found = doctor(store, "--fix", remarks=True)
    assert (code, "left_running" in found) == (0, False)
    process.kill()
    process.wait()
    code, found = doctor(store)
    assert (code, found["left_running"]["sweep"]) == (1, "tiny")
    code, found = doctor(store, "--fix")
    assert (code, found["left_running"]["mended"].startswith("published: ")) == (0, True)
    assert statuses(store) == {"FINISHED"}
    assert doctor(store) == (0, {})
    assert publish("tiny", store).unchanged == 4 * 21 + 1


def test_runs_of_a_sweep_that_is_not_here_are_ended_as_killed_and_others_never(
    doctor: Doctor, tiny: dict, store: Path
) -> None:
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    train(tiny, store, publish=True)
    experiment = client.create_experiment("gone", tags={"fitlab.name": "gone"})
    ours = client.create_run(experiment, tags={"fitlab.kind": "config", "fitlab.digest": "x"}).info.run_id
    users = client.create_run(experiment).info.run_id
    client.rename_experiment(experiment, "renamed")
    code, found = doctor(store)
    assert (code, found["left_running"]["sweep"], found["left_running"]["detail"]) == (1, "gone", {"runs": 1})
    with held(Store.at(store), "gone"):
        assert doctor(store, "--fix") == (0, {})
    code, found = doctor(store, "--fix")
    assert (code, found["left_running"]["mended"]) == (0, "1 ended as KILLED")
    assert client.get_run(ours).info.status == "KILLED"
    assert client.get_run(users).info.status == "RUNNING"
    assert doctor(store) == (0, {})


def test_files_of_runs_that_are_gone_are_logged_again(doctor: Doctor, tiny: dict, store: Path) -> None:
    train(tiny, store, publish=True)
    files = sorted((store / "artifacts").rglob("fit.safetensors"))
    shutil.rmtree(files[0].parent)
    files[1].unlink()
    code, found = doctor(store)
    assert (code, found.keys()) == (1, {"files_gone"})
    assert "files of 2 logged again" in doctor(store, "--fix")[1]["files_gone"]["mended"]
    assert all(path.is_file() for path in files)


def test_a_store_that_was_moved_has_its_files_where_they_are_now(doctor: Doctor, tiny: dict, store: Path) -> None:
    train(tiny, store, publish=True)
    moved = store.rename(store.with_name("moved"))
    code, found = doctor(moved)
    assert (code, found.keys()) == (1, {"files_gone"})
    assert doctor(moved, "--fix")[1]["files_gone"]["mended"]
    assert doctor(moved) == (0, {})


def test_a_database_that_is_gone_has_no_sweep(doctor: Doctor, tiny: dict, store: Path) -> None:
    train(tiny, store, publish=True)
    (store / "mlflow.db").unlink()
    assert "tiny is not in MLflow" in doctor(store, remarks=True)[1]["unpublished"]["said"]
    publish("tiny", store)
    assert "unpublished" not in doctor(store, remarks=True)[1]


@pytest.mark.parametrize("damage", ["no database", "a page overwritten"])
def test_a_damaged_database_is_said_and_left(doctor: Doctor, tiny: dict, store: Path, damage: str) -> None:
    train(tiny, store, publish=True)
    database = store / "mlflow.db"
    data = bytearray(database.read_bytes())
    data[:16] = data[:16] if damage != "no database" else b"x" * 16
    data[3 * 4096 : -4096] = os.urandom(len(data) - 4 * 4096)
    database.write_bytes(data)
    code, found = doctor(store, "--fix")
    assert code == 1
    assert found["database"]["said"].startswith("mlflow.db ")
    assert "move it away" in found["database"]["advice"]
    assert database.read_bytes() == bytes(data)


def test_on_a_full_disk_no_database_is_called_damaged(tiny: dict, store: Path) -> None:
    train(tiny, store, publish=True)
    copy = shutil.copytree(store, store.with_name("copy"))  # of which this process has nothing open
    script = f"ulimit -f 0; {sys.executable} -m fitlab doctor --store {copy}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, "look whether the disk is full" in done.stdout) == (1, True)
    assert "move it away" not in done.stdout


def test_a_server_that_is_down_is_said_and_quick_does_not_ask(
    doctor: Doctor, tiny: dict, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny, store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, found = doctor(store)
    assert (code, found.keys()) == (1, {"server"})
    assert "secret" not in json.dumps(found)
    assert doctor(store, "--quick")[0] == 0


@pytest.mark.slow
@pytest.mark.xdist_group("port 5000")  # which two workers would take at the same time
def test_runs_on_a_server_that_nobody_ends_are_ended_and_those_of_other_stores_are_not(
    doctor: Doctor, tiny: dict, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "server" / "mlflow.db"
    database.parent.mkdir()
    shutil.copy(store / "mlflow.db", database)
    with serve(database, tmp_path / "server" / "artifacts", free_port()) as base:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", base)
        train(tiny, store, publish=True)
        client = MlflowClient(base)
        ours, elsewhere = client.get_experiment_by_name("tiny").experiment_id, client.create_experiment("elsewhere")
        tags = {"fitlab.kind": "config", "fitlab.digest": "x"}
        left, others = (client.create_run(one, tags=tags).info.run_id for one in (ours, elsewhere))
        assert doctor(store, "--quick") == (0, {})
        assert doctor(store)[1]["left_running"]["detail"] == {"runs": 1}
        code, found = doctor(store, "--fix")
        assert (code, "published" in found["left_running"]["mended"]) == (0, True)
        assert client.get_run(left).info.status == "KILLED"
        assert client.get_run(others).info.status == "RUNNING"


# ── the environment ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_differs_from_where_fits_were_made_is_shown(doctor: Doctor, tiny: dict, tmp_path: Path) -> None:
    sweep = run(tiny, store=tmp_path, jobs=1, publish=False)
    place, made = Store.at(tmp_path), sweep.fits[0].provenance
    assert made.cpu
    assert made.blas
    assert "environment" not in doctor(tmp_path, remarks=True)[1]
    others = [
        replace(made, versions={**made.versions, "numpy": "1.0"}, cpu="another CPU"),
        replace(made, blas="mkl 2020", commit="0123456789abcdef", dirty=True),
        replace(made, cpu=None, blas=None),  # stored before these were noted: not known is no difference
    ]
    for fit, stamp in zip(sweep.fits, others, strict=False):
        place.fit_path(fit.job.digest).write_bytes(write_fit(fit.stamped(stamp)))
    code, found = doctor(tmp_path, remarks=True)
    detail = found["environment"]["detail"]
    assert (code, set(detail)) == (0, {"numpy", "cpu", "blas", "commit"})
    assert detail["numpy"] == {"here": made.versions["numpy"], "fits": {"1.0": 1}}
    assert detail["commit"]["fits"] == {"0123456789 with changes": 1}
    assert load("tiny", tmp_path).fits == sweep.fits
