"""What every command needs to print, without what tables need: it is loaded for the smallest of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console

from fitlab.errors import SpecError
from fitlab.records import finite


def err(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def out_json(document: Any) -> None:
    """Print one JSON document on stdout; what is not a number becomes null."""
    print(json.dumps(finite(document), indent=1, ensure_ascii=False))


@contextmanager
def only_json(wanted: bool) -> Iterator[None]:
    """Send to stderr what libraries print on stdout, in workers too: there one JSON document is expected."""
    if not wanted:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def writing(to: Path) -> Iterator[None]:
    """Raise SpecError where files that were asked for cannot be written."""
    try:
        yield
    except OSError as error:
        raise SpecError(f"{to}: cannot be written: {error}") from None


def status(text: str, quiet: bool) -> AbstractContextManager[Any]:
    """Show that something is going on, in a terminal."""
    to = Console(stderr=True)
    return nullcontext() if quiet or not to.is_terminal else to.status(text)


def counted(configs: int, seeds: int) -> str:
    """Write ``36 Configs × 5 seeds = 180 Fits``."""
    return f"{configs} Config{'s' * (configs != 1)} × {seeds} seed{'s' * (seeds != 1)} = {configs * seeds} Fits"
