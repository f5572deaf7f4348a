"""Checks as they are made, of Configs and of Sweeps alike."""

from __future__ import annotations

from dataclasses import dataclass

from fitlab.verdicts import Check, Severity, State


@dataclass(frozen=True)
class Kind:
    """What is the same of a check whatever it comes to."""

    code: str
    title: str
    severity: Severity = Severity.NOTE  # of what is found; what is not there is a note
    advice: str = ""

    def found(self, said: str) -> Check:
        """It is there."""
        return Check(self.code, self.title, State.FOUND, self.severity, said, self.advice)

    def clear(self, said: str = "") -> Check:
        """It is not there."""
        return Check(self.code, self.title, State.CLEAR, Severity.NOTE, said)

    def idle(self, why: str) -> Check:
        """It does not apply."""
        return Check(self.code, self.title, State.NOT_APPLICABLE, Severity.NOTE, why)
