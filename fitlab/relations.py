"""What parameters say about the fit: do norms, margins and the like rise with the loss on validation?

Along each swept axis by itself, the others held fixed: what orders loss along label noise does not along capacity.
Never part of a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from fitlab.parameters.measured import NETWORK, parameters_of
from fitlab.records import Fit, Interval
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.stats import kendall_tau, t_interval
from fitlab.sweep import Sweep

OUTCOMES = ("gap/loss", "loss/val", "error/val")
MEANS = ("stable_rank", "bias_share", "shift", "update_ratio")  # over layers and roles, beside what is of the network
FEWEST = 3  # points of an axis that an order can be seen on
ORDERS = 0.5  # Kendall's τ from which on a metric is said to order an outcome, with all of its interval
CRITERION = (
    f"Ordered is what has |τ| ≥ {ORDERS:g} with all of its interval over seeds; of the rest this sweep shows no order."
)
WARNING = (
    "Norms do not order test error along capacity (width, depth, alpha, epochs): they belong to no verdict, and a "
    "smaller one is no better network."
)


@dataclass(frozen=True)
class Relation:
    """How one metric of the parameters goes with one outcome along one axis."""

    axis: str  # a swept key
    metric: str
    outcome: str  # gap/loss, loss/val or error/val, at the last epoch
    tau: Interval  # Kendall's, the mean over strata; over seeds
    points: int  # values of the axis, at most, in a stratum: those where metric and outcome are both numbers
    strata: int  # settings of the other axes, in each of which the axis is looked at by itself

    @property
    def orders(self) -> bool:
        """Whether the metric for sure orders the outcome, rising or falling with it."""
        return self.tau.low >= ORDERS or self.tau.high <= -ORDERS


@dataclass(frozen=True)
class Relations:
    """What the parameters of a Sweep say about its fits."""

    rows: tuple[Relation, ...]
    not_applicable: Mapping[str, str]  # axis -> why nothing is said along it

    def table(self) -> pd.DataFrame:
        """Return a row per axis, metric and outcome: tau with its interval, n seeds, points and strata."""
        rows = [{**asdict(one), **_flat(one.tau)} for one in self.rows]
        columns = ["axis", "metric", "outcome", "tau", "low", "high", "n", "points", "strata"]
        return pd.DataFrame(rows, columns=columns)

    def words(self, outcome: str | None = None) -> list[str]:
        """Say for each axis which metrics order the outcome, which do not, and how to take it.

        outcome: None for error/val where an axis has one that varies, else loss/val.
        """
        lines = []
        for axis in dict.fromkeys(one.axis for one in self.rows):
            own = [one for one in self.rows if one.axis == axis]
            chosen = outcome or ("error/val" if any(one.outcome == "error/val" for one in own) else "loss/val")
            here = [one for one in own if one.outcome == chosen]
            lines += [f"{chosen} along {axis}: {_said(here)}."] if here else []
        lines += [f"along {axis}: {why}." for axis, why in self.not_applicable.items()]
        return [*lines, CRITERION, WARNING] if self.rows else lines


def _said(here: Sequence[Relation]) -> str:
    """Say which metrics rise or fall with the outcome for sure, and which do not. One seed decides nothing."""
    if all(one.tau.n < 2 for one in here):
        return "one seed does not say how sure an order is"
    kinds = {
        "rise with it": [one for one in here if one.tau.low >= ORDERS],
        "fall with it": [one for one in here if one.tau.high <= -ORDERS],
        "do not order it": [one for one in here if not one.orders],
    }
    most = max(one.points for one in here)

    def named(one: Relation) -> str:
        fewer = f" (at {one.points} of {most} values)" if one.points < most else ""
        return f"{one.metric} {one.tau.estimate:.2f}{fewer}"

    lists = {verb: ", ".join(map(named, ones)) for verb, ones in kinds.items()}
    return "; ".join(f"{names} {verb}" for verb, names in lists.items() if names)


def _flat(tau: Interval) -> dict[str, float]:
    return {"tau": tau.estimate, "low": tau.low, "high": tau.high, "n": tau.n}


def relations(sweep: Sweep) -> Relations:
    """Return how parameters go with outcomes along each swept axis, Configs paired within seeds.

    For each seed and each setting of the other axes Kendall's τ along the axis, then the mean over settings, and a
    Student-t interval over seeds, cut at ±1. Completed Fits alone. Along an axis that leaves the data alone, the excess
    over the best Config has the τ of loss/val. Weights are read from the store; raises StoreError.
    """
    rows = [
        (fit, {**_metrics(fit), **_outcomes(fit)}) for c in sweep.configs for fit in sweep.completed(c) if fit.weights
    ]
    found: list[Relation] = []
    not_applicable = {}
    for axis in domain_of(sweep.spec):
        lines = _lines(sweep, rows, axis)
        along = list(_along(axis, lines, sweep.spec.diagnosis.level))
        if not lines:
            not_applicable[axis] = f"fewer than {FEWEST} of its values have completed networks or arrays to compare"
        elif not along:
            not_applicable[axis] = "every metric, or every outcome, is the same at all of its values"
        found += along
    return Relations(tuple(found), not_applicable)


Line = tuple[int, str, list[Mapping[str, float]]]  # seed, setting of the other axes, and along the axis the numbers


def _lines(sweep: Sweep, rows: Sequence[tuple[Fit, Mapping[str, float]]], axis: str) -> list[Line]:
    """Return every walk along an axis: one seed, everything else that is swept fixed."""
    swept = {config.digest: config.swept for config in sweep.configs}
    lines: dict[tuple[int, str], list[Mapping[str, float]]] = {}
    for fit, numbers in rows:
        own = swept[fit.job.config.digest]
        if axis in own:
            others = canonical({key: value for key, value in own.items() if key != axis})
            lines.setdefault((fit.job.seed, others), []).append(numbers)
    return [(seed, others, line) for (seed, others), line in lines.items() if len(line) >= FEWEST]


def _along(axis: str, lines: Sequence[Line], level: float) -> Iterator[Relation]:
    names = dict.fromkeys(name for _, _, line in lines for numbers in line for name in numbers)
    for outcome in (name for name in OUTCOMES if name in names):
        for metric in (name for name in names if name not in OUTCOMES):
            by_seed: dict[int, list[float]] = {}
            points, settings = 0, set()
            for seed, others, line in lines:
                both = [(at[metric], at[outcome]) for at in line if metric in at and outcome in at]
                one = kendall_tau(*np.transpose(both)) if len(both) >= FEWEST else np.nan
                if not np.isnan(one):
                    by_seed.setdefault(seed, []).append(one)
                    points = max(points, len(both))
                    settings.add(others)
            if by_seed:
                tau = t_interval([np.mean(values) for values in by_seed.values()], level)
                cut = replace(tau, low=float(np.maximum(tau.low, -1)), high=float(np.minimum(tau.high, 1)))
                yield Relation(axis, metric, outcome, cut, points, len(settings))


def _metrics(fit: Fit) -> dict[str, float]:
    """Return what is of the whole network, and means over layers."""
    last = parameters_of(fit).last
    whole = {metric: value for (layer, _, metric), value in last.items() if layer == NETWORK}
    for name in MEANS:
        values = [value for (layer, _, metric), value in last.items() if metric == name and layer != NETWORK]
        if values:
            whole[f"mean {name}"] = float(np.mean(values))
    return {name: value for name, value in whole.items() if np.isfinite(value)}


def _outcomes(fit: Fit) -> dict[str, float]:
    final = fit.final
    found = {"gap/loss": final["loss/val"] - final["loss/train"], "loss/val": final["loss/val"]}
    return found | ({"error/val": 1 - final["accuracy/val"]} if "accuracy/val" in final else {})
