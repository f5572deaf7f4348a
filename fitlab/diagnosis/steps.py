"""What to try next for each label, and which of it the best Config contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fitlab.diagnosis.gather import SHRINKING, SIZES, number, places
from fitlab.diagnosis.naming import short
from fitlab.records import Config
from fitlab.seeds import canonical
from fitlab.sweep import Sweep
from fitlab.verdicts import Label

PENALTIES = SHRINKING | {"C"}
RATES = frozenset({"learning_rate_init", "learning_rate", "eta0"})
EPOCHS = frozenset({"epochs", "max_iter"})
OPPOSITE = {"+": "-", "-": "+"}

# Each step after what it moves and which way; "" moves nothing that a sweep could contradict.
STEPS: dict[Label, tuple[tuple[str, str], ...]] = {
    Label.GOOD: (),
    Label.BENIGN: (
        ("", "Keep it, and check it on other data: interpolation does no harm here, which is not so everywhere."),
    ),
    Label.UNDERFIT: (
        ("+size", "A larger model: more units or layers, a higher degree or depth."),
        ("-penalty", "Less regularisation, such as a smaller alpha."),
        ("+epochs", "More epochs, where there are epochs."),
        ("+rate", "A larger learning rate, where there is one."),
    ),
    Label.OVERFIT: (
        ("+penalty", "More regularisation, such as a larger alpha."),
        ("-size", "A smaller model."),
        ("", "More training rows."),
        ("-epochs", "Fewer epochs, where there are epochs: fix how they are chosen before you look."),
    ),
    Label.NOT_CONVERGED: (("+epochs", "More epochs."), ("+rate", "A larger learning rate.")),
    Label.DIVERGED: (
        ("-rate", "A smaller learning rate."),
        ("", "Features scaled alike (`data.scaling: standard`)."),
    ),
    Label.UNSTABLE: (("-rate", "A smaller learning rate."), ("+batch", "A larger batch size.")),
    Label.NOT_ASSESSED: (
        ("", "`fitlab status NAME` says what became of its Fits. What a search prunes a survey completes."),
    ),
}


def steps(label: Label, best_moves: frozenset[str], epochs_first: bool = False) -> list[str]:
    """Return what to try, without what the best Config does the other way round. epochs_first: they did the harm."""
    left = [(move, said) for move, said in STEPS[label] if not move or OPPOSITE[move[0]] + move[1:] not in best_moves]
    ordered = sorted(left, key=lambda step: not step[0].endswith("epochs")) if epochs_first else left
    return [said for _, said in ordered]


def moves(sweep: Sweep, config: Config, best: Config) -> frozenset[str]:
    """Return what is larger and smaller in the best one, such as ``+size`` and ``-penalty``."""
    differing = [
        key
        for key, value in best.swept.items()
        if key in config.swept and canonical(config.swept[key]) != canonical(value)
    ]
    return frozenset({_move(sweep, config, best, key) for key in differing} - {""})


def _move(sweep: Sweep, config: Config, best: Config, key: str) -> str:
    """Return which way the best one goes along a key; empty for what has no order, or is the same."""
    part = _part(key, (config.swept[key], best.swept[key]))
    if not part:
        return ""
    at = places(sweep, (config, best), key)
    more = at[best.digest] > at[config.digest]
    return f"{'+' if more is not (part == 'penalty') else '-'}{part}"  # a penalty grows as capacity shrinks


def _part(key: str, values: Sequence[Any]) -> str:
    """Return what a swept key sets: size, penalty, epochs, rate, batch; empty: something else, or what has no order."""
    name = short(key).rsplit("__", 1)[-1]
    if name != SIZES and not all(value is None or number(value) for value in values):
        return ""
    for part, names in (("penalty", PENALTIES), ("epochs", EPOCHS), ("rate", RATES), ("batch", {"batch_size"})):
        if name in names:
            return part
    return "size" if key.startswith("model.") else ""
