"""What each Config is compared with: for each seed the Config that the other seeds find best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.evidence import Candidates
from fitlab.diagnosis.quantities import Quantities
from fitlab.records import Floats

TIED = 1e-9  # margins: mean losses this close are equal, and the reference is their average


@dataclass(frozen=True, eq=False)
class Rivals:
    """What every Config is measured against. R rivals: the sound Configs, a lone one's own best epoch, the constant."""

    train: Floats  # (R, S)
    val: Floats  # (R, S)
    shares: Floats  # (S, R) of the rivals in ref(−s): 1 for one of them, equal shares where they tie
    best: int  # lowest mean validation loss over all seeds

    @property
    def floor(self) -> Floats:
        """F, the reference's loss corrected for optimism: the mean of training and validation loss. (S,)"""
        return self.referred((self.train + self.val) / 2)

    @property
    def gap(self) -> Floats:
        """The reference's validation minus training loss. (S,)"""
        return self.referred(self.val - self.train)

    def referred(self, losses: Floats) -> Floats:
        """Return what ref(−s) has under seed s. losses: (R, S); result: (S,)."""
        return np.asarray((self.shares.T * losses).sum(axis=0))


def rivals(candidates: Candidates, sound: Quantities, margin: float) -> Rivals:
    """Return the rivals of sound Configs (A of them), in their order: A Configs, then the constant predictor last.

    A Config that is alone is measured against itself at its best epoch, too: that rival stands before the constant.
    """
    train, val = [sound.train], [sound.val]
    if len(sound.val) == 1 and np.isfinite(sound.regret).all():
        train.append(sound.train - sound.train_regret)
        val.append(sound.val - sound.regret)
    trains = np.vstack([*train, candidates.null_train[None]])
    vals = np.vstack([*val, candidates.null_val[None]])
    order = np.lexsort((trains.mean(axis=1), vals.mean(axis=1)))
    return Rivals(trains, vals, shares(vals, margin), int(order[0]))


def shares(vals: Floats, margin: float) -> Floats:
    """Return which rivals make up ref(−s), the one with the lowest mean loss over the other seeds. (S, R)

    vals: (R, S). Rivals that tie share it equally, so that their order does not matter. Under one seed there are no
    others, and the reference is picked on the seed itself.
    """
    seeds = vals.shape[1]
    means = vals if seeds == 1 else (vals.sum(axis=1, keepdims=True) - vals) / (seeds - 1)
    tied = (means <= means.min(axis=0) + TIED * margin).T
    return np.asarray(tied / tied.sum(axis=1, keepdims=True))


def sides(capacity: Floats, groups: NDArray[np.object_], reference: Floats) -> Floats:
    """Return on which side of ref(−s) each Config lies: 1 above it, −1 below, 0 beside, NaN not comparable. (A, S)

    capacity: (A,), NaN where none is declared; groups: (A,); reference: (S, R) the shares. The constant predictor has
    the least capacity of all. Configs of another group differ in more than capacity: no side is told against those.
    A lone Config has no sides.
    """
    count = len(capacity)
    result = np.full((count, len(reference)), np.nan)
    for s, share in enumerate(reference):
        members = np.flatnonzero(share)
        parts = np.zeros(count)
        for r in members:
            same = np.array([True]) if r >= count else groups == groups[r]
            against = -np.inf if r >= count else capacity[r]
            parts += np.where(same, np.sign(capacity - against), np.nan)
        result[:, s] = parts / len(members)
    return result
