"""A real MLflow server that can be killed and started again, and servers that only look like one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATIENCE = 180  # seconds until a server answers, on a busy machine


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """``mlflow server`` over a database in ``folder``; ``kill`` pulls its plug, ``start`` starts it again."""

    def __init__(self, folder: Path, database: str | None = None, more: Sequence[str] = (), **environment: str) -> None:
        self.folder, self.port, self.more = folder, free_port(), more
        self.database = database or f"sqlite:///{folder / 'mlflow.db'}"
        self.uri = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **environment}

    def start(self) -> None:
        mlflow = str(Path(sys.executable).with_name("mlflow"))
        where = ["--backend-store-uri", self.database, "--artifacts-destination", str(self.folder / "artifacts")]
        command = [
            mlflow,
            "server",
            "--workers",
            "1",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            *where,
            *self.more,
        ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=self.environment, start_new_session=True
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()[-2000:]
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=10) as answer:
                return answer.read() == b"OK"
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def pretending(how: str) -> Iterator[str]:
    """Serve what is no MLflow, over real HTTP; yield its address."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match how:
                case "500":
                    self.send_error(500)
                case "silent":
                    over.wait(30)
                case "hangs up":
                    self.connection.shutdown(socket.SHUT_RDWR)
                case _:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write({"html": b"<h1>It works!</h1>", "another": b'{"experiments": 7}'}[how])

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
