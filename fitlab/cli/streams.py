"""Standard output may be closed, its reader gone, its disk full: no command ends half-way because of it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

UNWRITTEN = 2  # exit code: what stdout was directed to cannot be written


class _Output(io.FileIO):
    """Standard output; the first write that fails is noted, and what follows goes nowhere."""

    def __init__(self) -> None:
        super().__init__(1, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.close(nowhere)
            return len(memoryview(data).cast("B"))


@contextmanager
def answering() -> Iterator[None]:
    """Let a command go on when nobody reads what it prints: a sweep is logged to MLflow after its table.

    A reader that goes away (`fitlab … | head`) changes no exit code. Where stdout cannot be written for another cause
    that is said, and exit 0 becomes 2.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(free, True)  # what is closed leads nowhere, lest the next file takes its place
    os.close(free)
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 (until the end)
    before, raw = sys.stdout, _Output()
    encoding = "utf-8" if before is None else before.encoding
    out = io.TextIOWrapper(io.BufferedWriter(raw), encoding, line_buffering=raw.isatty())
    sys.stdout, code = out, 0
    try:
        yield
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        out.flush()
        sys.stdout = before
    if raw.failure is not None and not isinstance(raw.failure, BrokenPipeError):
        print(f"fitlab: stdout cannot be written: {raw.failure}", file=sys.stderr)
        code = code or UNWRITTEN
    sys.exit(code)
