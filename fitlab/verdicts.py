"""What a diagnosis says: a Verdict for each Config, Checks with codes, and what holds for the Sweep as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fitlab.records import Interval


class Label(StrEnum):
    """What a Config does."""

    GOOD = "good"
    BENIGN = "benign"  # good, and it interpolates its training data
    UNDERFIT = "underfit"
    OVERFIT = "overfit"
    NOT_CONVERGED = "not_converged"  # more epochs would help
    DIVERGED = "diverged"
    UNSTABLE = "unstable"  # some seeds diverge, or its loss rose above where it began
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSED = "not_assessed"  # pruned, or Fits are missing or failed


COLOURS = {  # colour-blind safe (Okabe and Ito 2008); what is not decided is grey
    Label.GOOD: "#009E73",
    Label.BENIGN: "#56B4E9",
    Label.UNDERFIT: "#0072B2",
    Label.OVERFIT: "#D55E00",
    Label.NOT_CONVERGED: "#E69F00",
    Label.DIVERGED: "#000000",
    Label.UNSTABLE: "#CC79A7",
    Label.INCONCLUSIVE: "#8C8C8C",
    Label.NOT_ASSESSED: "#BFBFBF",
}


class State(StrEnum):
    """What a check came to."""

    FOUND = "found"
    CLEAR = "clear"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How much what a check finds matters."""

    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One thing that was looked for: a stable code, what was found in one sentence with numbers, what to do."""

    code: str  # FIT001 … of Configs, SWP001 … of sweeps
    title: str  # a few words, the same whatever it comes to
    state: State
    severity: Severity
    said: str = ""  # of what was found, or why it does not apply
    advice: str = ""


@dataclass(frozen=True)
class Verdict:
    """What one Config does, how sure that is, and why."""

    label: Label
    leaning: Label | None = None  # of an inconclusive one: what it would be called
    reasons: Mapping[str, Interval] = field(default_factory=dict)  # "excess", "distance", "gap", "regret", "gain" …
    because: str = ""  # the step of the rule that decided, in plain words
    n: int = 0  # seeds that it rests on
    seeds_needed: int | None = None  # of an inconclusive one: seeds that would decide it, at the power of the rule
    reference: str | None = None  # digest of the Config that it was compared with; None: the constant predictor
    checks: tuple[Check, ...] = ()
    note: str = ""  # what it means, the numbers behind it, and what to try next; Markdown
    deciding: str | None = None  # the reason that decided, or would decide
    unbeaten: bool = False  # no Config on the same data beats the constant predictor: none has learned anything

    @property
    def text(self) -> str:
        """The label as people read it, such as ``overfit`` or ``inconclusive, leaning overfit``."""
        words = str(self.label).replace("_", " ")
        return words if self.leaning is None else f"{words}, leaning {str(self.leaning).replace('_', ' ')}"

    @property
    def brief(self) -> str:
        """The label where there is little room: ``overfit``, or ``overfit?`` where it only leans that way."""
        return self.text if self.leaning is None else f"{str(self.leaning).replace('_', ' ')}?"


@dataclass(frozen=True)
class Selection:
    """The Config that validation chooses, and what choosing cost. Interval of test minus validation: its optimism."""

    config: str  # digest: lowest mean validation loss, whatever else the objective is
    simplest: str | None  # digest: the smallest capacity within one standard error of it; None without an order
    val: Interval
    test: Interval | None  # of ``config``; never used to choose
    optimism: Interval | None  # test minus validation loss, paired within seeds
    among: int  # Configs that it was chosen from
    epoch: int | None = None  # at which it was chosen; None: the last, of which verdicts and tables are
    objective: str = ""  # of the spec, in words, where it is about something else than validation loss


@dataclass(frozen=True)
class Verdicts:
    """The diagnosis of a Sweep."""

    by_config: Mapping[str, Verdict] = field(default_factory=dict)  # Config digest -> Verdict, in the sweep's order
    checks: tuple[Check, ...] = ()  # of the Sweep as a whole
    selection: Selection | None = None
