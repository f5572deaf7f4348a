"""Permutation nulls: what a statistic is when group membership means nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitlab.records import Array, Floats
from fitlab.stats.results import Null
from fitlab.stats.student import checked_level, checked_sample

Statistic = Callable[[Floats, NDArray[np.intp]], Floats]
AT_ONCE = 4_000_000  # values permuted at a time: 32 MB


def max_min_gap(values: Floats, groups: NDArray[np.intp]) -> Floats:
    """Return the largest minus the smallest mean over groups.

    values: (..., N); groups: (N,) codes 0..G-1, each of them there. Result: (...).
    """
    members = np.equal.outer(groups, np.arange(groups.max() + 1)).astype(np.float64)  # (N, G)
    means = values @ (members / members.sum(axis=0))
    return np.asarray(means.max(axis=-1) - means.min(axis=-1))


def permutation_null(
    values: ArrayLike,
    groups: ArrayLike,
    seed: int,
    statistic: Statistic = max_min_gap,
    *,
    strata: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 9999,
) -> Null:
    """Compare a statistic of groups with what it is when values are dealt to the groups at random (Pitman 1937).

    Use it for gaps between groups, such as accuracy by class or error by sensitive group. A max−min gap is
    positive by chance alone, the more groups and the fewer samples the more: a percentile bootstrap of it
    excludes 0 in 100 % of cases with equal groups. Report ``observed`` beside ``mean`` and ``bound``, which are what
    chance gives. The null is that values in all groups have one law, spread included.

    values: (N,) finite, one a sample (0/1 for an error), samples independent: not the same test row under
    several seeds; average over seeds first. groups: (N,) labels, at least two different ones. strata: (N,) values are
    dealt within each, as for error by sex within age. statistic: as ``max_min_gap``, large where groups differ.
    p-value: (1 + as large ones)/(1 + resamples) (Phipson and Smyth 2010), never 0. Same seed, same result.
    Raises ValueError for unequal lengths, one group, non-finite values, a level outside (0, 1).
    """
    checked_level(level)
    sample = checked_sample(values)
    codes, layers = _codes(groups, sample.size, "groups"), _codes(strata, sample.size, "strata")
    if codes.max() == 0:
        raise ValueError("a gap needs at least two groups")
    observed = float(statistic(sample, codes))
    null = np.concatenate([statistic(dealt, codes) for dealt in _dealt(sample, layers, seed, resamples)])
    as_large = null >= observed - 1e-12 * abs(observed)  # ties, whatever the order of summation
    bound = float(np.quantile(null, level, method="higher"))
    pvalue = (1 + int(as_large.sum())) / (1 + resamples)
    return Null(observed, float(null.mean()), bound, level, pvalue, sample.size, f"permutation, {resamples} drawn")


def _codes(labels: ArrayLike | None, count: int, name: str) -> NDArray[np.intp]:
    """Labels as codes 0..G-1; all 0 where there are none."""
    if labels is None:
        return np.zeros(count, dtype=np.intp)
    flat: Array = np.asarray(labels).ravel()
    if flat.size != count:
        raise ValueError(f"{name} need one label a value: got {flat.size} for {count} values")
    return np.unique(flat, return_inverse=True)[1]


def _dealt(sample: Floats, layers: NDArray[np.intp], seed: int, resamples: int) -> Iterator[Floats]:
    """Yield batches (B, N) of the values, permuted within each layer."""
    rng, batch = np.random.default_rng(seed), max(1, AT_ONCE // sample.size)
    for start in range(0, resamples, batch):
        table = np.tile(sample, (min(batch, resamples - start), 1))
        for layer in range(layers.max() + 1):
            columns = np.flatnonzero(layers == layer)
            table[:, columns] = rng.permuted(table[:, columns], axis=1)
        yield table
