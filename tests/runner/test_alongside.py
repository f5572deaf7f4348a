"""Publishing while training goes on: what is settled when, and that the end is the same as publishing at the end."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

import fitlab
from fitlab.errors import PublishError
from fitlab.records import Config, Fit
from fitlab.runner.alongside import Alongside
from fitlab.runner.execute import Result, execute
from fitlab.runner.plan import plan
from fitlab.runner.publishing import Log
from fitlab.runner.verdicts import diagnosed
from fitlab.runner.workers import in_process
from fitlab.spec import read_spec
from fitlab.store import Store
from fitlab.sweep import Sweep
from fitlab.tracking.links import Published

Settled = list[tuple[Config, tuple[Fit, ...]]]


def go(spec: dict, root: Path, **options: object) -> Result:
    return execute(plan(read_spec(spec)), Store.at(root, create=True), in_process(), **options)


def settled(spec: dict, root: Path) -> tuple[Result, Settled, list[int]]:
    """Run a sweep; return with its result the Configs in the order in which they were settled, and after how many."""
    found: Settled = []
    after: list[int] = []
    done = [0]

    def note(config: Config, fits: tuple[Fit, ...]) -> None:
        found.append((config, fits))
        after.append(done[0])

    result = go(spec, root, on_progress=lambda progress: done.append(progress.done) or done.pop(0), on_settled=note)
    return result, found, after


def test_a_config_of_a_survey_is_settled_once_when_its_last_fit_is_there(tiny: dict, tmp_path: Path) -> None:
    result, found, after = settled(tiny, tmp_path)
    assert {config.digest: fits for config, fits in found} == {
        c.digest: result.sweep.of(c) for c in result.sweep.configs
    }
    assert len(found) == len(result.sweep.configs)
    assert after[0] < 8
    tiny["sweep"]["parameters"]["training.alpha"]["values"].append(0.1)
    result, found, _ = settled(tiny, tmp_path)
    assert len({config.digest for config, _ in found}) == len(found) == 6, "what was there and what is new, once each"
    assert settled(tiny, tmp_path)[1] == [], "nothing is trained: there is no meanwhile"


def test_a_config_of_a_search_is_settled_as_it_was_decided(tiny: dict, tmp_path: Path) -> None:
    tiny["training"]["epochs"] = 12
    tiny["sweep"] = {
        "method": "tpe",
        "trials": 8,
        "wave": 4,
        "early_terminate": {"type": "hyperband", "min_epochs": 2},
        "parameters": {"training.learning_rate_init": {"low": 1e-4, "high": 1e-1, "log": True}},
    }
    result, found, after = settled(tiny, tmp_path)
    assert [config for config, _ in found] == list(result.sweep.configs)
    assert [fit for _, fits in found for fit in fits] == list(result.sweep.fits)
    assert len({fit.outcome for fit in result.sweep.fits}) == 2
    assert after[0] < after[-1], "the first wave before the second is trained"


def said(store: Path) -> list[tuple]:
    """What MLflow has, but for its own ids."""
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    runs = client.search_runs(["1"], "", ViewType.ALL)
    own = {"mlflow.parentRunId", "mlflow.source.git.commit", "fitlab.dirty"}
    return sorted(
        (
            run.data.tags["fitlab.kind"],
            run.data.tags["fitlab.digest"],
            run.info.status,
            sorted(item for item in run.data.tags.items() if item[0] not in own),
            sorted(run.data.params.items()),
            [
                (key, [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, key)])
                for key in sorted(run.data.metrics)
            ],
        )
        for run in runs
    )


@pytest.mark.slow
def test_config_by_config_comes_to_the_same_as_all_at_once(tiny: dict, store: Path, tmp_path: Path) -> None:
    sweep = fitlab.run(tiny, store=store, jobs=1, publish=False)
    other = tmp_path / "other"
    other.mkdir()
    (other / "mlflow.db").write_bytes((store / "mlflow.db").read_bytes())
    place = Store.at(other, create=True)
    log = Log(place, "tiny")
    for config in reversed(sweep.configs[1:]):
        log.settled(Sweep(sweep.spec, (config,), sweep.of(config)))
    published = log.finish(sweep)
    assert (published.created, published.unchanged, published.superseded) == (13, 0, 0)
    assert fitlab.publish("tiny", store).created == 13
    assert said(other) == said(store)


def run_alongside(tiny: dict, root: Path) -> tuple[Published | None, Sweep]:
    """Run a sweep with the process from the first Config on, which a sweep so short would not have."""
    place = Store.at(root, create=True)
    with place.locked("tiny"), Alongside(place, read_spec(tiny).spec, worth=0) as alongside:
        sweep = diagnosed(go(tiny, root, on_settled=alongside.settled, locked=True).sweep)
        return alongside.finish(sweep), sweep


def test_the_process_logs_what_publishing_at_the_end_does(tiny: dict, store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(store, other)
    published, _ = run_alongside(tiny, other)
    assert published is not None
    assert (published.created, published.unchanged) == (13, 0)
    assert Store.at(other).published("tiny") == vars(published)
    fitlab.run(tiny, store=store, jobs=1)
    assert said(other) == said(store)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.slow
def test_what_fails_alongside_stops_nothing_and_a_server_that_is_down_is_waited_for_once(
    tiny: dict, store: Path, nobody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process comes up while the sweep ends: what it finds out then need not be found out again."""
    with pytest.raises(PublishError, match=r"MLflow at http://127\.0\.0\.1:9"):
        run_alongside(tiny, store)
    assert len(Store.at(store).load("tiny").fits) == 8
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert fitlab.publish("tiny", store).created == 13


@pytest.mark.slow
@pytest.mark.parametrize("how", ["failed", "killed"])
def test_what_could_not_be_logged_while_it_trained_is_tried_again_at_the_end(
    tiny: dict, store: Path, nobody: None, how: str
) -> None:
    place = Store.at(store, create=True)
    with place.locked("tiny"), Alongside(place, read_spec(tiny).spec, worth=0) as alongside:
        sweep = diagnosed(go(tiny, store, on_settled=alongside.settled, locked=True).sweep)
        assert alongside._process is not None
        if how == "killed":
            alongside._process.kill()
        alongside._process.wait(120)
        assert alongside.finish(sweep) is None


@pytest.mark.slow
@pytest.mark.parametrize("sent", [0, 0.3, 1])
def test_when_the_driver_is_gone_the_process_ends(tiny: dict, store: Path, sent: float) -> None:
    """Also in the middle of a message: more than a pipe holds waits to be read while the process comes up."""
    whole = pickle.dumps(go(tiny, store).sweep)
    command = [sys.executable, "-m", "fitlab.runner.publishing", str(store), "tiny"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.communicate(whole[: int(sent * len(whole))], timeout=600)
    assert process.returncode == 1


def test_what_cannot_be_sent_ends_the_process_and_nobody_waits_for_it(tiny: dict, store: Path) -> None:
    """An object that changes while it is pickled raises; the process would wait for the rest of it for ever."""
    place, spec = Store.at(store, create=True), read_spec(tiny).spec
    with place.locked("tiny"), Alongside(place, spec, worth=0) as alongside:
        sweep = go(tiny, store, on_settled=alongside.settled, locked=True).sweep
        alongside._messages.put(lambda: None)  # what nobody can pickle
        assert alongside.finish(sweep) is None
