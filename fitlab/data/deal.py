"""Which rows of a data set go to training, validation and test, and how many: at random, by group, by time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fitlab.data.dataset import Dataset, refuse
from fitlab.records import Array
from fitlab.seeds import stream
from fitlab.spec.datasets import Data
from fitlab.spec.teachers import Teacher

Rows = NDArray[np.int64]


def part_sizes(dataset: Dataset, data: Data) -> tuple[int, int, int]:
    """Return the rows of train, validation and test, the same for every seed.

    A share is of all rows: rounded up for validation and test, down for training, as in scikit-learn.
    Raises SpecError where a part would be empty or more rows are asked for than there are.
    """
    n = len(dataset.y)
    n_val, n_test = (size if isinstance(size, int) else math.ceil(size * n) for size in (data.validation, data.test))
    left, why = _left(dataset, data, n_val, n_test)
    match data.train_size:
        case "all":
            n_train = left
        case int(count):
            n_train = count
        case share:
            n_train = math.floor(share * n)
    if left < 1:
        hint = "fresh: false deals n_samples rows to all parts" if isinstance(data, Teacher) else None
        raise refuse("validation", "no rows are left for training", why, "less for validation or test", hint)
    if n_train < 1:
        raise refuse("train_size", "the training part would be empty", f"{data.train_size} of {n} rows")
    if n_train > left:
        raise refuse("train_size", "more rows than there are", f"{n_train} rows; {why}", f"at most {left}")
    return n_train, n_val, n_test


def _left(dataset: Dataset, data: Data, n_val: int, n_test: int) -> tuple[int, str]:
    """Return how many rows are left for training whatever the seed, and why."""
    n = len(dataset.y)
    if isinstance(data, Teacher) and data.fresh:
        return n, f"n_samples is {n}"
    left = n - n_val - n_test
    less = f"{n} less {n_val} for validation and {n_test} for test"
    if left < 1 or data.split.kind == "random":
        return left, f"{less} leave {max(left, 0)}"
    if data.split.kind == "time":
        left = len(_by_time(dataset, n_val, n_test)["train"])
        return left, f"{less}, and less the rows as old as the oldest of a later part, leave {left}"
    sizes = np.bincount(_codes(dataset)[_tested_groups(dataset, data, n_test)[1]])
    largest = int(sizes.max(initial=1))
    left = int(sizes.sum()) - n_val - (largest - 1)  # validation may cut the largest group after its first row
    given = f"{less}, in whole groups (the largest after the test part has {largest} rows), leave {max(left, 0)}"
    return left, given


def deal(
    dataset: Dataset, data: Data, sizes: tuple[int, int, int], strata: Array | None, seed_stream: int
) -> dict[str, Rows]:
    """Return the rows of train, val and test; the first of train are those of a smaller training part.

    strata: (N,) classes to keep in their shares, for a random split. What is drawn does not depend on the
    features, so that Configs which sweep how the data are made or read stay paired.
    """
    n_train, n_val, n_test = sizes
    match data.split.kind:
        case "time":
            rows = _by_time(dataset, n_val, n_test)
            return {**rows, "train": rows["train"][:n_train]}
        case "group":
            test, rest = _tested_groups(dataset, data, n_test)
            drawn = _in_groups(_codes(dataset), rest, stream("split", data.split_seed, seed_stream))
            val, rest = _cut(_codes(dataset), drawn, n_val)
            return {"train": rest[:n_train], "val": val, "test": test}
        case _:
            order = _order(len(dataset.y), strata, stream("test", data.split_seed))
            rest = order[n_test:]
            within = None if strata is None else strata[rest]
            drawn = rest[_order(len(rest), within, stream("split", data.split_seed, seed_stream))]
            return {"train": drawn[n_val : n_val + n_train], "val": drawn[:n_val], "test": order[:n_test]}


def _order(n: int, strata: Array | None, seed: int) -> Rows:
    """Draw an order of n rows; with strata every prefix holds each class in its share, to a row or so."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(n)
    if strata is None:
        return shuffled
    codes = strata[shuffled]
    position = np.empty(n)
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        position[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return shuffled[np.argsort(position, kind="stable")]


# ── by group ────────────────────────────────────────────────────────────────────────────────────────────────


def _codes(dataset: Dataset) -> Rows:
    """Return the number of each row's group, (N,)."""
    if dataset.groups is None:
        raise ValueError("a group split of a data set without groups")  # the grammar asks for data.group
    return np.unique(dataset.groups, return_inverse=True)[1]


def _tested_groups(dataset: Dataset, data: Data, n_test: int) -> tuple[Rows, Rows]:
    """Return the test part and the rows of all groups that are not in it."""
    codes = _codes(dataset)
    drawn = _in_groups(codes, np.arange(len(codes)), stream("test", data.split_seed))
    return _cut(codes, drawn, n_test)


def _in_groups(codes: Rows, rows: Rows, seed: int) -> Rows:
    """Draw an order of groups, and of the rows within each."""
    rng = np.random.default_rng(seed)
    place = rng.permutation(codes.max() + 1)
    return rows[np.lexsort((rng.random(len(rows)), place[codes[rows]]))]


def _cut(codes: Rows, rows: Rows, n: int) -> tuple[Rows, Rows]:
    """Return the first n rows, and those of the groups that have none among them."""
    first = rows[:n]
    return first, rows[~np.isin(codes[rows], codes[first])]


# ── by time ─────────────────────────────────────────────────────────────────────────────────────────────────


def _by_time(dataset: Dataset, n_val: int, n_test: int) -> dict[str, Rows]:
    """Return the latest rows as test, those before as val, all before these as train, each latest first.

    Rows as old as the oldest of a later part are in none: no time stands in two parts.
    """
    times = dataset.times
    if times is None:
        raise ValueError("a time split of a data set without times")  # the grammar asks for data.time
    order = np.argsort(times, kind="stable")[::-1]
    test, rest = order[:n_test], order[n_test:]
    rest = rest[times[rest] < times[test].min()]
    val, rest = rest[:n_val], rest[n_val:]
    enough = len(val) == n_val
    return {"train": rest[times[rest] < times[val].min()] if enough else rest[:0], "val": val, "test": test}
