"""Sweeps whose curves are drawn here: what should be said of them is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fitlab.diagnosis import diagnose
from fitlab.sweep import Sweep
from fitlab.verdicts import Check, Verdict, Verdicts

EPOCHS = np.arange(41)
NULL = {"train": 2.0, "val": 2.0}


def falling(to: float, rate: float = 8.0, start: float = 2.0) -> np.ndarray:
    """A loss that falls from ``start``. -> (41,)"""
    return to + (start - to) * np.exp(-EPOCHS / rate)


def memorising(lowest: float, rise: float) -> np.ndarray:
    """A validation loss that falls and rises again. -> (41,)"""
    return falling(lowest) + rise * np.maximum(EPOCHS - 15, 0)


GOOD = (falling(0.8), falling(1.0))
UNDERFIT = (falling(1.6), falling(1.7))
OVERFIT = (falling(0.0), memorising(1.1, 0.05))
SHAPES = {"small": UNDERFIT, "right": GOOD, "large": OVERFIT}
SIZES = {"small": 1.0, "right": 2.0, "large": 3.0}


def frame(curves: Mapping[str, tuple[Any, Any]], seeds: int = 5, noise: float = 0.02) -> pd.DataFrame:
    """Return tidy rows. A seed adds the same luck to every Config, and a little of their own."""
    rng = np.random.default_rng(0)
    luck = noise * rng.standard_normal(seeds)
    rows = []
    for name, (train, val) in curves.items():
        for seed in range(seeds):
            own = luck[seed] + noise * rng.standard_normal(2)
            for (split, curve), shift in zip((("train", train), ("val", val)), own, strict=True):
                values = np.maximum(np.asarray(curve) + shift, 1e-6)
                columns = {"config": name, "seed": seed, "epoch": np.arange(len(values)), "split": split}
                rows.append(pd.DataFrame({**columns, "metric": "loss", "value": values}))
    return pd.concat(rows, ignore_index=True)


def recorded(curves: Mapping[str, tuple[Any, Any]], seeds: int = 5, noise: float = 0.02, **options: Any) -> Sweep:
    """Return the Sweep of such a frame."""
    return Sweep.from_frame(frame(curves, seeds, noise), **{"constant": NULL, **options})


def named(sweep: Sweep, verdicts: Verdicts | None = None) -> dict[str, Verdict]:
    """Return the verdicts under the names of the Configs."""
    found = (verdicts or diagnose(sweep)).by_config
    return {config.swept["model.name"]: found[config.digest] for config in sweep.configs}


def check(verdicts: Verdicts, code: str) -> Check:
    """Return one check of a sweep."""
    return next(one for one in verdicts.checks if one.code == code)
