"""What the metrics and params of somebody's runs are, by their names. A guess is made where one alone is possible."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fitlab.errors import SpecError
from fitlab.metrics import is_score, words
from fitlab.spec.base import did_you_mean

TRAIN = frozenset({"train", "training", "tr"})
VAL = frozenset({"val", "valid", "validation", "dev", "eval"})
LOG = frozenset({"loss", "logloss", "mlogloss", "nll", "ce", "bce", "xent", "crossentropy", "entropy"})
SQUARED = frozenset({"mse", "squared"})
LOSSES = LOG | SQUARED
SCORES = frozenset({"accuracy", "acc"})
# Of a part, but no curve over epochs; a test part is never used to choose.
OTHERS = frozenset({"test", "step", "best", "min", "max", "final", "last", "std", "ci", "low", "high", "lr", "time"})
FREE = frozenset({"epoch", "metrics", "mean"})  # words that change nothing: train_loss_epoch is a train_loss
SEEDS = ("seed", "random_seed", "random_state", "rng_seed", "seed_everything", "global_seed")
SHOWN = 12  # names that an error lists


@dataclass(frozen=True)
class Pair:
    """The metrics of one quantity on both parts."""

    train: str
    val: str


def pair_of_losses(names: Collection[str], train: str | None = None, val: str | None = None) -> Pair:
    """Return the metrics that hold train and validation loss: those that are named, else the only ones there can be.

    names: of all metrics that some run logged.
    Raises SpecError for a name that no run has, and where none or several can be meant.
    """
    for given in (train, val):
        if given is not None and given not in names:
            raise SpecError(f"no run logged the metric {given}. {near(given, names)}")
        if given is not None and is_score(given):
            raise SpecError(f"{given} is a score by its name, and no loss: the more the better. {there_is(names)}")
    if train is not None and val is not None:
        return Pair(train, val)
    found = _pairs(names, LOSSES)
    fits = {
        rest: [one for one in some if train in (None, one.train) and val in (None, one.val)]
        for rest, some in found.items()
    }
    fits = {rest: some for rest, some in fits.items() if some}
    chosen = fits.get(("loss",)) or [one for some in fits.values() for one in some]
    if len(chosen) == 1:
        return chosen[0]
    say = "name them: train (--train) and val (--val)"
    if chosen:
        both = "; ".join(f"{one.train} and {one.val}" for one in chosen)
        raise SpecError(f"more than one pair of metrics may be train and validation loss: {both}. So {say}")
    raise SpecError(f"no two metrics are train and validation loss by their names, so {say}. {there_is(names)}")


def pair_of_scores(names: Collection[str]) -> Pair | None:
    """Return the metrics that hold the accuracy on both parts; None where there are none, or several may be meant."""
    found = [one for some in _pairs(names, SCORES).values() for one in some]
    return found[0] if len(found) == 1 else None


def _pairs(names: Iterable[str], wanted: frozenset[str]) -> dict[tuple[str, ...], list[Pair]]:
    """Return what may be meant, by the words that both names share beside their part."""
    by_rest: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for name in sorted(names):
        own = words(name)
        parts = ["train"] * bool(TRAIN & {*own}) + ["val"] * bool(VAL & {*own})
        rest = tuple(word for word in own if word not in TRAIN | VAL | FREE)
        if len(parts) < 2 and wanted & {*rest} and not OTHERS & {*rest}:
            by_rest.setdefault(rest, {}).setdefault(parts[0] if parts else "train", []).append(name)
    return {
        rest: [Pair(train, val) for train in found["train"] for val in found["val"]]
        for rest, found in by_rest.items()
        if len(found) == 2
    }


def kind_of_loss(pair: Pair) -> str:
    """Return which loss a metric is by its name: squared_error, log_loss, or one of another name, such as rmse."""
    own = words(pair.val)
    if SQUARED & {*own}:
        return "squared_error"
    others = [word for word in own if word not in TRAIN | VAL | FREE]
    return "log_loss" if LOG & {*own} or not others else "_".join(others)


def seed_among(names: Collection[str]) -> str | None:
    """Return the param that holds the seed, by its name or the last part of it; None where none or several do."""
    for wanted in SEEDS:
        found = [name for name in names if re.split(r"[./]", name)[-1].lower() == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def near(word: str, names: Collection[str]) -> str:
    """Say which name is near a misspelt one, and which there are."""
    hint = did_you_mean(word, sorted(names))
    return f"{hint[0].upper()}{hint[1:]} {there_is(names)}" if hint else there_is(names)


def there_is(names: Collection[str]) -> str:
    """List names, the first of many."""
    first = sorted(names)[:SHOWN]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"There is {', '.join(first)}{more}." if first else "There is none."


def numbered(value: str) -> float | None:
    """Return the finite number that a param is; None where it is none."""
    try:
        found = float(value)
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None


def alike(values: Iterable[Mapping[str, str]], key: str) -> bool:
    """Whether all have the same value under a key, or all lack it."""
    return len({one.get(key) for one in values}) == 1
