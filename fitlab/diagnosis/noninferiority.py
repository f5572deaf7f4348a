"""Which Configs are no worse than any other one by more than the margin: an intersection–union test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.evidence import Rule
from fitlab.diagnosis.intervals import ONE, Estimate, lent, scaled, width
from fitlab.records import Floats

CHUNK = 4_000_000  # numbers that are held at once


@dataclass(frozen=True, eq=False)
class Hardest:
    """For each of A Configs the comparison with the highest upper bound; NaN where it need not be known."""

    rival: NDArray[np.int64]  # (A,) its place among the rivals
    mean: Floats  # (A,) of asinh((val − rival's val)/δ)
    half: Floats
    spread: Floats
    prior_df: Floats

    def __getitem__(self, row: int) -> Estimate:
        mean, half = float(self.mean[row]), float(self.half[row])
        return Estimate(mean, mean - half, mean + half, float(self.spread[row]), float(self.prior_df[row]))


def hardest(val: Floats, margin: float, rule: Rule, count: int) -> Hardest:
    """Return for each of the first ``count`` rivals its hardest comparison with all the others.

    val: (R, S) validation losses; the last rival is the constant predictor. If even that comparison's upper bound
    lies below the margin, the Config is non-inferior to all: each comparison is tested at its own level, and all of
    them have to hold, so no correction for their number is needed (Berger 1982). The variance of a comparison is
    moderated by the median over this Config's comparisons with other Configs, of those that have one.

    A Config whose mean difference from the best one is above the margin cannot pass: for it that comparison stands, and
    the C² others are not made.
    """
    seeds = val.shape[1]
    result = Hardest(np.full(count, -1), *(np.full(count, np.nan) for _ in range(4)))
    best = int(np.argmin(val.mean(axis=1)))
    possible = scaled(val[:count] - val[best], margin).mean(axis=1) < ONE
    rows = np.flatnonzero(possible)
    step = max(1, CHUNK // (len(val) * seeds))
    for begin in range(0, len(rows), step):
        _compare(val, rows[begin : begin + step], margin, rule, result)
    return result


def _compare(val: Floats, rows: NDArray[np.int64], margin: float, rule: Rule, result: Hardest) -> None:
    """Write the hardest comparison of some rows into the result."""
    seeds = val.shape[1]
    values = scaled(val[rows].T[:, :, None] - val.T[:, None, :], margin)  # (S, rows, R)
    mean = values.mean(axis=0)
    values -= values[:1].copy()  # from the first seed's: where all are equal the variance is exactly 0
    variance = values.var(axis=0, ddof=1) if seeds > 1 else np.full(mean.shape, np.nan)
    for place, row in enumerate(rows):
        prior, prior_df = _prior(variance[place, :-1], seeds, rule)
        pooled = (prior_df * prior + (seeds - 1) * variance[place]) / max(prior_df + seeds - 1, 1)
        half = width(seeds, prior_df, rule) * np.sqrt(pooled)
        upper = np.where(np.arange(len(val)) == row, -np.inf, mean[place] + np.where(np.isnan(half), 0, half))
        rival = int(np.argmax(upper))
        result.rival[row], result.mean[row], result.half[row] = rival, mean[place, rival], half[rival]
        result.spread[row], result.prior_df[row] = np.sqrt(pooled[rival]), prior_df


def _prior(variances: Floats, seeds: int, rule: Rule) -> tuple[float, float]:
    """The median of the variances that there are, and the degrees of freedom that it is worth."""
    noisy = variances[variances > 0]
    return (float(np.median(noisy)) if len(noisy) else 0.0), lent(len(noisy), seeds, rule)
