"""Verdicts in words: a line for a table, and a note that a student understands and a referee can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fitlab.diagnosis.naming import interval, number, percent
from fitlab.records import Interval
from fitlab.verdicts import Label, Verdict

SAME_ACCURACY = 0.02  # of the best one's: then what log-loss holds against it is confidence, not errors


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
    among: int  # Configs on the same data
    deciding: str | None = None  # the reason that decided
    accuracy: Interval | None = None
    best_accuracy: float | None = None  # of the Config with the lowest validation loss
    unbeaten: str = ""  # said where nothing beats the constant predictor
    data: str = ""  # which data, where there are several


# ── one line ────────────────────────────────────────────────────────────────────────────────────────────────


def reason(verdict: Verdict) -> str:
    """Say in one line, with the numbers that decided, why a verdict is what it is."""
    if verdict.label is Label.INCONCLUSIVE:
        needed = f"; {verdict.seeds_needed} seeds would decide it" if verdict.seeds_needed else ""
        return f"{_open(verdict)}{needed}"
    return _closed(verdict.label, verdict.reasons, verdict.because)


def _closed(label: Label, reasons: Mapping[str, Interval], because: str) -> str:
    known = {name: interval(found) for name, found in reasons.items()}
    worse = f"loses {known['excess']} more than the best" if "excess" in known else ""
    match label:
        case Label.GOOD | Label.BENIGN if "rival" in known:
            also = f", though it fits its training data to {known['train']}" if label is Label.BENIGN else ""
            return f"no worse than any other by the margin: at most {number(reasons['rival'].high)}{also}"
        case Label.UNDERFIT if worse:
            return f"{worse}, and fits its training data worse than that one would new data, by {known['distance']}"
        case Label.OVERFIT if worse:
            return f"{worse}; {_memorised(known, reasons)}"
        case Label.NOT_CONVERGED if "gain" in known:
            return f"{worse or 'still learning'}, and twice the epochs promise {known['gain']} less"
        case _:
            return because


def _memorised(known: Mapping[str, str], reasons: Mapping[str, Interval]) -> str:
    """Say what shows that noise was learned: the training loss, or a turn for the worse."""
    if reasons["distance"].high < 0:
        return f"its training loss is below what new data allow, by {known['distance']}"
    if "regret" in known and reasons["regret"].low > 0:
        return f"it was better by {known['regret']} earlier in training"
    return f"its training loss stands {known['distance']} to what new data allow"


def _open(verdict: Verdict) -> str:
    """Say what is known of a Config that is not decided."""
    excess = verdict.reasons.get("excess")
    if verdict.n == 1 or excess is None:
        return f"{verdict.because}: nothing tells how much it varies"
    if verdict.leaning is Label.GOOD:
        return f"loses {interval(excess)} more than the best, which may be more than the margin or less"
    return f"loses {interval(excess)} more than the best; {verdict.because}"


# ── a note ──────────────────────────────────────────────────────────────────────────────────────────────────


def note(verdict: Verdict, context: Context) -> str:
    """Write the note of a Config in Markdown: what it means, the numbers behind it, what to try next."""
    parts = [f"**{verdict.text}** – {context.data}{context.config}", meaning(verdict)]
    parts += [f"**Mind: {context.unbeaten}**"] if context.unbeaten else []
    parts += [over_confident(verdict, context)]
    parts += ["**The numbers**\n\n" + "\n".join(f"- {line}" for line in numbers(verdict, context))]
    parts += ["**What to try next**\n\n" + "\n".join(f"- {line}" for line in next_steps(verdict))]
    parts += [method(verdict, context)]
    return "\n\n".join(part for part in parts if part)


MEANINGS = {
    Label.GOOD: "It generalises as well as anything in this sweep: no other Config, nor the constant predictor, is "
    "better by what matters.",
    Label.BENIGN: "It fits its training data all but perfectly, noise included, and generalises as well as anything "
    "in this sweep all the same: the gap between training and validation loss does no harm here.",
    Label.UNDERFIT: "It has learned too little: another Config does better on new data, and this one fits even its "
    "own training data worse than that one fits new data. It is too small, too strongly regularised or too briefly trained.",
    Label.OVERFIT: "It has learned noise: it fits its training data better than new data can be predicted, and "
    "pays for it, for another Config does better on new data.",
    Label.NOT_CONVERGED: "Training ended too early: validation loss was still falling, and as much as matters.",
    Label.DIVERGED: "Training failed: the loss grew beyond where it began, or beyond all numbers, under most seeds.",
    Label.UNSTABLE: "Training is a matter of luck: the loss grew beyond where it began under some seeds, or on the way.",
    Label.NOT_ASSESSED: "Nothing can be said: not all of its Fits came to their end.",
}
LEANINGS = {
    Label.GOOD: "It may be good: what it loses against the best is not above the margin as far as can be told, but it "
    "could be.",
    Label.BENIGN: "It may be good, although it fits its training data all but perfectly.",
    Label.UNDERFIT: "It looks as if it had learned too little, but these seeds do not make that certain.",
    Label.OVERFIT: "It looks as if it had learned noise, but these seeds do not make that certain.",
    Label.NOT_CONVERGED: "It looks as if training ended too early, but these seeds do not make that certain.",
    Label.UNSTABLE: "Training looks unstable, but these seeds do not make that certain.",
}


def meaning(verdict: Verdict) -> str:
    """Say what a verdict means, in plain words."""
    if verdict.label is not Label.INCONCLUSIVE:
        return MEANINGS[verdict.label]
    if verdict.n == 1:
        return "One value says nothing about how much it varies, so nothing can be decided."
    return LEANINGS.get(verdict.leaning, "") if verdict.leaning else "Nothing can be decided."


def over_confident(verdict: Verdict, context: Context) -> str:
    """Say where a Config is right about as often as the best, and loses by how sure it is when it is wrong."""
    if not is_over_confident(verdict, context) or context.accuracy is None or context.best_accuracy is None:
        return ""
    return (
        f"It is **over-confident**: it is right about as often as the best (accuracy {context.accuracy.estimate:.3f}, "
        f"there {context.best_accuracy:.3f}), so what it loses is not more errors but too high probabilities for them. "
        "If only the most probable class counts, this may not matter; if probabilities are used, it does."
    )


def is_over_confident(verdict: Verdict, context: Context) -> bool:
    """Whether log-loss is materially worse while accuracy is within .02 of the best."""
    excess = verdict.reasons.get("excess")
    if context.loss != "log_loss" or context.accuracy is None or context.best_accuracy is None or excess is None:
        return False
    return excess.low > context.delta and context.accuracy.estimate >= context.best_accuracy - SAME_ACCURACY


def numbers(verdict: Verdict, context: Context) -> list[str]:
    """Write the numbers behind a verdict, those that decided first, each with what it says."""
    known = {name: interval(found) for name, found in verdict.reasons.items()}
    said = {
        "excess": f"It loses {known.get('excess')} more on validation than the best ({context.reference}); "
        f"{number(context.delta)} would matter, {percent(context.margin)} of the constant predictor's loss.",
        "distance": f"Its training loss stands {known.get('distance')} to the floor that the best Config sets, half way "
        "between that one's training and validation loss: above 0 it learned too little, below 0 noise.",
        "rival": f"It is at most {_high(verdict, 'rival')} worse than {context.rival}, the hardest comparison.",
        "gap": f"Its gap between validation and training loss is {known.get('gap')} wider than the best one's.",
        "regret": f"Its validation loss was lower by {known.get('regret')} at its best epoch.",
        "gain": f"Twice the epochs promise {known.get('gain')} less validation loss, by the slope of the last half.",
        "spike": f"Its training loss rose {known.get('spike')} above where it began.",
        "beyond": f"Against the constant predictor its validation loss is {known.get('beyond')}.",
    }
    first = [name for name in ("excess", context.deciding or "") if name in known]
    order = dict.fromkeys([*first, *(name for name in said if name in known and _worth_saying(name, verdict, context))])
    losses = [
        f"{part} loss {known[key]}" for part, key in (("Validation", "val"), ("training", "train")) if key in known
    ]
    lines = [f"{', '.join(losses)}; the constant predictor's {interval(context.null)}."] if losses else []
    lines += [said[name] for name in order if name in said]
    if context.accuracy is not None:
        best = f", of the best {context.best_accuracy:.3f}" if context.best_accuracy is not None else ""
        lines.append(f"Accuracy {interval(context.accuracy)}{best}; it does not decide.")
    return lines


def _high(verdict: Verdict, name: str) -> str:
    return number(verdict.reasons[name].high) if name in verdict.reasons else ""


def _worth_saying(name: str, verdict: Verdict, context: Context) -> bool:
    """Whether a reason that did not decide still tells something: what is far from mattering is left out."""
    if name in ("excess", "distance", "rival"):
        return True
    found = verdict.reasons[name]
    return name == "gap" or abs(found.estimate) > context.delta


STEPS = {
    Label.GOOD: ("Take the smallest Config that is good: `simplest` of the selection names it.",),
    Label.BENIGN: ("Keep it, and check it on other data: interpolation is harmless here, not everywhere.",),
    Label.UNDERFIT: (
        "A larger model: more units or layers, a higher degree or depth.",
        "Less regularisation: a smaller alpha.",
        "More epochs or a larger learning rate, if its training loss is still falling.",
    ),
    Label.OVERFIT: (
        "More regularisation: a larger alpha.",
        "Fewer epochs: stop where validation loss is lowest (fix that rule before you look).",
        "A smaller model, or more training rows.",
    ),
    Label.NOT_CONVERGED: ("More epochs: `-o training.epochs=…`.", "A larger learning rate."),
    Label.DIVERGED: ("A smaller learning rate.", "Features scaled to a similar size (`data.scaling: standard`)."),
    Label.UNSTABLE: ("A smaller learning rate.", "A larger batch size."),
    Label.NOT_ASSESSED: (
        "`fitlab status NAME` says what became of its Fits; `--retry-failed` trains failed ones again.",
    ),
}


def next_steps(verdict: Verdict) -> tuple[str, ...]:
    """Say what to try next."""
    if verdict.label is not Label.INCONCLUSIVE:
        return STEPS[verdict.label]
    if verdict.n == 1:
        return ("Give at least three seeds that deal the data anew, better five: `-o seeds=5`.",)
    if verdict.seeds_needed:
        more = f"More seeds: {verdict.seeds_needed} would decide it in most cases (`-o seeds={verdict.seeds_needed}`; "
        return (f"{more}only new ones are trained).", *_leaning_steps(verdict))
    near = "It lies so near the margin that more seeds may never decide it: treat it as tied with the best."
    return (near, *_leaning_steps(verdict))


def _leaning_steps(verdict: Verdict) -> tuple[str, ...]:
    return STEPS[verdict.leaning][:1] if verdict.leaning and verdict.leaning not in (Label.GOOD, Label.BENIGN) else ()


def method(verdict: Verdict, context: Context) -> str:
    """Say how it was decided: what a referee asks for."""
    others = context.among - 1
    compared = f"compared with {others} other Config{'s' * (others != 1)} on the same data and the constant predictor"
    if others == 0:
        compared = "no other Config on the same data: judged against the constant predictor alone"
    methods = " and ".join(dict.fromkeys(found.method for found in verdict.reasons.values()))
    bounds = f"{percent(context.level)} intervals ({methods}) over n = {verdict.n} seeds, paired within seeds"
    loss = context.loss.replace("_", " ") or "loss"
    return f"*Decided because: {verdict.because}. {loss[0].upper() + loss[1:]}; {bounds}; {compared}.*"
