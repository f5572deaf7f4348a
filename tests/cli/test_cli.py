"""The command line: exit codes, one block on stderr, JSON on stdout, and nothing written for a wrong request."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, SHIPPED
from jsonschema import Draft202012Validator
from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML

from fitlab.cli import run
from fitlab.errors import SpecError
from fitlab.store import Store
from fitlab.tracking import links
from fitlab.tracking.server import exposure

Fitlab = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fitlab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fitlab:
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fitlab", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            run()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def spec(tiny: dict, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    with path.open("w") as file:
        YAML().dump(tiny, file)
    return path


def test_sweep_prints_a_row_per_config_what_was_done_and_the_link(fitlab: Fitlab, spec: Path, store: Path) -> None:
    code, out, err = fitlab("sweep", spec, "--store", store, "--jobs", 1)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    rows = [line for line in lines if line.count(" ± ") == 3]
    assert len(rows) == 4 + 1
    assert all(row.split()[-1] == "2" for row in rows[:4])
    assert "Does it work?" in out
    assert "4 Configs × 2 seeds = 8 Fits: 8 trained" in out
    assert lines[-1].strip() == links.charts("1", view=links.VIEW)
    code, out, _ = fitlab("sweep", spec, "--store", store, "--jobs", 1)
    assert code == 0
    assert "all were there, nothing was trained" in out
    assert "MLflow: 13 were there." in out


def test_json_is_one_document_with_every_interval(fitlab: Fitlab, spec: Path, store: Path) -> None:
    code, out, err = fitlab("sweep", spec, "--store", store, "--jobs", 1, "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["fits"] == {"total": 8, "cached": 0, "trained": 8}
    assert said["published"]["created"] == 13
    assert said["link"].startswith("http://127.0.0.1:5000/#/experiments/")
    for config in said["configs"]:
        gap = config["metrics"]["gap/loss"]
        assert gap["low"] <= gap["estimate"] <= gap["high"]
        assert (gap["n"], gap["level"], gap["method"]) == (2, 0.9, "t")
    code, out, _ = fitlab("status", "tiny", "--store", store, "--json")
    (row,) = json.loads(out)
    assert (row["done"], row["fits"], row["published"], row["running"]) == (8, 8, "yes", False)
    code, out, _ = fitlab("publish", "tiny", "--store", store, "--json")
    assert json.loads(out)["unchanged"] == 13
    code, out, _ = fitlab("doctor", "--store", store, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, out, _ = fitlab("plan", spec, "--store", store, "--json", "-o", "seeds=3")
    assert json.loads(out)["fits"] == {"total": 12, "done": 8, "to_train": 4}
    code, out, _ = fitlab("check", spec, "--json", "--no-data")
    assert json.loads(out) == {"name": "tiny", "method": "grid", "configs": 4, "seeds": 2, "fits": 8}


def test_diagnose_says_for_each_config_what_and_why(fitlab: Fitlab, spec: Path, store: Path) -> None:
    fitlab("sweep", spec, "--store", store, "--jobs", 1, "--no-publish")
    code, out, err = fitlab("diagnose", "tiny", "--store", store)
    assert (code, err) == (0, "")
    assert out.count("more than the best") + out.count("no worse than any other") >= 4
    for part in ("Selected: ", "On the test part, which chose nothing", "SWP006", "Looked for and not found: "):
        assert part in out
    assert "What to try next" in fitlab("diagnose", "tiny", "--store", store, "--notes")[1]
    code, out, err = fitlab("diagnose", "tiny", "--store", store, "--json")
    assert (code, err) == (0, "")
    schema = json.loads(fitlab("schema", "--diagnosis")[1])
    Draft202012Validator(schema).validate(said := json.loads(out))
    swept = json.loads(fitlab("sweep", spec, "--store", store, "--jobs", 1, "--no-publish", "--json")[1])
    assert swept["diagnosis"] == said
    code, out, err = fitlab("diagnose", "none", "--store", store)
    assert (code, out) == (3, "")
    assert "no sweep named none" in err


def test_commands_for_people(fitlab: Fitlab, spec: Path, store: Path) -> None:
    assert "4 Configs × 2 seeds = 8 Fits" in fitlab("check", spec)[1]
    assert "8 to train" in fitlab("plan", spec, "--store", store)[1]
    assert not (store / "fits").exists(), "check and plan write nothing"
    fitlab("sweep", spec, "--store", store, "--jobs", 1, "--no-publish")
    assert " done " in fitlab("status", "--store", store)[1]
    assert "13 runs logged" in fitlab("publish", "tiny", "--store", store)[1]
    assert "all is well" in fitlab("doctor", "--store", store)[1]
    assert json.loads(fitlab("schema")[1])["title"] == "Spec"
    for command in ("sweep", "check", "plan", "status", "publish", "diagnose", "ui", "schema", "doctor", "init"):
        assert command in fitlab("--help")[1]


def test_init_writes_a_spec_that_checks_and_never_over_a_file(fitlab: Fitlab, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert fitlab("init", path)[0] == 0
    assert fitlab("check", path)[0] == 0
    path.write_text("mine")
    code, _, err = fitlab("init", path)
    assert (code, path.read_text()) == (2, "mine")
    assert "is there already" in err


def test_a_wrong_request_is_one_block_exit_2_and_nothing_written(fitlab: Fitlab, spec: Path, tmp_path: Path) -> None:
    spec.write_text(spec.read_text().replace("alpha", "alfa").replace("epochs: 6", "epochs: lots"))
    code, out, err = fitlab("sweep", spec, "--store", tmp_path / "none")
    assert (code, out) == (2, "")
    assert err.startswith(f"fitlab: {spec}: 2 problems\n")
    assert "Traceback" not in err
    assert not (tmp_path / "none").exists()
    assert fitlab("sweep", tmp_path / "missing.yaml")[0] == 2
    assert fitlab("sweep", SHIPPED, "--jobs", "0")[0] == 2
    assert fitlab("sweep")[0] == 2


def test_an_unusable_store_is_exit_3(fitlab: Fitlab, spec: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for words in (("sweep", spec), ("status",), ("publish", "tiny"), ("ui",)):
        code, out, err = fitlab(*words, "--store", tmp_path / "file")
        assert (code, out) == (3, ""), words
        assert err.startswith("fitlab: ")
    assert fitlab("doctor", "--store", tmp_path / "file" / "x")[0] == 3
    fitlab("sweep", spec, "--store", store, "--jobs", 1, "--no-publish")
    (store / "sweeps" / "tiny.json").write_text("{")
    code, _, err = fitlab("status", "--store", store)
    assert code == 3
    assert "writes it anew" in err
    assert fitlab("sweep", spec, "--store", store, "--jobs", 1, "--no-publish")[0] == 0
    assert fitlab("status", "--store", store)[0] == 0


def test_trained_but_not_published_is_exit_4_and_says_how_to_catch_up(
    fitlab: Fitlab, spec: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    code, out, err = fitlab("sweep", spec, "--store", store, "--jobs", 1)
    assert code == 4
    assert "trained and stored, but not published" in err
    assert f"`fitlab publish tiny --store {store}` catches up" in err
    assert "8 trained" in out
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    code, out, _ = fitlab("publish", "tiny", "--store", store)
    assert (code, "13 runs logged" in out) == (0, True)


def test_a_second_sweep_of_the_same_name_is_refused_while_the_first_runs(
    fitlab: Fitlab, spec: Path, tmp_path: Path
) -> None:
    from fitlab.store import Store

    place = Store.at(tmp_path / "busy", create=True)
    with place.locked("tiny"):
        code, _, err = fitlab("sweep", spec, "--store", place.root, "--jobs", 1)
    assert code == 3
    assert "is being run by process" in err


def test_debug_raises_instead_of_printing(
    fitlab: Fitlab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = fitlab("check", "missing.yaml")
    assert (code, "no such file" in err) == (2, True)
    monkeypatch.setattr(sys, "argv", ["fitlab", "check", "missing.yaml", "--debug"])
    with pytest.raises(SpecError, match="no such file"):
        run()
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_fault(spec: Path) -> None:
    done = subprocess.run(f"{sys.executable} -m fitlab schema | head -1", shell=True, capture_output=True, text=True)  # noqa: S602
    assert (done.stdout, done.stderr) == ("{\n", "")
    rows = "[r.console().print('row') for _ in range(30_000)]"
    table = f"import fitlab.cli.render as r, fitlab.cli as c; c.app = lambda: {rows}; c.main()"
    piped = ["bash", "-c", f'{sys.executable} -c "{table}" | head -1; exit ${{PIPESTATUS[0]}}']
    done = subprocess.run(piped, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "row\n", ""), "1 would say that Fits failed"


@pytest.mark.parametrize(
    ("into", "exit_code", "said"),
    [
        ("| head -c 1", 0, ""),
        (">&-", 0, ""),
        ("> /dev/full", 2, "fitlab: stdout cannot be written: [Errno 28] No space left on device\n"),
    ],
)
def test_a_sweep_is_logged_whatever_becomes_of_its_table(
    spec: Path, store: Path, into: str, exit_code: int, said: str
) -> None:
    script = f"set -o pipefail; {sys.executable} -m fitlab sweep {spec} --store {store} --jobs 1 {into}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (exit_code, said)
    assert Store.at(store).published("tiny") is not None


def test_ctrl_c_gives_a_terminal_its_cursor_back(spec: Path, tmp_path: Path, fitlab: Fitlab) -> None:
    assert fitlab("sweep", spec, "--store", tmp_path / "s", "--jobs", 1, "--no-publish")[0] == 0
    mine, theirs = pty.openpty()
    words = [sys.executable, "-m", "fitlab", "report", "tiny", "--store", str(tmp_path / "s")]
    with subprocess.Popen(words, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as drawing:
        os.close(theirs)
        said = os.read(mine, 1000)
        while b"\x1b[?25l" not in said:
            said += os.read(mine, 1000)
        drawing.send_signal(signal.SIGINT)
    assert drawing.returncode == 130
    assert b"\x1b[?25h" in os.read(mine, 1000)
    os.close(mine)


def test_failed_fits_are_exit_1_and_counted_with_their_cause(
    fitlab: Fitlab, spec: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fitlab.trainers import mlp

    def raising(*_: object) -> None:
        raise RuntimeError("[bold]out of luck")

    monkeypatch.setattr(mlp, "advance", raising)
    code, out, _ = fitlab("sweep", spec, "--store", store, "--jobs", 1)
    assert code == 1
    assert "failed 8 ×: RuntimeError: [bold]out of luck" in out
    assert "--retry-failed" in out
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    assert {run.info.status for run in client.search_runs(["1"])} == {"FAILED", "FINISHED"}  # finished: the summary


@pytest.mark.slow
@pytest.mark.xdist_group("port 5000")  # which two workers would take at the same time
def test_ui_serves_the_links_that_it_prints(fitlab: Fitlab, spec: Path, store: Path) -> None:
    fitlab("sweep", spec, "--store", store, "--jobs", 1)
    command = [sys.executable, "-m", "fitlab", "ui", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            name, link = server.stdout.readline().split(": ")
            base, _, path = link.partition("/#/")
            assert (name, base.rpartition(":")[0]) == ("tiny", "http://127.0.0.1")
            with urllib.request.urlopen(f"{base}/", timeout=30) as page:
                assert b"<title>MLflow</title>" in page.read()
            for _ in range(800):  # more than a pipe would hold of what the server says of them
                with urllib.request.urlopen(f"{base}/health", timeout=30) as answer:
                    assert answer.read() == b"OK"
            experiment = MlflowClient(base).get_experiment(path.split("/")[1])
            assert experiment.name == "tiny"
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


@pytest.mark.slow
@pytest.mark.xdist_group("port 5000")  # which two workers would take at the same time
def test_ui_lets_others_in_only_where_it_is_told_to_and_says_what_that_means(
    fitlab: Fitlab, spec: Path, store: Path
) -> None:
    fitlab("sweep", spec, "--store", store, "--jobs", 1)
    command = [sys.executable, "-m", "fitlab", "ui", "--store", str(store), "--host", "0.0.0.0"]  # noqa: S104 (meant)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline().split("/#/")[0].rpartition(":")[2])
            with urllib.request.urlopen(f"http://127.0.0.2:{port}/health", timeout=30) as answer:
                assert answer.read() == b"OK", "another address of this machine than 127.0.0.1"
        finally:
            server.send_signal(signal.SIGINT)
        said = server.stderr.read()
    assert "on 0.0.0.0 whoever reaches this machine can read, change and delete all runs" in said
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" in said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_who_alone_reaches_a_server_needs_no_warning(host: str) -> None:
    assert exposure(host) is None


@pytest.mark.parametrize(
    "host", ["", " ", "nowhere.invalid", "203.0.113.7", "http://127.0.0.1", "a\0b", "-x", "x" * 300]
)
def test_a_host_that_is_not_here_is_a_wrong_request(fitlab: Fitlab, spec: Path, store: Path, host: str) -> None:
    code, out, err = fitlab("ui", "--store", store, f"--host={host}")
    assert (code, out) == (2, "")
    assert "no address that can be listened on here" in err


def test_help_is_quick() -> None:
    """CPU, not wall time: these machines are noisy. The best of five is what the code costs."""
    code = "import resource, subprocess, sys; subprocess.run([sys.executable, '-m', 'fitlab', '--help'], stdout=-3)\n"
    code += "usage = resource.getrusage(resource.RUSAGE_CHILDREN); print(usage.ru_utime + usage.ru_stime)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) <= 0.4


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_libraries_print_stays_out_of_the_json(fitlab: Fitlab, tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "loud.yaml"
    path.write_text(
        "name: loud\ndata: {kind: iris}\nseeds: 2\nmodel: {kind: estimator, estimator: "
        "sklearn.ensemble.GradientBoostingClassifier, parameters: {verbose: 1, n_estimators: 3}}\n"
    )
    _, out, _ = fitlab("plan", path, "--store", tmp_path / "s", "--json")
    assert json.loads(out)["fits"]["to_train"] == 2
    _, out, _ = fitlab("sweep", path, "--store", tmp_path / "s", "--json", "--no-publish", "--jobs", jobs)
    assert json.loads(out)["outcomes"] == {"completed": 2}


def test_seeds_that_change_nothing_give_no_interval(fitlab: Fitlab, tmp_path: Path) -> None:
    path = tmp_path / "same.yaml"
    path.write_text(
        "name: same\ndata: {kind: iris}\nseeds: {count: 3, vary: [init]}\n"
        "model: {kind: estimator, estimator: sklearn.neighbors.KNeighborsClassifier}\n"
    )
    _, out, _ = fitlab("sweep", path, "--store", tmp_path / "s", "--no-publish", "--jobs", 1)
    assert "(no interval)" in out
    assert "All seeds gave the same numbers in every Config" in out
