"""Loss against the number of training samples: what was measured, and, apart from it, what laws say of more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from fitlab.diagnosis.naming import counted, listed, pairs, percent
from fitlab.errors import FitlabError
from fitlab.plots.above import head
from fitlab.plots.along import places_of, set_places
from fitlab.plots.curves import LEVEL, STEEP
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.lines import BY_NAME, fits_in, held_by
from fitlab.plots.shared import FAINT, SERIES, TRAIN, VAL, axes_or_new, bare, nothing, refuse_other, small
from fitlab.plots.sources import numeric
from fitlab.records import Config, Floats
from fitlab.spec import domain_of
from fitlab.stats import extrapolation
from fitlab.sweep import Sweep
from fitlab.theory.sample_size import AXES, SampleSizeCurve, sample_size_curves
from fitlab.theory.sample_size import LAWS as FITTED

MANY = 20  # seeds, of which the one in twenty that is highest may lie outside
FLAT, LOWER = 0.25, 0.4  # of the height: laws that reach over less, and lie below, are drawn once more, closer
POINTS = 40  # at which a law is drawn
FURTHER = 4.0  # times the largest size
BEYOND = "#F2F2F2"
LAWS: Mapping[str, tuple[str, Any]] = {"pow4": (SERIES[2], "--"), "mmf": (SERIES[3], (0, (4, 1, 1, 1)))}
LAST = "last_value"
BASELINE: tuple[str, Any] = ("#404040", ":")
N = "n_train"


@dataclass(frozen=True, eq=False)
class SampleSize:
    """What ``sample_size_curve`` draws."""

    frame: pd.DataFrame  # a row per size: n_train; the metric, pow4, mmf and last_value, each with low and high
    metric: str
    fixed: Mapping[str, Any]  # what else is swept, with the values that it is held to
    seeds: Floats  # (S, P) what single seeds lost at the P sizes that were measured; empty: not known
    level: float | None  # of the intervals
    why: str = ""  # there are no laws
    origin: Origin | None = None
    names: tuple[str, ...] = ()  # (S,) of the seeds, where they are known
    left_out: int = 0  # seeds that did not complete at every size

    def table(self) -> pd.DataFrame:
        """Return a row per size and line: n_train, line (the metric, a law, or last_value), seed, value, low, high."""
        rows = [
            pd.DataFrame({N: self.frame[N], "line": line, "seed": "mean", "value": self.frame[line],
                          "low": self.frame[f"{line}/low"], "high": self.frame[f"{line}/high"]})
            for line in (self.metric, *self.laws, LAST) if line in self.frame
        ]  # fmt: skip
        names = self.names or tuple(map(str, range(len(self.seeds))))
        sizes = self.measured[N]
        for name, values in zip(names, self.seeds, strict=True):
            rows.append(pd.DataFrame({N: sizes, "line": self.metric, "seed": name, "value": values}))
        return pd.concat(rows, ignore_index=True).dropna(subset=["value"]).reset_index(drop=True)

    @property
    def measured(self) -> pd.DataFrame:
        """The rows of sizes that were measured."""
        rows: pd.DataFrame = self.frame[np.isfinite(self.frame[self.metric])]
        return rows

    @property
    def beyond(self) -> pd.DataFrame:
        """The rows from the largest size that was measured on."""
        rows: pd.DataFrame = self.frame[self.frame[N] >= self.measured[N].max()]
        return rows

    @property
    def laws(self) -> tuple[str, ...]:
        """Those that are drawn."""
        return tuple(law for law in LAWS if law in self.frame and np.isfinite(self.frame[law]).any())

    @property
    def title(self) -> str:
        """What else is swept, and why there are no laws."""
        held = f"at {pairs(self.fixed)}" if self.fixed else ""
        return "; ".join(one for one in (held, "" if self.laws else "no extrapolation") if one)

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        level = f"{percent(self.level)} " if self.level else ""
        largest = self.measured[N].max()
        held = f", with {pairs(self.fixed)}" if self.fixed else ""
        one = len(self.seeds) == 1
        n = "of one seed" if one else f"means over {len(self.seeds)} seeds" if len(self.seeds) else "means"
        bars = "" if one else f", bars: {level}Student-t intervals"
        faint = ", single ones faintly" if len(self.seeds) > 1 else ""
        faint += ", of which some lie above the axis" if len(self.seeds) > MANY else ""
        laws = (
            f"; right of {largest:g}, where nothing was measured, {listed(self.laws)} with {level}intervals (expanded "
            "percentile bootstrap over seeds, which knows of no other law), and dotted the last value, as if more data "
            "changed nothing"
            if self.laws
            else f"; no extrapolation: {self.why}" if self.why else ""
        )  # fmt: skip
        left = (
            f" {counted(self.left_out, 'seed')} that did not complete at every size left out." if self.left_out else ""
        )
        return f"{self.metric} against the number of training samples{held}; {n}{faint}{bars}{laws}.{left}"


def sample_size_curve(
    source: Sweep | SampleSizeCurve | SampleSize | pd.DataFrame,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
    metric: str = "loss/val",
    further: float = FURTHER,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a metric against the number of training samples, and beyond the largest what pow4 and MMF say of more.

    Beyond the largest size the ground is grey; there the bands are intervals of the laws, beside the last value,
    which any extrapolation has to better. What else is swept is held to the values of ``config``, by default the
    selected one, or to those of ``fixed``. further: up to how many times the largest size. source: a Sweep; one of
    ``fitlab.sample_size_curves(sweep)``; or its table. What is drawn is ``sample_size_of(…).table()``.
    Raises ValueError where there is nothing to draw, saying what there is.
    """
    if isinstance(source, SampleSize):
        found = source
    else:
        found = sample_size_of(source, config=config, fixed=fixed, metric=metric, further=further)
    ax = axes_or_new(ax)
    _draw(ax, found)
    if len(found.seeds) > 1:
        faint = 0.3 * min(1.0, 20 / len(found.seeds))
        ax.plot(found.measured[N], found.seeds.T, color=_shade(found), linewidth=0.5, alpha=max(faint, 0.05))
    _scale(ax, found)
    bare(ax)
    if len(found.laws) and _flat(ax, found):
        _closer(ax, found)
    head(ax, found.title, _explained(found), legend)
    return shows(ax, found)


def _shade(found: SampleSize) -> str:
    return TRAIN if found.metric.endswith("/train") else VAL


def _draw(ax: Axes, found: SampleSize) -> None:
    """Draw means with bars, on grey ground what laws say, and the last value."""
    measured = found.measured
    if len(found.beyond) > 1:
        ax.axvspan(measured[N].max(), found.frame[N].max(), color=BEYOND, linewidth=0, zorder=0)
        _laws(ax, found)
    means, low, high = (measured[f"{found.metric}{end}"].to_numpy(np.float64) for end in ("", "/low", "/high"))
    style: dict[str, Any] = {"marker": "o", "markersize": 3.5, "linestyle": "none", "capsize": 2, "elinewidth": 0.9}
    ax.errorbar(measured[N], means, yerr=[means - low, high - means], color=_shade(found), zorder=3, **style)


def _reach(found: SampleSize) -> tuple[float, float]:
    """Return how low and high it goes beyond the largest size."""
    lines = [
        name for line in (*found.laws, LAST) if line in found.frame for name in (line, f"{line}/low", f"{line}/high")
    ]
    return float(np.nanmin(found.beyond[lines])), float(np.nanmax(found.beyond[lines]))


def _flat(ax: Axes, found: SampleSize) -> bool:
    """Whether what laws say is too flat to be read on the scale of what was measured, and there is room above it."""
    low, high = (float(ax.transData.transform((1, one))[1]) for one in _reach(found))
    bottom, top = (float(ax.transAxes.transform((0, one))[1]) for one in (0, 1))
    return high - low < FLAT * (top - bottom) and high < bottom + LOWER * (top - bottom)


def _closer(ax: Axes, found: SampleSize) -> None:
    """Draw what laws say again, closer, where falling curves leave room: above it."""
    low, high = _reach(found)
    inside = ax.inset_axes((0.5, 0.42, 0.48, 0.56))
    _draw(inside, found)
    inside.set_xscale("log")
    largest, end = found.measured[N].max(), found.frame[N].max()
    inside.set_xlim(largest * (largest / end) ** 0.12, end)
    inside.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    inside.xaxis.set_minor_locator(NullLocator())
    inside.set_xticks([largest, end], [f"{largest:g}", f"{end:g}"])
    inside.yaxis.set_major_locator(MaxNLocator(3))
    inside.tick_params(labelsize=small(), length=2, pad=1.5)
    bare(inside)


def _laws(ax: Axes, found: SampleSize) -> None:
    """Draw laws, thin along what they were fitted to, and with bands beyond; and the last value."""
    beyond, before = found.beyond, found.frame[found.frame[N] <= found.measured[N].max()]
    for law in found.laws:
        shade, dashes = LAWS[law]
        ax.plot(before[N], before[law], color=shade, linestyle=dashes, linewidth=0.7)
        ax.plot(beyond[N], beyond[law], color=shade, linestyle=dashes, linewidth=1.5)
        ax.fill_between(beyond[N], beyond[f"{law}/low"], beyond[f"{law}/high"], color=shade, alpha=0.18, linewidth=0)
        for end in ("low", "high"):
            ax.plot(beyond[N], beyond[f"{law}/{end}"], color=shade, linestyle=dashes, linewidth=0.5)
    last = found.frame[np.isfinite(found.frame[LAST])] if LAST in found.frame else found.frame[:0]
    if len(last):
        shade, dashes = BASELINE
        ax.plot(
            [found.measured[N].max(), found.frame[N].max()], [last[LAST].iloc[0]] * 2, color=shade, linestyle=dashes
        )


def _scale(ax: Axes, found: SampleSize) -> None:
    means = found.measured[found.metric]
    if found.metric.startswith("loss") and means.min() > 0 and means.max() > STEEP * means.min():
        ax.set_yscale("log")
    if len(found.seeds) > MANY:  # a few of many may lie far out
        highs = found.frame[[name for name in map(str, found.frame) if name.endswith("/high")]]
        top = max(float(np.nanmax(highs)), float(np.quantile(found.seeds, 0.95, axis=0).max()))
        ax.set_ylim(top=top)
    sizes = found.measured[N].tolist()
    places = places_of([*sizes, *([found.frame[N].max()] if len(found.beyond) > 1 else [])], log=True)
    set_places(ax, places, N)
    ax.set_xlabel("training samples")
    ax.set_ylabel(found.metric, parse_math=False)


def _explained(found: SampleSize) -> dict[str, Artist]:
    lines: dict[str, Artist] = {
        "measured": Line2D([], [], color=_shade(found), marker="o", markersize=3.5, linestyle="none")
    }
    if len(found.beyond) > 1:
        words = {"pow4": "pow4", "mmf": "MMF"}
        lines |= {words[law]: Line2D([], [], color=LAWS[law][0], linestyle=LAWS[law][1]) for law in found.laws}
        if LAST in found.frame:
            lines["last value"] = Line2D([], [], color=BASELINE[0], linestyle=BASELINE[1])
        lines["not measured"] = Patch(facecolor=BEYOND, edgecolor=FAINT, linewidth=0.4)
    return lines


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────


def sample_size_of(
    source: Sweep | SampleSizeCurve | pd.DataFrame,
    *,
    config: Config | str | None = None,
    fixed: Mapping[str, Any] | None = None,
    metric: str = "loss/val",
    further: float = FURTHER,
) -> SampleSize:
    """Return what ``sample_size_curve`` draws. Raises ValueError where there is nothing."""
    match source:
        case SampleSizeCurve():
            return _of_curve(source, further)
        case pd.DataFrame():
            return _of_table(source, metric, further)
        case _:
            refuse_other(source, Sweep, pd.DataFrame)
            return _of_sweep(source, config, fixed, metric, further)


def _of_sweep(
    sweep: Sweep, config: Config | str | None, fixed: Mapping[str, Any] | None, metric: str, further: float
) -> SampleSize:
    keys = [key for key in domain_of(sweep.spec) if key in AXES]
    if not keys:
        raise nothing(f"no curve against sample size: sweep {' or '.join(AXES)}", domain_of(sweep.spec))
    held = {key: value for key, value in held_by(sweep, config, fixed).items() if key not in AXES}
    line = [one for one in sweep.configs if {*keys} & {*one.swept} and fits_in(one.swept, held)]
    ours = {one.digest for one in line}
    part = replace(sweep, configs=tuple(line), fits=tuple(fit for fit in sweep.fits if fit.job.config.digest in ours))
    try:
        curves = sample_size_curves(part, metric, level=sweep.spec.diagnosis.level)
    except FitlabError as error:
        raise nothing(str(error)) from None
    if not curves:
        raise nothing("no seed completed at every size")
    if len(curves) > 1:
        which = f"which of {len(curves)} curves? Give fixed={{key: value}}, or config="
        raise nothing(which, [pairs(one.swept) for one in curves[:8]])
    seeds = [seed for seed in sweep.spec.seeds.values if all(_ended(sweep, one, seed, metric) for one in line)]
    names = tuple(map(str, seeds)) if len(seeds) == len(curves[0].losses) else ()
    left = len(sweep.spec.seeds.values) - len(seeds)
    return replace(_of_curve(curves[0], further), names=names, left_out=left, origin=origin_of(sweep, line))


def _ended(sweep: Sweep, config: Config, seed: int, metric: str) -> bool:
    return any(fit.job.seed == seed and np.isfinite(fit.final.get(metric, np.nan)) for fit in sweep.completed(config))


def _of_curve(curve: SampleSizeCurve, further: float) -> SampleSize:
    if not further > 1:
        raise nothing(f"further is how many times the largest size, above 1, not {further}")
    largest = curve.sizes[-1]
    at = {*np.geomspace(curve.sizes[0], largest * further, POINTS).tolist(), largest * further} - {*curve.sizes}
    frame = curve.table(sorted(at)).sort_values(N, kind="stable", ignore_index=True)
    frame.loc[frame[N] < largest, [LAST, f"{LAST}/low", f"{LAST}/high"]] = np.nan
    if not curve.laws:
        frame = frame[frame[N] <= largest].dropna(subset=[curve.metric])
    swept = {key: value for key, value in curve.swept.items() if key not in BY_NAME}
    return SampleSize(frame, curve.metric, swept, curve.losses, curve.level, curve.why)


def _of_table(frame: pd.DataFrame, metric: str, further: float) -> SampleSize:
    """Return what is drawn of the table of a SampleSizeCurve, or of what single seeds lost at each size."""
    lines = (metric, *LAWS, LAST)
    frame = numeric(frame, N, "value", *(f"{line}{end}" for line in lines for end in ("", "/low", "/high")))
    if N in frame and not (frame[N] > 0).all():
        raise nothing(f"{N} is above 0", frame[N].unique())
    if {N, "seed", "value"} <= {*frame.columns}:
        return _of_curve(_fitted(frame, metric), further)
    lacking = [name for name in (N, metric) if name not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}; or give {N}, seed and value", frame.columns)
    rows = frame.sort_values(N, kind="stable", ignore_index=True)
    if not np.isfinite(rows[metric]).any():
        raise nothing(f"no row has a finite {metric}")
    twice = rows[rows[N].duplicated()]
    if len(twice):
        raise nothing(f"several rows have {N} {twice[N].iloc[0]:g}; take one curve of them")
    bounds = [f"{name}/{end}" for name in lines if name in rows for end in ("low", "high")]
    unknown = {name: np.nan for name in bounds if name not in rows}
    return SampleSize(rows.assign(**unknown), metric, {}, np.empty((0, 0)), None)


def _fitted(frame: pd.DataFrame, metric: str) -> SampleSizeCurve:
    """Return the curve of what single seeds lost. frame: n_train, seed, value; and line, of which the metric's."""
    rows = frame[frame["seed"].astype(str) != "mean"]
    rows = rows[rows["line"] == metric] if "line" in rows else rows
    twice = rows[rows.duplicated([N, "seed"])]
    if len(twice):
        raise nothing(f"several rows have {N} {twice[N].iloc[0]:g}, seed {twice['seed'].iloc[0]}")
    wide = rows.pivot(index="seed", columns=N, values="value")
    losses = wide[np.isfinite(wide).all(axis=1)].to_numpy(np.float64)
    if not len(losses):
        raise nothing("no seed has a finite value at every size")
    sizes = tuple(map(int, wide.columns))
    try:
        laws = {law: extrapolation(sizes, losses, law, LEVEL) for law in FITTED}
    except ValueError as error:
        return SampleSizeCurve({}, metric, sizes, losses, {}, LEVEL, str(error))
    return SampleSizeCurve({}, metric, sizes, losses, laws, LEVEL)
