"""Learning curves against the number of training samples: what was measured, and what a law says of more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from fitlab.errors import FitlabError
from fitlab.records import Config, Floats, Interval
from fitlab.seeds import canonical
from fitlab.stats import Extrapolation, Law, extrapolation, t_interval
from fitlab.sweep import Sweep

LAWS: tuple[Law, ...] = ("pow4", "mmf")
AXES = ("data.train_size", "data.n_samples")
FURTHER = (2, 4)  # times the largest size that was measured


@dataclass(frozen=True)
class Needed:
    """How many samples a loss takes, by a law."""

    loss: float
    law: Law
    samples: Interval | None  # in all; None: the law never falls that low. An infinite bound: it may never
    more: Interval | None  # than the largest size that was measured, at least 0
    said: str


@dataclass(frozen=True, eq=False)
class SampleSizeCurve:
    """The loss of Configs that differ in the number of training samples alone. S seeds, P sizes."""

    swept: Mapping[str, Any]  # what else is swept, with its value on this curve
    metric: str
    sizes: tuple[int, ...]  # (P,) training rows, ascending
    losses: Floats  # (S, P) of the seeds that completed at every size
    laws: Mapping[Law, Extrapolation]  # empty where there are too few sizes
    level: float
    why: str = ""  # there are no laws

    @property
    def measured(self) -> tuple[Interval, ...]:
        """The loss at every size, with Student-t intervals over seeds. (P,)"""
        return tuple(t_interval(column, self.level) for column in self.losses.T)

    @property
    def last(self) -> Interval:
        """The baseline of any extrapolation: the loss at the largest size, as if more data changed nothing."""
        return self.measured[-1]

    def predicted(self, size: float, law: Law = "pow4") -> Interval:
        """Return the loss that a law says of a size. Raises FitlabError where it was not fitted."""
        return self._law(law).at(size)

    def needed(self, loss: float, law: Law = "pow4") -> Needed:
        """Return how many samples a loss takes; below the loss of endless data no number is given.

        Raises FitlabError where the law was not fitted, and for a loss that is not finite.
        """
        if not math.isfinite(loss):
            raise FitlabError(f"loss must be a finite number, got {loss}")
        found, limit = self._law(law).needed(loss), self._law(law).limit
        if math.isinf(found.estimate):
            said = f"{law} never falls to {loss:.4g}: with endless data it comes to {limit}"
            return Needed(loss, law, None, None, said)
        largest = self.sizes[-1]
        estimate, low, high = (_above(size - largest) for size in (found.estimate, found.low, found.high))
        more = replace(found, estimate=estimate, low=low, high=high)
        said = f"by {law} a loss of {loss:.4g} takes {found} samples, {more.estimate:.4g} more than {largest}"
        if found.high == math.inf:
            said += f"; that it is ever reached is not sure: with endless data the law comes to {limit}"
        return Needed(loss, law, found, more, said)

    def table(self, at: Sequence[float] = ()) -> pd.DataFrame:
        """Return a row per size: n, what was measured, what each law says, and the last value beyond.

        at: sizes beyond the measured ones; by default twice and four times the largest.
        """
        beyond = [float(size) for size in at or [times * self.sizes[-1] for times in FURTHER]]
        measured = dict(zip(self.sizes, self.measured, strict=True))
        rows: list[dict[str, Any]] = []
        for size in [*self.sizes, *beyond]:
            row = {**self.swept, "n_train": size, **_cells(self.metric, measured.get(size))}  # type: ignore[call-overload]
            for law, fitted in self.laws.items():
                row |= _cells(law, fitted.at(size))
            rows.append(row | _cells("last_value", None if size in measured else self.last))
        return pd.DataFrame(rows)

    def _law(self, law: Law) -> Extrapolation:
        if law not in self.laws:
            raise FitlabError(f"{law} was not fitted: {self.why or 'known are ' + ', '.join(LAWS)}")
        return self.laws[law]


def _above(value: float) -> float:
    """At least 0; NaN stays."""
    return value if math.isnan(value) else max(value, 0.0)


def _cells(name: str, found: Interval | None) -> dict[str, float]:
    values = (math.nan,) * 3 if found is None else (found.estimate, found.low, found.high)
    return dict(zip((name, f"{name}/low", f"{name}/high"), values, strict=True))


def sample_size_curves(
    sweep: Sweep, metric: str = "loss/val", *, level: float = 0.95, seed: int = 0, resamples: int = 999
) -> tuple[SampleSizeCurve, ...]:
    """Return a curve against the number of training samples for every setting of what else is swept.

    Sizes are those that the Fits were trained on (``data.train_size`` as an axis, or ``data.n_samples`` of a teacher).
    A seed that did not complete at every size is left out, so that all sizes rest on the same seeds.
    metric: of the last epoch, one that falls with data. seed, resamples: of the bootstrap over seeds.
    Raises FitlabError where neither axis is swept, or no such metric was measured.
    """
    lines: dict[str, list[Config]] = {}
    for config in sweep.configs:
        if any(axis in config.swept for axis in AXES):
            lines.setdefault(canonical(_rest(config)), []).append(config)
    if not lines:
        raise FitlabError(f"no curve against sample size: sweep {' or '.join(AXES)}")
    if metric not in sweep.metrics:
        raise FitlabError(f"{metric} was not measured; known are {', '.join(sweep.metrics)}")
    curves = [_curve(sweep, configs, metric, level, seed, resamples) for configs in lines.values()]
    return tuple(curve for curve in curves if curve is not None)


def _rest(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.swept.items() if key not in AXES}


def _curve(
    sweep: Sweep, configs: Sequence[Config], metric: str, level: float, seed: int, resamples: int
) -> SampleSizeCurve | None:
    """Return one curve; None where no seed completed at any size."""
    by_size: dict[int, dict[int, float]] = {}
    for config in configs:
        for fit in sweep.completed(config):
            value = fit.final.get(metric, math.nan)
            if math.isfinite(value):
                by_size.setdefault(fit.sizes["n_train"], {})[fit.job.seed] = value
    if not by_size:
        return None
    sizes = sorted(by_size)
    seeds = [s for s in sweep.spec.seeds.values if all(s in by_size[n] for n in sizes)]
    if not seeds:
        return None
    losses = np.array([[by_size[n][s] for n in sizes] for s in seeds])
    if len(losses) > 1 and (losses == losses[:1]).all():
        losses = losses[:1]  # the seeds change nothing: one value, said several times
    laws: dict[Law, Extrapolation] = {}
    why = ""
    try:
        laws = {law: extrapolation(sizes, losses, law, level, seed=seed, resamples=resamples) for law in LAWS}
    except ValueError as error:
        why = str(error)
    return SampleSizeCurve(_rest(configs[0]), metric, tuple(sizes), losses, laws, level, why)
