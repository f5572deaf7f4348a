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

from fitlab.errors import SpecError, StoreError
from fitlab.records import finite

PLAIN_WIDTH = 140  # of a table that goes to a file or a pipe


def console(soft_wrap: bool = False) -> Console:
    """Return a console on stdout: as wide as the terminal, or wide enough where there is none. Text is no markup."""
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(width=width, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)


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
def written_to(folder: Path, asked: Path | None) -> Iterator[None]:
    """Say which folder it is that cannot be written: one that was ``asked`` for, or one of the store."""
    try:
        yield
    except OSError as error:
        said = f"{folder}: cannot be written: {error}"
        raise (StoreError(f"{said}; `--out DIR` writes elsewhere") if asked is None else SpecError(said)) from None


def status(text: str, quiet: bool) -> AbstractContextManager[Any]:
    """Show that something is going on, in a terminal."""
    to = Console(stderr=True)
    return nullcontext() if quiet or not to.is_terminal else to.status(text)


def counted(configs: int, seeds: int) -> str:
    """Write ``36 Configs × 5 seeds = 180 Fits``."""
    return f"{configs} Config{'s' * (configs != 1)} × {seeds} seed{'s' * (seeds != 1)} = {configs * seeds} Fits"
