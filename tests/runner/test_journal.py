"""The journal of a finished study opens in Optuna's own tools: its plots and its dashboard."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from runner.test_search import go, journal, search  # noqa: F401 (a fixture)

from fitlab.store import Store

PLOTS = [
    "plot_optimization_history", "plot_intermediate_values", "plot_slice", "plot_parallel_coordinate",
    "plot_param_importances", "plot_contour", "plot_edf", "plot_rank", "plot_timeline",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Some regimes for parameter")  # Optuna's: of a conditional one it knows little
def test_optuna_visualization_draws_a_search(search: dict, tmp_path: Path) -> None:  # noqa: F811
    go(search, tmp_path)
    study = journal(tmp_path, search)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    for name in PLOTS:
        figure = getattr(optuna.visualization, name)(study)
        assert len(figure.data) > 0, name
    search["sweep"] |= {"objective": ["loss/val", "n_parameters"], "early_terminate": None}
    go(search, tmp_path)
    assert len(optuna.visualization.plot_pareto_front(journal(tmp_path, search)).data) > 0


@pytest.mark.slow
def test_optuna_visualization_draws_a_survey(tiny: dict, tmp_path: Path) -> None:
    tiny["sweep"] |= {"method": "qmc", "trials": 4}
    go(tiny, tmp_path)
    for name in ("plot_optimization_history", "plot_slice", "plot_parallel_coordinate"):
        assert len(getattr(optuna.visualization, name)(journal(tmp_path, tiny)).data) > 0, name


def answer(address: str) -> dict:
    with urllib.request.urlopen(address) as response:
        return json.load(response)


@pytest.mark.slow
def test_the_dashboard_opens_it(search: dict, tmp_path: Path) -> None:  # noqa: F811
    go(search, tmp_path)
    path = Store.at(tmp_path).journal_path("search")
    serve = (
        "import sys, socket; from wsgiref.simple_server import make_server; import optuna_dashboard\n"
        "from optuna.storages import JournalStorage; from optuna.storages.journal import JournalFileBackend\n"
        "app = optuna_dashboard.wsgi(JournalStorage(JournalFileBackend(sys.argv[1])))\n"
        "server = make_server('127.0.0.1', 0, app); print(server.server_port, flush=True); server.serve_forever()"
    )
    command = [sys.executable, "-W", "ignore", "-c", serve, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        base = f"http://127.0.0.1:{process.stdout.readline().strip()}/api/studies"
        (study,) = answer(base)["study_summaries"]
        found = answer(f"{base}/{study['study_id']}?after=0")
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert len(found["trials"]) == len(journal(tmp_path, search).trials)
    assert {trial["state"] for trial in found["trials"]} == {"Complete", "Pruned"}


def test_the_journal_is_written_whole_or_not_at_all(search: dict, tmp_path: Path) -> None:  # noqa: F811
    go(search, tmp_path)
    path = Store.at(tmp_path).journal_path("search")
    before, asked = path.stat().st_mtime_ns, time.time_ns()
    assert before < asked
    assert [p.name for p in path.parent.iterdir()] == ["search.journal"]
    (name,) = optuna.get_all_study_names(JournalStorage(JournalFileBackend(str(path))))
    assert len(name) == 64, "the digest of the sweep section: Hyperband draws brackets from it"
