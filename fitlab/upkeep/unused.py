"""Fits that no sweep of the store uses: which, what they take, and how they are removed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitlab.errors import StoreError
from fitlab.seeds import canonical, leaves
from fitlab.spec import MODEL
from fitlab.store import Store
from fitlab.upkeep.quarantine import QUARANTINE

FIT_FILE = re.compile(r"[0-9a-f]{64}\.safetensors")


@dataclass(frozen=True)
class Unused:
    """A Fit that no sweep uses."""

    digest: str
    bytes: int
    stored: float  # Unix time
    kept: str | None = None  # why it is not removed: a sweep that is not finished may come to it


@dataclass(frozen=True)
class _Unfinished:
    """What all jobs of a sweep that is not finished have in common."""

    name: str
    swept: frozenset[str]
    fixed: str

    def may_come_to(self, sections: Mapping[str, Any]) -> bool:
        return _fixed(sections, self.swept) == self.fixed


def fit_files(store: Store) -> Iterator[Path]:
    """Yield the files of Fits, in order: what is a link or has another name is none."""
    for path in store.listed("fits"):
        if FIT_FILE.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            yield path


def used(store: Store) -> set[str]:
    """Return the digests of all jobs that a sweep has.

    Raises StoreError where that cannot be known: the record of a sweep is damaged, or was, and is not written anew.
    """
    records = [store.sweep_record(name) for name in store.names()]
    lost = [path.stem for path in (store.root / QUARANTINE / "sweeps").glob("*.json") if path.stem not in store.names()]
    if lost:
        raise StoreError(
            f"{store.root}: which Fits {', '.join(lost)} has is not known, its record was damaged: run its spec again, "
            f"or, to give it up, delete {QUARANTINE}/sweeps/{lost[0]}.json"
        )
    return {fit["digest"] for record in records for one in record["configs"] for fit in one["fits"]}


def unused(store: Store) -> list[Unused]:
    """Return the Fits that no sweep uses, the largest first.

    One that a sweep might still come to that is not finished (the same data, model and training but for what is
    swept) is kept for it. Raises StoreError where it cannot be known what is used.
    """
    there = used(store)
    waiting = list(_unfinished(store))
    found = []
    for path in fit_files(store):
        if path.stem not in there:
            with suppress(FileNotFoundError):  # it has just been removed
                stat = path.stat()
                found.append(Unused(path.stem, stat.st_size, stat.st_mtime, _kept(store, path.stem, waiting)))
    return sorted(found, key=lambda one: (-one.bytes, one.digest))


def remove(store: Store) -> list[Unused]:
    """Remove the Fits that no sweep uses and none may come to, and return them.

    Raises StoreError where a sweep runs, what is used cannot be known, or a file cannot be removed.
    """
    with store.alone():
        gone = [one for one in unused(store) if one.kept is None]
        for one in gone:
            path = store.fit_path(one.digest)
            try:
                path.unlink()
            except OSError as error:
                raise StoreError(f"{path}: cannot be removed: {error}") from None
        return gone


def _unfinished(store: Store) -> Iterator[_Unfinished]:
    for name in store.names():
        record = store.sweep_record(name)
        if not record.get("finished", True) and record["configs"]:
            spec = record["spec"]
            swept = {
                *spec.get("sweep", {}).get("parameters", {}),
                *([MODEL] if isinstance(spec["model"], list) else []),
            }
            fixed = _fixed(record["configs"][0]["sections"], swept)
            yield _Unfinished(name, frozenset(swept), fixed)


def _kept(store: Store, digest: str, waiting: Sequence[_Unfinished]) -> str | None:
    if not waiting:
        return None
    try:
        fit = store.read(digest, head=True)
    except StoreError as error:
        return str(error)
    names = [] if fit is None else [one.name for one in waiting if one.may_come_to(fit.job.config.plain)]
    return f"{names[0]}, which is not finished, may come to it" if names else None


def _fixed(sections: Mapping[str, Any], swept: Collection[str]) -> str:
    """Return what is not swept, as text. Of a list of alternatives model and training are."""
    apart = {*swept, "training"} if MODEL in swept else set(swept)
    left = {
        key: value
        for key, value in leaves(sections)
        if not any(key == one or key.startswith((f"{one}.", f"{one}[")) for one in apart)
    }
    return canonical(left)
