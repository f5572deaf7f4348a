"""The decision list: one label for each Config."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from fitlab.diagnosis.evidence import Candidate, Candidates, Rule
from fitlab.diagnosis.facts import Facts, Weighed, weighed_by
from fitlab.diagnosis.intervals import ONE, Estimate
from fitlab.diagnosis.noninferiority import hardest
from fitlab.records import Interval, Outcome
from fitlab.stats import t_interval
from fitlab.verdicts import Label

SHOWN = ("excess", "above_best", "distance", "gap", "regret", "train_regret", "gain", "spike", "beyond")


@dataclass(frozen=True)
class Decision:
    """What was decided about one Config."""

    label: Label
    leaning: Label | None = None  # of an inconclusive one
    # in units of loss: "val" and "train" at the last epoch, "rival" (to what it is hardest to be no worse than), and
    # what Facts has (see SHOWN); as far as known. "above_best" is not there for the best itself.
    reasons: Mapping[str, Interval] = field(default_factory=dict)
    because: str = ""  # the step of the rule that decided
    deciding: str | None = None  # the reason that decided
    n: int = 0  # seeds that it rests on
    seeds_needed: int | None = None  # of an inconclusive one; None: no number of seeds would do, or it is not known
    reference: int | None = None  # place of the Config with the lowest mean validation loss; None: the constant
    # place of the Config that it has the hardest time to be no worse than; None: the constant, or none was looked for
    # (no reason "rival") because it is plainly worse than the best one
    rival: int | None = None
    double_descent: bool = False  # the side of the reference and the distance from its floor contradict each other


@dataclass(frozen=True)
class Direction:
    """Where a material excess comes from."""

    label: Label
    because: str
    deciding: str | None = None  # the reason; None: nothing that more seeds would settle
    sure: bool = False  # its interval lies on one side of 0
    double_descent: bool = False


@dataclass(frozen=True)
class Conclusion:
    """What follows from the facts about one Config."""

    label: Label
    because: str
    leaning: Label | None = None
    deciding: str | None = None
    needed: int | None = None
    double_descent: bool = False


def decide(candidates: Candidates, rule: Rule) -> tuple[Decision, ...]:
    """Return what each Config does, in the order of ``candidates.configs``.

    The steps, the first one that holds: it diverged (under most seeds) or is unstable (under some); Fits are missing,
    so it is not assessed; it is for sure no worse than anything else by the margin: good, or benign if it
    interpolates; else its excess over the reference says whether anything is wrong, and its direction what. Where
    the excess is not for sure above the margin, or the direction not for sure, it is inconclusive, leaning that way.
    """
    return decided(candidates, weighed_by(candidates, rule), rule)


def decided(candidates: Candidates, weighed: Weighed | None, rule: Rule) -> tuple[Decision, ...]:
    """Return what is decided of what is weighed already. weighed: None where there is no margin."""
    if weighed is None:
        return tuple(_without_margin(config) for config in candidates.configs)
    known = dict(zip(weighed.places.tolist(), judged(weighed, rule), strict=True))
    return tuple(
        known.get(c) or unsound(config, int(weighed.quantities.diverged[c].sum()))
        for c, config in enumerate(candidates.configs)
    )


def _without_margin(config: Candidate) -> Decision:
    """Return what can be said where the constant predictor has no loss: no Fit of some seed knows it, or it is 0."""
    if not config.completed:
        return unsound(config, config.outcomes.count(Outcome.DIVERGED))
    because = "the constant predictor's validation loss is not a positive number, so there is no margin"
    return Decision(Label.NOT_ASSESSED, because=because)


def unsound(config: Candidate, diverged: int) -> Decision:
    """Return the decision about a Config that cannot be compared. diverged: under how many seeds it did."""
    seeds, counts = len(config.outcomes), {kind: config.outcomes.count(kind) for kind in (*Outcome, None)}
    n = counts[Outcome.COMPLETED] + counts[Outcome.DIVERGED]
    if 2 * diverged > seeds:
        return Decision(Label.DIVERGED, because=f"{diverged} of {seeds} seeds diverged", n=n)
    if diverged:
        return Decision(Label.UNSTABLE, because=f"{diverged} of {seeds} seeds diverged", n=n)
    if counts[Outcome.FAILED]:
        because = f"{counts[Outcome.FAILED]} of {seeds} Fits failed"
    elif counts[Outcome.PRUNED]:
        because = f"pruned at epoch {config.epoch[-1]}" if len(config.epoch) else "pruned"
    else:
        because = f"{seeds - counts[Outcome.COMPLETED]} of {seeds} Fits are missing"
    return Decision(Label.NOT_ASSESSED, because=because, n=n)


def judged(weighed: Weighed, rule: Rule) -> list[Decision]:
    """Return the decisions about the sound Configs, in their order."""
    sound = weighed.quantities.of(weighed.places)
    close = hardest(weighed.rivals.val, weighed.margin, rule, len(weighed.places))
    decisions = []
    for row in range(len(weighed.places)):
        facts, rival = weighed.facts(row), close[row]
        end = conclude(facts, rival, weighed, rule)
        shown = {name: getattr(facts, name) for name in SHOWN} | {"rival": rival}
        if not _beside_the_best(facts, weighed):
            del shown["above_best"]
        reasons = {name: t_interval(getattr(sound, name)[row, : weighed.n], rule.level) for name in ("val", "train")}
        reasons |= {
            name: estimate.interval(weighed.margin, rule.level, weighed.n)
            for name, estimate in shown.items()
            if not math.isnan(estimate.mean)
        }
        decisions.append(
            Decision(
                label=end.label,
                leaning=end.leaning,
                reasons=reasons,
                because=end.because,
                deciding=end.deciding,
                n=weighed.n,
                seeds_needed=None if end.needed is None else max(end.needed, weighed.n + 1),
                reference=weighed.place(weighed.rivals.best),
                rival=weighed.place(int(close.rival[row])),
                double_descent=end.double_descent,
            )
        )
    return decisions


def _beside_the_best(facts: Facts, weighed: Weighed) -> bool:
    """Whether another one is the best; what is alone has only the constant, if that is better by what matters."""
    if weighed.alone:
        return weighed.place(weighed.rivals.best) is None and facts.excess.material
    return facts.above_best.mean != 0


def conclude(facts: Facts, rival: Estimate, weighed: Weighed, rule: Rule) -> Conclusion:
    """Return the label of a sound Config. rival: its hardest comparison."""
    if weighed.n == 1:
        return _of_one_seed(lean(facts, weighed.alone), weighed.seeds)
    if rival.high < ONE and not (weighed.alone and facts.gain.high >= ONE):
        return _good(facts, weighed.alone)
    leaning = lean(facts, weighed.alone)
    if leaning.label is Label.GOOD and math.isnan(rival.mean):  # its mean is above the best one's by the margin
        return _plainly_worse(facts)
    if leaning.label is Label.GOOD:
        return _leaning_good(facts, rival, weighed, rule)
    excess = facts.excess if facts.excess.material else facts.gain
    if excess.low > ONE and leaning.sure:
        return Conclusion(
            leaning.label, leaning.because, deciding=leaning.deciding, double_descent=leaning.double_descent
        )
    return _unsure(leaning, excess, facts, rule)


def lean(facts: Facts, alone: bool) -> Direction:
    """Return what a Config would be called: good, if its excess is not material, and otherwise its direction.

    Alone: nothing but itself is there to be better, so that a material gain of more epochs is an excess, too.
    """
    if facts.excess.material:
        return direction(facts)
    if alone and facts.gain.material and facts.gain.low > 0:
        return Direction(Label.NOT_CONVERGED, "its validation loss still falls at the end", "gain", True)
    return Direction(Label.GOOD, "its excess is not above the margin")


def direction(facts: Facts) -> Direction:
    """Return where a material excess comes from, the first that holds.

    A spike, epochs that would still help, epochs that were too many; else the side of the reference on the capacity
    axis, where there is one; else the sign of D, unless the gap vetoes.
    """
    if facts.spike.material:
        why = "its training loss rose above where it began"
        return Direction(Label.UNSTABLE, why, "spike", facts.spike.low > 0)
    if facts.gain.material and facts.gain.low > 0 and facts.distance.mean > 0:
        return Direction(Label.NOT_CONVERGED, "its validation loss still falls at the end", "gain", True)
    if facts.regret.material and facts.train_regret.mean < 0:
        why = "its validation loss rose after its best epoch while its training loss fell"
        return Direction(Label.OVERFIT, why, "regret", facts.regret.low > 0)
    if facts.side and not math.isnan(facts.side):
        return _by_capacity(facts)
    return _by_distance(facts)


def _by_capacity(facts: Facts) -> Direction:
    """The side of the reference; where D contradicts it, capacity is not what is wrong (second descent)."""
    larger = facts.side > 0
    label = Label.OVERFIT if larger else Label.UNDERFIT
    if (facts.distance.mean < 0) is larger:
        why = f"it has {'more' if larger else 'less'} capacity than the best, and its training loss agrees"
        return Direction(label, why, "side", facts.sided)
    against = facts.distance.high < 0 or facts.distance.low > 0
    why = f"it has {'more' if larger else 'less'} capacity than the best, but its training loss contradicts that"
    return Direction(_by_distance(facts).label if against else label, why, double_descent=against)


def _by_distance(facts: Facts) -> Direction:
    """D above 0: bias dominates, so it underfits; below 0: noise was learned. A material gap vetoes the first.

    E is D plus G plus half the reference's gap. Averaged or generative probabilities may have learned noise with D
    above 0; then G is what the excess is made of. Where D is for sure larger than G it is not, and there is no veto.
    """
    if facts.distance.mean < 0:
        why = "its training loss is below the floor that the best one sets: noise was learned"
        return Direction(Label.OVERFIT, why, "distance", facts.distance.high < 0)
    if facts.gap.material and facts.gap.low > 0 and not facts.distance.low > facts.gap.high:
        return Direction(Label.OVERFIT, "its training loss is above the floor that the best one sets, but its gap, too")
    why = "its training loss is above the floor that the best one sets: bias dominates"
    return Direction(Label.UNDERFIT, why, "distance", facts.distance.low > 0)


def _good(facts: Facts, alone: bool) -> Conclusion:
    itself = "" if math.isnan(facts.regret.mean) else " and itself at other epochs"
    others = f"the constant predictor{itself} (it is alone)" if alone else "any other, by the margin"
    why = f"for sure no worse than {others}"
    if facts.interpolates:
        return Conclusion(Label.BENIGN, f"{why}, and it interpolates its training data", deciding="rival")
    return Conclusion(Label.GOOD, why, deciding="rival")


def _leaning_good(facts: Facts, rival: Estimate, weighed: Weighed, rule: Rule) -> Conclusion:
    """Its excess is not material, but something could still be better by the margin."""
    why = "its excess is not above the margin, but for sure it is not below it either"
    doubts = [rival, facts.gain] if weighed.alone and facts.gain.high >= ONE else [rival]
    needed = None
    if all(doubt.mean < ONE for doubt in doubts):
        needed = _most([doubt.seeds_needed(ONE, rule) for doubt in doubts])
    return Conclusion(Label.INCONCLUSIVE, why, Label.GOOD, "rival", needed)


def _plainly_worse(facts: Facts) -> Conclusion:
    """On average it loses materially more than the best one, but what the other seeds find best varies too much.

    Where a rival that is best under some seeds fails under others, E is small or negative without c being good.
    """
    towards = direction(facts)
    why = "it loses materially more than the best one, but which one is best depends on the seed"
    return Conclusion(Label.INCONCLUSIVE, why, towards.label, None, None, towards.double_descent)


def _unsure(leaning: Direction, excess: Estimate, facts: Facts, rule: Rule) -> Conclusion:
    """What lacks: an excess that is for sure material, a direction that is for sure, or both."""
    needs = [] if excess.low > ONE else [excess.seeds_needed(ONE, rule)]
    if not leaning.sure:
        deciding = None if leaning.deciding in (None, "side") else getattr(facts, str(leaning.deciding))
        needs.append(deciding.seeds_needed(0.0, rule) if deciding else None)
    doubt = "its excess is not for sure above the margin" if not excess.low > ONE else "that is not for sure"
    return Conclusion(
        Label.INCONCLUSIVE,
        f"{leaning.because}; {doubt}",
        leaning.label,
        leaning.deciding,
        _most(needs),
        leaning.double_descent,
    )


def _of_one_seed(leaning: Direction, seeds: int) -> Conclusion:
    why = "one seed" if seeds == 1 else f"one seed: the {seeds} seeds change nothing"
    return Conclusion(Label.INCONCLUSIVE, why, leaning.label, leaning.deciding, double_descent=leaning.double_descent)


def _most(needs: list[int | None]) -> int | None:
    """The largest need; None where one of them cannot be met."""
    return None if None in needs else max(need for need in needs if need is not None)
