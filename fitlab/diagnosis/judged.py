"""A Sweep with what was decided about its Configs, and what a check of it may come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fitlab.diagnosis.decisions import Decision
from fitlab.diagnosis.evidence import Rule
from fitlab.diagnosis.gather import Group
from fitlab.diagnosis.kinds import Kind
from fitlab.diagnosis.naming import pairs
from fitlab.records import Config, Floats, Interval
from fitlab.stats import paired_t_interval
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Selection, Severity


@dataclass(frozen=True, eq=False)
class Judged:
    """A Sweep with what was decided about its Configs."""

    sweep: Sweep
    rule: Rule
    groups: tuple[Group, ...]
    decisions: tuple[tuple[Decision, ...], ...]  # of each group
    examined: tuple[tuple[tuple[Check, ...], ...], ...]  # checks of each Config of each group
    selection: Selection | None

    @property
    def all(self) -> Iterator[tuple[Config, Decision]]:
        """Every Config with its decision."""
        for group, decided in zip(self.groups, self.decisions, strict=True):
            yield from zip(group.configs, decided, strict=True)

    def paired(self, a: Floats, b: Floats) -> Interval:
        """Return the interval of the mean of a − b over seeds."""
        return paired_t_interval(a, b, self.rule.level)


def whole(group: Group) -> list[int]:
    """Return the sound Configs, by mean validation loss, the best first."""
    return sorted(group.sound, key=lambda i: float(group.final(i).mean()))


TITLES = {
    "SWP001": "best value on the edge of the space",
    "SWP002": "nothing beats the constant predictor",
    "SWP003": "double descent",
    "SWP004": "delayed generalisation",
    "SWP005": "too few seeds",
    "SWP006": "verdicts hold for one data set",
    "SWP007": "optimism of the selected Config",
    "SWP008": "Configs not assessed",
    "SWP009": "mixed versions",
    "SWP010": "seeds that change nothing",
    "SWP011": "Configs on different data",
    "SWP012": "a sweep of one Config",
}


def found(code: str, severity: Severity, said: str, advice: str) -> Check:
    return Kind(code, TITLES[code], severity, advice).found(said)


def clear(code: str, said: str = "") -> Check:
    return Kind(code, TITLES[code]).clear(said)


def idle(code: str, why: str) -> Check:
    return Kind(code, TITLES[code]).idle(why)


def among(judged: Judged, group: Group) -> str:
    """Say which data a finding is about, where there are several."""
    return f"{pairs(group.swept)}: " if len(judged.groups) > 1 else ""
