"""Seeds that a t interval needs."""

from __future__ import annotations

import math

from scipy.special import nctdtr, stdtrit


def t_quantile(level: float, df: float) -> float:
    """Return the quantile that a two-sided interval at ``level`` uses; infinite without degrees of freedom."""
    return float(stdtrit(df, (1 + level) / 2)) if df > 0 else math.inf


def t_power(effect: float, n: int, level: float, prior_df: float = 0.0, resplit: float = 0.0) -> float:
    """Return the chance that the interval of n values excludes 0 on the side of the effect.

    effect: mean over standard deviation of one value, positive; level: of the two-sided interval; prior_df: degrees of
    freedom of a moderated one; resplit: n_val/n_train where seeds re-split one data set (Nadeau and Bengio 2003).
    By the noncentral t distribution with n−1+prior_df degrees of freedom. A moderated interval is treated as if its
    prior were right.
    """
    df = n - 1 + prior_df
    shift = min(effect / math.sqrt(1 / n + resplit), 1e3)  # beyond: certain, and the noncentral t underflows
    return float(1 - nctdtr(df, shift, t_quantile(level, df)))


def seeds_for_power(
    effect: float,
    level: float = 0.90,
    power: float = 0.80,
    prior_df: float = 0.0,
    resplit: float = 0.0,
    most: int = 1000,
) -> int | None:
    """Return the fewest values, two at least, with which ``t_power`` reaches ``power``.

    None: more than ``most`` (a wish, not a plan), or the effect is not positive. Power rises with n: doubled from 2 up
    until it is enough, then bisected. (Far beyond enough the noncentral t underflows.)
    """
    if not effect > 0:
        return None
    fewest, enough = 1, 2
    while t_power(effect, enough, level, prior_df, resplit) < power:
        if enough >= most:
            return None
        fewest, enough = enough, min(2 * enough, most)
    while enough - fewest > 1:
        middle = (fewest + enough) // 2
        if t_power(effect, middle, level, prior_df, resplit) < power:
            fewest = middle
        else:
            enough = middle
    return enough
