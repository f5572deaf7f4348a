"""The decision list: one label for each Config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fitlab.diagnosis.evidence import Candidates, Rule
from fitlab.records import Interval
from fitlab.verdicts import Label


@dataclass(frozen=True)
class Decision:
    """What was decided about one Config."""

    label: Label
    leaning: Label | None = None  # of an inconclusive one
    # in units of loss; "val", "train", "excess", "distance", "gap", "regret", "gain", "spike", "rival": as far as known
    reasons: Mapping[str, Interval] = field(default_factory=dict)
    because: str = ""  # the step of the rule that decided
    n: int = 0  # seeds that it rests on
    seeds_needed: int | None = None  # of an inconclusive one; None: no number of seeds would do, or it is not known
    reference: int | None = None  # index of the Config with the lowest mean validation loss; None: the constant
    rival: int | None = None  # index of the Config that it has the hardest time to be no worse than; None: the constant
    double_descent: bool = False  # the side of the reference and the distance from its floor contradict each other


def decide(candidates: Candidates, rule: Rule) -> tuple[Decision, ...]:
    """Return what each Config does, in the order of ``candidates.configs``; judge._told makes Verdicts of them."""
    raise NotImplementedError
