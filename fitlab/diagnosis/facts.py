"""Everything that is known of the sound Configs, as estimates: what decisions and checks are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.evidence import Candidates, Rule
from fitlab.diagnosis.intervals import Estimate, Estimates, estimates
from fitlab.diagnosis.quantities import Quantities, measured
from fitlab.diagnosis.reference import Rivals, rivals, sides
from fitlab.records import Floats

INTERPOLATES = 0.1  # training loss below this share of the reference's floor, and below the margin


@dataclass(frozen=True)
class Facts:
    """What is known of one sound Config. Estimates are on the scale asinh(q/δ)."""

    excess: Estimate  # E: validation loss minus the reference's
    above_best: Estimate  # validation loss minus that of the one with the lowest mean, which is the same for all seeds
    distance: Estimate  # D: training loss minus the reference's floor; above 0 bias dominates, below noise was learned
    gap: Estimate  # G: gap between validation and training loss, minus the reference's
    regret: Estimate  # W: validation loss at the last epoch minus at the best
    train_regret: Estimate  # Wt: the same for the training loss; below 0: it still fell
    gain: Estimate  # I: fall of the validation loss that twice the epochs promise
    spike: Estimate  # rise of the training loss above where it began
    beyond: Estimate  # validation loss minus the constant predictor's
    side: float  # of the reference on the capacity axis, mean over seeds: 1 always above, −1 always below; NaN: none
    interpolates: bool

    @property
    def sided(self) -> bool:
        """Whether it lies on the same side of the reference under all seeds."""
        return abs(self.side) == 1


@dataclass(frozen=True, eq=False)
class Weighed:
    """All Configs of a sweep, weighed. Places are those in ``candidates.configs``."""

    margin: float  # δ, in units of loss
    seeds: int  # that there are, S
    n: int  # that the estimates rest on: S, or 1 where seeds change nothing
    quantities: Quantities  # (C, …) of all Configs
    places: NDArray[np.int64]  # (A,) of the sound ones
    rivals: Rivals  # (R, …), of which the first A are the sound ones
    excess: Floats  # (A, n) in units of loss
    table: Mapping[str, Estimates]  # (A,) by the names of Facts
    side: Floats  # (A,)
    interpolates: NDArray[np.bool_]  # (A,)

    @property
    def alone(self) -> bool:
        """Whether one Config is all there is to compare."""
        return len(self.places) == 1

    def facts(self, row: int) -> Facts:
        """Return what is known of the sound Config in a row."""
        known = {name: column[row] for name, column in self.table.items()}
        return Facts(**known, side=float(self.side[row]), interpolates=bool(self.interpolates[row]))

    def place(self, rival: int) -> int | None:
        """Return where a rival stands among the Configs; a lone one's own best epoch is itself, the constant None.

        -1: no rival is known, None, too.
        """
        if rival in (-1, len(self.rivals.val) - 1):
            return None
        return int(self.places[min(rival, len(self.places) - 1)])


def weighed_by(candidates: Candidates, rule: Rule) -> Weighed | None:
    """Return the same by the margin of a rule; None where the constant predictor's loss is not a positive number."""
    margin = candidates.margin(rule)
    return weigh(candidates, rule, margin) if 0 < margin < math.inf else None


def weigh(candidates: Candidates, rule: Rule, margin: float) -> Weighed:
    """Return the estimates of all sound Configs: the rule's quantities with moderated t intervals."""
    quantities = measured(candidates, margin)
    places = np.flatnonzero(quantities.sound)
    sound, candidates = _distinct(quantities.of(places), candidates)
    against = rivals(candidates, sound, margin)
    losses = {
        "excess": sound.val - against.referred(against.val),
        "above_best": sound.val - against.val[against.best],
        "distance": sound.train - against.floor,
        "gap": sound.val - sound.train - against.gap,
        "regret": sound.regret,
        "train_regret": sound.train_regret,
        "gain": sound.gain,
        "spike": sound.spike,
        "beyond": sound.val - candidates.null_val,
    }
    configs = [candidates.configs[place] for place in places]
    capacity = np.array([np.nan if config.capacity is None else config.capacity for config in configs])
    groups = np.array([config.group for config in configs], dtype=object)
    return Weighed(
        margin=margin,
        seeds=quantities.val.shape[1],
        n=sound.val.shape[1],
        quantities=quantities,
        places=places,
        rivals=against,
        excess=losses["excess"],
        table={name: estimates(values, margin, rule) for name, values in losses.items()},
        side=sides(capacity, groups, against.shares).mean(axis=1),
        interpolates=sound.train.mean(axis=1) <= min(margin, INTERPOLATES * against.floor.mean()),
    )


def _distinct(sound: Quantities, candidates: Candidates) -> tuple[Quantities, Candidates]:
    """Return both with the first seed alone where seeds change nothing: S equal numbers are one, not S."""
    losses = (sound.train, sound.val, candidates.null_train[None], candidates.null_val[None])
    if any((table != table[:, :1]).any() for table in losses):
        return sound, candidates
    one = {name: values if name == "sound" else values[:, :1] for name, values in vars(sound).items()}
    return Quantities(**one), replace(
        candidates, null_train=candidates.null_train[:1], null_val=candidates.null_val[:1]
    )
