"""Commands under watch, in this process: how they end, what they say, what they write, and that they end."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from fitlab.cli import run

LIMIT = 120  # seconds; what takes longer hangs, also on a busy machine
WRITES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
ABSOLUTE = -1  # the last argument of these where a path is not below an open folder, as rmtree's are
NEVER = {"os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class", "subprocess.Popen", "socket.connect"}


class Hangs(BaseException):
    """Raised where something takes too long; no ``except Exception`` swallows it."""


@dataclass
class Deeds:
    """What this process did to the world while it was watched."""

    paths: set[str] = field(default_factory=set)  # that it wrote, made, moved or removed
    never: list[str] = field(default_factory=list)  # what nobody's input may bring about

    def outside(self, *folders: Path) -> set[str]:
        """Return what was written outside of ``folders``."""
        allowed = [os.path.realpath(folder) for folder in folders]
        found = {os.path.join(os.path.realpath(os.path.dirname(p)), os.path.basename(p)) for p in self.paths}
        return {p for p in found if not any(p == one or p.startswith(f"{one}{os.sep}") for one in allowed)}


_watching: list[Deeds] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: Python tells it of every file that is opened, whoever does it. It cannot be taken away again."""
    if not _watching:
        return
    deeds = _watching[-1]
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not isinstance(path, int):
            deeds.paths.add(os.fsdecode(str(path) if not isinstance(path, bytes) else path))
    elif event in WRITES and (arguments[-1] == ABSOLUTE or event == "os.truncate"):
        deeds.paths |= {os.fsdecode(one) for one in arguments if isinstance(one, str | bytes)}
    elif event in NEVER and arguments[:1] != ("git",):  # it is asked for the commit, whatever the input
        deeds.never.append(f"{event}{arguments!r}"[:200])


sys.addaudithook(_note)


@contextlib.contextmanager
def watched(limit: int = LIMIT) -> Iterator[Deeds]:
    """Watch what this process does, and raise Hangs where it takes longer than ``limit`` seconds."""

    def ring(_: int, frame: FrameType | None) -> None:
        raise Hangs(f"more than {limit} s, in {frame}")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(limit)
    _watching.append(Deeds())
    try:
        yield _watching[-1]
    finally:
        signal.alarm(0)
        _watching.pop()
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Said:
    """How a command ended, what it said, and what it did."""

    code: int
    out: str
    err: str
    deeds: Deeds


def fitlab(*words: object, limit: int = LIMIT) -> Said:
    """Run a command in this process as ``fitlab`` does, watched."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["fitlab", *map(str, words)]
    try:
        with watched(limit) as deeds, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    return Said(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue(), deeds)


def well_ended(said: Said, codes: Sequence[int], *store: Path) -> None:
    """Assert that a command ended with one of ``codes``, with a message for people, and wrote in its store alone."""
    whole = said.out + said.err
    assert said.code in codes, whole
    assert "Traceback" not in whole, whole
    assert "a fault of fitlab itself" not in whole, whole
    assert "Warning: " not in whole, whole
    assert said.code == 0 or whole.strip(), "nothing says why"
    assert not said.deeds.never, said.deeds.never
    assert not said.deeds.outside(*store), said.deeds.outside(*store)
