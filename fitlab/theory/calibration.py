"""Whether predicted probabilities are what they say: the record, and how it is computed from predictions.

N rows of a part, S seeds, B bins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fitlab.errors import FitlabError
from fitlab.records import Array, Config, Floats, Interval
from fitlab.stats import t_interval
from fitlab.sweep import Sweep

BINS = 10
ROWS = 10  # that a bin has, at least
DRAWS = 200
PLACES = np.linspace(0, 1, 21)  # edges of the histogram


@dataclass(frozen=True, eq=False)
class Said:
    """What was predicted under one seed: how probable, and whether it came true. Both (N,)."""

    probability: Floats
    true: Floats  # 1 or 0
    weights: Floats | None = None  # (N,) how much a row counts; None: alike


@dataclass(frozen=True)
class Bin:
    """Rows of about the same probability."""

    probability: float  # the mean over seeds of their mean
    true: Interval  # the share that came true, the mean over seeds
    rows: int  # of all seeds together


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted probabilities against what came true, in bins of about equally many rows."""

    bins: tuple[Bin, ...]
    error: Interval  # expected calibration error: the mean over rows of |came true − probability| of their bin
    by_chance: float  # the same number where every probability is right: it is never 0 with few rows
    confidence: Interval  # mean probability minus the share that came true: above 0 it is over-confident
    rows: int  # of one seed, at most
    shares: Floats  # (20,) of rows with a probability in each twentieth: a histogram
    sweep: Sweep | None = None  # None: predictions from elsewhere
    config: Config | None = None
    part: str = "val"
    classes: int = 0  # K; 0: not known

    def table(self) -> pd.DataFrame:
        """Return a row per bin: what (bin), probability, value (came true), low, high, rows; then the histogram's."""
        bins = [("bin", b.probability, b.true.estimate, b.true.low, b.true.high, b.rows) for b in self.bins]
        middles = (PLACES[:-1] + PLACES[1:]) / 2
        total = sum(one.rows for one in self.bins)
        there = zip(middles, self.shares, strict=True)
        counted = [("histogram", float(x), float(y), math.nan, math.nan, round(y * total)) for x, y in there]
        return pd.DataFrame([*bins, *counted], columns=["what", "probability", "value", "low", "high", "rows"])


def said(probabilities: Floats, y: Array, weights: Floats | None = None) -> Said:
    """Return how probable the most probable class was, and whether it was the true one.

    probabilities: (N, K); y: (N,) class codes. Raises FitlabError for what is no probability of classes.
    """
    if probabilities.ndim != 2:
        raise FitlabError("calibration takes probabilities of classes; these predictions are values or hard labels")
    return Said(probabilities.max(axis=1), (probabilities.argmax(axis=1) == y).astype(np.float64), weights)


def calibrated(seeds: Sequence[Said], bins: int = BINS, level: float = 0.90) -> Calibration:
    """Return the calibration of predictions, one Said a seed.

    Bins hold about equally many rows of all seeds together (Nguyen and O'Connor 2015), at least ten of one seed, so
    that fewer rows have fewer bins; the expected calibration error (Naeini et al. 2015; Guo et al. 2017) is computed
    seed by seed, with a Student-t interval over seeds. It is never negative: beside it stands what it comes to where
    each probability is right, by drawing what comes true from the probabilities themselves (Bröcker and Smith 2007).
    Raises FitlabError where there is no row, or a probability is none.
    """
    pooled = np.concatenate([one.probability for one in seeds]) if seeds else np.empty(0)
    if not len(pooled) or not ((pooled >= 0) & (pooled <= 1)).all():
        raise FitlabError("calibration takes probabilities between 0 and 1, of one row at least")
    rows = max(len(one.probability) for one in seeds)
    count = max(1, min(bins, rows // ROWS))
    inner = np.unique(np.quantile(pooled, np.arange(1, count) / count))
    places = [np.searchsorted(inner, one.probability, side="right") for one in seeds]
    found = [_bin(seeds, places, b, level) for b in range(len(inner) + 1)]
    errors = [_error(one, place, len(inner) + 1) for one, place in zip(seeds, places, strict=True)]
    above = [float(np.average(one.probability - one.true, weights=one.weights)) for one in seeds]
    return Calibration(
        tuple(one for one in found if one is not None),
        t_interval(errors, level),
        _by_chance(seeds, places, len(inner) + 1),
        t_interval(above, level),
        rows,
        np.histogram(pooled, PLACES)[0] / len(pooled),
    )


def _bin(seeds: Sequence[Said], places: Sequence[Array], b: int, level: float) -> Bin | None:
    """Return one bin; None where it is empty. Seeds without a row in it say nothing about it."""
    there = [(one, place == b) for one, place in zip(seeds, places, strict=True) if (place == b).any()]
    if not there:
        return None
    means = [[_mean(values, inside, one.weights) for values in (one.probability, one.true)] for one, inside in there]
    probability, true = np.array(means).T
    return Bin(float(probability.mean()), t_interval(true, level), int(sum(inside.sum() for _, inside in there)))


def _mean(values: Floats, inside: Array, weights: Floats | None) -> float:
    return float(np.average(values[inside], weights=None if weights is None else weights[inside]))


def _error(one: Said, places: Array, count: int) -> float:
    """Return the expected calibration error of one seed, in bins that are given."""
    weights = np.ones(len(places)) if one.weights is None else one.weights
    beside = np.bincount(places, weights * (one.true - one.probability), count)
    return float(np.abs(beside).sum() / weights.sum())


def _by_chance(seeds: Sequence[Said], places: Sequence[Array], count: int) -> float:
    """Return the mean expected calibration error where what comes true is drawn from the probabilities."""
    rng = np.random.default_rng(0)
    drawn = [
        _error(
            Said(one.probability, (rng.random(len(place)) < one.probability).astype(np.float64), one.weights),
            place,
            count,
        )
        for one, place in zip(seeds, places, strict=True)
        for _ in range(max(1, DRAWS // len(seeds)))
    ]
    return float(np.mean(drawn))
