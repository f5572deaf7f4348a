"""What parameters say about the fit, Config by Config."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fitlab.parameters.measured import NETWORK
from fitlab.sweep import Sweep
from fitlab.verdicts import COLOURS, Label

OPEN = "not diagnosed"


def norms_vs_gap(sweep: Sweep, *, metric: str = "norm", outcome: str = "gap/loss", ax: Axes | None = None) -> Axes:
    """Draw a number of the whole network against an outcome, a point with intervals for each Config, by its verdict.

    metric: norm, distance, path_norm, spectral_product, margin …, see ``fitlab.parameters.measured``. outcome: a
    column of ``sweep.table()``. Raises ValueError where no Config has both.
    """
    data = norms_vs_gap_table(sweep, metric=metric, outcome=outcome)
    ax = ax or plt.subplots()[1]
    for verdict, rows in data.groupby("verdict", sort=False):
        colour = COLOURS[Label(str(verdict))] if verdict != OPEN else "#8C8C8C"
        bars = {
            side: np.abs(rows[[f"{side}_low", f"{side}_high"]].to_numpy().T - rows[side].to_numpy()) for side in "xy"
        }
        bars = {side: np.nan_to_num(lengths) for side, lengths in bars.items()}  # one seed has no interval
        words = str(verdict).replace("_", " ")
        ax.errorbar(rows["x"], rows["y"], bars["y"], bars["x"], "o", color=colour, ms=4, lw=0.8, label=words)
    ax.set(xlabel=metric.replace("_", " "), ylabel=outcome)
    ax.legend(frameon=False)
    return ax


def norms_vs_gap_table(sweep: Sweep, *, metric: str = "norm", outcome: str = "gap/loss") -> pd.DataFrame:
    """Return what ``norms_vs_gap`` draws: config, x and y with their bounds, verdict."""
    rows = []
    for config in sweep.configs:
        found = {name: one for (layer, _, name), one in sweep.parameter_means(config).items() if layer == NETWORK}
        outcomes = sweep.intervals(config)
        if metric in found and outcome in outcomes:
            x, y, verdict = found[metric], outcomes[outcome], sweep.verdicts.by_config.get(config.digest)
            label = str(verdict.label) if verdict else OPEN
            rows.append((config.digest[:12], x.estimate, x.low, x.high, y.estimate, y.low, y.high, label))
    if not rows:
        raise ValueError(f"no Config of {sweep.spec.name} has both {metric} and {outcome}")
    return pd.DataFrame(rows, columns=["config", "x", "x_low", "x_high", "y", "y_low", "y_high", "verdict"])
