"""Checks of single Configs: stable codes, what was found with numbers, what to do, and why one does not apply."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from fitlab.diagnosis.evidence import Candidate, Candidates, Rule
from fitlab.diagnosis.facts import Facts, Weighed, weighed_by
from fitlab.diagnosis.intervals import ONE, Estimate
from fitlab.diagnosis.kinds import Kind
from fitlab.diagnosis.naming import interval, number
from fitlab.diagnosis.quantities import best_epochs, late_falls
from fitlab.records import Outcome
from fitlab.verdicts import Check, Severity

ACCURATE = 0.02  # accuracy this close to the best Config's is as good
DISAGREES = 1.0  # standard deviation over seeds of asinh(E/δ): about a margin near the best, a factor of e far off
STEADY = 0.5  # it is the reference that varies where a Config's own loss varies by less than this share of it
REFERENCE_VARIES = (
    "It is not this Config that is unsteady: look at the single seeds of those with the lowest losses, and at which of "
    "them fail under some seed."
)
LATE = 3.0  # times the epochs that the training loss took to fall


@dataclass(frozen=True, eq=False)
class Case:
    """One Config among the others."""

    candidate: Candidate
    place: int
    row: int | None  # among the sound ones
    facts: Facts | None  # of a sound one
    weighed: Weighed
    rule: Rule
    kind: str  # of loss
    best_accuracy: float | None  # of the Config with the lowest validation loss

    @property
    def seeds(self) -> int:
        """S."""
        return len(self.candidate.outcomes)

    def shown(self, estimate: Estimate) -> str:
        """An estimate in units of loss, with its interval and the margin."""
        found = estimate.interval(self.weighed.margin, self.rule.level, self.weighed.n)
        return f"{interval(found)} (margin {number(self.weighed.margin)})"

    def lacks(self, *, axis: bool = False, seeds: bool = True) -> str:
        """Why a check does not apply; empty where it does."""
        if self.facts is None:
            return "not all seeds completed without diverging"
        if axis and len(self.candidate.epoch) < 2:
            return "no epoch axis"
        return "one seed" if seeds and self.weighed.n == 1 else ""


def regret(case: Case) -> Check:
    """FIT001: the last epoch is materially worse than the best one, and for sure worse."""
    kind = Kind(
        "FIT001",
        "worse after its best epoch",
        Severity.WARNING,
        "Stop earlier, or regularise so that long training does no harm.",
    )
    why = case.lacks(axis=True)
    if why or case.facts is None:
        return kind.idle(why)
    if not (case.facts.regret.material and case.facts.regret.low > 0):
        return kind.clear()
    best = np.median(case.candidate.epoch[best_epochs(case.candidate)])
    said = f"at epoch {case.candidate.epoch[-1]} validation loss is above that at its best, about {best:.0f}, by "
    return kind.found(said + case.shown(case.facts.regret))


def gain(case: Case) -> Check:
    """FIT002: twice the epochs promise a material fall of the validation loss, and for sure one."""
    kind = Kind(
        "FIT002", "not converged", Severity.WARNING, "Train for more epochs, or raise the learning rate with care."
    )
    why = case.lacks(axis=True)
    if why or case.facts is None:
        return kind.idle(why)
    if math.isnan(case.facts.gain.mean):
        return kind.idle("fewer than two epochs were measured in the last half of training")
    if not (case.facts.gain.material and case.facts.gain.low > 0):
        return kind.clear()
    return kind.found(f"twice the epochs promise a validation loss lower by {case.shown(case.facts.gain)}")


def rise(case: Case) -> Check:
    """FIT003: under some seed the training loss rose above where it began, by more than the margin."""
    kind = Kind(
        "FIT003",
        "loss rose above its start",
        Severity.WARNING,
        "Lower the learning rate, or warm it up; scale the inputs.",
    )
    why = case.lacks(axis=True, seeds=False)
    if why:
        return kind.idle(why)
    rises = case.weighed.quantities.spike[case.place]
    count = int((rises > case.weighed.margin).sum())
    if not count:
        return kind.clear()
    return kind.found(
        f"under {count} of {case.seeds} seeds, by up to {number(rises.max())} (margin {number(case.weighed.margin)})"
    )


def divergence(case: Case) -> Check:
    """FIT004: under some seed the loss ended not finite, or above where it began."""
    kind = Kind("FIT004", "diverged", Severity.PROBLEM, "Lower the learning rate; look for extreme values in the data.")
    count = int(case.weighed.quantities.diverged[case.place].sum())
    if count:
        return kind.found(f"under {count} of {case.seeds} seeds")
    if Outcome.COMPLETED not in case.candidate.outcomes:
        return kind.idle("no Fit completed")
    return kind.clear()


def beyond_null(case: Case) -> Check:
    """FIT005: validation loss is materially above the constant predictor's, and for sure above it."""
    kind = Kind(
        "FIT005",
        "worse than the constant predictor",
        Severity.PROBLEM,
        "It predicts worse than no model: do not use it as it is.",
    )
    why = case.lacks()
    if why or case.facts is None:
        return kind.idle(why)
    if not (case.facts.beyond.material and case.facts.beyond.low > 0):
        return kind.clear()
    return kind.found(f"its validation loss is higher by {case.shown(case.facts.beyond)}")


def interpolation(case: Case) -> Check:
    """FIT006: training loss is near 0, on the scale of the margin and of the best Config's floor."""
    kind = Kind(
        "FIT006",
        "interpolates its training data",
        Severity.NOTE,
        "That alone does no harm: look at its excess over the best Config.",
    )
    why = case.lacks(seeds=False)
    if why or case.facts is None:
        return kind.idle(why)
    if not case.facts.interpolates:
        return kind.clear()
    return kind.found(f"mean training loss {case.candidate.train[:, -1].mean():.3g}")


def confidence(case: Case) -> Check:
    """FIT007: log-loss is for sure materially above the best Config's, accuracy is as good."""
    kind = Kind(
        "FIT007",
        "over-confident",
        Severity.WARNING,
        "It decides as well as the best but is too sure: calibrate its probabilities where they are used.",
    )
    why = case.lacks() if case.kind == "log_loss" else "the loss is not log-loss"
    if why or case.facts is None:
        return kind.idle(why)
    if case.candidate.accuracy is None or case.best_accuracy is None:
        return kind.idle("its accuracy or that of the best Config is not known")
    own = float(case.candidate.accuracy.mean())
    if not case.facts.excess.low > ONE or own < case.best_accuracy - ACCURATE:
        return kind.clear()
    said = f"accuracy {own:.3f}, that of the best {case.best_accuracy:.3f}; log-loss is higher by "
    return kind.found(said + case.shown(case.facts.excess))


def disagreement(case: Case) -> Check:
    """FIT008: its excess over the best Config depends on the seed, by more than a margin or a factor of e."""
    kind = Kind(
        "FIT008",
        "seeds disagree",
        Severity.WARNING,
        "Look at its single seeds before its mean; a lower learning rate or another initialisation may steady it.",
    )
    why = case.lacks()
    if why or case.row is None:
        return kind.idle(why)
    excess = case.weighed.excess[case.row]
    if not np.arcsinh(excess / case.weighed.margin).std(ddof=1) > DISAGREES:
        return kind.clear()
    ranges = f"lies between {number(excess.min())} and {number(excess.max())} (margin {number(case.weighed.margin)})"
    own = case.weighed.rivals.val[case.row]
    best = own - excess
    if np.ptp(own) < np.ptp(best) * STEADY:
        said = f"what the other seeds find best varies, from {number(best.min())} to {number(best.max())}, not its own"
        return replace(kind, advice=REFERENCE_VARIES).found(f"{said} loss: its excess over that {ranges}")
    return kind.found(f"its excess over what the other seeds find best {ranges}")


def delay(case: Case) -> Check:
    """FIT009: under most seeds the validation loss fell by more than the margin long after the training loss had."""
    kind = Kind(
        "FIT009",
        "delayed generalisation",
        Severity.NOTE,
        "Do not stop such training when its training loss is done: compare at the end, and train longer.",
    )
    why = case.lacks(axis=True, seeds=False)
    if why:
        return kind.idle(why)
    fall, before, after = late_falls(case.candidate, case.weighed.margin)
    if np.isnan(before).any():
        return kind.idle("its training loss did not fall by the margin")
    late = (fall > case.weighed.margin) & (after >= LATE * before)
    if not 2 * late.sum() > len(late):
        return kind.clear()
    return kind.found(
        f"training loss was down at epoch {np.median(before):.0f}, validation loss at {np.median(after):.0f}; "
        f"in between it fell by {number(np.median(fall))} (margin {number(case.weighed.margin)})"
    )


CHECKS = (regret, gain, rise, divergence, beyond_null, interpolation, confidence, disagreement, delay)


def examine(candidates: Candidates, rule: Rule) -> tuple[tuple[Check, ...], ...]:
    """Return all checks of each Config, in the order of ``candidates.configs`` and of their codes.

    Where there is no margin (see ``decide``) there are none.
    """
    return examined(candidates, weighed_by(candidates, rule), rule)


def examined(candidates: Candidates, weighed: Weighed | None, rule: Rule) -> tuple[tuple[Check, ...], ...]:
    """Return the checks of what is weighed already. weighed: None where there is no margin."""
    if weighed is None:
        return tuple(() for _ in candidates.configs)
    best = weighed.place(weighed.rivals.best)
    accuracy = None if best is None else candidates.configs[best].accuracy
    mean = None if accuracy is None else float(accuracy.mean())
    rows = {int(place): row for row, place in enumerate(weighed.places)}
    checked = []
    for c, candidate in enumerate(candidates.configs):
        row = rows.get(c)
        facts = None if row is None else weighed.facts(row)
        case = Case(candidate, c, row, facts, weighed, rule, candidates.kind, mean)
        checked.append(tuple(check(case) for check in CHECKS))
    return tuple(checked)
