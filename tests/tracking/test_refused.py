"""Whom a server refused is named as MLflow's client named them to it, and what to do is said."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

import pytest
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.tracking import MlflowClient

from fitlab.errors import PublishError
from fitlab.tracking import links
from fitlab.tracking.backend import Backend, failing


@contextmanager
def refusing(status: int, text: str) -> Iterator[tuple[str, list[str]]]:
    """Serve nothing but one refusal, over real HTTP; yield its place and the credentials that were sent to it."""
    sent: list[str] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()


def words_of(uri: str) -> str:
    with pytest.raises(PublishError) as caught, failing(Backend(uri), PublishError):
        MlflowClient(uri).search_experiments()
    assert links.masked(uri) in str(caught.value)
    return str(caught.value)


def test_the_credentials_that_were_refused_are_those_that_were_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's client takes them from the address, then user and password, then a token: whichever are given."""
    places = {
        "MLFLOW_TRACKING_USERNAME": "ada",
        "MLFLOW_TRACKING_PASSWORD": "secret",
        "MLFLOW_TRACKING_TOKEN": "ticket",
    }
    with refusing(401, "Who is there?") as (place, sent):
        for *given, address in product((False, True), repeat=4):
            for (name, value), is_given in zip(places.items(), given, strict=True):
                monkeypatch.setenv(name, value) if is_given else monkeypatch.delenv(name, raising=False)
            said = words_of(f"http://{'b%40b:secret@' if address else ''}{place}")
            kind, _, code = sent.pop().partition(" ")
            match kind:
                case "Basic":
                    user = base64.b64decode(code).decode().rpartition(":")[0]
                    assert f"does not take user {user} with the password" in said
                case "Bearer":
                    assert "does not take the token in MLFLOW_TRACKING_TOKEN" in said
                case _:
                    assert "wants a user and a password, and these are not given" in said
            assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
            assert "secret" not in said
            assert "ticket" not in said


def test_what_is_not_allowed_is_said_in_the_words_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a file, which MLflow's client sends by another way."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    (tmp_path / "table.md").write_text("mine")
    with refusing(403, "Not on Sundays") as (place, _):
        uri = f"http://{place}"
        assert 'does not let user ada do mlflow/experiments/search: "Not on Sundays"' in words_of(uri)
        files = HttpArtifactRepository(f"{uri}/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts", uri)
        with pytest.raises(PublishError) as caught, failing(Backend(uri), PublishError):
            files.log_artifacts(str(tmp_path))
        assert 'does not let user ada do mlflow-artifacts/artifacts/1/r/artifacts/table.md: "Not on' in str(
            caught.value
        )


def test_other_errors_are_said_as_they_are() -> None:
    with refusing(404, "What?") as (place, _):
        assert "failed with error code 404" in words_of(f"http://{place}")
