"""The figures of weights and biases as files: of one Config, and of a whole Sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitlab.diagnosis.naming import name_of
from fitlab.parameters.maps import Map, Maps, maps_of
from fitlab.plots.biases import LABELS, bias_shift, shifts_of
from fitlab.plots.matrices import weight_heatmap, weight_histograms
from fitlab.plots.norms import norms_of, norms_vs_gap
from fitlab.plots.saving import save
from fitlab.plots.shared import nothing
from fitlab.records import Config
from fitlab.sweep import Sweep

ACROSS = 4  # panels beside each other
WIDE, TALL = 2.6, 2.4  # of a panel, in inches


def write_weight_figures(sweep: Sweep, config: Config, out: Path) -> list[Path]:
    """Write the figures of one Config below ``out``, each as png, pdf and csv; return all paths.

    DIGEST-weights (a map an array, last epoch) and DIGEST-histograms of the first completed seed, and DIGEST-biases,
    over seeds: what layers' biases shift where that was measured, else their norm. What does not apply is not written.
    Raises FitlabError where no completed Fit of the Config has weights, and StoreError where they are gone.
    """
    fit = next((fit for fit in sweep.completed(config) if fit.kept), None)
    maps = maps_of(fit) if fit else Maps({}, {})
    if fit is None or not maps.epochs:
        raise nothing(f"no completed Fit of {name_of(config)} has finite weights or biases")
    start = out / config.digest[:12]
    title = f"{name_of(config)}, seed {fit.job.seed}"
    last = maps.maps[maps.epochs[-1]]
    written = save(_heatmaps(last, f"{title}, epoch {maps.epochs[-1]}"), f"{start}-weights", _cells(last))
    written += save(_histograms(maps, last, title), f"{start}-histograms", maps.table())
    return written + _write_biases(sweep, config, f"{start}-biases")


def write_sweep_figures(sweep: Sweep, out: Path, metric: str = "norm") -> list[Path]:
    """Write norms-vs-gap of a Sweep below ``out`` as png, pdf and csv; return their paths. Raises FitlabError."""
    found = norms_of(sweep, metric=metric)
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    norms_vs_gap(found, ax=figure.subplots())
    return save(figure, out / "norms-vs-gap", found.table())


def _write_biases(sweep: Sweep, config: Config, to: str) -> list[Path]:
    """Write how biases move; nothing where there are none."""
    measured = sweep.parameter_means(config)
    metric = next((name for name in LABELS if any(m == name and role == "bias" for _, role, m in measured)), None)
    if metric is None:
        return []
    found = shifts_of(sweep, config=config, metric=metric)
    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    bias_shift(found, ax=figure.subplots()).set_title(name_of(config), parse_math=False)
    return save(figure, to, found.table())


def _cells(maps: Sequence[Map]) -> pd.DataFrame:
    tables = [one.table().assign(layer=one.layer, role=one.role) for one in maps]
    return pd.concat(tables, ignore_index=True)[["layer", "role", "row", "column", "value"]]


def _heatmaps(maps: Sequence[Map], title: str) -> Figure:
    return _grid(title, [partial(weight_heatmap, one) for one in maps])


def _histograms(maps: Maps, last: Sequence[Map], title: str) -> Figure:
    table = maps.table()
    return _grid(title, [partial(weight_histograms, table, layer=one.layer, role=one.role) for one in last])


def _grid(title: str, draw: Sequence[Callable[..., Axes]]) -> Figure:
    """Draw panels beside and below each other."""
    across = min(ACROSS, len(draw))
    down = math.ceil(len(draw) / across)
    figure = Figure(figsize=(WIDE * across, TALL * down + 0.3), layout="constrained")
    figure.suptitle(title, parse_math=False)
    places = figure.subplots(down, across, squeeze=False).ravel()
    for panel, ax in zip(draw, places, strict=False):
        panel(ax=ax)
    for ax in places[len(draw) :]:
        ax.remove()
    return figure
