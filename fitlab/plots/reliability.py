"""A reliability diagram: predicted probabilities against what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fitlab.diagnosis.naming import counted, interval, number, percent
from fitlab.errors import FitlabError
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.shared import FAINT, VAL, axes_or_new, bare, entitle, nothing, small
from fitlab.plots.sources import numeric, titled
from fitlab.sweep import Sweep
from fitlab.theory.calibration import PLACES, Calibration, Said, calibrated

HIGH = 0.2  # of the axes: how high the histogram's highest bar is
PARTS = {"val": ("validation", VAL), "test": ("test", "#000000")}


@dataclass(frozen=True, eq=False)
class Reliability:
    """What ``calibration`` draws."""

    found: Calibration
    title: str
    axes: tuple[str, str]  # what stands at them
    seeds: int
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per bin and bar: what (bin, histogram), probability, value, low, high, rows."""
        return self.found.table()

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        one = self.found
        part = PARTS.get(one.part, (one.part, ""))[0] if one.sweep is not None else "given"
        of = f"{counted(one.rows, f'{part} row')} under each of {counted(self.seeds, 'seed')}"
        bounds = f" with {percent(one.error.level)} Student-t intervals over seeds" if self.seeds > 1 else ""
        top = " of the most probable class" if one.classes else ""
        test = " Test rows are shown for the selected Config alone." if one.part == "test" else ""
        title = f"{self.title}: predicted" if self.title else "Predicted"
        return (
            f"{title} probability{top} against the share that came true, in {counted(len(one.bins), 'bin')} of "
            f"about equally many rows, means over seeds{bounds} ({of}); dashed: calibrated; grey: histogram of the "
            f"probabilities. Expected calibration error {interval(one.error)}; where all probabilities are right it "
            f"would be {number(one.by_chance)}. Mean probability minus share: {interval(one.confidence)}.{test}"
        )


def calibration(source: Calibration | Reliability | pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw predicted probabilities against what came true, in bins of equally many rows, with the calibration error.

    Below the diagonal predictions are over-confident, as classifiers that overfit in log-loss are, often at the same
    accuracy. source: what ``fitlab.calibration(sweep, config)`` gives; or a DataFrame with a row per prediction:
    ``probability`` and ``correct`` (whether the class that was predicted is the true one), or ``probability`` of the
    event and ``y`` (whether it came), both 0 or 1; and, where there are several, ``seed``.
    What is drawn is ``reliability_of(…).table()``. Raises ValueError where there is nothing to draw.
    """
    found = source if isinstance(source, Reliability) else reliability_of(source)
    ax = axes_or_new(ax)
    one, shade = found.found, PARTS.get(found.found.part, ("", VAL))[1]
    ax.stairs(one.shares / one.shares.max() * HIGH, PLACES, fill=True, color="#D9D9D9", zorder=0)
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=0.8, zorder=1)
    at = np.array([b.probability for b in one.bins])
    true, low, high = (np.array([getattr(b.true, end) for b in one.bins]) for end in ("estimate", "low", "high"))
    ax.fill_between(at, np.clip(low, 0, 1), np.clip(high, 0, 1), color=shade, alpha=0.18, linewidth=0)
    ax.plot(at, true, color=shade, marker="o", markersize=3.5, linewidth=1.2, zorder=3)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel(found.axes[0])
    ax.set_ylabel(found.axes[1])
    ax.text(0.03, 0.97, _numbers(one), transform=ax.transAxes, va="top", fontsize=small(), parse_math=False)
    if found.title:
        entitle(ax, found.title)
    bare(ax)
    return shows(ax, found)


def _numbers(one: Calibration) -> str:
    way = "over" if one.confidence.estimate > 0 else "under"
    return (
        f"ECE {interval(one.error)}\nif calibrated: {number(one.by_chance)}\n"
        f"{way}-confident by {number(abs(one.confidence.estimate))}"
    )


def reliability_of(source: Calibration | pd.DataFrame) -> Reliability:
    """Return what ``calibration`` draws. Raises ValueError where there is nothing."""
    match source:
        case Calibration():
            seeds = max(one.true.n for one in source.bins)
            title, origin = "", None
            if source.sweep is not None and source.config is not None:
                title, origin = titled(source.sweep, source.config), origin_of(source.sweep, [source.config])
            return Reliability(source, title, ("confidence", "accuracy"), seeds, origin)
        case pd.DataFrame():
            return _told(source)
        case Sweep():
            raise nothing("labels are fetched before: plots.calibration(fitlab.calibration(sweep, config))")
    raise nothing(f"calibration of a {type(source).__name__}: give what fitlab.calibration(sweep, config) returns")


def _told(frame: pd.DataFrame) -> Reliability:
    """Return the reliability of predictions from elsewhere."""
    outcome = next((name for name in ("correct", "y") if name in frame), None)
    if outcome is None or "probability" not in frame:
        raise nothing("the DataFrame has no probability with correct or y", frame.columns)
    frame = numeric(frame, "probability", outcome)
    rows = frame[["probability", outcome]].assign(seed=frame.get("seed", 0)).dropna()
    if not rows[outcome].isin([0, 1]).all():
        raise nothing(f"{outcome} is 0 or 1, whether it came true", rows[outcome].unique()[:5])
    try:
        found = calibrated(_seeds(rows, outcome))
    except FitlabError as error:
        raise nothing(str(error)) from None
    axes = ("confidence", "accuracy") if outcome == "correct" else ("predicted probability", "observed frequency")
    return Reliability(replace(found, part="val"), "", axes, rows["seed"].nunique())


def _seeds(rows: pd.DataFrame, outcome: str) -> Sequence[Said]:
    return [
        Said(one["probability"].to_numpy(np.float64), one[outcome].to_numpy(np.float64))
        for _, one in rows.groupby("seed", sort=True)
    ]
