"""MLflow's web UI over the local store: one worker, on this machine only unless another host is asked for."""

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
from ipaddress import ip_address
from pathlib import Path
from typing import IO

from fitlab.errors import SpecError, StoreError
from fitlab.tracking import schema
from fitlab.tracking.links import HOST, PORT

START = 180  # seconds that a server may take to answer, on a busy machine


@contextmanager
def serve(database: Path, artifacts: Path, port: int, host: str = HOST) -> Iterator[str]:
    """Run ``mlflow server`` on ``host`` and yield the address at which it answers here, once it does.

    Raises StoreError where it does not come up, with what it said, and for a database that it would migrate.
    """
    if said := schema.obstacle(database):
        raise StoreError(said)
    base = f"http://{_reached(host)}:{port}"
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
            [sys.executable, "-m", "mlflow", *words, "--host", host, "--port", str(port), "--workers", "1"],
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


def _reached(host: str) -> str:
    """Return where in an address a server that listens on ``host`` is reached from this machine."""
    host = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 (what all of them are, is not bound here)
    return f"[{host}]" if ":" in host else host


def exposure(host: str) -> str | None:
    """Say what it means to listen on ``host``; None where only this machine reaches it.

    Raises SpecError where it is no address of this machine.
    """
    try:
        found = {ip_address(place[0]) for *_, place in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)}
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError, ValueError) as error:
        raise SpecError(f"--host {host!r}: no address that can be listened on here: {error}") from None
    if all(one.is_loopback for one in found):
        return None
    return (
        f"fitlab: on {host} whoever reaches this machine can read, change and delete all runs of this store, without a "
        "password and unencrypted. MLflow answers there under private addresses (10.*, 172.16-31.*, 192.168.*) and "
        "localhost alone; MLFLOW_SERVER_ALLOWED_HOSTS=NAME,… names others"
    )


def free_port(host: str = HOST) -> int:
    """Return 5000, or the next port up to 5020 that nobody listens on. Raises SpecError where all are taken."""
    for port in range(PORT, PORT + 21):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SpecError(f"ports {PORT} to {PORT + 20} are taken; choose one with --port")
