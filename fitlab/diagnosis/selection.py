"""Honest selection: validation chooses, at the epoch that the spec fixed; the test part is read afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fitlab.diagnosis.gather import Group, n_parameters
from fitlab.records import Config, Floats, Interval, Outcome
from fitlab.stats import standard_error, t_interval
from fitlab.sweep import Sweep, score
from fitlab.verdicts import Selection

CHOOSES = "loss/val"


@dataclass(frozen=True, eq=False)
class TestLosses:
    """What the selected Config loses on test rows, by seed. Made after choosing, by who has the data at hand."""

    __test__ = False  # no tests in it, whatever pytest makes of the name

    config: str  # digest
    losses: Floats  # (S,) in the order of its completed Fits
    rows: float  # standard error of the mean over test rows, which all seeds share; 0 where each has its own


@dataclass(frozen=True)
class Choice:
    """What validation chooses."""

    config: Config
    simplest: Config | None  # the smallest within one standard error of it (Breiman et al. 1984, section 3.4.3)
    epoch: int  # index on its axis at which it was chosen
    group: Group
    among: int


def choose(sweep: Sweep, groups: Sequence[Group]) -> Choice | None:
    """Return the sound Config with the lowest mean validation loss; None where each failed or diverged on some seed.

    Validation loss chooses whatever the objective is: accuracy says little of few rows, and a gap, a training loss or
    a size says nothing of new data. Of the epochs it takes the last, or the one where the mean over seeds is lowest,
    if the objective says that of the validation loss.
    None, too, where Configs are trained on different data: their losses do not compare.
    """
    if len(groups) != 1:
        return None
    group = groups[0]
    if not group.sound:
        return None
    at = {i: _epoch(sweep, group, i) for i in group.sound}
    means = {i: float(_val(group, i, at[i]).mean()) for i in group.sound}
    best = min(group.sound, key=lambda i: means[i])
    losses = _val(group, best, at[best])
    near = [i for i in group.sound if means[i] <= means[best] + standard_error(losses)]
    small = _smallest(sweep, group, near, means)
    return Choice(
        group.configs[best], None if small is None else group.configs[small], at[best], group, len(group.sound)
    )


def _epoch(sweep: Sweep, group: Group, i: int) -> int:
    mean = group.val(i).mean(axis=0)
    at_best = any(one.metric == CHOOSES and one.epoch == "best" for one in sweep.spec.sweep.objective)
    return int(np.argmin(np.where(np.isfinite(mean), mean, np.inf))) if at_best else len(mean) - 1


def objective_words(sweep: Sweep) -> str:
    """Say what the objective of a sweep is best at, such as ``highest accuracy/val at its best epoch``."""
    return ", ".join(
        f"{'highest' if one.maximize else 'lowest'} {one.metric}{' at its best epoch' if one.epoch == 'best' else ''}"
        for one in sweep.spec.sweep.objective
    )


def best_first(sweep: Sweep) -> list[Config]:
    """Return the Configs of a search: the best at its (first) objective first, then those that were given up."""
    objective, seeds = sweep.spec.sweep.objective[0], len(sweep.spec.seeds.values)
    sign, best = -1.0 if objective.maximize else 1.0, set(sweep.best())

    def rank(config: Config) -> tuple[int, float]:
        completed = sweep.completed(config)
        value = score(objective, completed)
        whole = len(completed) == seeds and math.isfinite(value)
        if whole:
            return int(config not in best), sign * value
        pruned = {fit.outcome for fit in sweep.of(config)} <= {Outcome.PRUNED, Outcome.COMPLETED}
        return 2 if pruned else 3, -max((fit.epochs for fit in sweep.of(config)), default=0)

    return sorted(sweep.configs, key=rank)


def _val(group: Group, i: int, at: int) -> Floats:
    return group.val(i)[:, at]


def _smallest(sweep: Sweep, group: Group, near: Sequence[int], means: dict[int, float]) -> int | None:
    """Return the smallest of some Configs by declared capacity, else by parameters; of equals the better one."""
    sizes: dict[int, float | None] = {i: group.candidates.configs[i].capacity for i in near}
    if any(size is None for size in sizes.values()):
        sizes = {i: n_parameters(sweep, group.configs[i]) for i in near}
    known = {i: size for i, size in sizes.items() if size is not None}
    return min(known, key=lambda i: (known[i], means[i])) if near and len(known) == len(near) else None


def selection(sweep: Sweep, choice: Choice | None, test: TestLosses | None) -> Selection | None:
    """Return what was chosen, and what choosing cost where its test losses are known.

    They are those of the last epoch: where another one was chosen, they say nothing about it.
    """
    if choice is None:
        return None
    i = choice.group.index(choice.config.digest)
    level, epochs = sweep.spec.diagnosis.level, choice.group.candidates.configs[i].epoch
    val, last = _val(choice.group, i, choice.epoch), choice.epoch == len(epochs) - 1
    usable = test is not None and test.config == choice.config.digest and len(test.losses) >= len(val)
    if not usable or test is None or not last:
        measured, optimism = None, None
    else:
        losses = test.losses[: len(val)]  # fewer where the seeds change nothing
        measured, optimism = (_with_rows(one, test.rows, level) for one in (losses, losses - val))
    about_loss = any(one.metric == CHOOSES for one in sweep.spec.sweep.objective)
    return Selection(
        choice.config.digest,
        None if choice.simplest is None else choice.simplest.digest,
        t_interval(val, level),
        measured,
        optimism,
        choice.among,
        None if last else int(epochs[choice.epoch]),
        "" if about_loss else objective_words(sweep),
    )


def _with_rows(values: Floats, rows: float, level: float) -> Interval:
    """Student-t interval over seeds, widened by the error of test rows that all seeds share.

    Half-widths add in quadrature (as variances do); seeds that share their test rows say nothing about these.
    """
    found = t_interval(values, level)
    if not rows > 0 or not math.isfinite(found.high):
        return found
    half = math.hypot(found.high - found.estimate, NormalDist().inv_cdf((1 + level) / 2) * rows)
    return Interval(found.estimate, found.estimate - half, found.estimate + half, level, found.n, "t, test rows added")
