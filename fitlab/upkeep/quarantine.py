"""Damaged files are moved aside, not deleted: into a folder of the store that nothing reads."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from fitlab.errors import StoreError
from fitlab.store import Store

QUARANTINE = "quarantine"


def put_aside(store: Store, path: Path) -> Path:
    """Move a file of the store into quarantine, below its own folder's name; never over what is there.

    For whoever holds the lock of what it is. Raises StoreError where it cannot be moved.
    """
    folder = store.root / QUARANTINE / path.parent.relative_to(store.root)
    if os.path.realpath(folder) != os.path.join(os.path.realpath(store.root), folder.relative_to(store.root)):
        raise StoreError(f"{folder} is a link, or in one: nothing is moved out of the store")
    names = (path.name if n == 0 else f"{path.name}.{n}" for n in count())
    target = next(folder / name for name in names if not os.path.lexists(folder / name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved into {folder}: {error}") from None
    return target


def size(store: Store) -> tuple[int, int]:
    """Return how many files are in quarantine, and their bytes."""
    files = [path for path in (store.root / QUARANTINE).rglob("*") if path.is_file() and not path.is_symlink()]
    return len(files), sum(path.stat().st_size for path in files)
