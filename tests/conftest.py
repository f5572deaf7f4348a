"""What tests share: small specs, a store with a migrated MLflow database, and how much to prove."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

PROVE = os.environ.get("FITLAB_PROVE") == "1"  # `make prove`: the same tests at full counts
ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "experiments" / "digits_width.yaml"

settings.register_profile(
    "fitlab",
    max_examples=500 if PROVE else 50,
    deadline=None,  # these machines are noisy
    derandomize=not PROVE,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("fitlab")


@pytest.fixture(autouse=True)
def _no_tracking_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say themselves where MLflow is."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have what was counted printed below the results of all tests, whichever process ran this one."""
    return lambda words: record_property("counted", words)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for found in terminalreporter.stats.values() for one in found if getattr(one, "when", "") == "call"]
    lines = [(one.nodeid, words) for one in reports for key, words in one.user_properties if key == "counted"]
    if lines:
        terminalreporter.section("seeds and counts")
    for node, words in sorted(lines):
        terminalreporter.write_line(f"{node}\n  {words}")


@pytest.fixture
def tiny() -> dict:
    """A sweep of four Configs and two seeds that trains in a blink."""
    return {
        "name": "tiny",
        "question": "Does it work?",
        "data": {"kind": "iris", "label_noise": 0.1},
        "model": {"kind": "mlp", "hidden_layer_sizes": [4]},
        "training": {"epochs": 6, "learning_rate_init": 0.01, "batch_size": 16},
        "seeds": 2,
        "sweep": {
            "parameters": {
                "model.hidden_layer_sizes": {"values": [[2], [3, 2]]},
                "training.alpha": {"values": [1e-4, 1]},
            }
        },
    }


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database, made once: migrating takes seconds, copying does not."""
    from fitlab.tracking.backend import Backend, connect

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(Backend(f"sqlite:///{path}", path, path.parent / "artifacts"))
    return path


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Path:
    """A fresh store whose MLflow database is there already."""
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copy(migrated, folder / "mlflow.db")
    return folder


@pytest.fixture(scope="session")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Sweeps of every kind by name, trained once; see papers/sweeps.py."""
    from papers.sweeps import all_of_them

    return all_of_them(tmp_path_factory.mktemp("sweeps"))


# ── a browser: of machines that have one; see browser/desk.py ───────────────────────────────────────────────────────

COMPARED = {
    "name": "compared",
    "question": "How wide before it memorises label noise?",
    "data": {"kind": "digits", "train_size": 150, "label_noise": 0.2},
    "model": {"kind": "mlp"},
    "training": {"epochs": 40, "learning_rate_init": 3e-3, "snapshots": [0, 10]},
    "seeds": 2,
    "sweep": {
        "parameters": {
            "model.hidden_layer_sizes": {"values": [[2], [16], [128]]},
            "training.alpha": {"values": [1e-4, 1]},
            "model.activation": {"values": ["relu", "tanh"]},
        }
    },
}


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A store with two finished and published sweeps: ``compared``, of twelve Configs, and ``beside``, of two."""
    import fitlab

    folder = tmp_path_factory.mktemp("compared")
    shutil.copy(migrated, folder / "mlflow.db")
    fitlab.run(COMPARED, store=folder, jobs=2)
    parameters = {"training.alpha": {"values": [1e-4, 1]}}
    fitlab.run({**COMPARED, "name": "beside", "sweep": {"parameters": parameters}}, store=folder, jobs=2)
    return folder


@pytest.fixture(scope="session")
def links(compared: Path) -> Iterator[dict[str, str]]:
    """The links that `fitlab ui compared beside` prints while it serves them."""
    from browser import desk

    if desk.chromium() is None:
        pytest.skip("no browser: none of chromium, chromium-browser, google-chrome is installed")
    with desk.serving(compared, "compared", "beside") as found:
        yield found


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A browser without a window, one for all tests."""
    from browser import desk

    if desk.chromium() is None:
        pytest.skip("no browser: none of chromium, chromium-browser, google-chrome is installed")
    with desk.browser() as started:
        yield started
