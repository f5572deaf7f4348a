"""How much each swept parameter matters: the record; it is computed where Optuna may be imported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from fitlab.records import Interval
from fitlab.sweep import Sweep

Method = Literal["ped_anova", "fanova"]
METHODS: tuple[Method, ...] = get_args(Method)
MEAN = "mean"  # where the number of a seed stands, for what is of the means over seeds


@dataclass(frozen=True, eq=False)
class Importance:
    """Shares of swept parameters in what a metric comes to; they add up to 1."""

    sweep: Sweep
    metric: str
    method: Method
    shares: Mapping[str, Interval]  # swept key -> its share with the means over seeds, the largest first
    by_seed: Mapping[str, Mapping[int, float]]  # swept key -> seed -> its share under that seed alone; empty: one seed
    configs: int  # how many it rests on
    best: int  # of ped_anova: how many of them are those that it is about
    penalised: int  # Configs that diverged: with the worst loss of all, at least the constant predictor's
    left_out: int  # Configs that were pruned or failed under some seed
    omitted: tuple[str, ...]  # swept keys that have no share: fanova ranks those alone that every Config has
    remarks: tuple[str, ...] = ()  # Optuna's warnings

    def table(self) -> pd.DataFrame:
        """Return a row per parameter and seed: parameter, seed (a number, or mean), value, low, high, n."""
        rows: list[tuple[str, str, float, float, float, int]] = []
        for key, one in self.shares.items():
            rows += [(key, str(seed), v, math.nan, math.nan, 1) for seed, v in self.by_seed.get(key, {}).items()]
            rows.append((key, MEAN, one.estimate, one.low, one.high, one.n))
        return pd.DataFrame(rows, columns=["parameter", "seed", "value", "low", "high", "n"])
