"""A number of the parameters against the generalisation gap, Config by Config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fitlab.diagnosis.naming import counted, name_of, percent
from fitlab.parameters.measured import NETWORK
from fitlab.plots.above import head
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.marks import Mark, explained, mark_of, verdict_text
from fitlab.plots.shared import FAINT, axes_or_new, bare, nothing, refuse_other
from fitlab.plots.sources import numeric
from fitlab.records import Config, Interval
from fitlab.sweep import Sweep

LABELS = {
    "norm": "norm of all parameters",
    "distance": "distance from initialisation",
    "path_norm": "path norm",
    "spectral_product": "product of spectral norms",
    "margin": "margin, tenth percentile",
    "dead": "share of silent units",
    "path_norm/margin": "path norm / margin",
    "spectral_product/margin": "product of spectral norms / margin",
    "bias_ablation": "rise of validation loss without biases",
    "gap/loss": "validation loss − train loss",
    "loss/val": "validation loss",
    "loss/train": "train loss",
}
COLUMNS = ("config", "name", "verdict", "x", "x_low", "x_high", "y", "y_low", "y_high", "n")
WIDE = 30.0  # from this ratio of its numbers on an axis is logarithmic


@dataclass(frozen=True, eq=False)
class NormsVsGap:
    """Means over seeds of two numbers of each Config, with Student-t intervals."""

    metric: str
    outcome: str
    frame: pd.DataFrame  # a row per Config; what is not known is missing
    level: float | None = None  # of the intervals; None: of a DataFrame
    without: int = 0  # Configs of which one of the two is not known
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per Config: config, name, verdict, x, x_low, x_high (the metric), y … (the outcome), n seeds."""
        return self.frame[[name for name in COLUMNS if name in self.frame]].reset_index(drop=True)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        left = f" {counted(self.without, 'Config')} without both numbers left out." if self.without else ""
        many = self.level is not None and (self.frame["n"] > 1).any()
        bars = f", mean over seeds with {percent(self.level)} Student-t intervals" if self.level and many else ""
        judged = ", coloured by verdict" if _judged(self.frame) else ""
        return (
            f"{_said(self.outcome).capitalize()} against {_said(self.metric)} at the last epoch; a point a Config "
            f"({len(self.frame)}){bars}{judged}.{left} Norms do not order test error along capacity."
        )


def norms_vs_gap(
    source: Sweep | NormsVsGap | pd.DataFrame,
    *,
    metric: str = "norm",
    outcome: str = "gap/loss",
    ax: Axes | None = None,
) -> Axes:
    """Draw a number of the whole network against the gap: a point a Config, with bars, in the colour of its verdict.

    Never part of a verdict: along capacity norms do not order test error.
    metric: of the network, see ``fitlab.parameters.measured``. outcome: gap/loss, loss/val, or another final metric.
    source: a Sweep; or a DataFrame with columns x and y, and where there are any name, verdict, x_low, x_high, y_low
    and y_high. What is drawn is ``norms_of(…).table()``. Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, NormsVsGap) else norms_of(source, metric=metric, outcome=outcome)
    frame = found.frame
    marks = [mark_of(text) for text in frame["verdict"]]
    ax = axes_or_new(ax)
    ax.axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    for mark in sorted({*marks}, key=lambda one: one.order):
        _points(ax, frame[[one == mark for one in marks]], mark)
    if (frame["x"] > 0).all() and frame["x"].max() > WIDE * frame["x"].min():
        ax.set_xscale("log")
    ax.set_xlabel(_said(found.metric), parse_math=False)
    ax.set_ylabel(_said(found.outcome), parse_math=False)
    bare(ax)
    lines, words = explained(marks)
    head(ax, "", dict(zip(words, lines, strict=True)), _judged(frame))
    return shows(ax, found)


def norms_of(source: Sweep | pd.DataFrame, *, metric: str = "norm", outcome: str = "gap/loss") -> NormsVsGap:
    """Return what ``norms_vs_gap`` draws. Reads weights from the store. Raises ValueError, StoreError."""
    if isinstance(source, pd.DataFrame):
        return NormsVsGap(metric, outcome, _framed(source))
    refuse_other(source, Sweep, pd.DataFrame)
    return _of_sweep(source, metric, outcome)


def _of_sweep(sweep: Sweep, metric: str, outcome: str) -> NormsVsGap:
    both = [(config, _metric(sweep, config), sweep.intervals(config)) for config in sweep.configs]
    points = [
        (config, numbers[metric], finals[outcome])
        for config, numbers, finals in both
        if metric in numbers and outcome in finals
    ]
    if not points:
        there = dict.fromkeys(name for _, numbers, finals in both for name in (*numbers, *finals))
        raise nothing(f"no Config of {sweep.spec.name} has both {metric} and {outcome}", there)
    rows = [
        (config.digest[:12], name_of(config), verdict_text(sweep, config), *_ends_of(x), *_ends_of(y), min(x.n, y.n))
        for config, x, y in points
    ]
    frame = _framed(pd.DataFrame(rows, columns=COLUMNS))
    origin = origin_of(sweep, [config for config, _, _ in points])
    without = len(sweep.configs) - len(points)
    return NormsVsGap(metric, outcome, frame, sweep.spec.diagnosis.level, without, origin)


def _ends_of(one: Interval) -> tuple[float, float, float]:
    return one.estimate, one.low, one.high


def _metric(sweep: Sweep, config: Config) -> dict[str, Interval]:
    return {name: one for (layer, _, name), one in sweep.parameter_means(config).items() if layer == NETWORK}


def _judged(frame: pd.DataFrame) -> bool:
    """Whether any row has a verdict."""
    return any(mark_of(text).label is not None for text in frame["verdict"])


def _said(name: str) -> str:
    return LABELS.get(name, name.replace("_", " "))


def _framed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with all columns; what a DataFrame lacks is unknown."""
    missing = {"x", "y"} - {*frame.columns}
    if missing:
        raise nothing(f"the DataFrame lacks {', '.join(sorted(missing))}", frame.columns)
    frame = numeric(frame, "x", "x_low", "x_high", "y", "y_low", "y_high")
    rows: pd.DataFrame = frame.assign(
        verdict=frame["verdict"].fillna("") if "verdict" in frame else "",
        **{name: np.nan for name in ("x_low", "x_high", "y_low", "y_high") if name not in frame},
    )
    rows = rows[np.isfinite(rows["x"]) & np.isfinite(rows["y"])]
    if not len(rows):
        raise nothing("no row has finite x and y")
    return rows


def _points(ax: Axes, rows: pd.DataFrame, mark: Mark) -> None:
    style = {**mark.sized(5), "elinewidth": 0.7, "label": mark.word}
    ax.errorbar(rows["x"], rows["y"], xerr=_ends(rows, "x"), yerr=_ends(rows, "y"), **style)


def _ends(rows: pd.DataFrame, name: str) -> Sequence[pd.Series]:
    """Return the lengths of bars; those that are not known are not drawn."""
    return [rows[name] - rows[f"{name}_low"], rows[f"{name}_high"] - rows[name]]
