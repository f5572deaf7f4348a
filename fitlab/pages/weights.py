"""The weights, biases and curves of one Config, all its seeds, as a page to look around in."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from fitlab.diagnosis.naming import name_of, percent
from fitlab.parameters.maps import Histogram, Map, Maps, maps_of
from fitlab.parameters.measured import BIAS, BOTH, NETWORK, WEIGHT, Key
from fitlab.records import Array, Config, Fit, Floats, Interval
from fitlab.sweep import Sweep, epochs_of, mean_curve

STEPS = 127  # of an entry, from 0 to the largest one: what a cell says is right to 0.4 % of that
POINTS = 200  # of a curve, at most
CURVES = ("loss/train", "loss/val")


def weights_page(sweep: Sweep, config: Config) -> str:
    """Return the page of a Config. Its numbers are those of ``sweep.table()`` and ``sweep.parameter_means``.

    Nothing of other Configs is on it, no verdict either: it is made when this one is done.
    Of arrays with more than 128 rows or columns each cell is the largest entry of a block, and the page says so.
    Raises StoreError where weights lie in a file that is gone.
    """
    fits = [fit for fit in sweep.completed(config) if fit.kept]
    numbers = sweep.parameter_means(config)
    return _template().render(
        name=name_of(config),
        sweep=sweep.spec.name,
        question=sweep.spec.question,
        level=percent(sweep.spec.diagnosis.level),
        seeds=len(fits),
        losses={name: str(interval) for name, interval in sweep.intervals(config).items()},
        layers=_layers(numbers),
        data={"seeds": [_seed(fit) for fit in fits], "mean": _mean(fits)},
    )


@cache
def _template() -> jinja2.Template:
    text = files("fitlab.pages").joinpath("weights.html").read_text(encoding="utf-8")
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text)


def _layers(numbers: Mapping[Key, Interval]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return for each layer its metrics, each as written for weights, biases, and both."""
    layers = sorted(dict.fromkeys(layer for layer, _, _ in numbers), key=lambda layer: layer == NETWORK)
    metrics = dict.fromkeys(metric for _, _, metric in numbers)
    return [
        (layer, [(metric.replace("_", " "), row) for metric in metrics if any(row := _row(numbers, layer, metric))])
        for layer in layers
    ]


def _row(numbers: Mapping[Key, Interval], layer: str, metric: str) -> list[str]:
    found = [numbers.get((layer, role, metric)) for role in (WEIGHT, BIAS, BOTH)]
    return [str(one) if one else "" for one in found]


def _seed(fit: Fit) -> dict[str, Any]:
    drawn = maps_of(fit)
    return {
        "seed": fit.job.seed,
        "epochs": list(drawn.epochs),
        "arrays": list(_arrays(drawn)),
        "curves": _curves(fit.curves.epoch, {name: fit.curves[name] for name in CURVES}),
    }


def _arrays(drawn: Maps) -> Iterator[dict[str, Any]]:
    """Yield each array with its cells and histogram at all epochs."""
    by_array: dict[tuple[str, str], list[tuple[Map, Histogram]]] = {}
    for epoch in drawn.epochs:
        for one, counted in zip(drawn.maps[epoch], drawn.histograms[epoch], strict=True):
            by_array.setdefault((one.layer, one.role), []).append((one, counted))
    for (layer, role), found in by_array.items():
        one = found[0][0]
        yield {
            "layer": layer,
            "role": role,
            "shape": list(one.shape),
            "cells": list(one.values.shape),
            "scale": one.scale,
            "values": [_packed(at.values, at.scale) for at, _ in found],
            "counts": [counted.counts.tolist() for _, counted in found],
        }


def _packed(values: Floats, scale: float) -> str:
    """Return entries as signed bytes in base64, row by row: entry · STEPS / scale."""
    steps = np.round(values * (STEPS / scale)) if scale > 0 else np.zeros_like(values)
    return base64.b64encode(steps.astype(np.int8).tobytes()).decode()


def _curves(epoch: NDArray[np.int64], curves: Mapping[str, Floats]) -> dict[str, list[float | None]]:
    chosen = np.unique(np.linspace(0, max(len(epoch) - 1, 0), min(len(epoch), POINTS)).round().astype(int))
    rows: dict[str, Array] = {"epoch": epoch, **curves}
    return {
        name: [float(f"{value:.5g}") if np.isfinite(value) else None for value in np.asarray(values)[chosen]]
        for name, values in rows.items()
    }


def _mean(fits: list[Fit]) -> dict[str, list[float | None]]:
    return _curves(epochs_of(fits), {name: mean_curve(name, fits) for name in CURVES}) if fits else {}
