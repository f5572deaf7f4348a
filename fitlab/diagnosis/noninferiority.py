"""Which Configs are no worse than any other one by more than the margin: an intersection–union test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.evidence import Rule
from fitlab.diagnosis.intervals import ONE, Estimate, lent, scaled, width
from fitlab.records import Floats

CHUNK = 40_000  # comparisons at once: they stay in the cache


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
    result = Hardest(np.full(count, -1), *(np.full(count, np.nan) for _ in range(4)))
    best = int(np.argmin(val.mean(axis=1)))
    possible = scaled(val[:count] - val[best], margin).mean(axis=1) < ONE
    rows = np.flatnonzero(possible)
    step, by_seed = max(1, CHUNK // len(val)), np.ascontiguousarray(val.T)
    for begin in range(0, len(rows), step):
        _compare(by_seed, rows[begin : begin + step], margin, rule, result)
    return result


def _compare(val: Floats, rows: NDArray[np.int64], margin: float, rule: Rule, result: Hardest) -> None:
    """Write the hardest comparison of some rows into the result. val: (S, R)"""
    seeds = len(val)
    mean, variance = _moments(val, rows, margin)
    for place, row in enumerate(rows):
        prior, prior_df = _prior(variance[place, :-1], seeds, rule)
        pooled = (prior_df * prior + (seeds - 1) * variance[place]) / max(prior_df + seeds - 1, 1)
        spread = np.sqrt(pooled)
        half = width(seeds, prior_df, rule) * spread
        upper = mean[place] + (half if seeds > 1 else 0)
        upper[row] = -np.inf  # it is no rival of itself
        rival = int(np.argmax(upper))
        result.rival[row], result.mean[row], result.half[row] = rival, mean[place, rival], half[rival]
        result.spread[row], result.prior_df[row] = spread[rival], prior_df


def _moments(val: Floats, rows: NDArray[np.int64], margin: float) -> tuple[Floats, Floats]:
    """Mean and unbiased variance over seeds of asinh((val − rival's val)/δ). (rows, R) each

    Seed by seed, as differences from the first seed's: what is equal under all seeds has variance 0 exactly.
    """
    seeds = len(val)
    first = scaled(val[0, rows, None] - val[0], margin)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for losses in val[1:]:
        more = scaled(losses[rows, None] - losses, margin)
        more -= first
        total += more
        more *= more
        squares += more
    total /= seeds
    variance = (
        np.maximum(squares - seeds * total * total, 0) / (seeds - 1) if seeds > 1 else np.full_like(first, np.nan)
    )
    total += first
    return total, variance


def _prior(variances: Floats, seeds: int, rule: Rule) -> tuple[float, float]:
    """The median of the variances that there are, and the degrees of freedom that it is worth."""
    noisy = variances[variances > 0]
    return (float(np.median(noisy)) if len(noisy) else 0.0), lent(len(noisy), seeds, rule)
