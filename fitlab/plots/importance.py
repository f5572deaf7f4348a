"""How much each swept parameter matters, as bars: Optuna's importance."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fitlab.diagnosis.naming import counted, listed, percent
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.keys import words
from fitlab.plots.rows import said
from fitlab.plots.shared import FAINT, SERIES, axes_or_new, bare, draw_legend, nothing
from fitlab.plots.sources import numeric
from fitlab.sweep import Sweep
from fitlab.theory.importance import MEAN, Importance

NAMES = {"ped_anova": "PED-ANOVA", "fanova": "fANOVA"}
LETTERS = 20  # of a name in one line


@dataclass(frozen=True, eq=False)
class Bars:
    """What ``parameter_importance`` draws."""

    rows: pd.DataFrame  # parameter, seed, value, low, high
    caption: str
    origin: Origin | None = None
    axis: str = "importance"

    def table(self) -> pd.DataFrame:
        """Return a row per parameter and seed: parameter, seed (a number, or mean), value, low, high."""
        return self.rows


def parameter_importance(
    source: Importance | Bars | pd.DataFrame, *, ax: Axes | None = None, legend: bool = True
) -> Axes:
    """Draw the importance of each swept parameter as a bar, each seed by itself as a dot, with its interval.

    source: what ``fitlab.importance(sweep)`` gives; or a DataFrame with columns parameter and value, and, where it has
    them, low, high and seed (``mean``, or a number). What is drawn is ``bars_of(…).table()``.
    Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, Bars) else bars_of(source)
    ax = axes_or_new(ax)
    rows = found.rows
    means = rows[rows["seed"] == MEAN].reset_index(drop=True)
    place = {key: i for i, key in enumerate(means["parameter"])}
    ax.barh(means.index, means["value"], height=0.55, color=SERIES[0], alpha=0.35, linewidth=0)
    for at, (low, high) in enumerate(zip(means["low"], means["high"], strict=True)):
        ax.plot([low, high], [at, at], color=SERIES[0], linewidth=1.2)  # unknown bounds draw nothing
    alone = rows[rows["seed"] != MEAN]
    ax.plot(alone["value"], alone["parameter"].map(place), ".", color=FAINT, markersize=3.5, markeredgewidth=0)
    names = ["\n".join(wrap(words(key), LETTERS)) for key in place]
    ax.set_yticks(range(len(place)), names, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(place) - 0.5, -0.5)
    ax.set_xlim(0, min(1.02, 1.1 * float(np.nanmax([*rows["value"], *rows["high"], 0.05]))))
    ax.set_xlabel(found.axis, parse_math=False)
    bare(ax)
    if legend and len(alone):
        draw_legend(ax, *_explained(bool(means["low"].notna().any())), loc="lower right")
    return shows(ax, found)


def _explained(bounded: bool) -> tuple[list[Line2D | Patch], list[str]]:
    bar = Patch(color=SERIES[0], alpha=0.35, linewidth=0)
    dot = Line2D([], [], marker=".", color=FAINT, linestyle="none", markersize=3.5)
    line = Line2D([], [], color=SERIES[0], linewidth=1.2)
    handles: list[Line2D | Patch] = [bar, *([line] if bounded else []), dot]
    return handles, ["of the mean over seeds", *(["interval"] if bounded else []), "each seed alone"]


def bars_of(source: Importance | pd.DataFrame) -> Bars:
    """Return what ``parameter_importance`` draws. Raises ValueError where there is nothing."""
    match source:
        case Importance():
            return _bars(source)
        case pd.DataFrame():
            return _told(source)
        case Sweep():
            raise nothing("importance is computed before: plots.parameter_importance(fitlab.importance(sweep))")
    raise nothing(f"importance of a {type(source).__name__}: give what fitlab.importance(sweep) returns")


def _bars(found: Importance) -> Bars:
    method = NAMES[found.method]
    of_best = found.method == "ped_anova"
    best = f"being among the best {found.best} of {counted(found.configs, 'Config')}"
    what = best if of_best else f"its variance over {counted(found.configs, 'Config')}"
    one = next(iter(found.shares.values()))
    bounds = "no intervals" if of_best else f"lines: {percent(one.level)} jackknife intervals over {one.n} seeds"
    spread = f"{bounds}; dots: each seed alone" if one.n > 1 else "one seed, no interval"
    lines = [
        *([f"{counted(found.penalised, 'Config')} that diverged counted as the worst"] if found.penalised else []),
        *([f"{counted(found.left_out, 'Config')} pruned or failed left out"] if found.left_out else []),
        *([f"{listed(map(words, found.omitted))} left out: not every Config has it"] if found.omitted else []),
        *(f"Optuna: {remark.rstrip('.')}" for remark in found.remarks),
    ]
    text = (
        f"Importance of swept parameters for {said(found.metric)}, by Optuna's {method}: the share of each in {what}"
        f"; {spread}.{''.join(f' {line}.' for line in lines)}"
    )
    axis = f"importance for {said(found.metric)} ({method})"
    return Bars(found.table(), text, origin_of(found.sweep, interval=one.method or "none"), axis)


def _told(frame: pd.DataFrame) -> Bars:
    lacking = {"parameter", "value"} - {*frame.columns}
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(sorted(lacking))}", frame.columns)
    frame = numeric(frame, "value", "low", "high")
    rows = frame.assign(**{name: np.nan for name in ("low", "high") if name not in frame})
    rows["seed"] = frame["seed"].map(str) if "seed" in frame else MEAN
    twice = rows[rows.duplicated(["parameter", "seed"])]
    if len(twice):
        raise nothing(f"parameter {twice['parameter'].iloc[0]} is there twice")
    if MEAN not in {*rows["seed"]}:
        raise nothing(f"no row has the seed {MEAN}, of whose rows bars are", rows["seed"].unique())
    if not np.isfinite(rows.loc[rows["seed"] == MEAN, "value"]).any():
        raise nothing("no parameter has an importance", rows["parameter"].unique())
    keys = rows.loc[rows["seed"] == MEAN].sort_values("value", ascending=False, kind="stable")["parameter"]
    ordered = rows.set_index("parameter").loc[[*keys]].reset_index()
    return Bars(ordered, f"Importance of {counted(len(keys), 'parameter')}.")
