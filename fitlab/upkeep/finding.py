"""What was found in a store, and whether anything must be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters."""

    FATAL = "fatal"  # the store cannot be used
    PROBLEM = "problem"  # something is damaged, lost or left behind
    REMARK = "remark"  # good to know


@dataclass(frozen=True)
class Finding:
    """One thing that was found: what, what to do about it, and what was done."""

    kind: str  # leftover, damaged, unreadable, foreign, lost, journal, running …: one word, for programs
    severity: Severity
    said: str
    advice: str = ""
    mendable: bool = False  # by ``fitlab doctor --fix``
    sweep: str | None = None  # that it is about
    paths: tuple[str, ...] = ()  # below the store
    detail: Mapping[str, Any] = field(default_factory=dict)
    mended: str | None = None  # what was done about it
    left: str | None = None  # why nothing was done about it, where it was tried

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.severity is not Severity.REMARK and self.mended is None


def megabytes(count: int) -> str:
    """Write a number of bytes as people read it."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
