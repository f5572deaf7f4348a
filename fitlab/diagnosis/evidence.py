"""What a diagnosis is made from: losses after each epoch, and the rule's constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.records import Floats, Outcome


@dataclass(frozen=True)
class Rule:
    """The constants of the rule, all of them known before the sweep."""

    margin: float = 0.05  # what matters: this share of the constant predictor's loss
    level: float = 0.90
    prior_df: float = 4.0  # degrees of freedom with which the sweep's median variance moderates each one (0: none)
    power: float = 0.80  # at which seeds needed are told
    resplit: float = 0.0  # n_val / n_train where seeds re-split one data set: widens all intervals (0: not widened)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One Config: its losses at P measured epochs under S seeds; rows of NaN where a seed has nothing.

    A seed that was measured at fewer epochs than others (it diverged, or stopped early) has its last value repeated
    where it completed, and NaN where it did not. P = 0: nothing was measured at all.
    """

    epoch: NDArray[np.int64]  # (P,) ascending; begins at 0 where it was measured before training; P = 1: no axis
    train: Floats  # (S, P) penalty excluded
    val: Floats  # (S, P)
    outcomes: tuple[Outcome | None, ...]  # (S,) None: no Fit
    capacity: float | None = None  # its place on the declared axis, small to large
    group: str | None = None  # the same for Configs that differ in nothing but capacity; sides are told within it
    accuracy: Floats | None = None  # (S,) on validation at the end

    @property
    def completed(self) -> bool:
        """Whether the Fits of all seeds completed."""
        return all(outcome is Outcome.COMPLETED for outcome in self.outcomes)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Configs on the same data under the same S seeds, hence paired within seeds."""

    configs: tuple[Candidate, ...]  # (C,)
    null_train: Floats  # (S,) the constant predictor's losses
    null_val: Floats  # (S,)
    kind: str  # of loss: "log_loss", "squared_error" or another one

    def margin(self, rule: Rule) -> float:
        """Return δ, the loss that matters: a share of the constant predictor's mean validation loss."""
        return rule.margin * float(np.mean(self.null_val))
