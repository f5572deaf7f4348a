"""The figures of weights and biases as files: of one Config, and of a whole Sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from fitlab.diagnosis.naming import name_of
from fitlab.parameters.maps import Maps, maps_of
from fitlab.parameters.measured import BIAS, NETWORK
from fitlab.plots.biases import LABELS, bias_shift
from fitlab.plots.drawn import Origin, figure_shows, origin_of
from fitlab.plots.matrices import NO_INTERVALS, Heat, Spread, draw_map, draw_spread, spread_of
from fitlab.plots.norms import norms_vs_gap
from fitlab.plots.saving import save
from fitlab.plots.shared import draw_legend, nothing, small, wrapped
from fitlab.records import Config
from fitlab.sweep import Sweep

ACROSS = 4  # layers beside each other
WIDE = 2.8  # inches of a layer


def write_weight_figures(sweep: Sweep, configs: Sequence[Config], out: Path) -> list[Path]:
    """Write figures of weights and biases below ``out``, each as png, pdf, csv and json; return the files.

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
    origin = origin_of(sweep, [config], NO_INTERVALS)
    title = f"{name_of(config)}, seed {fit.job.seed}"
    files = save(_heatmaps(maps, title, origin), f"{start}_weight_heatmap")
    files += save(_histograms(maps, title, origin), f"{start}_weight_histograms")
    return files + _write_biases(sweep, config, f"{start}_bias_shift")


def _write_norms(sweep: Sweep, out: Path) -> list[Path]:
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    norms_vs_gap(sweep, ax=figure.subplots())
    return save(figure, out / "norms_vs_gap")


def _write_biases(sweep: Sweep, config: Config, to: str) -> list[Path]:
    """Write how biases move; nothing where there are none."""
    measured = sweep.parameter_means(config)
    metric = next((name for name in LABELS if any(m == name and role == BIAS for _, role, m in measured)), None)
    if metric is None:
        return []
    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    bias_shift(sweep, config=config, metric=metric, ax=figure.subplots())
    return save(figure, to)


@dataclass(frozen=True, eq=False)
class Arrays:
    """All arrays of one Fit in one figure."""

    records: Sequence[Heat] | Sequence[Spread]
    caption: str
    origin: Origin

    def table(self) -> pd.DataFrame:
        """Return the tables of all arrays, which name layer and role."""
        return pd.concat([one.table() for one in self.records], ignore_index=True)


def _entitle(figure: Figure, title: str) -> None:
    figure.suptitle(wrapped(title, 72 * figure.get_figwidth(), small()), parse_math=False, fontsize=small())


def _heatmaps(found: Maps, title: str, origin: Origin) -> FigureBase:
    """Draw a column a layer: weights, and below them its biases as a strip, at the last epoch."""
    maps, title = found.maps[found.epochs[-1]], f"{title}, epoch {found.epochs[-1]}"
    layers = [[one for one in maps if one.layer == name] for name in dict.fromkeys(one.layer for one in maps)]
    across = min(ACROSS, len(layers))
    down = math.ceil(len(layers) / across)
    figure = Figure(figsize=(WIDE * across, 3.6 * down), layout="constrained")
    _entitle(figure, title)
    places = figure.subplots(2 * down, across, squeeze=False, height_ratios=[9, 1] * down)
    for ax in places.ravel():
        ax.set_axis_off()
    for place, arrays in enumerate(layers):
        at = 2 * (place // across)
        for one in arrays:
            ax = places[at + (one.role == BIAS), place % across]
            ax.set_axis_on()
            draw_map(ax, one)
    said = f"Weights and biases of {title}: blue negative, white 0, red positive, on the scale of all kept epochs."
    return figure_shows(figure, Arrays([Heat(one) for one in maps], said, origin))


def _histograms(found: Maps, title: str, origin: Origin) -> FigureBase:
    """Draw a column a layer: weights, and below them biases, with one legend for all."""
    table = found.table()
    layers = list(dict.fromkeys(table["layer"]))
    across = min(ACROSS, len(layers))
    down = math.ceil(len(layers) / across)
    figure = Figure(figsize=(WIDE * across, 4.2 * down + 0.6), layout="constrained")
    _entitle(figure, title)
    places = figure.subplots(2 * down, across, squeeze=False)
    for ax in places.ravel():
        ax.set_axis_off()
    spreads = []
    for layer, role in dict.fromkeys(zip(table["layer"], table["role"], strict=True)):
        place = layers.index(layer)
        ax = places[2 * (place // across) + (role == BIAS), place % across]
        ax.set_axis_on()
        spreads.append(spread_of(table, layer=layer, role=role))
        draw_spread(ax, spreads[-1].frame, legend=False)
    lines, labels = places[0, 0].get_legend_handles_labels()
    draw_legend(figure, lines, labels, title="epoch", loc="outside lower center", ncols=len(labels))
    said = f"How weights and biases of {title} are spread, after the epochs in the legend: light early, dark late."
    return figure_shows(figure, Arrays(spreads, said, origin))
