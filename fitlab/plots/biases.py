"""How biases move over the epochs, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fitlab.diagnosis.naming import counted, name_of, percent
from fitlab.parameters.measured import BIAS, NETWORK, parameters_of
from fitlab.plots.above import head
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.shared import axes_or_new, bare, colour, marker, nothing, refuse_other
from fitlab.plots.sources import numeric, one_config
from fitlab.records import Config, Fit, Interval
from fitlab.stats import t_interval
from fitlab.sweep import Sweep

LABELS = {  # metric of biases -> what stands at the axis
    "shift": "share of biases in pre-activations",
    "norm": "norm of the biases",
    "rms": "root mean square of the biases",
    "distance": "distance of the biases from their beginning",
    "bias_ablation": "rise of validation loss without biases",
}
LEVEL = 0.90


@dataclass(frozen=True)
class Shifts:
    """One number of the biases of each layer over the kept epochs, the mean over seeds."""

    metric: str
    by_layer: Mapping[str, Mapping[int, Interval]]  # layer -> epoch -> mean over seeds
    title: str = ""  # of the Config, where it is known
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per layer and epoch: layer, epoch, the metric, low, high, n."""
        rows = [
            (layer, epoch, one.estimate, one.low, one.high, one.n)
            for layer, found in self.by_layer.items()
            for epoch, one in found.items()
        ]
        return pd.DataFrame(rows, columns=["layer", "epoch", self.metric, "low", "high", "n"])

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        of = f"{self.title}: " if self.title else ""
        words = LABELS[self.metric] if of else LABELS[self.metric].capitalize()
        found = [one for points in self.by_layer.values() for one in points.values()]
        most = max(one.n for one in found)
        over = f"means over {counted(most, 'seed')}, {percent(found[0].level)} Student-t intervals at each epoch"
        return f"{of}{words}, layer by layer after the epochs that were kept; {over if most > 1 else 'of one seed'}."


def bias_shift(
    source: Fit | Sweep | Shifts | pd.DataFrame,
    *,
    config: Config | str | None = None,
    metric: str = "shift",
    ax: Axes | None = None,
) -> Axes:
    """Draw how much biases move what layers add up, over the epochs that were kept: a line a layer.

    shift is the share of biases in the pre-activations on the training rows, mean |b| / (mean |Wx| + mean |b|); other
    numbers of biases are norm, rms, distance and bias_ablation. Means over seeds; bands are Student-t intervals
    at each epoch, of the level of the Sweep, else 90 %. Where one epoch was kept, layers stand side by side.
    source: a Fit; a Sweep and which of its Configs, by default the selected one; or a DataFrame as
    ``sweep.parameters()`` gives it, of one Config.
    What is drawn is ``shifts_of(…).table()``. Raises ValueError where there is nothing to draw, saying what there is.
    """
    found = shifts_of(source, config=config, metric=metric)
    ax = axes_or_new(ax)
    epochs = {epoch for points in found.by_layer.values() for epoch in points}
    if len(epochs) == 1:
        _side_by_side(ax, found, *epochs)
    else:
        _over_epochs(ax, found)
    ax.set_ylabel(LABELS[found.metric])
    if found.metric != "bias_ablation":
        ax.set_ylim(bottom=0)
    bare(ax)
    lines, layers = ax.get_legend_handles_labels()
    head(ax, found.title, dict(zip(layers, lines, strict=True)), len(epochs) > 1)
    return shows(ax, found)


def _over_epochs(ax: Axes, found: Shifts) -> None:
    """Draw a line a layer, its intervals as a band."""
    for place, (layer, points) in enumerate(found.by_layer.items()):
        epochs, shade = [*points], colour(place)
        ax.fill_between(
            epochs, [p.low for p in points.values()], [p.high for p in points.values()], color=shade, alpha=0.15, lw=0
        )
        means = [one.estimate for one in points.values()]
        ax.plot(epochs, means, color=shade, marker=marker(place), markersize=4, linewidth=1.4, label=layer)
    ax.set_xlabel("epoch")


def _side_by_side(ax: Axes, found: Shifts, epoch: int) -> None:
    """Draw the only epoch: layer beside layer."""
    for place, (layer, points) in enumerate(found.by_layer.items()):
        (one,) = points.values()
        ends = [[one.estimate - one.low], [one.high - one.estimate]]  # NaN, of a single seed, draws no bar
        ax.errorbar([place], [one.estimate], yerr=ends, color=colour(place), marker=marker(place), label=layer)
    ax.set_xticks(range(len(found.by_layer)), [*found.by_layer], parse_math=False)
    ax.set_xlabel(f"layer, epoch {epoch}")
    ax.margins(x=0.25)


def shifts_of(
    source: Fit | Sweep | Shifts | pd.DataFrame, *, config: Config | str | None = None, metric: str = "shift"
) -> Shifts:
    """Return what ``bias_shift`` draws. Raises ValueError where there is nothing."""
    if isinstance(source, Shifts):
        return source
    if metric not in LABELS:
        raise nothing(f"biases have no {metric!r}", LABELS)
    title, origin, level = "", None, LEVEL
    match source:
        case Sweep():
            chosen = one_config(source, config)
            frame, level = _of_sweep(source, chosen), source.spec.diagnosis.level
            title, origin = name_of(chosen), origin_of(source, [chosen])
        case Fit():
            frame = parameters_of(source).table().assign(seed=source.job.seed)
            title = f"{name_of(source.job.config)}, seed {source.job.seed}"
        case _:
            refuse_other(source, Sweep, Fit, pd.DataFrame)
            frame = _of_one(source)
    biases = frame[(frame["role"] == BIAS) & (frame["layer"] != NETWORK)]
    rows = biases[(biases["metric"] == metric) & np.isfinite(biases["value"])]
    if not len(rows):
        raise nothing(f"no {metric} of biases was measured", biases["metric"].unique())
    by_layer = {
        str(layer): {
            int(epoch): t_interval(one["value"].to_numpy(), level) for epoch, one in at.groupby("epoch", sort=True)
        }
        for layer, at in rows.groupby("layer", sort=False)
    }
    return Shifts(metric, by_layer, title, origin)


def _of_sweep(sweep: Sweep, config: Config) -> pd.DataFrame:
    """Return the numbers of one Config's completed Fits."""
    fits = [fit for fit in sweep.completed(config) if fit.kept]
    if not fits:
        raise nothing("no completed Fit of this Config kept weights or biases")
    return pd.concat([parameters_of(fit).table().assign(seed=fit.job.seed) for fit in fits], ignore_index=True)


def _of_one(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a tidy frame, if it is of one Config."""
    missing = {"epoch", "layer", "role", "metric", "value"} - {*frame.columns}
    if missing:
        raise nothing(f"the DataFrame lacks {', '.join(sorted(missing))}", frame.columns)
    if "config" in frame and frame["config"].nunique() > 1:
        raise nothing("the DataFrame is of several Configs; take one of them", frame["config"].unique())
    return numeric(frame, "epoch", "value")
