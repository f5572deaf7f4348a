"""What is true of a problem's Configs, from their expected risks: how far from the best, and to which side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.calibration.problems import Problem, Risks
from fitlab.records import Floats
from fitlab.verdicts import Label

GOOD = frozenset({Label.GOOD, Label.BENIGN})
DIVERGED = frozenset({Label.DIVERGED, Label.UNSTABLE})
OVERFIT = frozenset({Label.OVERFIT})
UNDERFIT = frozenset({Label.UNDERFIT})
NOT_CONVERGED = frozenset({Label.NOT_CONVERGED})
UNCLEAR: frozenset[Label] = frozenset()
NEAR, FAR = 0.5, 2.0  # excess in margins below which an item is clearly good, and above which it clearly is not
LITTLE, MUCH = 0.5, 1.5  # gain of twice the epochs in margins: below, it has converged; above, it has not


@dataclass(frozen=True, eq=False)
class Truth:
    """Of C Configs. δ is the margin, a share of the constant predictor's risk."""

    excess: Floats  # (C,) risk above the best one's, the constant predictor included, in units of δ
    answers: tuple[frozenset[Label], ...]  # (C,) what a verdict may say to be right; empty: not clear
    agrees: NDArray[np.bool_]  # (C,) whether bias and variance point to the same side, where the side is clear
    null_share: float  # the best risk as a share of the constant predictor's: how much is noise


def truth(problem: Problem, risks: Risks, margin: float) -> Truth:
    """Return what is true at a margin, from R training draws; what is clear is so in either half of them."""
    half = len(risks.null) // 2
    parts = [
        excess(risks, margin, slice(None)),
        excess(risks, margin, slice(half)),
        excess(risks, margin, slice(half, None)),
    ]
    mean, null = risks.end.mean(axis=0), float(risks.null.mean())
    with np.errstate(all="ignore"):
        gain = (mean - risks.later.mean(axis=0)) / (margin * null)
        variance = mean - risks.bias
    best = int(mean.argmin())
    noisy = variance - variance[best] > risks.bias - risks.bias[best]
    answers = []
    for c, _ in enumerate(mean):
        if c in problem.diverges:
            answers.append(DIVERGED)
        elif all(part[c] < NEAR for part in parts):
            answers.append(GOOD)
        elif all(part[c] > FAR for part in parts):
            answers.append(_direction(problem, c, best, bool(null < mean[best]), float(gain[c]), bool(noisy[c])))
        else:
            answers.append(UNCLEAR)
    over = np.arange(len(mean)) > best
    return Truth(parts[0], tuple(answers), noisy == over, float(min(mean[best], null)) / null)


def excess(risks: Risks, margin: float, part: slice) -> Floats:
    """Return the excess (C,) in units of δ as a part of the training draws has it."""
    mean, null = risks.end[part].mean(axis=0), float(risks.null[part].mean())
    return np.asarray((mean - min(float(mean.min()), null)) / (margin * null))


def _direction(problem: Problem, c: int, best: int, nothing: bool, gain: float, noisy: bool) -> frozenset[Label]:
    """Return what may be said of Config c, clearly worse than the best one.

    Above the best on the axis it overfits, below it underfits, or has not converged if more epochs help. Where
    nothing beats the constant predictor, all that have learnt overfit. Where risk descends twice, what is above the
    first valley and below the second is told by the larger part of its excess: variance (overfit) or bias.
    """
    if problem.descends_twice:
        if noisy:
            return OVERFIT
        return UNDERFIT if c < best else UNCLEAR
    if c > best or (nothing and c == best):
        return OVERFIT
    if problem.epochs is None:
        return UNCLEAR if nothing else UNDERFIT
    if gain > MUCH:
        return NOT_CONVERGED
    if nothing:
        return UNCLEAR
    return UNDERFIT if gain < LITTLE else UNDERFIT | NOT_CONVERGED
