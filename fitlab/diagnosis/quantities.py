"""What each Config shows by itself, seed by seed: end losses, regret of the last epoch, gain of more epochs, spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.evidence import Candidate, Candidates
from fitlab.records import Floats, Outcome

HUGE = 1e300  # stands for an infinite loss that training recovered from


@dataclass(frozen=True, eq=False)
class Quantities:
    """Of C Configs under S seeds, in units of loss; NaN: not measured, or without an epoch axis."""

    train: Floats  # (C, S) at the last epoch
    val: Floats  # (C, S)
    regret: Floats  # (C, S) validation loss at the last epoch minus at the epoch that is best for the other seeds: W
    train_regret: Floats  # (C, S) the same for the training loss: Wt
    gain: Floats  # (C, S) fall of the validation loss that doubling the epochs promises: I
    spike: Floats  # (C, S) highest training loss minus where it began, or the constant predictor's if that is higher
    diverged: NDArray[np.bool_]  # (C, S) not finite, or at the end above where it began by more than the margin
    sound: NDArray[np.bool_]  # (C,) completed under all seeds, and none of them diverged

    def of(self, rows: NDArray[np.int64]) -> Quantities:
        """Return the same of some Configs, in the order of ``rows``."""
        return Quantities(**{name: values[rows] for name, values in vars(self).items()})


def measured(candidates: Candidates, margin: float) -> Quantities:
    """Return the quantities of all Configs. margin: δ, in units of loss."""
    shape = (len(candidates.configs), len(candidates.null_val))
    table = {name: np.full(shape, np.nan) for name in ("train", "val", "regret", "train_regret", "gain", "spike")}
    diverged, sound = np.zeros(shape, bool), np.zeros(shape[0], bool)
    for c, candidate in enumerate(candidates.configs):
        table["train"][c], table["val"][c] = last(candidate.train), last(candidate.val)
        diverged[c] = diverging(candidate, candidates.null_train, margin)
        sound[c] = candidate.completed and not diverged[c].any()
        if sound[c] and len(candidate.epoch) > 1:
            table["regret"][c], table["train_regret"][c] = regrets(candidate)
            table["gain"][c] = gain(candidate)
            table["spike"][c] = spikes(candidate, candidates.null_train)
    return Quantities(**table, diverged=diverged, sound=sound)


def last(losses: Floats) -> Floats:
    """Return losses at the last epoch, NaN where nothing was measured. losses: (S, P); result: (S,)."""
    return losses[:, -1] if losses.shape[1] else np.full(len(losses), np.nan)


def diverging(candidate: Candidate, null_train: Floats, margin: float) -> NDArray[np.bool_]:
    """Return under which seeds it diverged. (S,)

    The Fit says so, or a loss at the end is not finite, or (where there is an epoch axis) the training loss ends above
    both where it began and the constant predictor's by more than the margin. Where nothing was measured before
    training, "where it began" is the first measured epoch: a large first loss is then no sign of divergence.
    """
    said = np.array([outcome is Outcome.DIVERGED for outcome in candidate.outcomes])
    ended = np.array([outcome is Outcome.COMPLETED for outcome in candidate.outcomes])
    train, val = last(candidate.train), last(candidate.val)
    lost = ~(np.isfinite(train) & np.isfinite(val))
    if len(candidate.epoch) > 1:
        lost |= train > np.fmax(null_train, candidate.train[:, 0]) + margin
    return said | (ended & lost)


def regrets(candidate: Candidate) -> tuple[Floats, Floats]:
    """Return W and Wt, what the last epoch costs against the best one, on validation and on training data. (S,) each

    The best epoch for a seed is the one with the lowest mean validation loss over the *other* seeds: picked on the
    seed itself it would flatter every noisy curve. Under one seed there is no other, and it is picked on itself.
    """
    at = best_epochs(candidate)
    seed = np.arange(len(at))
    return (
        candidate.val[:, -1] - candidate.val[seed, at],
        candidate.train[:, -1] - candidate.train[seed, at],
    )


def best_epochs(candidate: Candidate) -> NDArray[np.int64]:
    """Return the place of each seed's best epoch as the other seeds see it, the first one of equal ones. (S,)"""
    bad = ~(np.isfinite(candidate.val) & np.isfinite(candidate.train))
    if len(bad) == 1:
        return np.asarray(np.argmin(np.where(bad, np.inf, candidate.val), axis=1))
    kept = np.where(bad, 0.0, candidate.val)
    others = np.where(bad.sum(axis=0) - bad > 0, np.inf, kept.sum(axis=0) - kept)
    # a seed's own loss must be finite there, too
    return np.asarray(np.argmin(np.where(bad, np.inf, others), axis=1))


def gain(candidate: Candidate) -> Floats:
    """Return I, the fall of the validation loss that twice the epochs promise. (S,)

    −ln 2 times the least-squares slope of the loss on log t over the last half of the epochs (t ≥ T/2), hence the same
    whatever t counts. NaN where that half holds fewer than two measured epochs.
    """
    late = (candidate.epoch > 0) & (2 * candidate.epoch >= candidate.epoch[-1])
    if late.sum() < 2:
        return np.full(len(candidate.val), np.nan)
    x = np.log(candidate.epoch[late] / candidate.epoch[-1])
    x -= x.mean()
    with np.errstate(invalid="ignore"):
        slope = candidate.val[:, late] @ x / (x @ x)
    return np.where(np.isfinite(slope), -slope * np.log(2), np.nan)


def spikes(candidate: Candidate, null_train: Floats) -> Floats:
    """Return how far the training loss rose above where it began, or above the constant predictor's. (S,)

    0 or below: it never did.
    """
    highest = np.where(np.isfinite(candidate.train), candidate.train, HUGE).max(axis=1)
    return np.asarray(highest - np.fmax(null_train, candidate.train[:, 0]))


def late_falls(candidate: Candidate, margin: float) -> tuple[Floats, Floats, Floats]:
    """Return by how much the validation loss fell after the training loss was down, and when either was. (S,) each

    Fall from the lowest validation loss up to the epoch at which the training loss came within a margin of its lowest
    (not from the loss at that epoch: coming down from a peak is no generalisation) to the last epoch; that epoch,
    NaN where the training loss was there when it began; and the epoch from which the validation loss stays within a
    margin of where it ends, or below.
    """
    train, val = (np.where(np.isfinite(losses), losses, HUGE) for losses in (candidate.train, candidate.val))
    lowest = train.min(axis=1, keepdims=True)
    down = np.argmax(train <= lowest + margin, axis=1)
    never = train[:, :1] <= lowest + margin
    above = val > val[:, -1:] + margin
    since = np.where(above.any(axis=1), above.shape[1] - np.argmax(above[:, ::-1], axis=1), 0)
    fall = np.minimum.accumulate(val, axis=1)[np.arange(len(val)), down] - val[:, -1]
    return fall, np.where(never[:, 0], np.nan, candidate.epoch[down]), candidate.epoch[since].astype(np.float64)
