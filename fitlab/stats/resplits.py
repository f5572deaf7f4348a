"""Seeds that re-split one data set: they share samples, so their losses are not independent."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import stdtrit

from fitlab.records import Interval
from fitlab.stats.student import checked_level, checked_sample


def corrected_t_interval(values: ArrayLike, n_train: int, n_val: int, level: float = 0.90) -> Interval:
    """t interval whose variance is enlarged for overlap between re-splits (Nadeau and Bengio 2003).

    Use it where seeds re-split one data set and the claim is about *other* data sets of this kind. The ordinary t
    interval then holds for re-splits of this data set only, and more seeds make it narrower without making it
    truer. Variance of the mean: s²·(1/S + n_val/n_train) with S − 1 degrees of freedom, a heuristic
    which assumes a correlation of n_val/(n_train + n_val) between the losses of two splits. Its width does
    not go to 0.

    values: (S,) losses or paired differences, one a re-split, all finite; n_train, n_val: samples in each part.
    With one value the bounds are NaN.
    Raises ValueError for no value, a non-finite one, parts without samples and a level outside (0, 1).
    """
    checked_level(level)
    if n_train < 1 or n_val < 1:
        raise ValueError(f"n_train and n_val must be at least 1, got {n_train} and {n_val}")
    sample = checked_sample(values)
    count, mean, half = sample.size, float(sample.mean()), math.nan
    if count > 1:
        half = (
            float(stdtrit(count - 1, (1 + level) / 2))
            * float(sample.std(ddof=1))
            * math.sqrt(1 / count + n_val / n_train)
        )
    return Interval(mean, mean - half, mean + half, level, count, "corrected t")
