"""Somebody's own MLflow experiment as a tidy frame, as ``Sweep.from_frame`` takes it. Nothing is written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fitlab.diagnosis.naming import counted
from fitlab.errors import SpecError
from fitlab.records import Outcome
from fitlab.sweep import CONSTANT
from fitlab.tracking.grouping import FINISHED, Grouped, Member, grouped, normal, some
from fitlab.tracking.guesses import Pair, kind_of_loss, near, numbered, pair_of_losses, pair_of_scores
from fitlab.tracking.reading import Curve, Logged, Reader

OUTCOMES = {FINISHED: Outcome.COMPLETED, "FAILED": Outcome.FAILED, "KILLED": Outcome.PRUNED}
PARAM = "params."  # columns of the frame that hold params are called as MLflow's search_runs calls them
Read = tuple[pd.DataFrame, int]  # rows of a run, and how many points a later value replaced
APART = 2  # times as far as the other curve: then their steps are not the same


@dataclass(frozen=True)
class Asked:
    """What a user says of an experiment; None and empty: it is looked for."""

    train: str | None = None  # metric that holds the training loss
    val: str | None = None
    seed: str | None = None  # param or tag
    config: tuple[str, ...] = ()  # params that make a Config
    capacity: str | None = None  # param that orders Configs from small to large
    loss: str | None = None
    by_start: bool = False
    newest: bool = False
    unfinished: bool = False


@dataclass(frozen=True, eq=False)
class Recording:
    """The curves of an experiment, and how it was understood."""

    name: str  # as a sweep may be called
    frame: pd.DataFrame  # columns of Sweep.curves(), then run_id and a column for each param of a Config
    loss: str
    capacity: str | None  # a column of the frame
    said: tuple[str, ...]  # how it was understood
    assumed: tuple[str, ...]  # what nobody said, and what was left out


def recording(reader: Reader, experiment: str, asked: Asked) -> Recording:
    """Return the curves of an experiment, by name or id.

    Raises SpecError for a request that does not fit what is there, StoreError where MLflow fails.
    """
    found = reader.experiment(experiment)
    runs = _own(reader.runs(found))
    pair = pair_of_losses(frozenset().union(*(run.metrics for run in runs)), asked.train, asked.val)
    usable, left_out = _usable(runs, pair, asked.unfinished)
    if not usable:
        raise SpecError(
            f"{found.name}: no run with {pair.train} and {pair.val} has ended. {' '.join(left_out)}".strip()
        )
    found_groups = grouped(usable, asked.seed, asked.config, asked.by_start, asked.newest)
    columns = _columns(found_groups, asked.capacity)
    scores = pair_of_scores(frozenset.intersection(*(one.run.metrics for one in found_groups.members)))
    rows = _read(reader, found_groups.members, lambda one: _rows(reader, one, pair, scores, columns))
    frame = pd.concat([frame for frame, _ in rows], ignore_index=True)
    named = asked.train is not None and asked.val is not None
    loss = asked.loss or kind_of_loss(pair)
    metrics = f"Training loss: {pair.train}; validation loss: {pair.val}; taken as {loss.replace('_', ' ')}."
    said = [metrics, *([f"Accuracy: {scores.train}, {scores.val}."] if scores else []), *found_groups.said]
    assumed = [
        *([] if named else [metrics]),
        *left_out,
        *found_groups.assumed,
        *_repeats(found_groups.members, rows),
    ]
    capacity = None if asked.capacity is None else PARAM + asked.capacity
    return Recording(_sweep_name(found.name), frame, loss, capacity, tuple(said), tuple(assumed))


def with_constant(frame: pd.DataFrame, constant: Mapping[str, float]) -> pd.DataFrame:
    """Return the frame with rows of the constant predictor: then it says all that ``Sweep.from_frame`` needs."""
    rows = [
        {"config": CONSTANT, "seed": seed, "epoch": 0, "split": part, "metric": "loss", "value": value}
        for seed in sorted(frame["seed"].unique())
        for part, value in constant.items()
    ]
    return pd.concat([frame, pd.DataFrame(rows).assign(outcome=str(Outcome.COMPLETED))], ignore_index=True)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def _own(runs: Sequence[Logged]) -> list[Logged]:
    """Return the runs that are trainings: of an experiment that fitlab made, those of Fits."""
    fits = [run for run in runs if run.tags.get("fitlab.kind") == "fit"]
    return fits or list(runs)


def _usable(runs: Sequence[Logged], pair: Pair, unfinished: bool) -> tuple[list[Logged], list[str]]:
    """Return the runs that ended and have both losses, and what is said of the others.

    unfinished: take those that have not ended as they are, too.
    """
    neither = [run for run in runs if not {pair.train, pair.val} & run.metrics]
    both = [run for run in runs if {pair.train, pair.val} <= run.metrics]
    one = [run for run in runs if run not in neither and run not in both]
    ended = [run for run in both if unfinished or run.status in OUTCOMES]
    said = [
        ("neither loss (a parent run?)", [run for run in neither if run.status == FINISHED]),
        ("neither loss, and not finished", [run for run in neither if run.status != FINISHED]),
        ("only one of both losses", one),
        (
            "no end yet: still running, died, or never ended (unfinished, --unfinished, takes them)",
            [run for run in both if run not in ended],
        ),
    ]
    lines = [f"{counted(len(found), 'run')} left out, with {why}: {some(found)}." for why, found in said if found]
    for status, how in (("FAILED", "failed"), ("KILLED", "given up (pruned)")):
        found = [run for run in ended if run.status == status]
        lines += [f"{counted(len(found), 'run')} {status}, counted as {how}: {some(found)}."] if found else []
    return ended, lines


def _sweep_name(name: str) -> str:
    """Return the name of an experiment as that of a sweep."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100] or "recorded"
    return plain if plain != "Default" else "default"


# ── the frame ───────────────────────────────────────────────────────────────────────────────────────────────


def _columns(found: Grouped, capacity: str | None) -> list[str]:
    """Return the params that become columns. Raises SpecError for a capacity that is none."""
    if capacity is None:
        return [*found.keys]
    params = {one.run.id: normal(one.run.params) for one in found.members}
    names = {key for one in params.values() for key in one}
    if capacity not in names:
        raise SpecError(f"no run has the param {capacity} that would be its capacity. {near(capacity, names)}")
    for one in found.members:
        value = params[one.run.id].get(capacity)
        if value is None or numbered(value) is None:
            raise SpecError(f"{one.run}: the capacity {capacity} is {value}, which is no number")
    return list(dict.fromkeys([*found.keys, capacity]))


def _read(reader: Reader, members: Sequence[Member], one: Callable[[Member], Read]) -> list[Read]:
    """Return the rows of all runs, in their order; of a server several at a time, for each waits for an answer."""
    pool = ThreadPoolExecutor(reader.at_once)
    try:
        return [*pool.map(one, members)]
    finally:
        pool.shutdown(cancel_futures=True)  # where one is refused, or Ctrl-C: the rest is not waited for


def _rows(reader: Reader, member: Member, pair: Pair, scores: Pair | None, columns: Sequence[str]) -> Read:
    """Return the rows of a run, and at how many of its points a later value replaced an earlier one."""
    wanted = [("loss", pair), *([("accuracy", scores)] if scores else [])]
    curves = {
        (metric, split): reader.curve(member.run, name)
        for metric, names in wanted
        for split, name in (("train", names.train), ("val", names.val))
    }
    train, val = curves["loss", "train"], curves["loss", "val"]
    _refuse_other_steps(member.run, pair, train, val)
    params = normal(member.run.params)
    own = {PARAM + key: _typed(params.get(key)) for key in columns}
    parts = [
        pd.DataFrame(
            {
                "config": member.config,
                "seed": member.seed,
                "epoch": np.array([*curve.values], np.int64),
                "split": split,
                "metric": metric,
                "value": np.array([*curve.values.values()], np.float64),
            }
        )
        for (metric, split), curve in curves.items()
    ]
    rows = pd.concat(parts, ignore_index=True).assign(outcome=str(_outcome(member.run, train, val)))
    return rows.assign(run_id=member.run.id, **own), sum(curve.repeated for curve in curves.values())


def _typed(value: str | None) -> float | str | None:
    found = None if value is None else numbered(value)
    return value if found is None else found


def _outcome(run: Logged, train: Curve, val: Curve) -> Outcome:
    """Return how a run ended: diverged where a loss ends without being a number, else as its status says."""
    last = [curve.values[max(curve.values)] for curve in (train, val)]
    return OUTCOMES.get(run.status, Outcome.COMPLETED) if np.isfinite(last).all() else Outcome.DIVERGED


def _refuse_other_steps(run: Logged, pair: Pair, train: Curve, val: Curve) -> None:
    """Raise SpecError where one loss counts minibatches and the other epochs: equal steps are not equal moments."""
    ends = {pair.train: max(train.values), pair.val: max(val.values)}
    low, high = sorted(ends.values())
    if run.status == FINISHED and low > 0 and high > APART * low:
        given = " and ".join(f"{name} to step {end}" for name, end in ends.items())
        raise SpecError(
            f"{run} logged {given}: one counts something else than the other, such as minibatches and epochs. Log both "
            "once an epoch with the same step, or name a metric that is (such as train_loss_epoch)"
        )


def _repeats(members: Sequence[Member], rows: Sequence[Read]) -> Iterator[str]:
    """Say where several values were logged at one step, and where no step was given at all."""
    again = [one.run for one, (_, repeated) in zip(members, rows, strict=True) if repeated]
    if again:
        still = all(frame["epoch"].max() == 0 for frame, repeated in rows if repeated)
        why = (
            " No step was given, so there are no curves; log_metric(name, value, step=epoch) keeps them."
            if still
            else ""
        )
        yield f"{counted(len(again), 'run')} logged several values at one step; the last counts: {some(again)}.{why}"
