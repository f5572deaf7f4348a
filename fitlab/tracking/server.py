"""MLflow's web UI over the local store: one worker, on this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fitlab.errors import SpecError, StoreError
from fitlab.tracking import schema
from fitlab.tracking.links import HOST, PORT

START = 90  # seconds that a server may take to answer


@contextmanager
def serve(database: Path, artifacts: Path, port: int) -> Iterator[str]:
    """Run ``mlflow server`` on ``http://127.0.0.1:port`` and yield that address once it answers.

    Raises StoreError where it does not come up, with what it said, and for a database that it would migrate.
    """
    if said := schema.obstacle(database):
        raise StoreError(said)
    base = f"http://{HOST}:{port}"
    words = [
        "server",
        "--backend-store-uri",
        f"sqlite:///{database}",
        "--default-artifact-root",
        artifacts.as_uri(),
    ]
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryFile() as log:  # not a pipe: nobody would drain it, and a full one stops the server
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, "--host", HOST, "--port", str(port), "--workers", "1"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(process, base, log)
            yield base
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(process: subprocess.Popen[bytes], base: str, log: IO[bytes]) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            said = log.read().decode(errors="replace")[-2000:]
            raise StoreError(f"mlflow server ended with {process.returncode}:\n{said}")
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2):  # noqa: S310 (our own http address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise StoreError(f"mlflow server did not answer on {base} within {START} s")


def free_port() -> int:
    """Return 5000, or the next port up to 5020 that nobody listens on. Raises SpecError where all are taken."""
    for port in range(PORT, PORT + 21):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise SpecError(f"ports {PORT} to {PORT + 20} are taken; choose one with --port")
