"""From a Sweep to what is decided on: Configs on the same data, paired within seeds, in order of capacity.

Configs whose data are set up differently (another train_size, other noise) have other constant predictors and other
floors: each group is judged within itself, as ``Sweep.constants`` has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fitlab.diagnosis.evidence import Candidate, Candidates
from fitlab.diagnosis.quantities import diverging
from fitlab.records import Config, Fit, Floats, Outcome
from fitlab.seeds import canonical
from fitlab.spec import domain_of
from fitlab.spec.sweeps import Values
from fitlab.sweep import SEEN, Sweep, data_key

SIZES = "hidden_layer_sizes"
# What makes a model smaller as it grows; the last part of the swept key, whatever the estimator.
SHRINKING = frozenset({
    "alpha", "alpha_1", "ccp_alpha", "reg_alpha", "reg_lambda", "l2_regularization", "weight_decay", "shrinkage",
    "n_neighbors", "bandwidth", "length_scale", "min_samples_leaf", "min_samples_split", "min_weight_fraction_leaf",
    "min_impurity_decrease", "var_smoothing", "epsilon", "tol", "dropout",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Group:
    """Configs on data that are set up in one way."""

    swept: Mapping[str, Any]  # the swept data keys with their values; empty where none is swept
    configs: tuple[Config, ...]
    seeds: tuple[int, ...]  # (S,) rows of the candidates
    candidates: Candidates
    alike: bool  # several seeds, and all of them gave the same numbers: one value, said several times
    margin: float  # δ, in units of loss

    def index(self, digest: str) -> int:
        """Return the place of a Config among the candidates."""
        return next(i for i, config in enumerate(self.configs) if config.digest == digest)

    @property
    def n(self) -> int:
        """How many values there are: one a seed, or one in all where the seeds change nothing."""
        return 1 if self.alike else len(self.seeds)

    def val(self, i: int) -> Floats:
        """Return the validation losses of a Config. -> (n, P)"""
        return self.candidates.configs[i].val[: self.n]

    def train(self, i: int) -> Floats:
        """Return the training losses of a Config. -> (n, P)"""
        return self.candidates.configs[i].train[: self.n]

    def final(self, i: int) -> Floats:
        """Return the validation losses of a Config at its last epoch. -> (n,)"""
        return self.val(i)[:, -1]

    @property
    def null(self) -> Floats:
        """The constant predictor's validation losses. -> (n,)"""
        return self.candidates.null_val[: self.n]

    @cached_property
    def sound(self) -> tuple[int, ...]:
        """Places of the Configs that completed under every seed and diverged under none: what can be compared."""
        null = self.candidates.null_train
        return tuple(
            i
            for i, candidate in enumerate(self.candidates.configs)
            if candidate.completed and not diverging(candidate, null, self.margin).any()
        )


def groups(sweep: Sweep) -> tuple[Group, ...]:
    """Return the groups of a Sweep, in the order of their first Configs."""
    members: dict[str, list[Config]] = {}
    for config in sweep.configs:
        members.setdefault(data_key(config), []).append(config)
    return tuple(_group(sweep, configs) for configs in members.values())


def _group(sweep: Sweep, configs: Sequence[Config]) -> Group:
    fits = [{fit.job.seed: fit for fit in sweep.of(config)} for config in configs]
    seeds = sweep.spec.seeds.values
    nulls = {seed: fit.null for of_one in fits for seed, fit in of_one.items() if fit.null}
    places = capacities(sweep, configs)
    capacity_axis = sweep.spec.diagnosis.capacity_axis
    candidates = [
        _candidate([of_one.get(seed) for seed in seeds], places.get(config.digest), _line(config, capacity_axis))
        for config, of_one in zip(configs, fits, strict=True)
    ]
    train, val = (np.array([nulls.get(s, {}).get(f"loss/{part}", np.nan) for s in seeds]) for part in ("train", "val"))
    swept = {key: value for key, value in configs[0].swept.items() if key.startswith("data.") and key not in SEEN}
    found = Candidates(tuple(candidates), train, val, kind_of_loss(sweep))
    margin = sweep.spec.diagnosis.margin * float(np.mean(val))
    return Group(swept, tuple(configs), tuple(seeds), found, _seeds_change_nothing(fits, nulls), margin)


def _seeds_change_nothing(fits: Sequence[Mapping[int, Fit]], nulls: Mapping[int, Mapping[str, float]]) -> bool:
    """Whether there are several seeds and every Fit of every Config is the same under each of them."""
    ends: list[list[Any]] = [[(fit.final, fit.epochs) for fit in of_one.values()] for of_one in fits]
    null = [*nulls.values()]
    return len(null) > 1 and all(row == rows[0] for rows in (*ends, null) for row in rows)


def kind_of_loss(sweep: Sweep) -> str:
    """Return which loss decides: log_loss, squared_error, zero_one_loss, or what a frame calls its own."""
    found = next((fit.loss for fit in sweep.fits if fit.loss), "")
    return found.partition(",")[0].removeprefix("mean_")


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────


def _candidate(fits: Sequence[Fit | None], capacity: float | None, line: str | None) -> Candidate:
    """Return one Config. fits: (S,) in the order of seeds, None where there is none."""
    epoch = _epochs(fits)
    last = [fit.final if fit else {} for fit in fits]
    known = any("accuracy/val" in one for one in last)
    return Candidate(
        epoch,
        _stacked(fits, "loss/train", epoch),
        _stacked(fits, "loss/val", epoch),
        tuple(fit.outcome if fit else None for fit in fits),
        capacity,
        line,
        np.array([one.get("accuracy/val", np.nan) for one in last]) if known else None,
    )


def _epochs(fits: Sequence[Fit | None]) -> np.ndarray:
    """Return every epoch at which some seed was measured, from the first that all of them share on. -> (P,)"""
    axes = [fit.curves.epoch for fit in fits if fit and len(fit.curves)]
    if not axes:
        return np.zeros(1, np.int64)
    if all(len(axis) == len(axes[0]) and (axis == axes[0]).all() for axis in axes[1:]):
        return axes[0]
    found = np.unique(np.concatenate(axes))
    return np.asarray(found[found >= max(int(axis[0]) for axis in axes)])


def _stacked(fits: Sequence[Fit | None], metric: str, epoch: np.ndarray) -> Floats:
    """Return a metric of every seed on one axis. -> (S, P)"""
    rows = np.full((len(fits), len(epoch)), np.nan)
    for row, fit in zip(rows, fits, strict=True):
        if fit is None or not len(fit.curves):
            continue
        measured, values = fit.curves.epoch, fit.curves[metric]
        if len(measured) == len(epoch):
            row[:] = values
            continue
        row[:] = values[np.searchsorted(measured, epoch, side="right") - 1]  # the last one measured until then
        if fit.outcome is not Outcome.COMPLETED:
            row[epoch > measured[-1]] = np.nan
    return rows


# ── capacity ────────────────────────────────────────────────────────────────────────────────────────────────


def _line(config: Config, axis: str | None) -> str | None:
    """Return what Configs share that differ in nothing but capacity; None without a capacity axis."""
    if axis is None or axis not in config.swept:
        return None
    return canonical({key: value for key, value in config.swept.items() if key not in (axis, "model.name")})


def capacities(sweep: Sweep, configs: Sequence[Config]) -> dict[str, float]:
    """Return the place of each Config on the declared capacity axis, small to large; empty where none is declared.

    A Config that does not have the key (its ``when`` does not hold) has no place.
    """
    axis = sweep.spec.diagnosis.capacity_axis
    return {} if axis is None else places(sweep, configs, axis)


def places(sweep: Sweep, configs: Sequence[Config], key: str) -> dict[str, float]:
    """Return the place of each Config along a swept key, small to large in capacity; Config digest -> place.

    Sizes of hidden layers: by weights and biases, by units where these are not known. Numbers: by value, the other
    way round for penalties and the like (``SHRINKING``); None, which in scikit-learn means no limit, is the largest.
    Anything else: in the order in which the spec lists its values.
    """
    having = [config for config in configs if key in config.swept]
    values = {config.digest: config.swept[key] for config in having}
    name = key.rsplit(".", 1)[-1].rsplit("__", 1)[-1]
    if name == SIZES:
        return _by_size(sweep, having, values)
    if all(value is None or number(value) for value in values.values()):
        sign = -1.0 if name in SHRINKING else 1.0
        return {digest: math.inf if value is None else sign * value for digest, value in values.items()}
    domain = domain_of(sweep.spec).get(key)
    listed = [canonical(value) for value in domain.values] if isinstance(domain, Values) else []
    return {d: float(listed.index(canonical(v))) for d, v in values.items() if canonical(v) in listed}


def number(value: Any) -> bool:
    """Whether a swept value is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_size(sweep: Sweep, configs: Sequence[Config], values: Mapping[str, Sequence[int]]) -> dict[str, float]:
    known = {config.digest: n_parameters(sweep, config) for config in configs}
    if all(count is not None for count in known.values()):
        return {digest: float(count) for digest, count in known.items() if count is not None}
    return {digest: float(sum(sizes)) for digest, sizes in values.items()}


def n_parameters(sweep: Sweep, config: Config) -> int | None:
    """Return how many weights and biases a Config has; None where no Fit says so."""
    return next((fit.sizes["n_parameters"] for fit in sweep.of(config) if "n_parameters" in fit.sizes), None)
