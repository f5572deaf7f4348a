"""A server that does not know who asks, or does not let them: what to do then, in words."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from requests import HTTPError

GIVE = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
SHOWN = 300  # characters of an answer: it may be a whole page
_ASKED = re.compile(r"/(mlflow[\w-]*(?:/[\w.%+-]*\w)+)")  # the end of an address: mlflow/runs/create
_SAID = re.compile(r"Response (?:body|text): '?(.*?)'?$", re.DOTALL)


def refusal(error: Exception, uri: str) -> str | None:
    """Say what to do where a server refused whoever asked; None where something else was the matter."""
    match _status(error):
        case 401:
            return _unknown(uri)
        case 403:
            return _not_allowed(str(error), uri)
    return None


def _status(error: Exception) -> int | None:
    """Return the HTTP status that MLflow's client met: where it sends files it raises another error than elsewhere."""
    if isinstance(error, MlflowException):
        return int(error.get_http_status_code())
    return error.response.status_code if isinstance(error, HTTPError) and error.response is not None else None


def _unknown(uri: str) -> str:
    user, token = _given(uri)
    if user is not None:
        return f"the server does not take user {user} with the password that is given: {GIVE}"
    if token:
        return f"the server does not take the token in MLFLOW_TRACKING_TOKEN: give another one, or {GIVE}"
    return f"the server wants a user and a password, and these are not given: {GIVE}"


def _not_allowed(text: str, uri: str) -> str:
    """Say it with the server's own words: what stands before it may refuse for other reasons than permissions."""
    asked, said = _ASKED.search(text), _SAID.search(text)
    answer = (said[1] if said else text)[:SHOWN]
    user, _ = _given(uri)
    who = "whoever asks" if user is None else f"user {user}"
    return (
        f'the server does not let {who} do {asked[1] if asked else "that"}: "{answer}". Where it is '
        f"MLflow's own authentication that asks, an administrator gives them MANAGE on the experiment (EDIT is enough "
        f"until a run is replaced); or {GIVE} to those of somebody who may, or give the spec another name"
    )


def _given(uri: str) -> tuple[str | None, bool]:
    """Return the user whose password MLflow's client sends, else whether it sends a token: as that chooses."""
    named, known = urlsplit(uri).username, get_default_host_creds(uri)
    if named:
        return unquote(named), False
    return (known.username, False) if known.username and known.password else (None, bool(known.token))
