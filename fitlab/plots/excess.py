"""The generalisation gap against what a Config loses more than the best: a gap is not overfitting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fitlab.diagnosis import diagnose
from fitlab.diagnosis.gather import groups
from fitlab.diagnosis.naming import counted, listed, name_of, number, percent
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.marks import Mark, explained, mark_of
from fitlab.plots.shared import FAINT, axes_or_new, bare, draw_legend, nothing
from fitlab.plots.sources import recorded
from fitlab.records import Interval
from fitlab.sweep import Sweep

WIDE = 30.0  # from this ratio of the largest gap to the middle one on, gaps are drawn on an asinh axis, too
MANY = 60  # Configs among which there is no room for a legend
STEPS = 5  # numbers at an axis, about
MODERATED = "moderated Student-t over seeds"


@dataclass(frozen=True)
class Judged:
    """One Config."""

    config: str
    name: str
    verdict: str
    excess: Interval  # validation loss minus the reference's, in units of loss
    gap: Interval  # validation minus train loss
    delta: float  # the margin, in units of loss


@dataclass(frozen=True)
class GapVsExcess:
    """What ``gap_vs_excess`` draws."""

    points: tuple[Judged, ...]
    margin: float  # δ as a share of the constant predictor's loss
    level: float
    origin: Origin | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)  # verdict -> Configs without numbers

    def table(self) -> pd.DataFrame:
        """Return a row per Config: config, name, verdict, excess and gap with bounds, delta, excess in margins, n."""
        rows = []
        for one in self.points:
            cells: dict[str, Any] = {"config": one.config, "name": one.name, "verdict": one.verdict}
            for key, found in (("excess", one.excess), ("gap", one.gap)):
                cells |= {key: found.estimate, f"{key}_low": found.low, f"{key}_high": found.high}
            rows.append({**cells, "delta": one.delta, "margins": one.excess.estimate / one.delta, "n": one.gap.n})
        return pd.DataFrame(rows)

    @property
    def wide(self) -> bool:
        """Whether gaps spread so far that they are drawn like the excess, on an asinh axis in margins."""
        gaps = np.abs([one.gap.estimate for one in self.points])
        return bool(gaps.max() > WIDE * max(float(np.median(gaps)), self.points[0].delta))

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        deltas = sorted({one.delta for one in self.points})
        margin = " to ".join(dict.fromkeys(number(one) for one in (deltas[0], deltas[-1])))
        many, seeds = counted(len(self.points), "Config"), max(one.gap.n for one in self.points)
        moderated = ", for the excess with variances moderated over the sweep"
        over = f"; bars: {percent(self.level)} Student-t intervals over {seeds} seeds{moderated}"
        bars = over if seeds > 1 else "; one seed"
        left = "".join(f" {counted(count, 'Config')} {text} left out." for text, count in self.left_out.items())
        return (
            f"Generalisation gap (validation minus train loss) against the excess over the best Config, in units of "
            f"the margin δ = {margin} ({percent(self.margin)} of the constant predictor's loss) on an asinh axis: "
            f"{many}{bars}. Shaded: within the margin. A gap is not overfitting: {self._lesson}.{left}"
        )

    @property
    def _lesson(self) -> str:
        """Say with numbers of this figure that gaps do not tell verdicts."""
        marks = [(mark_of(one.verdict), one) for one in self.points]
        good = [one.gap.estimate for mark, one in marks if mark.word in ("good", "benign") and not mark.leaning]
        under = [one.gap.estimate for mark, one in marks if mark.word == "underfit" and not mark.leaning]
        said = [
            f"{word} Configs have gaps of {' to '.join(dict.fromkeys(map(number, (min(gaps), max(gaps)))))}"
            for word, gaps in (("good", good), ("underfit", under))
            if gaps
        ]
        return listed(said) or "what counts is the excess"


def gap_vs_excess(source: Sweep | GapVsExcess | pd.DataFrame, *, ax: Axes | None = None, legend: bool = True) -> Axes:
    """Draw the generalisation gap of every Config against its excess validation loss over the best, with its verdict.

    The excess is that of the verdict, ``reasons["excess"]``: against what the other seeds find best; in units of the
    margin δ on an axis that is linear within the margin and logarithmic outside (asinh). Bars are Student-t intervals,
    those of the excess moderated over the sweep. source: a Sweep, or a DataFrame as ``sweep.curves(constant=True)``
    gives it, which is diagnosed here. What is drawn is ``excess_of(…).table()``.
    Raises ValueError where there is nothing to draw, and SpecError for curves that cannot be diagnosed.
    """
    found = source if isinstance(source, GapVsExcess) else excess_of(source)
    ax = axes_or_new(ax)
    ax.axvspan(-1, 1, color="#E8E8E8", linewidth=0, zorder=0)
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=0)
    ax.axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    for one in sorted(found.points, key=lambda one: mark_of(one.verdict).order, reverse=True):
        _draw(ax, one, mark_of(one.verdict), one.delta if found.wide else 1.0, len(found.points))
    _scale(ax, "x", [end / one.delta for one in found.points for end in _ends(one.excess)])
    if found.wide:
        _scale(ax, "y", [end / one.delta for one in found.points for end in _ends(one.gap)])
    ax.set_xlabel("excess validation loss over the best, in margins δ")
    ax.set_ylabel("generalisation gap" + (", in δ" if found.wide else ""))
    bare(ax)
    if legend:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02)} if len(found.points) > MANY else {}
        draw_legend(ax, *explained((mark_of(one.verdict) for one in found.points), markersize=5), **beside)
    return shows(ax, found)


def _draw(ax: Axes, one: Judged, mark: Mark, unit: float, among: int) -> None:
    """Draw one Config. unit: of gaps. among: how many there are; bars of many are faint."""
    (x, left, right), (y, down, up) = (
        np.array([found.estimate, found.low, found.high]) / by
        for found, by in ((one.excess, one.delta), (one.gap, unit))
    )
    bars: dict[str, Any] = {"color": mark.colour, "linewidth": 0.7, "alpha": min(0.6, max(MANY / among * 0.6, 0.12))}
    ax.plot([left, right], [y, y], **bars)  # a bound that is not known draws nothing
    ax.plot([x, x], [down, up], **bars)
    ax.plot(x, y, **mark.sized(4.5 if among <= MANY else 3.0))


def _ends(found: Interval) -> list[float]:
    return [value for value in (found.estimate, found.low, found.high) if math.isfinite(value)]


def _scale(ax: Axes, way: Literal["x", "y"], values: Sequence[float]) -> None:
    """Give one way of axes an asinh scale that is linear up to 1, with few round numbers at it."""
    (ax.set_xscale if way == "x" else ax.set_yscale)("asinh", linear_width=1.0)
    low, high = np.arcsinh([min(values), max(values)])
    room = 0.04 * (high - low) + 0.05
    bounds = np.sinh([low - room, high + room])
    line = ax.xaxis if way == "x" else ax.yaxis
    step = max(1, round((high - low) / (STEPS * math.log(10))))  # powers of ten from one number to the next
    ticks = [0.0, *(sign * 10.0**power for power in range(step if step > 1 else 0, 18, step) for sign in (-1, 1))]
    line.set_major_locator(FixedLocator([tick for tick in ticks if bounds[0] <= tick <= bounds[1]]))
    line.set_minor_locator(NullLocator())
    line.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.5g}".replace("-", "−").replace("e+0", "e")))
    (ax.set_xlim if way == "x" else ax.set_ylim)(*bounds)


def excess_of(source: Sweep | pd.DataFrame) -> GapVsExcess:
    """Return what ``gap_vs_excess`` draws. Raises ValueError where there is nothing, and SpecError."""
    sweep = source if isinstance(source, Sweep) else recorded(source)
    if not sweep.verdicts.by_config:
        sweep = replace(sweep, verdicts=diagnose(sweep))
    margins = {config.digest: group.margin for group in groups(sweep) for config in group.configs}
    points, left = [], []
    for config in sweep.configs:
        verdict, gap = sweep.verdicts.by_config[config.digest], sweep.intervals(config).get("gap/loss")
        excess, delta = verdict.reasons.get("excess"), margins[config.digest]
        if excess is None or gap is None or not delta > 0 or not math.isfinite(excess.estimate):
            left.append(verdict.text)
        else:
            points.append(Judged(config.digest[:12], name_of(config), verdict.text, excess, gap, delta))
    counts = {text: left.count(text) for text in dict.fromkeys(left)}
    if not points:
        raise nothing("no Config has an excess and a gap", (f"{count} {text}" for text, count in counts.items()))
    shown = {one.config for one in points}
    drawn = [config for config in sweep.configs if config.digest[:12] in shown]
    origin = origin_of(sweep, drawn, MODERATED) if isinstance(source, Sweep) else None
    rule = sweep.spec.diagnosis
    return GapVsExcess(tuple(points), rule.margin, rule.level, origin, counts)
