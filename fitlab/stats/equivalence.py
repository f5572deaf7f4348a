"""Equivalence: not significant is not equal; this is the test that can show "equal, within a margin"."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import stdtr

from fitlab.records import Interval
from fitlab.stats.results import Equivalence
from fitlab.stats.student import checked_sample, t_interval


def equivalence_test(differences: ArrayLike, margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided t tests that a mean difference lies within ±margin (Schuirmann 1987).

    Use it to say "as good as", "makes no difference": a paired t test that does not reject shows nothing of the kind,
    with few seeds it rarely rejects. The margin is what matters to you, fixed before you look. Equivalence is
    shown at ``alpha`` exactly where the t interval at level 1 − 2·alpha lies within the margins; no
    correction is needed for the two tests, since both must reject (intersection–union, Berger 1982).

    differences: (S,) within seeds, all finite; margin: δ > 0 in their unit.
    Raises ValueError for fewer than two values, non-finite ones, a margin that is not positive, alpha outside (0, ½).
    """
    if not margin > 0 or math.isinf(margin):
        raise ValueError(f"margin must be positive and finite, got {margin}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
    sample = checked_sample(differences)
    if sample.size < 2:
        raise ValueError("an equivalence test needs at least two seeds: one seed says nothing about spread")
    interval = t_interval(sample, 1 - 2 * alpha)
    standard_error = float(sample.std(ddof=1)) / math.sqrt(sample.size)
    pvalue = _larger(abs(interval.estimate) - margin, standard_error, sample.size - 1)
    return Equivalence(pvalue, margin, interval, alpha)


def non_inferior(bound: Interval, margin: float) -> bool:
    """Whether a loss difference is shown to be below the margin: the upper bound of its interval is.

    Use it where only "worse" matters, with any two-sided interval at level 1 − 2·alpha or one-sided one at 1 − alpha.
    NaN bounds (one seed) show nothing.
    """
    return bound.high < margin


def _larger(beyond: float, standard_error: float, free: int) -> float:
    """The p-value on the side where the mean is nearer to its margin (``beyond`` < 0: within)."""
    if standard_error == 0:
        return 0.0 if beyond < 0 else 1.0
    return float(stdtr(free, beyond / standard_error))
