"""Intervals for many Configs at once, each one's variance moderated by that of the sweep (Smyth 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from fitlab.records import Floats, Interval
from fitlab.stats.student import checked_level, checked_sample

PRIOR_DF = 4.0  # seeds' worth of trust in the sweep: SCIENCE of the project, section 1


def sample_variances(values: ArrayLike) -> Floats:
    """Return the unbiased variance over seeds of each row, NaN where fewer than two values are there.

    values: (..., S); NaN: no value. Result: (...).
    """
    return _moments(np.asarray(values, dtype=np.float64))[1]


def prior_variance(values: ArrayLike) -> float:
    """Return the median variance over the Configs of a sweep, v₀ of the moderated t.

    values: (..., S) one row a Config (or a comparison of Configs), one column a seed; NaN: no value.
    Rows whose values are all equal are left out: a Config compared with itself says nothing about noise.
    NaN where no row has two values; 0 where in every row all values are equal.
    """
    variances = sample_variances(values)
    known = variances[np.isfinite(variances)]
    noisy = known[known > 0]
    if noisy.size:
        return float(np.median(noisy))
    return 0.0 if known.size else float("nan")


def moderated_half_widths(
    values: ArrayLike, level: float = 0.90, prior_df: float = PRIOR_DF, prior: float | None = None
) -> Floats:
    """Return half the width of the moderated t interval around the mean of each row.

    Use it where many Configs are judged from few seeds each: a variance from 5 values is itself a guess, the
    sweep's is not. v = (d₀·v₀ + (n−1)·v_c)/(d₀+n−1) with d₀+n−1 degrees of freedom (Smyth 2004, section 3).
    On average over the rows it covers where their true variances follow a scaled inverse chi-squared law with d₀
    degrees of freedom, and nearly where they do not; rows far noisier than the median get too narrow an
    interval, others too wide a one: transform losses first so that noise is comparable, take v₀ and d₀
    from ``fitted_prior``, or use ``prior_df=0``, the ordinary t interval.

    values: (..., S) one row a Config; NaN: no value. prior: v₀; by default ``prior_variance(values)``.
    Result: (...), NaN for rows with fewer than two values or with an infinite one.
    Raises ValueError for a level outside (0, 1), a negative ``prior_df`` and a negative ``prior``.
    """
    table = np.asarray(values, dtype=np.float64)
    count, variance = _moments(table)
    v0 = prior_variance(table) if prior is None else prior
    return _half_widths(count, variance, table.shape[-1], level, prior_df, v0)


def moderated_t(values: ArrayLike, prior: float, prior_df: float = PRIOR_DF, level: float = 0.90) -> Interval:
    """Return the moderated t interval for the mean of one Config's values; see ``moderated_half_widths``.

    values: (S,) one number a seed, all finite; prior: variance of a typical Config of the sweep.
    With one value the bounds are NaN: the sweep may know the spread, but one seed is no sample of this Config.
    Raises ValueError for no value, a non-finite one, a level outside (0, 1), and a negative prior or ``prior_df``.
    """
    sample = checked_sample(values)
    mean = float(sample.mean())
    half = float(moderated_half_widths(sample, level, prior_df, prior))
    return Interval(mean, mean - half, mean + half, level, sample.size, "moderated t")


def _moments(table: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Number of values and unbiased variance of each row; NaN with fewer than two values or an infinite one.

    Deviations are taken from one of the values first: where all are equal the variance is exactly 0.
    """
    seeds = table.shape[-1]
    if seeds > 1 and np.isfinite(table).all():  # the common case, several times as fast
        return np.full(table.shape[:-1], seeds), np.asarray((table - table[..., :1]).var(axis=-1, ddof=1))
    count = (~np.isnan(table)).sum(axis=-1)
    usable = (count > 1) & ~np.isinf(table).any(axis=-1)
    used = ~np.isnan(table) & usable[..., None]
    lowest = np.where(used, table, np.inf).min(axis=-1, initial=np.inf, keepdims=True)
    lowest[~usable] = 0.0
    kept = np.where(used, table - lowest, 0.0)
    mean = kept.sum(axis=-1, keepdims=True) / np.maximum(count, 1)[..., None]
    squares = np.where(used, kept - mean, 0.0) ** 2
    return count, np.where(usable, squares.sum(axis=-1) / np.maximum(count - 1, 1), np.nan)


def _half_widths(
    count: NDArray[np.int64], variance: Floats, most: int, level: float, prior_df: float, prior: float
) -> Floats:
    """Half-widths from moments. Counts are few, so each quantile is computed once: rows may be a million."""
    checked_level(level)
    if prior_df < 0 or prior < 0:
        raise ValueError(f"prior_df and prior must not be negative, got {prior_df} and {prior}")
    free = np.maximum(np.arange(most + 1) - 1, 1) + prior_df
    quantile = stdtrit(free, (1 + level) / 2)
    trust = prior_df * prior if prior_df else 0.0  # without trust in it the prior may be unknown
    pooled = (trust + (count - 1) * variance) / (prior_df + np.maximum(count - 1, 1))
    return np.asarray(quantile[count] * np.sqrt(pooled / np.maximum(count, 1)))
