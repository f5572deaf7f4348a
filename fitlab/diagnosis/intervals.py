"""Moderated t intervals for the means over seeds of many Configs, on the scale asinh(q/δ)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitlab.diagnosis.evidence import Rule
from fitlab.records import Floats, Interval
from fitlab.stats import moderated_half_widths, prior_variance, sample_variances, seeds_needed

ONE = math.asinh(1.0)  # the margin on the scale of comparison
MOST_SEEDS = 1000  # more are a wish, no plan


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds on the scale asinh(q/δ), with its bounds and the spread of one seed's value."""

    mean: float
    low: float
    high: float
    spread: float  # moderated standard deviation
    prior_df: float  # degrees of freedom that the sweep lends

    @property
    def material(self) -> bool:
        """Whether its mean is above the margin."""
        return self.mean > ONE

    def interval(self, margin: float, level: float, n: int) -> Interval:
        """Return it in units of loss. δ·sinh of the mean is no arithmetic mean; its order with the margin is kept."""
        estimate, low, high = (unscaled(value, margin) for value in (self.mean, self.low, self.high))
        return Interval(estimate, low, high, level, n, "moderated t of asinh(q/margin)" if n > 1 else "one seed")

    def seeds_needed(self, limit: float, rule: Rule) -> int | None:
        """Return the seeds with which its bound passes a limit, at the power of the rule; None: it is no plan.

        By the noncentral t, as if mean and spread were the true ones: an order of magnitude, not a promise. Where seeds
        re-split one data set, n of them are worth 1/(1/n + n_val/n_train).
        """
        away = abs(self.mean - limit)
        if not (away > 0 and math.isfinite(self.spread)):
            return None
        effect = away / self.spread if self.spread else math.inf
        one_sided = (1 + rule.level) / 2
        worth = seeds_needed(effect, rule.power, one_sided, one_sided=True, prior_df=self.prior_df)
        if worth is None or worth * rule.resplit >= 1:
            return None
        needed = math.ceil(worth / (1 - worth * rule.resplit))
        return needed if needed <= MOST_SEEDS else None


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates of one quantity for A Configs: arrays (A,), NaN where it was not measured."""

    mean: Floats
    half: Floats  # of the interval's width; NaN under one seed
    spread: Floats
    prior_df: float

    def __getitem__(self, row: int) -> Estimate:
        mean, half = float(self.mean[row]), float(self.half[row])
        return Estimate(mean, mean - half, mean + half, float(self.spread[row]), self.prior_df)


def scaled(losses: Floats, margin: float) -> Floats:
    """Return asinh(q/δ): linear within the margin, logarithmic far outside."""
    return np.arcsinh(losses / margin)


def unscaled(value: float, margin: float) -> float:
    """Return δ·sinh, infinite where it overflows."""
    return margin * (math.copysign(math.inf, value) if abs(value) > 700 else math.sinh(value))


def estimates(losses: Floats, margin: float, rule: Rule) -> Estimates:
    """Return the moderated t intervals of differences between losses. losses: (A, S), NaN: not measured.

    The prior is the median variance of the rows whose values differ. k such rows cannot lend more degrees of freedom
    than the others of them have: (k−1)(S−1). A lone row borrows nothing.
    """
    values, seeds = scaled(losses, margin), losses.shape[1]
    noisy = int((sample_variances(values) > 0).sum())
    prior_df = lent(noisy, seeds, rule)
    prior = prior_variance(values)
    half = moderated_half_widths(values, rule.level, prior_df, 0.0 if math.isnan(prior) else prior)
    half *= math.sqrt(1 + rule.resplit * seeds)
    return Estimates(values.mean(axis=1), half, half / width(seeds, prior_df, rule), prior_df)


def lent(noisy: int, seeds: int, rule: Rule) -> float:
    """Return the degrees of freedom that a sweep lends, of which ``noisy`` rows have a variance."""
    return float(min(rule.prior_df, max(noisy - 1, 0) * (seeds - 1)))


@lru_cache(maxsize=64)
def width(seeds: int, prior_df: float, rule: Rule) -> float:
    """Return half the interval's width for values of standard deviation 1; NaN under one seed."""
    if seeds < 2:
        return math.nan
    values = np.arange(seeds) / np.arange(seeds).std(ddof=1)
    return float(moderated_half_widths(values, rule.level, prior_df, 1.0)) * math.sqrt(1 + rule.resplit * seeds)
