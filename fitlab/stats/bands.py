"""Simultaneous bands: one statement about a whole curve, or about many Configs at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from fitlab.records import Floats
from fitlab.stats.student import checked_level

AT_ONCE = 4_000_000  # values resampled at a time: 32 MB


@dataclass(frozen=True, eq=False)
class Band:
    """Means with bounds that hold for all P points at once, at ``level``; NaN bounds: n = 1."""

    estimate: Floats  # (P,)
    low: Floats  # (P,)
    high: Floats  # (P,)
    level: float
    n: int
    method: str


def simultaneous_band(
    curves: ArrayLike,
    level: float = 0.90,
    method: Literal["bonferroni", "max-t"] = "bonferroni",
    *,
    seed: int = 0,
    resamples: int = 1999,
) -> Band:
    """Return a band that covers the whole mean curve with probability ``level``.

    Use it for "somewhere along the epochs the curve …", and for means of many Configs read side by side. Pointwise
    intervals hold for one epoch that was named before: at level .90 they cover a whole smooth curve of 50 points
    in .40 to .54 of cases, a rough one in .01.

    bonferroni: t quantiles at 1 − (1 − level)/(2P) (Dunn 1961). It covers at any S ≥ 2 (measured .91 to .98 at S = 5
    and a nominal .90), and is wide where points move together. max-t: quantile of the bootstrap's largest |t| over the
    curve (Westfall and Young 1993; every resample is studentised by itself). Use it from 20 seeds up, where
    it covers (.91 to .94) and is a quarter narrower for smooth curves; at S = 5 it is 2 to 4 times wider than
    Bonferroni's. A max-t that is not studentised again in each resample is no way out: at S = 5 it
    covers .00 to .59, and drawing from Student's law with the estimated correlations .38 to .83.

    curves: (S, P) one row a seed, finite. seed, resamples: of max-t only.
    Raises ValueError for another shape, non-finite values, a level outside (0, 1), another method.
    """
    checked_level(level)
    table = np.asarray(curves, dtype=np.float64)
    if table.ndim != 2 or table.size == 0 or not np.isfinite(table).all():
        raise ValueError(f"a band needs finite curves of shape (S, P), got shape {table.shape}")
    if method not in ("bonferroni", "max-t"):
        raise ValueError(f"method must be bonferroni or max-t, got {method!r}")
    count, points = table.shape
    mean = table.mean(axis=0)
    name = "Bonferroni t band" if method == "bonferroni" else "max-t bootstrap band"
    if count == 1:
        unknown = np.full(points, math.nan)
        return Band(mean, unknown, unknown, level, 1, name)
    if method == "bonferroni":
        quantile = float(stdtrit(count - 1, 1 - (1 - level) / (2 * points)))
    else:
        quantile = _largest_t(table, level, seed, resamples)
    half = np.where(np.ptp(table, axis=0) > 0, quantile * _errors(table), 0.0)
    return Band(mean, mean - half, mean + half, level, count, name)


def _errors(table: Floats) -> Floats:
    """Standard errors of means over seeds, the last axis but one."""
    return np.asarray(table.std(axis=-2, ddof=1) / math.sqrt(table.shape[-2]))


def _largest_t(table: Floats, level: float, seed: int, resamples: int) -> float:
    """Quantile over resamples of the largest |t|; infinite where too many drew one seed only."""
    varying = table[:, np.ptp(table, axis=0) > 0]
    if not varying.size:
        return 0.0
    centred = varying - varying.mean(axis=0)
    count = len(centred)
    rng, batch = np.random.default_rng(seed), max(1, AT_ONCE // centred.size)
    largest = []
    for start in range(0, resamples, batch):
        drawn = rng.integers(count, size=(min(batch, resamples - start), count))
        again = centred[drawn]  # (B, S, P)
        same = np.ptp(again, axis=1) == 0
        t = np.abs(again.mean(axis=1)) / np.where(same, 1.0, _errors(again))
        largest.append(np.where(same, np.inf, t).max(axis=1))
    return float(np.quantile(np.concatenate(largest), level, method="higher"))
