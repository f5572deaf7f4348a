"""How many seeds would do: power of the t test of a mean paired difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import nctdtr, stdtrit

from fitlab.records import Floats
from fitlab.stats.student import checked_level

MOST_SEEDS = 10_000
FARTHEST = 1e6  # noncentrality: an infinite effect, from seeds that all agree, is found by the fewest seeds


def t_power(
    effect: ArrayLike, seeds: ArrayLike, level: float = 0.95, *, one_sided: bool = False, prior_df: float = 0.0
) -> Floats:
    """Return the chance that the t interval at ``level`` excludes 0, for a true effect (noncentral t).

    Use it before a sweep, to choose seeds, or after an inconclusive one, with an effect that matters to you. Putting
    the *observed* effect in ("post-hoc power") only says again what the p-value said (Hoenig and Heisey 2001).

    effect: true mean difference in standard deviations of the paired differences; seeds: S ≥ 2; they broadcast.
    one_sided: only the bound on the effect's side counts. ``one_sided=True, level=0.95`` is a bound of a two-sided 0.90
    interval. prior_df: degrees of freedom that a moderated variance adds (0: ordinary t); then it is the power over
    Configs whose variances follow the prior's law.
    Raises ValueError for a level outside (0, 1), fewer than two seeds and a negative ``prior_df``.
    """
    checked_level(level)
    size, count = np.abs(np.asarray(effect, dtype=np.float64)), np.asarray(seeds, dtype=np.float64)
    if (count < 2).any() or prior_df < 0:
        raise ValueError(f"power needs at least two seeds and prior_df of at least 0, got {seeds!r} and {prior_df}")
    free, shift = count - 1 + prior_df, size * np.sqrt(count)
    quantile = stdtrit(free, level if one_sided else (1 + level) / 2)
    found = 1 - _below(free, shift, quantile)
    return np.asarray(found if one_sided else found + _below(free, shift, -quantile))


def seeds_needed(
    effect: float, power: float = 0.80, level: float = 0.95, *, one_sided: bool = False, prior_df: float = 0.0
) -> int | None:
    """Return the fewest seeds at which the t interval at ``level`` excludes 0 with at least this power.

    Two-sided at 0.95 and power .80: 34, 10 and 5 seeds for effects of .5, 1 and 2 standard deviations of the paired
    difference; at fitlab's level of 0.90: 27, 8 and 4.

    effect: as in ``t_power``. Result: at least 2; None where ``MOST_SEEDS`` would not do, as for an effect of 0 or NaN.
    Raises ValueError as ``t_power`` does, and for a power outside (0, 1).
    """
    if not 0 < power < 1:
        raise ValueError(f"power must lie between 0 and 1, got {power}")
    low, high = 2, MOST_SEEDS
    if not t_power(effect, high, level, one_sided=one_sided, prior_df=prior_df) >= power:
        return None
    while low < high:  # power grows with seeds
        middle = (low + high) // 2
        if t_power(effect, middle, level, one_sided=one_sided, prior_df=prior_df) >= power:
            high = middle
        else:
            low = middle + 1
    return low


def _below(free: Floats, shift: Floats, bound: Floats) -> Floats:
    """The noncentral t law below a bound; scipy gives NaN where that is 0 to all digits."""
    below = nctdtr(free, np.minimum(shift, FARTHEST), bound)
    return np.asarray(np.where(np.isnan(below) & ~np.isnan(shift), 0.0, below))
