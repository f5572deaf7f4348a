"""What came of a claim that a spec makes: the record of one expectation, and its states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fitlab.records import Interval


class State(StrEnum):
    """What an expectation came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True)
class Checked:
    """One expectation and what came of it; of a closed form one for each Config, as it has a number for each."""

    claim: str
    source: str
    quantity: str
    where: str  # the Configs that it is about; empty: all
    expected: str
    got: str  # the value that is furthest from what was expected
    tolerance: str
    state: State
    why: str = ""  # it is not evaluated
    exact: float | None = None  # what was expected, where that is one number
    value: float | str | None = None  # what was got
    interval: Interval | None = None  # of ``value``, where that is a mean over seeds
