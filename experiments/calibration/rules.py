"""What people do instead: rules that look at a gap, a ratio or the lowest mean, and always say something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.records import Floats
from fitlab.verdicts import Label

Labels = list[Label]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seen:
    """A sweep as these rules see it: means over seeds after the last epoch, Configs in the order of the axis."""

    kind: str
    train: Floats  # (C,)
    val: Floats  # (C,)
    error: Floats  # (C,) standard error of val over seeds
    null: float  # the constant predictor's loss on validation
    null_train: float
    scores: Floats  # (C, 2, 2) train and val; accuracy and Brier score, or R² twice
    null_scores: Floats  # (2, 2)


def said(seen: Seen, over: Mask, under: Mask) -> Labels:
    """Return labels (C,): overfit where ``over`` or where a loss is not finite, else underfit, else good."""
    over = over | ~np.isfinite(seen.train + seen.val)
    return [Label.OVERFIT if o else Label.UNDERFIT if u else Label.GOOD for o, u in zip(over, under, strict=True)]


def near_constant(seen: Seen) -> Mask:
    """Where even the training loss stays within a tenth of the constant predictor's: commonly called underfit."""
    return np.asarray(~(seen.train < 0.9 * seen.null_train))


def gap(seen: Seen) -> Labels:
    """Overfit: validation loss exceeds training loss by more than 0.1."""
    return said(seen, seen.val - seen.train > 0.1, near_constant(seen))


def ratio(seen: Seen) -> Labels:
    """Overfit: validation loss is more than 1.2 times the training loss."""
    return said(seen, seen.val > 1.2 * seen.train, near_constant(seen))


def accuracy_gap(seen: Seen) -> Labels:
    """Overfit: accuracy (R²) on training data exceeds that on validation data by more than 0.1."""
    train, val = seen.scores[:, 0, 0], seen.scores[:, 1, 0]
    return said(seen, train - val > 0.1, train < seen.null_scores[0, 0] + 0.05)


def argmin(seen: Seen) -> Labels:
    """Good: the lowest mean validation loss alone; simpler ones underfit, others overfit."""
    place = np.arange(len(seen.val))
    best = int(np.nanargmin(seen.val))
    return said(seen, place > best, place < best)


def one_standard_error(seen: Seen) -> Labels:
    """Good: within one standard error of the lowest mean (Breiman et al. 1984); else as by argmin."""
    place = np.arange(len(seen.val))
    best = int(np.nanargmin(seen.val))
    bad = ~(seen.val <= seen.val[best] + seen.error[best])
    return said(seen, bad & (place > best), bad & (place < best))


def skore(seen: Seen) -> Labels:
    """skore's SKD001 and SKD002, their thresholds of 2026: the majority of the default metrics decides.

    Overfit: train is better than validation by at least max(0.03, 10 % of it). Underfit: neither is better than the
    constant predictor by max(0.01, 5 % of it). Of its metrics: accuracy, log-loss and Brier score, or R² and RMSE.
    """
    metrics = _metrics(seen)
    over = [better(train, val, 0.03, 0.10, up) for train, val, _, _, up in metrics]
    under = [
        ~better(train, null_train, 0.01, 0.05, up) & ~better(val, null_val, 0.01, 0.05, up)
        for train, val, null_train, null_val, up in metrics
    ]
    return said(seen, majority(over), majority(under))


def better(score: Floats, than: Floats | float, floor: float, fraction: float, up: bool) -> Mask:
    """Return where a score is better by at least ``floor`` and by ``fraction`` of the other one."""
    margin = np.maximum(floor, fraction * np.abs(than))
    return np.asarray((score - than if up else than - score) >= margin)


def majority(votes: list[Mask]) -> Mask:
    """Return where more than half of the votes are yes."""
    return np.asarray(np.mean(votes, axis=0) > 0.5)


def _metrics(seen: Seen) -> list[tuple[Floats, Floats, float, float, bool]]:
    """Return (train, val, the constant's on train, on val, whether more is better) of every metric."""
    s, null = seen.scores, seen.null_scores
    first = (s[:, 0, 0], s[:, 1, 0], float(null[0, 0]), float(null[1, 0]), True)
    if seen.kind == "squared_error":
        roots = (np.sqrt(seen.train), np.sqrt(seen.val), float(np.sqrt(seen.null_train)), float(np.sqrt(seen.null)))
        return [first, (*roots, False)]
    brier = (s[:, 0, 1], s[:, 1, 1], float(null[0, 1]), float(null[1, 1]), False)
    return [first, (seen.train, seen.val, seen.null_train, seen.null, False), brier]


NAIVE: Mapping[str, Callable[[Seen], Labels]] = {
    "one standard error": one_standard_error,
    "validation argmin": argmin,
    "gap > 0.1": gap,
    "val / train > 1.2": ratio,
    "accuracy or R² gap > 0.1": accuracy_gap,
    "skore's thresholds": skore,
}
