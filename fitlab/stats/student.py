"""Student's t: intervals and one-sided bounds for means over seeds, and for paired differences."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from fitlab.records import Floats, Interval

LARGE = 1e150  # squares of larger numbers overflow


def t_interval(values: ArrayLike, level: float = 0.90) -> Interval:
    """Student-t interval for the mean of independent values (Student 1908).

    Use it for means over fewer than about 20 seeds, where a percentile bootstrap is too narrow: at S = 3 it
    covers .75 of a nominal .95. For a difference of two Configs give the S differences within
    seeds, not two intervals.

    On real losses (ridge, neighbours, logistic, small nets; skewness up to about 1.5) it covers within 2 points of
    nominal from S = 3 up. It covers less where a few seeds are far from the others: .83 to .85 of a nominal .90 at
    skewness 2.4 and beyond, .85 at S = 3 where some networks die and losses have two peaks. No interval from few
    seeds can know a tail that it has not seen: look at the seeds.

    values: (S,) one number a seed; level: confidence, 0 < level < 1.
    With one value the bounds are NaN: one seed says nothing about spread.
    Raises ValueError for no value, for a non-finite one and for a level outside (0, 1).
    """
    checked_level(level)
    sample = checked_sample(values)
    mean, half = float(sample.mean()), _half_width(sample, (1 + level) / 2)
    return Interval(mean, mean - half, mean + half, level, sample.size, "t")


def t_bound(values: ArrayLike, side: Literal["lower", "upper"], level: float = 0.95) -> Interval:
    """One-sided Student-t bound for the mean of independent values; the other end is infinite.

    Use it where only one direction matters: "not worse by more than δ" needs an upper bound below δ. The ends of a
    two-sided interval at level .90 are the one-sided bounds at .95.

    values: (S,) one number a seed; level: confidence, 0 < level < 1. With one value the bound is NaN.
    Raises ValueError for no value, for a non-finite one, for a level outside (0, 1) and another side.
    """
    checked_level(level)
    if side not in ("lower", "upper"):
        raise ValueError(f"side must be lower or upper, got {side!r}")
    sample = checked_sample(values)
    mean, half = float(sample.mean()), _half_width(sample, level)
    low, high = (mean - half, math.inf) if side == "lower" else (-math.inf, mean + half)
    return Interval(mean, low, high, level, sample.size, f"t {side}")


def paired_t_interval(a: ArrayLike, b: ArrayLike, level: float = 0.90) -> Interval:
    """Student-t interval for the mean of a − b over seeds that both Configs share.

    Use it for two Configs of one sweep: they are trained on the same splits (common random numbers), so their
    differences vary less than they do; overlap of two separate intervals answers another question.

    a, b: (S,) in the same order of seeds; a seed that one of them lacks (NaN) is left out of both.
    Raises ValueError for unequal lengths, no common seed, infinite values and a level outside (0, 1).
    """
    return t_interval(paired(a, b), level)


def paired(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return a − b over the seeds that both have; see ``paired_t_interval``."""
    one, other = (np.asarray(values, dtype=np.float64).ravel() for values in (a, b))
    if one.size != other.size:
        raise ValueError(f"paired values need the same seeds: got {one.size} and {other.size} of them")
    both = ~(np.isnan(one) | np.isnan(other))
    return checked_sample(one[both] - other[both])


def checked_level(level: float) -> None:
    """Raise ValueError for a confidence outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def checked_sample(values: ArrayLike) -> Floats:
    """Return the values as (S,) float64; raise ValueError where there is none or one is not finite."""
    sample = np.asarray(values, dtype=np.float64).ravel()
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError("an interval needs at least one value, all of them finite")
    return sample


def standard_error(values: ArrayLike) -> float:
    """Return the standard error of a mean. values: (S,); NaN where there is one value: it says nothing about spread."""
    sample = checked_sample(values)
    if sample.size == 1:
        return math.nan
    size = float(np.abs(sample).max())
    scale = size if size > LARGE else 1.0
    return scale * float((sample / scale).std(ddof=1)) / math.sqrt(sample.size)


def standard_error_of(found: Interval) -> float:
    """Return the standard error behind a two-sided t interval over ``found.n`` seeds; NaN where it has no bounds.

    Where some of it is the scatter of test rows, with degrees of freedom of its own, it is so to a few percent.
    """
    return (found.high - found.low) / 2 / t_quantile(found.n - 1, (1 + found.level) / 2) if found.n > 1 else math.nan


def t_quantile(df: int, probability: float) -> float:
    """Return the quantile of Student's t with ``df`` degrees of freedom."""
    return float(stdtrit(df, probability))


def _half_width(sample: Floats, quantile: float) -> float:
    return t_quantile(sample.size - 1, quantile) * standard_error(sample) if sample.size > 1 else math.nan
