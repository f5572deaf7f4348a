"""Who may do what in a store: locks that the kernel takes back when their owner dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fitlab.errors import StoreError

ATTEMPTS = 5  # a tenth of a second apart: a look by ``owner`` holds a lock for less


@contextlib.contextmanager
def held(path: Path, refusal: str = "", wait: bool = False, shared: bool = False) -> Iterator[None]:
    """Hold the lock whose file is ``path``: alone, or beside others that share it.

    refusal: what is wrong where somebody else has it, with ``{owner}``. wait: until it is free, instead.
    Raises StoreError where it cannot be had.
    """
    with _unusable(path):
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with _unusable(path):
            if not _taken(descriptor, kind, attempts=None if wait else ATTEMPTS):
                raise StoreError(refusal.format(owner=_said(descriptor) or "another process"))
        if not shared:
            with contextlib.suppress(OSError):  # on a full disk nobody learns who it is, but `fitlab gc` makes room
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _unusable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: this lock cannot be used: {error}") from None


def owner(path: Path) -> str | None:
    """Return who holds a lock alone, in words; None where nobody does. Writes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        if _taken(descriptor, fcntl.LOCK_SH, attempts=1):
            return None
        began = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC).astimezone()
        return f"{_said(descriptor) or 'another process'} since {began:%Y-%m-%d %H:%M}"
    finally:
        os.close(descriptor)


def _said(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace").strip()


def _taken(descriptor: int, kind: int, attempts: int | None) -> bool:
    """Take a lock; try so many times, or wait."""
    if attempts is None:
        fcntl.flock(descriptor, kind)
        return True
    for attempt in range(attempts):
        time.sleep(0.1 if attempt else 0)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
    return False
