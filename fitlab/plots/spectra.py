"""Singular values of weight matrices, layer by layer, where training began and where it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fitlab.diagnosis.naming import counted, listed, percent
from fitlab.parameters.layers import layers_of
from fitlab.parameters.matrices import singular_values
from fitlab.plots.drawn import Origin, origin_of, shows
from fitlab.plots.shared import FAINT, axes_or_new, bare, colour, draw_legend, entitle, marker, nothing, refuse_other
from fitlab.plots.sources import numeric, one_config, titled
from fitlab.records import Config, Fit, Floats
from fitlab.stats import t_interval
from fitlab.sweep import Sweep

COLUMNS = ("layer", "epoch", "rank", "value", "low", "high", "n")
LEVEL = 0.90
ZERO = 1e-10  # of the largest: singular values below it are 0 but for rounding


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What ``spectrum`` draws: singular values by rank, means over seeds."""

    rows: pd.DataFrame  # layer, epoch, rank (from 1), value, low, high, n
    edges: Mapping[str, float]  # layer -> the largest singular value of a random matrix like the last; of several rows
    title: str = ""
    level: float = LEVEL
    origin: Origin | None = None

    def table(self) -> pd.DataFrame:
        """Return a row per singular value: layer, epoch, rank, value, low, high, n; of edges rank is missing."""
        marks = [(layer, self.epochs[-1], math.nan, edge, math.nan, math.nan, 0) for layer, edge in self.edges.items()]
        if not marks:
            return self.rows
        return pd.concat([self.rows, pd.DataFrame(marks, columns=COLUMNS)], ignore_index=True)

    @property
    def layers(self) -> list[str]:
        """Layers from the input."""
        return [*dict.fromkeys(self.rows["layer"])]

    @property
    def epochs(self) -> list[int]:
        """Epochs that are drawn, in order."""
        return sorted(int(one) for one in self.rows["epoch"].unique())

    @property
    def seeds(self) -> int:
        """Over how many the means are."""
        return int(self.rows["n"].max())

    @property
    def caption(self) -> str:
        """What stands below the figure."""
        bands = f", mean over {self.seeds} seeds with {percent(self.level)} Student-t bands" if self.seeds > 1 else ""
        epochs = listed(map(str, self.epochs))
        edge = "; dotted: the largest that a random matrix of the same shape and variance has" if self.edges else ""
        name = f"{self.title}: singular" if self.title else "Singular"
        many = counted(len(self.layers), "layer")
        return (
            f"{name} values of the weights of {many}, the largest first, at epoch {epochs}"
            f" (solid: {self.epochs[-1]}){bands}{edge}. What stands above that line is not chance; it says nothing of "
            f"overfitting by itself."
        )


def spectrum(
    source: Fit | Sweep | Spectrum | pd.DataFrame,
    *,
    config: Config | str | None = None,
    layers: Sequence[str] = (),
    epochs: Sequence[int] = (),
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the singular values of each layer's weights, the largest first, at the first and the last kept epoch.

    Dotted is σ(√rows + √columns) of the last epoch, σ² the variance of its entries: the edge of the law of Marchenko
    and Pastur (1967), which for Gaussian entries the mean of the largest singular value does not exceed at any size
    (Gordon 1985; Davidson and Szarek 2001). config: of a Sweep; default: the one that validation chooses, means over
    its completed Fits. layers, epochs: of those kept. source: or a DataFrame with columns layer, epoch, rank, value.
    What is drawn is ``spectrum_of(…).table()``. Raises ValueError where there is nothing to draw, StoreError.
    """
    found = source if isinstance(source, Spectrum) else spectrum_of(source, config=config, layers=layers, epochs=epochs)
    ax = axes_or_new(ax)
    for place, layer in enumerate(found.layers):
        for epoch in found.epochs:
            _draw(
                ax,
                found.rows[(found.rows["layer"] == layer) & (found.rows["epoch"] == epoch)],
                place,
                _dash(found, epoch),
            )
        if layer in found.edges:
            longest = int(found.rows.loc[found.rows["layer"] == layer, "rank"].max())
            ax.plot([1, longest], [found.edges[layer]] * 2, linestyle=":", color=colour(place), linewidth=1.0)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("rank")
    ax.set_ylabel("singular value")
    if found.title:
        entitle(ax, found.title)
    bare(ax)
    if legend:
        handles, labels = _explained(found)
        draw_legend(ax, handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return shows(ax, found)


def _draw(ax: Axes, rows: pd.DataFrame, place: int, dash: str) -> None:
    shade = colour(place)
    glyph: dict[str, Any] = {"marker": marker(place), "markersize": 4, "markevery": [0]}
    ax.plot(rows["rank"], rows["value"], color=shade, linestyle=dash, linewidth=1.2, **glyph)
    positive = np.maximum(rows["low"], rows["value"] / 100)  # a logarithmic axis has no 0
    ax.fill_between(rows["rank"], positive, rows["high"], color=shade, alpha=0.15, linewidth=0)


def _dash(found: Spectrum, epoch: int) -> str:
    """The last epoch is solid, the first dashed, what is between dash-dotted."""
    return "-" if epoch == found.epochs[-1] else "--" if epoch == found.epochs[0] else "-."


def _explained(found: Spectrum) -> tuple[list[Line2D], list[str]]:
    style: dict[str, Any] = {"linewidth": 1.2, "markersize": 4}
    lines = {layer: Line2D([], [], color=colour(i), marker=marker(i), **style) for i, layer in enumerate(found.layers)}
    dashes = {_dash(found, epoch): epoch for epoch in found.epochs}  # of those between one stands for all
    for dash in ("--", "-.", "-"):
        if dash in dashes and len(found.epochs) > 1:
            name = f"epoch {dashes[dash]}" if dash != "-." or len(found.epochs) == 3 else "between"
            lines[name] = Line2D([], [], color=FAINT, linestyle=dash, linewidth=1.2)
    if found.edges:
        lines["largest, if random"] = Line2D([], [], color=FAINT, linestyle=":", linewidth=1.0)
    return [*lines.values()], [*lines]


def spectrum_of(
    source: Fit | Sweep | pd.DataFrame,
    *,
    config: Config | str | None = None,
    layers: Sequence[str] = (),
    epochs: Sequence[int] = (),
) -> Spectrum:
    """Return what ``spectrum`` draws. Raises ValueError where there is nothing."""
    origin: Origin | None = None
    match source:
        case pd.DataFrame():
            return _told(source, layers, epochs)
        case Sweep():
            chosen = one_config(source, config)
            fits, title, level = source.completed(chosen), titled(source, chosen), source.spec.diagnosis.level
            origin = origin_of(source, [chosen])
        case _:
            refuse_other(source, Sweep, Fit, pd.DataFrame)
            fits, title, level = (source,), "", LEVEL
    kept = [epoch for epoch in dict.fromkeys(e for fit in fits for e in fit.kept) if all(epoch in f.kept for f in fits)]
    if not kept:
        raise nothing(f"{title or 'this Fit'}: no weights were kept")
    shown = [*epochs] or [*dict.fromkeys((kept[0], kept[-1]))]
    _check("epoch", shown, kept)
    found = {epoch: [_spectra(fit, epoch) for fit in fits] for epoch in shown}
    names = [*found[shown[-1]][0]]
    _check("layer", layers, names)
    wanted = [*layers] or names
    rows = [row for layer in wanted for epoch in shown for row in _rows(layer, epoch, found[epoch], level)]
    if not rows:
        raise nothing(f"{title or 'this Fit'}: its weights are not finite, or there is no matrix", names)
    edges = {layer: edge for layer in wanted if (edge := _edge(layer, fits, max(shown))) is not None}
    return Spectrum(pd.DataFrame(rows, columns=COLUMNS), edges, title, level, origin)


def _check(what: str, wanted: Sequence[object], there: Sequence[object]) -> None:
    lacking = [one for one in wanted if one not in there]
    if lacking:
        raise nothing(f"{what} {lacking[0]} was not kept", there)


def _spectra(fit: Fit, epoch: int) -> dict[str, Floats]:
    return {layer.name: singular_values(layer.weight) for layer in layers_of(fit.kept[epoch])}


def _rows(
    layer: str, epoch: int, spectra: Sequence[Mapping[str, Floats]], level: float
) -> list[tuple[str, int, int, float, float, float, int]]:
    """Return a row for each rank, with the mean over seeds; none where a matrix is not finite."""
    values = [one[layer] for one in spectra if layer in one and np.isfinite(one[layer]).all()]
    ranks = min(map(len, values), default=0)
    tables = np.array([one[:ranks] for one in values]).reshape(len(values), ranks)
    kept = [i for i in range(ranks) if (tables[:, i] > ZERO * tables[:, 0]).all()]
    means = [(i, t_interval(tables[:, i], level)) for i in kept]
    return [(layer, epoch, i + 1, one.estimate, one.low, one.high, one.n) for i, one in means]


def _edge(layer: str, fits: Sequence[Fit], epoch: int) -> float | None:
    """Return σ(√rows + √columns), the mean over Fits; None for what is a vector or not finite."""
    matrices = [np.atleast_2d(one.weight) for fit in fits for one in layers_of(fit.kept[epoch]) if one.name == layer]
    if not matrices or any(min(one.shape) < 2 or not np.isfinite(one).all() for one in matrices):
        return None
    return float(np.mean([one.std() * (math.sqrt(one.shape[0]) + math.sqrt(one.shape[1])) for one in matrices]))


def _told(frame: pd.DataFrame, layers: Sequence[str], epochs: Sequence[int]) -> Spectrum:
    lacking = [column for column in ("layer", "epoch", "rank", "value") if column not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}", frame.columns)
    frame = numeric(frame, "rank", "value", "low", "high")
    _check("layer", layers, [*frame["layer"].unique()])
    _check("epoch", epochs, [*frame["epoch"].unique()])
    chosen = frame[frame["layer"].isin(layers or frame["layer"]) & frame["epoch"].isin(epochs or frame["epoch"])]
    marks = chosen[chosen["rank"].isna()]
    rows = chosen[chosen["rank"].notna() & (chosen["value"] > 0)]
    if not len(rows):
        raise nothing("no singular value above 0")
    full = rows.assign(**{name: np.nan for name in ("low", "high") if name not in rows})
    full = full.assign(n=rows.get("n", 1)).astype({"rank": int})[[*COLUMNS]]
    return Spectrum(full.reset_index(drop=True), dict(zip(marks["layer"], marks["value"], strict=True)))
