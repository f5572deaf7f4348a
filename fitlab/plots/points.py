"""What is measured along a swept key: each part over seeds, beside the lines it is held against, with verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fitlab.diagnosis.naming import counted, listed, percent
from fitlab.plots.along import Places, number_of, set_places
from fitlab.plots.curves import PARTS, STEEP, Band, lines_of
from fitlab.plots.marks import mark_of
from fitlab.plots.shared import FAINT
from fitlab.plots.sources import floor_of, null_of
from fitlab.records import Config, Fit, Floats, Interval, Outcome
from fitlab.sweep import Sweep, data_key

BOTTOM = 1e-3  # of the lowest mean validation loss: what is below it, as losses of interpolating models are, is cut
MANY = 20  # seeds, from which on each is fainter
SELECTED = "selected"
GLYPH = 5.5  # of a verdict, points


@dataclass(frozen=True, eq=False)
class Points:
    """A metric at P values of a key, at the last epoch, under S seeds."""

    key: str
    metric: str
    values: tuple[Any, ...]  # (P,)
    places: Places
    seeds: tuple[int, ...]  # (S,)
    parts: Mapping[str, Band]  # train, val; NaN where a seed did not complete, and of what has no interval
    level: float
    null: Floats | None = None  # (P,) of the constant predictor on validation data, mean over seeds
    floor: Floats | None = None  # (P,)
    verdicts: tuple[str, ...] = ()  # (P,) brief ones; empty: none
    selected: int | None = None  # which of them validation chose
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> Configs that are not drawn

    def table(self) -> pd.DataFrame:
        """Return a row per part, value and line: the key, split, seed (a number, or mean), value, low, high, verdict.

        Of a list of one the key has its number.
        """
        frames = []
        at = [value if number_of(value) is None else _plain(number_of(value)) for value in self.values]
        for split, band in self.parts.items():
            for name, values in {**dict(zip(map(str, self.seeds), band.seeds, strict=True)), "mean": band.mean}.items():
                mean = name == "mean"
                low, high = (band.low, band.high) if mean else (np.nan, np.nan)
                said = self.verdicts if mean and split == "val" and self.verdicts else ""
                columns = {"split": split, "seed": name, "value": values, "low": low, "high": high, "verdict": said}
                frames.append(pd.DataFrame({self.key: at, **columns}))
        return pd.concat(frames, ignore_index=True)

    @property
    def said(self) -> str:
        """What a caption says of the lines."""
        many = len(self.seeds) > 1
        sure = any(np.isfinite(band.low).any() for band in self.parts.values())
        bars = f"; bars: {percent(self.level)} Student-t intervals" if sure else ""
        one = "of one seed" if self.seeds else "means over seeds"  # which are not known by themselves
        seeds = f"faint: {counted(len(self.seeds), 'seed')}, heavy: their mean{bars}" if many else f"{one}{bars}"
        lines = [
            *([f"dotted: the constant predictor{_one(self.null)}"] if self.null is not None else []),
            *(
                [f"dash-dotted: the floor estimated from the best Config{_one(self.floor)}"]
                if self.floor is not None
                else []
            ),
            *(["glyphs: verdicts, hollow where one only leans that way"] if any(self.verdicts) else []),
            *(["ringed: the Config that validation chooses"] if self.selected is not None else []),
        ]
        left = "".join(f" {counted(count, 'Config')} left out: {why}." for why, count in self.left_out.items())
        below = f" Values below {self.bottom:.2g} lie outside." if self.bottom else ""
        return f"{seeds}{''.join(f'; {line}' for line in lines)}.{below}{left}"

    @property
    def steep(self) -> bool:
        """Whether the vertical axis is logarithmic: for losses whose means span orders of magnitude."""
        means = self.parts["val"].mean
        means = means[np.isfinite(means)]
        return self.metric == "loss" and len(means) > 0 and means.min() > 0 and means.max() > STEEP * means.min()

    @property
    def bottom(self) -> float | None:
        """Below what a logarithmic axis is cut; None: nothing is below."""
        if not self.steep:
            return None
        least = BOTTOM * float(np.nanmin(self.parts["val"].mean))
        drawn = np.concatenate([band.mean for band in self.parts.values()])
        return least if (drawn[np.isfinite(drawn)] < least).any() else None


def _plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _one(line: Floats | None) -> str:
    """Return the one value of a line that has one."""
    return "" if line is None or len(set(line.tolist())) > 1 else f" ({line[0]:.3g})"


# ── from a Sweep ────────────────────────────────────────────────────────────────────────────────────────────


def points_of(sweep: Sweep, configs: Sequence[Config], key: str, metric: str, places: Places) -> Points:
    """Return what was measured of Configs that differ in one key, in their order. Numbers are ``sweep.table()``'s."""
    level = sweep.spec.diagnosis.level
    seeds = tuple(seed for seed in sweep.spec.seeds.values if any(_under(sweep, one, seed) for one in configs))
    parts = {
        split: _band(sweep, configs, seeds, f"{metric}/{split}")
        for split in PARTS
        if any(f"{metric}/{split}" in sweep.intervals(one) for one in configs)
    }
    chosen = sweep.verdicts.selection
    digests = [one.digest for one in configs]
    return Points(
        key,
        metric,
        tuple(one.swept[key] for one in configs),
        places,
        seeds,
        parts,
        level,
        null=_line([null_of(sweep, one, f"{metric}/val") for one in configs]),
        floor=_floors(sweep, configs) if metric == "loss" else None,
        verdicts=tuple(_brief(sweep, one) for one in configs) if sweep.verdicts.by_config else (),
        selected=digests.index(chosen.config) if chosen and chosen.config in digests else None,
    )


def _under(sweep: Sweep, config: Config, seed: int) -> Fit | None:
    return next((fit for fit in sweep.completed(config) if fit.job.seed == seed), None)


def _band(sweep: Sweep, configs: Sequence[Config], seeds: Sequence[int], metric: str) -> Band:
    fits = [[_under(sweep, config, seed) for config in configs] for seed in seeds]
    values = np.array([[np.nan if fit is None else fit.final.get(metric, np.nan) for fit in row] for row in fits])
    values = values.reshape(len(seeds), len(configs))
    unknown = Interval(np.nan, np.nan, np.nan, sweep.spec.diagnosis.level, 0, "")
    found = [sweep.intervals(config).get(metric, unknown) for config in configs]
    known = np.array([np.isfinite(one.estimate) for one in found])
    values = np.where(known, values, np.nan)  # survivors of pruning flatter
    return Band(values, *(np.array([getattr(one, name) for one in found]) for name in ("estimate", "low", "high")))


def _brief(sweep: Sweep, config: Config) -> str:
    verdict = sweep.verdicts.by_config.get(config.digest)
    return "" if verdict is None else verdict.brief


def _line(values: Sequence[float | None]) -> Floats | None:
    found = np.array([np.nan if one is None else one for one in values], dtype=np.float64)
    return found if np.isfinite(found).any() else None


def _floors(sweep: Sweep, configs: Sequence[Config]) -> Floats | None:
    """Return the floor at each Config; one for all where they are on the same data, that of what validation chose."""
    if len({data_key(one) for one in configs}) > 1:
        return _line([floor_of(sweep, one) for one in configs])
    chosen = sweep.verdicts.selection
    ordered = sorted(configs, key=lambda one: chosen is None or one.digest != chosen.config)
    found = next((floor for one in ordered if (floor := floor_of(sweep, one)) is not None), None)
    return None if found is None else np.full(len(configs), found)


def why_not(sweep: Sweep, config: Config) -> str:
    """Say why a Config has no numbers."""
    outcomes = [fit.outcome for fit in sweep.of(config)]
    if Outcome.PRUNED in outcomes:
        return "pruned under some seeds, and those that are left flatter it"
    others = [str(one) for one in dict.fromkeys(outcomes) if one is not Outcome.COMPLETED]
    return listed(others) if others else "no finite value"


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_points(ax: Axes, found: Points) -> None:
    """Draw every seed faintly, means with bars, verdicts at them, and the lines they are held against."""
    at = found.places.at
    for split, band in found.parts.items():
        _, shade, dashes = PARTS[split]
        if len(found.seeds) > 1:
            faint = 0.35 * min(1.0, MANY / len(found.seeds))
            ax.plot(at, band.seeds.T, color=shade, linestyle=dashes, linewidth=0.5, alpha=max(faint, 0.05))
        dots = "none" if split == "val" and any(found.verdicts) else "o"
        ends = np.array([band.mean - band.low, band.high - band.mean])
        style = {"linestyle": dashes, "linewidth": 1.3, "elinewidth": 0.8, "capsize": 1.5, "markersize": 3}
        ax.errorbar(at, band.mean, yerr=ends, color=shade, marker=dots, **style)
    _reference(ax, found, found.null, ":")
    _reference(ax, found, found.floor, "-.")
    for place, value, brief in zip(at, found.parts["val"].mean, found.verdicts, strict=False):
        if brief:
            ax.plot(place, value, zorder=4, **mark_of(brief).sized(GLYPH))
    if found.selected is not None:
        place, value = at[found.selected], found.parts["val"].mean[found.selected]
        ax.plot(place, value, linestyle="none", zorder=5, **RING)
    if found.steep:
        ax.set_yscale("log")
    if found.bottom:
        top = np.nanmax([np.nanmax([*band.seeds.ravel(), *band.mean, *band.high]) for band in found.parts.values()])
        ax.set_ylim(found.bottom, top * (top / found.bottom) ** 0.08)  # room above for what is above
    ax.set_ylabel(found.metric, parse_math=False)
    set_places(ax, found.places, found.key)


RING: Mapping[str, Any] = {
    "marker": "o", "markersize": 9.5, "markerfacecolor": "none", "markeredgecolor": "black", "markeredgewidth": 0.8
}  # fmt: skip


def _reference(ax: Axes, found: Points, line: Floats | None, dashes: str) -> None:
    if line is None:
        return
    style: dict[str, Any] = {"color": FAINT, "linestyle": dashes, "linewidth": 0.9, "zorder": 0}
    if len({*line[np.isfinite(line)].tolist()}) == 1 or len(line) == 1:
        ax.axhline(float(line[np.isfinite(line)][0]), **style)
    else:
        ax.plot(found.places.at, line, **style)


def explained(found: Points) -> dict[str, Line2D]:
    """Return what stands in the legend: name -> line."""
    lines = lines_of(found.parts, found.null is not None, found.floor is not None)
    shown = {one for one, value in zip(found.verdicts, found.parts["val"].mean, strict=False) if np.isfinite(value)}
    for brief in sorted(shown, key=lambda one: mark_of(one).order):
        lines[brief] = Line2D([], [], **mark_of(brief).sized(GLYPH))
    if found.selected is not None:
        lines[SELECTED] = Line2D([], [], linestyle="none", **RING)
    return lines
