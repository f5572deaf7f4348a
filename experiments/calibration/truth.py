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
    agrees: (
        Floats  # (C,) 1 where bias and variance tell an overfit or underfit the same way, 0 not; NaN: neither is told
    )
    null_share: float  # the best risk as a share of the constant predictor's: how much is noise


def truth(problem: Problem, risks: Risks, margin: float) -> Truth:
    """Return what is true at a margin, from R training draws; what is clear is so in either half of them."""
    half = len(risks.null) // 2
    halves = slice(half), slice(half, None)
    whole, *parts = (excess(risks, margin, part) for part in (slice(None), *halves))
    mean, null = risks.end.mean(axis=0), float(risks.null.mean())
    with np.errstate(all="ignore"):
        gains = np.stack([(risks.end - risks.later)[part].mean(axis=0) for part in halves]) / (margin * null)
        variance = mean - risks.bias
    best = int(mean.argmin())
    noisy = variance - variance[best] > risks.bias - risks.bias[best]
    about = About(problem, best, valley(mean), null < mean[best], gains, noisy)
    answers = []
    for c in range(len(mean)):
        if c in problem.diverges:
            answers.append(DIVERGED)
        elif all(part[c] < NEAR for part in parts):
            answers.append(GOOD)
        else:
            answers.append(about.direction(c) if all(part[c] > FAR for part in parts) else UNCLEAR)
    told = np.array([answer in (OVERFIT, UNDERFIT) for answer in answers])
    agrees = np.where(told, noisy == np.array([answer == OVERFIT for answer in answers]), np.nan)
    return Truth(whole, tuple(answers), agrees, float(min(mean[best], null)) / null)


def valley(risk: Floats) -> int:
    """Return the first Config whose risk is below both neighbours'."""
    padded = np.concatenate([[np.inf], risk, [np.inf]])
    return int(np.flatnonzero((padded[1:-1] <= padded[:-2]) & (padded[1:-1] < padded[2:]))[0])


def excess(risks: Risks, margin: float, part: slice) -> Floats:
    """Return the excess (C,) in units of δ as a part of the training draws has it."""
    mean, null = risks.end[part].mean(axis=0), float(risks.null[part].mean())
    return np.asarray((mean - min(float(mean.min()), null)) / (margin * null))


@dataclass(frozen=True, eq=False)
class About:
    """What the direction of a clearly worse Config follows from."""

    problem: Problem
    best: int
    valley: int  # the first one of the risk along the axis
    nothing: bool  # nothing beats the constant predictor
    gains: Floats  # (2, C) of twice the epochs, in units of δ, in either half of the draws
    noisy: NDArray[np.bool_]  # (C,) of the excess over the best one more is variance than bias

    def direction(self, c: int) -> frozenset[Label]:
        """Return what may be said of Config c.

        Above the best on the axis it overfits, below it underfits, or has not converged if more epochs help. Where
        nothing beats the constant predictor, all that have learnt overfit. Where risk descends twice, Configs before
        the first valley underfit; later ones overfit if most of their excess is variance, and are not clear otherwise.
        """
        if self.problem.descends_twice:
            return self._beside_the_valley(c)
        if c > self.best or (self.nothing and c == self.best):
            return OVERFIT
        if self.problem.epochs is None:
            return UNCLEAR if self.nothing else UNDERFIT
        if (self.gains[:, c] > MUCH).all():
            return NOT_CONVERGED
        if self.nothing:
            return UNCLEAR
        return UNDERFIT if (self.gains[:, c] < LITTLE).all() else UNDERFIT | NOT_CONVERGED

    def _beside_the_valley(self, c: int) -> frozenset[Label]:
        if c < self.valley:
            return UNDERFIT
        return OVERFIT if c > self.valley and self.noisy[c] else UNCLEAR
