"""What a test says."""

from __future__ import annotations

from dataclasses import dataclass

from fitlab.records import Interval


@dataclass(frozen=True)
class Significance:
    """A test of "no effect": what it looked at, how surprising that would be, from how many values, by which method."""

    statistic: float
    pvalue: float
    n: int
    method: str


@dataclass(frozen=True)
class Equivalence:
    """Whether a mean difference lies within ±margin: the p-value of that claim, and the interval that decides it."""

    pvalue: float  # of two one-sided tests: the larger one
    margin: float
    interval: Interval  # at level 1 − 2·alpha: equivalent where it lies within (−margin, margin)
    alpha: float

    @property
    def equivalent(self) -> bool:
        """Whether equivalence is shown; False means not shown, not that there is a difference."""
        return self.pvalue < self.alpha


@dataclass(frozen=True)
class Null:
    """A statistic beside what it is where nothing but chance is at work."""

    observed: float
    mean: float  # of the statistic under the null: a gap that is never negative is not 0 on average
    bound: float  # at ``level`` under the null: chance alone stays at or below it that often
    level: float
    pvalue: float
    n: int
    method: str
