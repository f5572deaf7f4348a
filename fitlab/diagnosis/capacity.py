"""Loss against capacity: where it peaks, where models begin to interpolate, and whether a second descent follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fitlab.diagnosis.gather import Group, groups
from fitlab.diagnosis.intervals import scaled, unscaled
from fitlab.errors import FitlabError
from fitlab.records import Config, Floats, Interval
from fitlab.spec.models import Estimator
from fitlab.stats import t_interval
from fitlab.sweep import Sweep

FITTED = 1e-9  # of the constant predictor's loss: a training loss below is that of a model that interpolates
LEAST_SQUARES = "sklearn.linear_model.LinearRegression"
RANDOM_FEATURES = ("fitlab.estimators.RandomFeaturesRegressor", "fitlab.estimators.RandomFeaturesClassifier")


@dataclass(frozen=True)
class Peak:
    """A loss that rises along capacity and falls again, for certain. Places of Configs in their group."""

    before: int  # the lowest loss below the peak
    at: int
    after: int  # the lowest loss above it
    rise: Interval  # loss at the peak minus before, paired within seeds
    fall: Interval  # loss at the peak minus after


@dataclass(frozen=True)
class CapacityPoint:
    """One Config on the curve."""

    config: Config
    value: Any  # of the capacity axis
    capacity: float  # its place, small to large
    train: Interval  # losses at the last epoch
    val: Interval
    interpolates: bool  # it fits every training row, under all seeds


@dataclass(frozen=True)
class CapacityCurve:
    """Loss along the declared capacity axis, all else being equal (Belkin et al. 2019)."""

    axis: str
    swept: Mapping[str, Any]  # what else is swept, with its value on this curve
    points: tuple[CapacityPoint, ...]  # small to large; the Configs that completed under every seed
    peak: CapacityPoint | None  # None: the loss rises and falls again nowhere for certain, by the margin
    first_minimum: CapacityPoint | None  # the lowest below the peak
    second_minimum: CapacityPoint | None  # the lowest above it
    rise: Interval | None  # to the peak
    second_descent: Interval | None  # from the peak to the second minimum
    threshold: tuple[Any, Any]  # values: the largest that does not interpolate, and the next, which does; None: none
    expected_threshold: int | None  # by theory, for least squares: as many features as training rows; else None

    @property
    def double_descent(self) -> bool:
        """Whether there is a peak with a second descent behind it."""
        return self.peak is not None

    def table(self) -> pd.DataFrame:
        """Return a row per Config, small to large: losses with bounds, whether it interpolates, what it is."""
        roles = {"peak": self.peak, "first minimum": self.first_minimum, "second minimum": self.second_minimum}
        rows = []
        for point in self.points:
            row: dict[str, Any] = {**self.swept, self.axis: point.value, "capacity": point.capacity}
            for name, found in (("loss/train", point.train), ("loss/val", point.val)):
                row |= {name: found.estimate, f"{name}/low": found.low, f"{name}/high": found.high}
            role = next((name for name, one in roles.items() if one is point), "")
            rows.append({**row, "n": point.val.n, "interpolates": point.interpolates, "role": role})
        return pd.DataFrame(rows, index=pd.Index([one.config.digest[:12] for one in self.points], name="config"))


def capacity_curves(sweep: Sweep) -> tuple[CapacityCurve, ...]:
    """Return a curve for every setting of what else is swept. Raises FitlabError where no capacity axis is declared."""
    axis = sweep.spec.diagnosis.capacity_axis
    if axis is None:
        raise FitlabError("no curve against capacity: declare diagnosis.capacity_axis, one of the swept keys")
    return tuple(_curve(sweep, group, line, axis) for group in groups(sweep) for line in lines_of(group))


def lines_of(group: Group) -> list[list[int]]:
    """Return the sound Configs that differ in capacity alone, line by line, small to large."""
    lines: dict[str, list[int]] = {}
    for i in group.sound:
        one = group.candidates.configs[i]
        if one.capacity is not None:
            lines.setdefault(one.group or "", []).append(i)
    return [sorted(line, key=lambda i: group.candidates.configs[i].capacity or 0) for line in lines.values()]


def peak_of(group: Group, line: Sequence[int], level: float) -> Peak | None:
    """Return where the loss peaks inside a line: above the lowest on either side by the margin, with certainty.

    Differences are compared as asinh(q/δ), as the rule does: near the threshold a loss has a tail without a variance
    (25 rows, 12 seeds: no peak was certain by plain differences), so that the interval of its mean says little.
    """
    losses = [group.final(i) for i in line]
    means = [float(one.mean()) for one in losses]
    for at in sorted(range(1, len(line) - 1), key=lambda k: -means[k]):
        before = min(range(at), key=lambda k: means[k])
        after = min(range(at + 1, len(line)), key=lambda k: means[k])
        rise, fall = (_above(losses[at], losses[k], group.margin, level) for k in (before, after))
        learned = means[before] < float(np.mean(group.null)) - group.margin  # else there was no first descent
        if learned and rise.low > group.margin and fall.low > group.margin:
            return Peak(line[before], line[at], line[after], rise, fall)
    return None


def _above(peak: Floats, other: Floats, margin: float, level: float) -> Interval:
    """Return how much higher one loss is, paired within seeds: the mean of asinh(q/δ), in units of loss. (S,)"""
    found = t_interval(scaled(peak - other, margin), level)
    estimate, low, high = (unscaled(value, margin) for value in (found.estimate, found.low, found.high))
    return Interval(estimate, low, high, level, found.n, "t of asinh(q/margin)")


def _curve(sweep: Sweep, group: Group, line: Sequence[int], axis: str) -> CapacityCurve:
    level = sweep.spec.diagnosis.level
    points = {i: _point(sweep, group, i, axis, level) for i in line}
    peak = peak_of(group, line, level)
    first = points[line[0]].config
    return CapacityCurve(
        axis=axis,
        swept={key: value for key, value in first.swept.items() if key != axis},
        points=tuple(points.values()),
        peak=None if peak is None else points[peak.at],
        first_minimum=None if peak is None else points[peak.before],
        second_minimum=None if peak is None else points[peak.after],
        rise=None if peak is None else peak.rise,
        second_descent=None if peak is None else peak.fall,
        threshold=_threshold(tuple(points.values())),
        expected_threshold=_expected(sweep, first, axis),
    )


def _point(sweep: Sweep, group: Group, i: int, axis: str, level: float) -> CapacityPoint:
    config = group.configs[i]
    train = group.train(i)[:, -1]
    hits = [fit.final.get("accuracy/train", math.nan) for fit in sweep.completed(config)]
    null = group.candidates.null_train[: group.n]
    fitted = all(hit == 1 for hit in hits) or bool((train <= FITTED * null).all())
    place = group.candidates.configs[i].capacity
    capacity = math.nan if place is None else place
    val = t_interval(group.final(i), level)
    return CapacityPoint(config, config.swept[axis], capacity, t_interval(train, level), val, fitted)


def _threshold(points: Sequence[CapacityPoint]) -> tuple[Any, Any]:
    """Return the values between which models begin to interpolate, and go on doing so to the largest."""
    last = max((k for k, point in enumerate(points) if not point.interpolates), default=-1)
    below = points[last].value if last >= 0 else None
    return below, points[last + 1].value if last + 1 < len(points) else None


def _expected(sweep: Sweep, config: Config, axis: str) -> int | None:
    """Return the number of features from which least squares interpolates; an intercept is one more of them."""
    model = config.sections.model
    rows = next((fit.sizes["n_train"] for fit in sweep.of(config) if "n_train" in fit.sizes), None)
    if rows is None or not isinstance(model, Estimator):
        return None
    given = model.parameters
    if model.estimator == LEAST_SQUARES and axis == "data.n_visible":
        return rows - int(bool(given.get("fit_intercept", True)))
    if model.estimator in RANDOM_FEATURES and axis.endswith(".n_components") and not given.get("alpha", 0):
        return rows
    return None
