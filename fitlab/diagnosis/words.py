"""Verdicts in words: a line for a table, and a note that a student understands and a referee can check."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fitlab.diagnosis.naming import counted, in_markdown, interval, number, percent, turned
from fitlab.diagnosis.steps import steps
from fitlab.records import Interval
from fitlab.verdicts import Label, Selection, State, Verdict

OVER_CONFIDENT = "FIT007"  # the check of single Configs
DIFFERS = 0.1  # share by which two numbers that are said side by side may differ without a word about it


@dataclass(frozen=True)
class Context:
    """What stands around a verdict: names and numbers that it is told with."""

    config: str  # what the Config is called
    reference: str  # what it was compared with
    rival: str  # to what it is hardest to be no worse than
    delta: float  # the margin in units of loss
    margin: float  # as a share of the constant predictor's loss
    level: float
    null: Interval  # the constant predictor's validation loss
    loss: str  # which one it is
    among: int  # Configs on the same data that completed
    deciding: str | None = None  # the reason that decided
    apart: float = math.nan  # mean validation loss minus the reference's
    accuracy: Interval | None = None
    best_accuracy: float | None = None  # of the Config with the lowest validation loss
    unbeaten: str = ""  # said where nothing beats the constant predictor
    best_differs: str = ""  # swept values that the best has and it has not
    best_moves: frozenset[str] = frozenset()  # what is larger and smaller in the best, see ``steps``
    simplest: str = ""  # the smallest Config within one standard error of the best
    selected: str = ""  # said of the Config that validation chooses
    power: float = 0.8
    data: str = ""  # which data, where there are several


# ── one line ────────────────────────────────────────────────────────────────────────────────────────────────


def reason(verdict: Verdict) -> str:
    """Say in one line, with the numbers that decided, why a verdict is what it is."""
    unbeaten = "; nothing beats the constant predictor" if verdict.unbeaten and verdict.reasons else ""
    if verdict.label is Label.INCONCLUSIVE:
        needed = f"; {verdict.seeds_needed} seeds would decide it" if verdict.seeds_needed else ""
        return f"{_open(verdict)}{needed}{unbeaten}"
    sure = any(one.code == OVER_CONFIDENT and one.state is State.FOUND for one in verdict.checks)
    return f"{_closed(verdict)}{'; over-confident' if sure else ''}{unbeaten}"


def _closed(verdict: Verdict) -> str:
    found = verdict.reasons
    worse = f"loses {interval(found['above_best'])} more than the best, and " if "above_best" in found else ""
    match verdict.label:
        case Label.GOOD | Label.BENIGN if "rival" in found:
            also = f", though its training loss is {interval(found['train'])}" if verdict.label is Label.BENIGN else ""
            most = found["rival"].high
            return f"{verdict.because}{f': at most {number(most)}' if most > 0 else ''}{also}"
        case Label.UNDERFIT | Label.OVERFIT | Label.NOT_CONVERGED | Label.UNSTABLE if found:
            return f"{worse}{_cause(verdict)}"
        case _:
            return verdict.because


def _cause(verdict: Verdict) -> str:
    """Say what shows where an excess comes from, with its number."""
    found = verdict.reasons
    match verdict.deciding:
        case "regret":
            return f"was better by {interval(found['regret'])} at an earlier epoch"
        case "gain":
            return f"its validation loss still falls: twice the epochs promise {interval(found['gain'])} less"
        case "spike":
            return f"its training loss rose {interval(found['spike'])} above where it began"
        case _ if "distance" in found:
            return _stands(found["distance"])
        case _:
            return verdict.because


def _stands(distance: Interval) -> str:
    """Say on which side of the floor a training loss lies."""
    if distance.estimate < 0:
        return f"its training loss is {interval(turned(distance))} below what new data allow"
    return f"its training loss is {interval(distance)} above what new data allow"


def _open(verdict: Verdict) -> str:
    """Say what is known of a Config that is not decided."""
    worse, rival = verdict.reasons.get("above_best"), verdict.reasons.get("rival")
    if verdict.n == 1 or not verdict.reasons:
        return f"{verdict.because}: nothing tells how much it varies"
    if worse is None:  # it is the best itself, or alone
        if verdict.leaning is not Label.GOOD or not rival or not rival.high > 0:
            return verdict.because
        return f"may lose up to {number(rival.high)} more than the best other: whether that is so is open"
    if verdict.leaning is Label.GOOD:
        return f"loses {interval(worse)} more than the best: more than the margin or less, that is open"
    return f"loses {interval(worse)} more than the best; {verdict.because}"


# ── a note ──────────────────────────────────────────────────────────────────────────────────────────────────


def note(verdict: Verdict, context: Context) -> str:
    """Write the note of a Config in Markdown: what it means, the numbers behind it, what to try next."""
    head = f"**{verdict.text}** – {in_markdown(context.data + context.config)}"
    context = _typed(context)
    parts = [head, meaning(verdict)]
    parts += (
        [f"**Mind: nothing beats the constant predictor.** {context.unbeaten[0].upper()}{context.unbeaten[1:]}"]
        if context.unbeaten
        else []
    )
    parts += [over_confident(verdict, context), context.selected]
    lines = numbers(verdict, context)
    parts += ["**The numbers**\n\n" + "\n".join(f"- {line}" for line in lines)] if lines else []
    seen, steps = findings(verdict), next_steps(verdict, context)
    parts += ["**Checks**\n\n" + "\n".join(f"- {line}" for line in seen)] if seen else []
    parts += ["**What to try next**\n\n" + "\n".join(f"- {line}" for line in steps)] if steps else []
    parts += [method(verdict, context)]
    return "\n\n".join(part for part in parts if part)


def _typed(context: Context) -> Context:
    """Return a context whose names, in which values stand that somebody typed, are Markdown."""
    return replace(
        context,
        config=in_markdown(context.config),
        reference=in_markdown(context.reference),
        rival=in_markdown(context.rival),
        unbeaten=in_markdown(context.unbeaten),
        best_differs=in_markdown(context.best_differs),
        simplest=in_markdown(context.simplest),
    )


MEANINGS = {
    Label.GOOD: "It generalises as well as anything in this sweep: no other Config, nor the constant predictor, is "
    "better by what matters.",
    Label.BENIGN: "It fits its training data all but perfectly, and generalises as well as anything "
    "in this sweep all the same: the gap between training and validation loss does no harm here.",
    Label.UNDERFIT: "It has learned too little: another Config does better on new data, and this one fits even its "
    "own training data worse than new data could be fitted. It is too small, too strongly regularised or too briefly "
    "trained.",
    Label.OVERFIT: "It has learned noise: it fits its training data better than new data can be predicted, and "
    "pays for it, for another Config does better on new data.",
    Label.NOT_CONVERGED: "Training ended too early: validation loss was still falling, and as much as matters.",
    Label.DIVERGED: "Training failed: the loss grew beyond where it began, or beyond all numbers, under most seeds.",
    Label.UNSTABLE: "Training is a matter of luck: the loss grew beyond where it began, under some seeds or on the "
    "way.",
    Label.NOT_ASSESSED: "Nothing can be said: not all of its Fits came to their end.",
}
TRAINED_TOO_LONG = (
    "It was trained for too long: from some epoch on its training loss fell while its validation loss rose, so that "
    "what it learned was noise. Another Config does better on new data."
)
LEANINGS = {
    Label.GOOD: "It may be good: what it loses against the best is not above the margin, but that it is below is not "
    "certain.",
    Label.BENIGN: "It may be good, although it fits its training data all but perfectly.",
    Label.UNDERFIT: "It looks as if it had learned too little, but these seeds do not make that certain.",
    Label.OVERFIT: "It looks as if it had learned noise, but these seeds do not make that certain.",
    Label.NOT_CONVERGED: "It looks as if training ended too early, but these seeds do not make that certain.",
    Label.UNSTABLE: "Training looks unstable, but these seeds do not make that certain.",
}


def meaning(verdict: Verdict) -> str:
    """Say what a verdict means, in plain words."""
    if verdict.label is Label.OVERFIT and verdict.deciding == "regret":
        return TRAINED_TOO_LONG
    if verdict.label is not Label.INCONCLUSIVE:
        return MEANINGS[verdict.label]
    if verdict.n == 1:
        return "One value says nothing about how much it varies, so nothing can be decided."
    return LEANINGS.get(verdict.leaning, "") if verdict.leaning else "Nothing can be decided."


def over_confident(verdict: Verdict, context: Context) -> str:
    """Say where a Config is right as often as the best, and loses by how sure it is when it is wrong."""
    seen = any(one.code == OVER_CONFIDENT and one.state is State.FOUND for one in verdict.checks)
    if not seen or context.accuracy is None or context.best_accuracy is None:
        return ""
    often = "at least" if context.accuracy.estimate >= context.best_accuracy else "about"
    return (
        f"It is **over-confident**: it is right {often} as often as the best (accuracy "
        f"{context.accuracy.estimate:.3f}, there {context.best_accuracy:.3f}), so what it loses is not more errors but "
        "too high probabilities for them. If only the most probable class counts, this may not matter; if "
        "probabilities are used, it does."
    )


def findings(verdict: Verdict) -> list[str]:
    """Write what the checks of a Config found."""
    found = [one for one in verdict.checks if one.state is State.FOUND]
    return [f"{one.code} {one.title}: {in_markdown(f'{one.said}. {one.advice}')}" for one in found]


def numbers(verdict: Verdict, context: Context) -> list[str]:
    """Write the numbers behind a verdict, those that decided first, each with what it says."""
    found = verdict.reasons
    said = {name: words for name in found if (words := _number_words(name, found[name], context))}
    if not _differ(found, context):
        said = _without(said, "excess")
    if context.reference == context.config:  # compared with itself
        said = {"above_best": "Its mean validation loss is the lowest of all.", **_without(said, "above_best", "gap")}
    if "distance" in said and verdict.deciding in ("distance", "side"):
        said["distance"] += f" {LEARNED[found['distance'].estimate >= 0]}."
    order = dict.fromkeys(name for name in ("above_best", "excess", context.deciding or "", *said) if name in said)
    losses = [f"{part} loss {interval(found[key])}" for part, key in PARTS.items() if key in found]
    lines = [f"{', '.join(losses)}; the constant predictor's {interval(context.null)}."] if losses else []
    lines += [said[name] for name in order]
    if context.accuracy is not None and losses:
        best = f", that of the best {context.best_accuracy:.3f}" if context.best_accuracy is not None else ""
        lines.append(f"Accuracy {interval(context.accuracy)}{best}; it does not decide.")
    return lines


def _differ(found: Mapping[str, Interval], context: Context) -> bool:
    """Whether its excess over what the other seeds find best is another number than what it loses to the best."""
    if "excess" not in found or "above_best" not in found:
        return False
    return _apart(found["excess"].estimate, found["above_best"].estimate, context.delta)


def _apart(one: float, other: float, delta: float) -> bool:
    """Whether two losses differ by more than a tenth, of the margin at least."""
    return abs(one - other) > DIFFERS * max(abs(one), abs(other), delta)


def _without(said: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: words for name, words in said.items() if name not in names}


PARTS = {"Validation": "val", "training": "train"}


def _number_words(name: str, found: Interval, context: Context) -> str:
    """Say what a reason says; nothing where it is far from mattering."""
    above = found.estimate >= 0
    size = interval(found if above else turned(found))
    matters = abs(found.estimate) > context.delta or name == context.deciding
    match name:
        case "above_best":
            share = f"{percent(context.margin)} of the constant predictor's loss"
            lost = f"It loses {interval(found)} more on validation than the best ({context.reference})"
            if _apart(context.apart, found.estimate, context.delta):
                lost += f" on the margin's scale, where no single seed decides (the means: {number(context.apart)})"
            return f"{lost}; {number(context.delta)} would matter, {share}."
        case "excess":
            more = "more" if above else "less"
            return f"What decides is that it loses {size} {more} than what the other seeds find best, seed by seed."
        case "rival":
            worse = f"It is at most {number(found.high)} worse than {context.rival}"
            return f"{worse}, to which it is hardest to be no worse." if found.high > 0 else ""
        case "distance":
            floor = "the floor that the best Config sets (half way between its training and its validation loss)"
            return f"Its training loss is {size} {'above' if above else 'below'} {floor}."
        case "gap":
            width = "wider" if above else "narrower"
            return f"The gap between its validation and training loss is {size} {width} than that of the best."
        case "regret" if matters and above:
            return f"Its validation loss was {size} lower at its best epoch."
        case "gain" if matters and above:
            return f"Twice the epochs promise {size} less validation loss (by its slope over the last half of them)."
        case "spike" if matters and above:
            return f"Its training loss rose {size} above where it began."
        case "beyond":
            return f"Its validation loss is {size} {'above' if above else 'below'} the constant predictor's."
    return ""


LEARNED = {True: "So it has not learned all that there is", False: "So it has learned noise"}


def next_steps(verdict: Verdict, context: Context) -> list[str]:
    """Say what to try next."""
    if verdict.label is Label.INCONCLUSIVE:
        return _steps_of_an_open_one(verdict, context)
    found = steps(verdict.label, context.best_moves, epochs_first=verdict.deciding == "regret")
    which = "this one" if context.simplest == context.config else context.simplest
    smallest = [f"The smallest Config within one standard error of the best is {which}."]
    good = verdict.label in (Label.GOOD, Label.BENIGN)
    return [*_differs(verdict, context), *found, *(smallest if good and context.simplest else [])]


def _differs(verdict: Verdict, context: Context) -> list[str]:
    known = context.best_differs and worse_than_best(verdict)
    return [f"What the best has instead: {context.best_differs}."] if known else []


def worse_than_best(verdict: Verdict) -> bool:
    """Whether a verdict holds another Config against this one."""
    return verdict.reference is not None and (verdict.leaning or verdict.label) in (
        Label.UNDERFIT,
        Label.OVERFIT,
        Label.NOT_CONVERGED,
        Label.UNSTABLE,
    )


def _steps_of_an_open_one(verdict: Verdict, context: Context) -> list[str]:
    if verdict.n == 1:
        return ["Give at least three seeds that deal the data anew, better five: `-o seeds=5`."]
    needed = verdict.seeds_needed
    if needed:
        first = (
            f"More seeds: with {needed} it would be decided {percent(context.power)} of the time, if the means stay."
        )
    elif _tied(verdict, context):
        first = "More seeds may never decide it, so near the margin it lies: treat it as tied."
    else:
        first = "It loses more than the margin, so it is not tied with the best; more seeds may never say why."
    leaning = verdict.leaning if worse_than_best(verdict) else None
    found = steps(leaning, context.best_moves, epochs_first=verdict.deciding == "regret") if leaning else []
    return [first, *_differs(verdict, context), *found[:1]]


def _tied(verdict: Verdict, context: Context) -> bool:
    """Whether its mean is above the best one's by less than what matters."""
    return "above_best" not in verdict.reasons or verdict.reasons["above_best"].estimate < context.delta


def method(verdict: Verdict, context: Context) -> str:
    """Say how it was decided: what a referee asks for."""
    if not verdict.reasons:
        return f"*Decided because: {verdict.because}.*"
    others = context.among - 1
    compared = f"compared with {counted(others, 'other Config')} that completed and the constant predictor"
    if others == 0:
        compared = "no other Config on the same data: judged against the constant predictor alone"
    methods = " and ".join(dict.fromkeys(found.method for found in verdict.reasons.values()))
    seeds = counted(verdict.n, "seed")
    bounds = f"{percent(context.level)} intervals ({methods}) over n = {seeds}, paired within seeds"
    if verdict.n == 1:
        bounds = f"n = {seeds}, so there are no intervals"
    loss = context.loss.replace("_", " ") or "loss"
    return f"*Decided because: {verdict.because}. {loss[0].upper() + loss[1:]}; {bounds}; {compared}.*"


def selection_words(selection: Selection) -> str:
    """Say what was chosen, and what choosing cost."""
    text = f"**Selected**: the lowest mean validation loss of {counted(selection.among, 'completed Config')}"
    text += (
        f", at epoch {selection.epoch}; verdicts and tables are of the last one" if selection.epoch is not None else ""
    )
    text += f", whatever the objective is (here: {selection.objective})" if selection.objective else ""
    if selection.test is None:
        why = ", for predictions are kept of the last epoch alone" if selection.epoch is not None else ""
        return f"{text}; its test loss is not known{why}."
    test = f"{text}. On the test part, which chose nothing, it loses {interval(selection.test)}"
    if selection.optimism is None:
        return f"{test}."
    sign = "more" if selection.optimism.estimate >= 0 else "less"
    by = interval(selection.optimism if selection.optimism.estimate >= 0 else turned(selection.optimism))
    sure = "" if selection.optimism.low > 0 or selection.optimism.high < 0 else ", no certain difference"
    return f"{test}: {by} {sign} than on validation{sure}."
