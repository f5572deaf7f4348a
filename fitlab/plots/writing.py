"""Figures as files: png, pdf with embedded fonts, and csv of what is drawn; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fitlab.parameters.layers import layers_of
from fitlab.parameters.maps import maps_of
from fitlab.parameters.measured import BIAS, WEIGHT
from fitlab.plots.relations import norms_vs_gap, norms_vs_gap_table
from fitlab.plots.weights import weight_heatmap, weight_histograms
from fitlab.records import Config, Fit
from fitlab.sweep import Sweep


def write_weight_figures(sweep: Sweep, configs: Sequence[Config], out: Path) -> list[Path]:
    """Write figures of a sweep's parameters below ``out`` and return the files.

    Norm against gap over all Configs; where ``configs`` is one, also maps and histograms of its first completed Fit.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = _written(_norms(sweep), norms_vs_gap_table(sweep), out / "norms_vs_gap")
    if len(configs) == 1:
        fit = next(fit for fit in sweep.completed(configs[0]) if fit.kept)
        tidy = sweep.parameters()
        own = tidy[(tidy.config == fit.job.config.digest[:12]) & (tidy.seed == fit.job.seed)]
        written += _written(_maps(fit), own, out / "weight_heatmap")
        written += _written(_histograms(fit), maps_of(fit).table(), out / "weight_histograms")
    return written


def _figure(columns: int, rows: int) -> Figure:
    figure = Figure(figsize=(3.4 * columns, 2.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _norms(sweep: Sweep) -> Figure:
    figure = _figure(1, 1)
    norms_vs_gap(sweep, ax=figure.subplots())
    return figure


def _maps(fit: Fit) -> Figure:
    layers = layers_of(fit.weights)
    figure = _figure(len(layers), 1)
    for layer, ax in zip(layers, figure.subplots(1, len(layers), squeeze=False)[0], strict=True):
        weight_heatmap(fit, layer=layer.name, ax=ax)
    return figure


def _histograms(fit: Fit) -> Figure:
    layers = layers_of(fit.weights)
    roles = (WEIGHT, BIAS) if any(layer.bias is not None for layer in layers) else (WEIGHT,)
    figure = _figure(len(layers), len(roles))
    for role, line in zip(roles, figure.subplots(len(roles), len(layers), squeeze=False), strict=True):
        for layer, ax in zip(layers, line, strict=True):
            weight_histograms(fit, layer=layer.name, role=role, ax=ax)
    return figure


def _written(figure: Figure, data: pd.DataFrame, stem: Path) -> list[Path]:
    files = [stem.with_suffix(end) for end in (".png", ".pdf", ".csv")]
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(files[0], dpi=200, metadata={"Software": None})
        figure.savefig(files[1], metadata={"CreationDate": None, "Creator": None, "Producer": None})
    data.to_csv(files[2], index=False)
    return files
