"""How alike the variances of a sweep's Configs are, estimated from them (Smyth 2004)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, polygamma

from fitlab.stats.moderated import sample_variances

MOST_DF = 1e4  # variances no less alike than chance makes them: nearly all trust in the sweep
LEAST_DF = 1e-2
NEWTON = 12  # steps; quadratic from the start


def fitted_prior(values: ArrayLike) -> tuple[float, float]:
    """Return v₀ and d₀ for ``moderated_half_widths``, by the moments of log variances (Smyth 2004, section 6.2).

    Use it where Configs may be of very different noise (learning rates, model families) and there are about ten of
    them or more. With a fixed d₀ = 4 the noisiest quarter of the Configs is covered in .78 of a
    nominal .90 where log variances have a standard deviation of 2 (S = 5, 20 Configs), with the fitted d₀
    in .85, by the ordinary t interval in .90; averaged over all Configs each of the three covers.

    values: (..., S) one row a Config; NaN: no value. Rows without two values or without spread are left out.
    d₀ lies between 0.01 and 10,000. With fewer than three rows that are left: (NaN, 0), the ordinary t interval.
    """
    table = np.asarray(values, dtype=np.float64)
    variances = sample_variances(table)
    usable = np.isfinite(variances) & (variances > 0)
    if usable.sum() < 3:
        return math.nan, 0.0
    half = (np.sum(~np.isnan(table), axis=-1)[usable] - 1) / 2
    centred = np.log(variances[usable]) - digamma(half) + np.log(half)
    spread = float(centred.var(ddof=1) - polygamma(1, half).mean())  # of true log variances: trigamma(d₀/2)
    free = 2 * _inverse_trigamma(spread)
    return float(np.exp(centred.mean() + digamma(free / 2) - math.log(free / 2))), free


def _inverse_trigamma(spread: float) -> float:
    """Solve trigamma(y) = spread by Newton's method on 1/trigamma, which is convex (Smyth 2004, appendix)."""
    least, most = polygamma(1, np.array([MOST_DF, LEAST_DF]) / 2)
    target = min(max(spread, float(least)), float(most))
    y = 0.5 + 1 / target
    for _ in range(NEWTON):
        at = float(polygamma(1, y))
        y += at * (1 - at / target) / float(polygamma(2, y))
    return y
