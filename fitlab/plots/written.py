"""The figures of weights and biases as files: of one Config, and of a whole Sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from fitlab.diagnosis.naming import name_of
from fitlab.parameters.maps import Map, Maps, maps_of
from fitlab.parameters.measured import BIAS, NETWORK
from fitlab.plots.biases import LABELS, bias_shift, shifts_of
from fitlab.plots.matrices import histograms_at, weight_heatmap, weight_histograms
from fitlab.plots.norms import norms_of, norms_vs_gap
from fitlab.plots.saving import save
from fitlab.plots.shared import draw_legend, nothing
from fitlab.records import Config
from fitlab.sweep import Sweep

ACROSS = 4  # layers beside each other
WIDE = 2.8  # inches of a layer


def write_weight_figures(sweep: Sweep, configs: Sequence[Config], out: Path) -> list[Path]:
    """Write figures of weights and biases below ``out``, each as png, pdf and csv, and return the files.

    Norm against gap over the Sweep, where it is of networks; and of the Configs, where these are not all, what
    ``write_config_figures`` writes. Raises ValueError where there is nothing to draw, and StoreError.
    """
    networks = any(layer == NETWORK for one in sweep.configs for layer, _, _ in sweep.parameter_means(one))
    whole = 1 < len(sweep.configs) == len(configs)
    files = _write_norms(sweep, out) if networks or whole else []
    for config in () if whole else configs:
        files += write_config_figures(sweep, config, out)
    return files


def write_config_figures(sweep: Sweep, config: Config, out: Path) -> list[Path]:
    """Write the figures of one Config below ``out``, their names beginning with its digest; return the files.

    weight_heatmap (last epoch) and weight_histograms of the first completed seed, and bias_shift over seeds: how much
    biases shift where that was measured, else their norm. What does not apply is not written.
    Raises ValueError where no completed Fit of the Config has finite weights, and StoreError where they are gone.
    """
    fit = next((fit for fit in sweep.completed(config) if fit.kept), None)
    maps = maps_of(fit) if fit else Maps({}, {})
    if fit is None or not maps.epochs:
        raise nothing(f"no completed Fit of {name_of(config)} has finite weights or biases")
    start = out / config.digest[:12]
    title = f"{name_of(config)}, seed {fit.job.seed}"
    last, table = maps.maps[maps.epochs[-1]], maps.table()
    files = save(_heatmaps(last, f"{title}, epoch {maps.epochs[-1]}"), f"{start}_weight_heatmap", _cells(last))
    files += save(_histograms(table, title), f"{start}_weight_histograms", _drawn(table))
    return files + _write_biases(sweep, config, f"{start}_bias_shift")


def _write_norms(sweep: Sweep, out: Path) -> list[Path]:
    found = norms_of(sweep)
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    norms_vs_gap(found, ax=figure.subplots())
    return save(figure, out / "norms_vs_gap", found.table())


def _write_biases(sweep: Sweep, config: Config, to: str) -> list[Path]:
    """Write how biases move; nothing where there are none."""
    measured = sweep.parameter_means(config)
    metric = next((name for name in LABELS if any(m == name and role == BIAS for _, role, m in measured)), None)
    if metric is None:
        return []
    found = shifts_of(sweep, config=config, metric=metric)
    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    bias_shift(found, ax=figure.subplots()).set_title(name_of(config), parse_math=False, fontsize="medium")
    return save(figure, to, found.table())


def _cells(maps: Sequence[Map]) -> pd.DataFrame:
    tables = [one.table().assign(layer=one.layer, role=one.role) for one in maps]
    return pd.concat(tables, ignore_index=True)[["layer", "role", "row", "column", "value"]]


def _heatmaps(maps: Sequence[Map], title: str) -> Figure:
    """Draw a column a layer: weights, and below them its biases as a strip."""
    layers = [[one for one in maps if one.layer == name] for name in dict.fromkeys(one.layer for one in maps)]
    across = min(ACROSS, len(layers))
    down = math.ceil(len(layers) / across)
    figure = Figure(figsize=(WIDE * across, 3.6 * down), layout="constrained")
    figure.suptitle(title, parse_math=False, fontsize="medium")
    places = figure.subplots(2 * down, across, squeeze=False, height_ratios=[9, 1] * down)
    for ax in places.ravel():
        ax.set_axis_off()
    for place, arrays in enumerate(layers):
        at = 2 * (place // across)
        for one in arrays:
            ax = places[at + (one.role == BIAS), place % across]
            ax.set_axis_on()
            weight_heatmap(one, ax=ax)
    return figure


def _histograms(table: pd.DataFrame, title: str) -> Figure:
    """Draw a column a layer: weights, and below them biases, with one legend for all."""
    layers = list(dict.fromkeys(table["layer"]))
    across = min(ACROSS, len(layers))
    down = math.ceil(len(layers) / across)
    figure = Figure(figsize=(WIDE * across, 4.2 * down + 0.6), layout="constrained")
    figure.suptitle(title, parse_math=False, fontsize="medium")
    places = figure.subplots(2 * down, across, squeeze=False)
    for ax in places.ravel():
        ax.set_axis_off()
    for layer, role in _arrays(table):
        place = layers.index(layer)
        ax = places[2 * (place // across) + (role == BIAS), place % across]
        ax.set_axis_on()
        weight_histograms(table, layer=layer, role=role, ax=ax, legend=False)
    lines, labels = places[0, 0].get_legend_handles_labels()
    draw_legend(figure, lines, labels, title="epoch", loc="outside lower center", ncols=len(labels))
    return figure


def _arrays(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(table["layer"], table["role"], strict=True)))


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of histograms that are drawn."""
    return pd.concat(
        [histograms_at(table, layer=layer, role=role) for layer, role in _arrays(table)], ignore_index=True
    )
