"""Learning curves: train and validation, every seed faintly, their mean with a band, and what they are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fitlab.diagnosis.naming import counted, name_of, percent
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.shared import FAINT, TRAIN, VAL, axes_or_new, bare, draw_legend, entitle, nothing
from fitlab.plots.sources import floor_of, null_of, one_config, titled
from fitlab.recorded import CONSTANT, checked
from fitlab.records import Config, Floats, Outcome
from fitlab.stats import t_interval
from fitlab.sweep import Sweep, carried, epochs_of

PARTS: Mapping[str, tuple[str, str, Any]] = {"train": ("train", TRAIN, "--"), "val": ("validation", VAL, "-")}
STEEP = 30.0  # from this ratio of its largest to its smallest mean on, a loss is drawn on a logarithmic axis
LEVEL = 0.90


@dataclass(frozen=True, eq=False)
class Band:
    """One metric of one part over the epochs. S seeds, P points; a seed that ended early keeps its last value."""

    seeds: Floats  # (S, P)
    mean: Floats  # (P,)
    low: Floats  # (P,) of Student-t intervals, each epoch by itself; NaN for one seed
    high: Floats


@dataclass(frozen=True, eq=False)
class Curves:
    """What ``learning_curves`` draws."""

    title: str  # of the Config, with its verdict
    metric: str
    seeds: tuple[int, ...]  # (S,)
    epochs: NDArray[np.int64]  # (P,)
    parts: Mapping[str, Band]  # train, val
    level: float
    null: float | None = None  # validation loss of the constant predictor, mean over seeds
    floor: float | None = None  # what the reference would lose in both parts if it had learned no noise
    chosen: int | None = None  # epoch of the lowest mean validation loss, where that is not the last
    origin: Origin | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)  # outcome -> Fits that are not drawn

    def table(self) -> pd.DataFrame:
        """Return a row per part, epoch and line: split, epoch, seed (a number, or mean), value, low, high."""
        frames = []
        for split, band in self.parts.items():
            lines = {**dict(zip(map(str, self.seeds), band.seeds, strict=True)), "mean": band.mean}
            for name, values in lines.items():
                bounds = (band.low, band.high) if name == "mean" else (np.nan, np.nan)
                columns = {"epoch": self.epochs, "value": values, "low": bounds[0], "high": bounds[1]}
                frames.append(pd.DataFrame({"split": split, "seed": name, **columns}))
        return pd.concat(frames, ignore_index=True)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        many = len(self.seeds) > 1
        band = f"; bands: {percent(self.level)} Student-t intervals at each epoch" if many else ""
        lines = [
            *([f"dotted: the constant predictor ({self.null:.3g})"] if self.null is not None else []),
            *([f"dash-dotted: the floor estimated from the best Config ({self.floor:.3g})"] if self.floor else []),
            *([f"triangle: lowest mean validation {self.metric}, epoch {self.chosen}"] if self.chosen else []),
        ]
        left = "".join(f" {count} {outcome} left out." for outcome, count in self.left_out.items())
        return (
            f"{self.title}: {self.metric} after each epoch on training (dashed) and validation data (solid); faint: "
            f"{counted(len(self.seeds), 'seed')}{', heavy: their mean' if many else ''}{band}"
            f"{''.join(f'; {line}' for line in lines)}.{left}"
        )


def learning_curves(
    source: Sweep | Curves | pd.DataFrame,
    *,
    config: Config | str | None = None,
    metric: str = "loss",
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw train and validation curves of one Config: every seed faintly, the mean, its band, and reference lines.

    Reference lines are the constant predictor, the floor, and the epoch at which the mean validation loss is lowest.
    config: one of ``sweep.configs``, or of a DataFrame its name; default: the one that validation chooses.
    metric: loss, accuracy … as measured. source: a Sweep, or a DataFrame as ``sweep.curves()`` gives it, of any metric;
    rows of the constant predictor and of the training part may be missing.
    What is drawn is ``curves_of(…).table()``. Raises ValueError where there is nothing to draw, saying what there is,
    and SpecError for a DataFrame that is not tidy.
    """
    found = source if isinstance(source, Curves) else curves_of(source, config=config, metric=metric)
    ax = axes_or_new(ax)
    for split, band in found.parts.items():
        _, shade, dashes = PARTS[split]
        if len(band.seeds) > 1:
            ax.plot(found.epochs, band.seeds.T, color=shade, linestyle=dashes, linewidth=0.5, alpha=0.35)
            ax.fill_between(found.epochs, band.low, band.high, color=shade, alpha=0.18, linewidth=0)
        alone = "o" if len(found.epochs) == 1 else None  # one point makes no line
        ax.plot(found.epochs, band.mean, color=shade, linestyle=dashes, linewidth=1.5, marker=alone)
    _references(ax, found)
    _scale(ax, found)
    ax.set_xlabel("epoch")
    ax.set_ylabel(found.metric)
    entitle(ax, found.title)
    bare(ax)
    if legend:
        draw_legend(ax, *_explained(found))
    return shows(ax, found)


def _references(ax: Axes, found: Curves) -> None:
    if found.null is not None:
        ax.axhline(found.null, color=FAINT, linestyle=":", linewidth=0.9, zorder=0)
    if found.floor is not None:
        ax.axhline(found.floor, color=FAINT, linestyle="-.", linewidth=0.9, zorder=0)
    if found.chosen is not None:
        at = int(np.searchsorted(found.epochs, found.chosen))
        ax.plot(found.chosen, found.parts["val"].mean[at], marker="v", color=VAL, markeredgecolor="white", markersize=6)


def _scale(ax: Axes, found: Curves) -> None:
    """A loss that spans orders of magnitude gets a logarithmic axis; what is bounded, such as accuracy, does not."""
    means = np.concatenate([band.mean for band in found.parts.values()])
    means = means[np.isfinite(means)]
    if found.metric == "loss" and len(means) and means.min() > 0 and means.max() > STEEP * means.min():
        ax.set_yscale("log")


def lines_of(parts: Container[str], null: bool, floor: bool) -> dict[str, Line2D]:
    """Return what stands in the legend of parts and of the lines that they are held against: name -> line."""
    lines = {
        word: Line2D([], [], color=shade, linestyle=dashes, linewidth=1.5)
        for split, (word, shade, dashes) in PARTS.items()
        if split in parts
    }
    if null:
        lines["constant predictor"] = Line2D([], [], color=FAINT, linestyle=":", linewidth=0.9)
    if floor:
        lines["floor"] = Line2D([], [], color=FAINT, linestyle="-.", linewidth=0.9)
    return lines


def _explained(found: Curves) -> tuple[list[Line2D], list[str]]:
    """Return the lines of the legend, and what each is."""
    lines = lines_of(found.parts, found.null is not None, found.floor is not None)
    if found.chosen is not None:
        lines["lowest mean"] = Line2D([], [], color=VAL, marker="v", linestyle="none", markeredgecolor="white")
    return [*lines.values()], [*lines]


def curves_of(source: Sweep | pd.DataFrame, *, config: Config | str | None = None, metric: str = "loss") -> Curves:
    """Return what ``learning_curves`` draws. Raises ValueError where there is nothing."""
    return _of_sweep(source, config, metric) if isinstance(source, Sweep) else _of_frame(source, config, metric)


def _of_sweep(sweep: Sweep, config: Config | str | None, metric: str) -> Curves:
    chosen = one_config(sweep, config)
    fits = sweep.completed(chosen)
    measured = [fit for fit in fits if len(fit.curves) and f"{metric}/val" in fit.curves.values]
    if not measured:
        why = "no completed Fit" if not fits else f"no {metric} was measured"
        raise nothing(f"{name_of(chosen)}: {why}", sorted({name.split("/")[0] for name in sweep.metrics}))
    epochs, level = epochs_of(measured), sweep.spec.diagnosis.level
    parts = {
        split: _band(np.array([carried(fit, f"{metric}/{split}", epochs) for fit in measured]), level)
        for split in PARTS
        if all(f"{metric}/{split}" in fit.curves.values for fit in measured)
    }
    others = [str(fit.outcome) for fit in sweep.of(chosen) if fit not in measured]
    return Curves(
        titled(sweep, chosen),
        metric,
        tuple(fit.job.seed for fit in measured),
        epochs,
        parts,
        level,
        null=null_of(sweep, chosen, f"{metric}/val"),
        floor=floor_of(sweep, chosen) if metric == "loss" else None,
        chosen=_lowest(parts["val"], epochs) if metric == "loss" else None,
        origin=origin_of(sweep, [chosen]),
        left_out={one: others.count(one) for one in dict.fromkeys(others)},
    )


def _lowest(band: Band, epochs: NDArray[np.int64]) -> int | None:
    """Return the epoch of the lowest mean; None where that is the last one, or there is none."""
    best = int(epochs[np.nanargmin(band.mean)]) if np.isfinite(band.mean).any() else epochs[-1]
    return best if best != epochs[-1] else None


def _of_frame(frame: pd.DataFrame, config: Config | str | None, metric: str) -> Curves:
    """Return what is drawn of curves from elsewhere: they need not be such that they can be diagnosed."""
    rows = checked(frame)
    own = rows["config"] == CONSTANT
    name = _named(config, [*rows.loc[~own, "config"].unique()])
    here = rows[rows["config"] == name]
    measured = here[here["metric"] == metric]
    if "val" not in {*measured["split"]}:
        raise nothing(f"{name}: no {metric} was measured on validation data", sorted(here["metric"].unique()))
    every = sorted(map(int, measured["seed"].unique()))
    outcomes = {seed: _outcome(measured[measured["seed"] == seed]) for seed in every}
    seeds = [seed for seed, outcome in outcomes.items() if outcome == Outcome.COMPLETED]
    if not seeds:
        raise nothing(f"{name}: no completed Fit", sorted({*outcomes.values()}))
    wide = measured.pivot(index="epoch", columns=["split", "seed"], values="value").sort_index().ffill().bfill()
    epochs = wide.index.to_numpy(np.int64)
    whole = [split for split in PARTS if all((split, seed) in wide for seed in seeds)]
    parts = {split: _band(np.array([wide[split, seed] for seed in seeds], np.float64), LEVEL) for split in whole}
    if "val" not in parts:
        raise nothing(f"{name}: {metric} on validation data is missing for some seeds")
    left = Counter(outcome for outcome in outcomes.values() if outcome != Outcome.COMPLETED)
    null = rows[own & (rows["metric"] == metric) & (rows["split"] == "val")]["value"]
    lowest = _lowest(parts["val"], epochs) if metric == "loss" else None
    constant = float(null.mean()) if len(null) else None
    return Curves(name, metric, tuple(seeds), epochs, parts, LEVEL, constant, None, lowest, left_out=left)


def _named(config: Config | str | None, names: Sequence[str]) -> str:
    """Return which Config of a frame is meant."""
    wanted = config.digest[:12] if isinstance(config, Config) else config
    if wanted is None and len(names) == 1:
        return names[0]
    if not names:
        raise nothing("no rows")
    if wanted is None:
        raise nothing(f"which of {len(names)} Configs? Give config=", names[:8])
    if str(wanted) not in names:
        raise nothing(f"no Configs are called {wanted!r}", names[:8])
    return str(wanted)


def _outcome(rows: pd.DataFrame) -> str:
    """Return how training under one seed ended: as the frame says, else by whether all numbers are finite."""
    if "outcome" in rows:
        return str(rows["outcome"].iloc[0])
    return str(Outcome.COMPLETED if np.isfinite(rows["value"]).all() else Outcome.DIVERGED)


def _band(values: Floats, level: float) -> Band:
    """Return mean and Student-t interval at each epoch. values: (S, P)"""
    finite = np.asarray(np.isfinite(values).all(axis=0))
    found = [t_interval(column, level) if ok else None for column, ok in zip(values.T, finite, strict=True)]
    bounds = np.array([(one.low, one.high) if one else (np.nan, np.nan) for one in found])
    return Band(values, np.where(finite, values.mean(axis=0), np.nan), bounds[:, 0], bounds[:, 1])
