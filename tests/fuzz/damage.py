"""What can become of a file: bits flip, ends are lost, names are exchanged, links and folders take its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

Rng = np.random.Generator
Kind = Callable[[Path, Rng, Path], None]
JUNK = [
    b"", b"{", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe\x00", b"1e999", b"[" * 100_000, b'{"sha256": 1}',
    b'{"name": "../../escaped", "configs": [], "record_version": 2}', b"SQLite format 3\x00", b"\x00" * 64,
    b"cos\nsystem\n(S'touch escaped'\ntR.", b'{"__metadata__": {"fitlab": "{}"}}', b'{"op_code": 4}',
    (2**63).to_bytes(8, "little") + b"{}", b"\n\n\n",
]  # fmt: skip


def bits(path: Path, rng: Rng, _: Path) -> None:
    """One to three bits flip."""
    data = bytearray(path.read_bytes())
    for at in rng.integers(0, 8 * max(1, len(data)), size=rng.integers(1, 4)) if data else ():
        data[at // 8] ^= 1 << (at % 8)
    path.write_bytes(data)


def cut(path: Path, rng: Rng, _: Path) -> None:
    """The end is lost."""
    data = path.read_bytes()
    path.write_bytes(data[: rng.integers(0, len(data) + 1)])


def zeros(path: Path, rng: Rng, _: Path) -> None:
    """A block is zeros, as a disk leaves it that lost power."""
    data = bytearray(path.read_bytes())
    at = int(rng.integers(0, len(data) + 1))
    data[at : at + 512] = bytes(len(data[at : at + 512]))
    path.write_bytes(data)


def grown(path: Path, rng: Rng, _: Path) -> None:
    """Something is written behind the end."""
    path.write_bytes(path.read_bytes() + rng.bytes(int(rng.integers(1, 2000))))


def exchanged(path: Path, rng: Rng, _: Path) -> None:
    """Another file of the folder is there instead, and this one there."""
    others = sorted(one for one in path.parent.iterdir() if one.is_file() and one != path)
    if others:
        other = others[rng.integers(len(others))]
        ours, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(ours)


def junk(path: Path, rng: Rng, _: Path) -> None:
    """It holds something else."""
    path.write_bytes(JUNK[rng.integers(len(JUNK))])


def changed(path: Path, rng: Rng, _: Path) -> None:
    """A value of a JSON document is another one."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return bits(path, rng, _)
    places = [
        (here, key) for here in _containers(document) for key in (here if isinstance(here, dict) else range(len(here)))
    ]
    here, key = places[rng.integers(len(places))]
    here[key] = [None, -1, 1e308, "../../escaped", [], {}, True, "x" * 5000][rng.integers(8)]
    path.write_text(json.dumps(document))
    return None


def _containers(document: object) -> list:
    waiting, found = [document], []
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict | list):
            found.append(here)
            waiting += here.values() if isinstance(here, dict) else here
    return [one for one in found if one]


def gone(path: Path, _rng: Rng, _: Path) -> None:
    """It was removed."""
    path.unlink()


def folder(path: Path, _rng: Rng, _: Path) -> None:
    """A folder has its name."""
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def link_out(path: Path, _rng: Rng, outside: Path) -> None:
    """It is a link to a file that is not the store's, with the right content."""
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)


def link_nowhere(path: Path, _rng: Rng, outside: Path) -> None:
    """It is a link to what is not there: who writes through it makes a file outside."""
    path.unlink()
    path.symlink_to(outside)


def link_circle(path: Path, _rng: Rng, _: Path) -> None:
    """It is a link to itself."""
    path.unlink()
    path.symlink_to(path.name)


def unreadable(path: Path, _rng: Rng, _: Path) -> None:
    """Nobody may read it; root may."""
    os.chmod(path, 0)


KINDS: list[Kind] = [
    bits, cut, zeros, grown, exchanged, junk, changed, gone, folder, link_out, link_nowhere, link_circle, unreadable,
]  # fmt: skip
