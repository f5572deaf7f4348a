"""Curves from elsewhere as the Fits of a Spec: what is in the frame is checked, what is not is not made up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fitlab.errors import SpecError
from fitlab.records import Config, Curves, Fit, Job, Outcome
from fitlab.spec import Spec
from fitlab.spec.recorded import CAPACITY, NAME, recorded_sections, recorded_spec
from fitlab.spec.sweeps import EXACT, VARY

CONSTANT = "constant predictor"
COLUMNS = ("config", "seed", "epoch", "split", "metric", "value")
PARTS = ("train", "val")
NEVER_NEGATIVE = ("log_loss", "squared_error", "zero_one_loss")
ROUNDING = 1e-6
LOSSES = ("loss/train", "loss/val")
HOW_TO = (
    "The margin is a share of the constant predictor's loss. For log-loss that is the loss of saying the class shares "
    "of the training part for every row (log K for K balanced classes), for squared error of saying its mean "
    "(about the variance of y)"
)


@dataclass(frozen=True)
class Recorded:
    """What a Sweep is made of."""

    spec: Spec
    configs: tuple[Config, ...]
    fits: tuple[Fit, ...]


def read(
    frame: pd.DataFrame,
    constant: Mapping[str, float] | None,
    capacity: str | Mapping[Any, float] | None,
    loss: str,
    name: str,
    diagnosis: Mapping[str, float],
) -> Recorded:
    """Return the Spec, Configs and Fits of a tidy frame; see ``Sweep.from_frame``, which says what may be in it.

    Raises SpecError, saying what is wrong and where.
    """
    _check_options(constant, capacity, loss)
    rows = checked(frame, capacity if isinstance(capacity, str) else None)
    _check_sign(rows, loss)
    own = rows["config"] == CONSTANT
    null = _null(rows[own], constant, [*map(int, rows.loc[~own, "seed"].unique())])
    rows = rows[~own]
    if rows.empty:
        raise SpecError("the frame has no Config: every row is the constant predictor's" if own.any() else "no rows")
    sizes = _capacities(rows, capacity)
    names = list(dict.fromkeys(rows["config"]))
    seeds = sorted({int(seed) for seed in rows["seed"]})
    spec = recorded_spec(name, seeds, diagnosis, names, ordered=bool(sizes))
    configs = {one: _config(one, sizes.get(one)) for one in names}
    outcomes, fits = _outcomes(rows), {}
    for one, seed, table in _by_fit(rows):
        job = Job(configs[one], seed, VARY, "recorded", "recorded/1")
        fits[one, seed] = _fit(job, table, outcomes.get((one, seed)), loss, null[seed])
    ordered = [fits[one, seed] for one in names for seed in seeds if (one, seed) in fits]
    return Recorded(spec, tuple(configs.values()), tuple(ordered))


def _config(name: str, capacity: float | None) -> Config:
    swept = {NAME: name} if capacity is None else {NAME: name, CAPACITY: capacity}
    return Config(recorded_sections(name, capacity), swept)


# ── what may be in it ───────────────────────────────────────────────────────────────────────────────────────


def _check_options(constant: Any, capacity: Any, loss: Any) -> None:
    """Raise SpecError for an option that is of another kind than it can be."""
    if not (constant is None or isinstance(constant, Mapping)):
        raise SpecError(f"constant is {{'train': loss, 'val': loss}}, got {constant!r}")
    if not (capacity is None or isinstance(capacity, str | Mapping | pd.Series)):
        raise SpecError(f"capacity is a column, or {{config: number}} with one for each config, got {capacity!r}")
    if not isinstance(loss, str):
        raise SpecError(f"loss is a name, such as 'log_loss' or 'squared_error', got {loss!r}")


def checked(frame: pd.DataFrame, capacity: str | None = None) -> pd.DataFrame:
    """Return the rows of train and validation with names as text and whole seeds and epochs.

    capacity: a column that has to be there, too. Raises SpecError, saying what is wrong with the frame.
    """
    if not isinstance(frame, pd.DataFrame):
        raise SpecError(f"a pandas DataFrame is wanted, got {type(frame).__name__}")
    wanted = [*COLUMNS, *([capacity] if capacity else [])]
    lacking = [column for column in wanted if column not in frame.columns]
    if lacking:
        has = ", ".join(map(str, frame.columns)) or "none"
        raise SpecError(
            f"the frame lacks {', '.join(lacking)}; it has {has}. The format is that of sweep.curves(): a row per "
            f"Config, seed, epoch, split (train, val) and metric (loss, accuracy …), its number in value"
        )
    several = [column for column in wanted if (frame.columns == column).sum() > 1]
    if several:
        raise SpecError(f"the frame has more than one column {', '.join(several)}")
    rows = frame.copy()
    for column in ("config", "split", "metric"):
        rows[column] = _text(rows[column])
    for column in ("seed", "epoch"):
        rows[column] = _whole(rows[column])
    rows["value"] = numbers(rows["value"])
    found = {*rows["split"]}
    if not {*PARTS} <= found and (unknown := sorted(found - {*PARTS, "test"})):
        raise SpecError(f"split is {' or '.join(PARTS)} (test is left out), got {', '.join(unknown)}")
    rows = rows[rows["split"].isin(PARTS)]  # a test part may be there: it is never used to choose
    twice = rows.duplicated(list(COLUMNS[:-1]))
    if twice.any():
        raise SpecError(f"{int(twice.sum())} rows are there twice, such as {_where(rows[twice].iloc[0])}")
    return rows


def _text(column: pd.Series) -> pd.Series:
    """Return names as text. Raises SpecError where one is missing, or is there as a number and as text."""
    if column.isna().any():
        raise SpecError(f"column {column.name} has missing values")
    values = column if column.dtype == object else column.drop_duplicates()  # objects may be lists: not hashable
    kinds = {(str(value), isinstance(value, str)) for value in values}
    both = sorted(name for name, of_text in kinds if of_text and (name, False) in kinds)
    if both:
        raise SpecError(f"column {column.name} holds {both[0]} as text and as something else: are they one?")
    return column.astype(str)


def numbers(column: pd.Series) -> pd.Series:
    """Return numbers as float64, missing ones as NaN. Raises SpecError for what is none: text, dates, complex ones."""
    try:
        if column.dtype.kind in "cmM":
            raise TypeError(f"it is of type {column.dtype}")
        found = column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise SpecError(f"column {column.name} holds what is no number: {error}") from None
    return pd.Series(found, column.index, name=column.name)


def _whole(column: pd.Series) -> pd.Series:
    """Return seeds or epochs as int64. Raises SpecError where one is no whole number from 0 on."""
    found = numbers(column)
    wrong = ~((found >= 0) & (found <= EXACT) & (found % 1 == 0))
    if wrong.any():
        raise SpecError(f"column {column.name} holds whole numbers from 0 to 2^53, got {column[wrong].iloc[0]}")
    return found.astype(np.int64)


def _check_sign(rows: pd.DataFrame, loss: str) -> None:
    """Raise SpecError where a loss that cannot be negative is, by more than rounding in single precision."""
    if loss not in NEVER_NEGATIVE:
        return
    losses = rows[(rows["metric"] == "loss") & np.isfinite(rows["value"])]
    below = losses[losses["value"] < -ROUNDING * losses["value"].abs().max()]
    if len(below):
        value = below["value"].iloc[0]
        raise SpecError(
            f"{_where(below.iloc[0])}: {loss} cannot be negative, got {value:g}. Losses are losses (not scores, which "
            "scikit-learn negates), without what a density adds; another loss has another name, loss='…'"
        )


def _where(row: pd.Series) -> str:
    return f"{row['metric']}/{row['split']} of config {row['config']!r}, seed {row['seed']}, epoch {row['epoch']}"


def _capacities(rows: pd.DataFrame, capacity: str | Mapping[Any, float] | None) -> dict[str, float]:
    """Return the capacity of each Config; empty where none is declared."""
    if capacity is None:
        return {}
    if isinstance(capacity, str):
        found = rows.groupby("config")[capacity].unique()
        several = [one for one, values in found.items() if len(values) > 1]
        if several:
            raise SpecError(f"column {capacity} has more than one value for config {several[0]!r}")
        given = {str(one): values[0] for one, values in found.items()}
    else:
        given = {str(one): value for one, value in capacity.items()}
        if len(given) < len(capacity):
            raise SpecError("capacity has a config twice, as a number and as text")
    lacking = [one for one in rows["config"].unique() if one not in given]
    if lacking:
        raise SpecError(f"capacity is missing for {', '.join(map(repr, lacking[:5]))}; each Config needs one")
    try:
        sizes = {one: float(given[one]) for one in rows["config"].unique()}
    except (TypeError, ValueError) as error:
        raise SpecError(f"a capacity is a number: {error}") from None
    if not all(map(math.isfinite, sizes.values())):
        raise SpecError("a capacity is a finite number")
    return sizes


# ── the constant predictor ──────────────────────────────────────────────────────────────────────────────────


def _null(rows: pd.DataFrame, given: Mapping[str, float] | None, seeds: Iterable[int]) -> dict[int, dict[str, float]]:
    """Return the constant predictor's losses under each seed, from its rows or as given."""
    if given is not None and len(rows):
        raise SpecError(f"the constant predictor is given twice: as an argument and as config {CONSTANT!r}")
    if given is not None:
        if set(given) != set(PARTS) or not all(_positive(given[part]) for part in PARTS):
            raise SpecError(f"constant is {{'train': loss, 'val': loss}}, both finite and > 0, got {dict(given)!r}")
        return {seed: {f"loss/{part}": float(given[part]) for part in PARTS} for seed in seeds}
    if rows.empty:
        way = f"constant={{'train': …, 'val': …}}, or rows of a config named {CONSTANT!r}, one a seed and split"
        raise SpecError(f"the constant predictor's losses are missing. {HOW_TO}. Give them as {way}")
    last = (
        rows.sort_values("epoch").assign(name=rows["metric"] + "/" + rows["split"]).groupby(["seed", "name"])["value"]
    )
    by_seed: dict[Any, Any] = last.last(skipna=False).unstack().to_dict("index")
    found = {int(seed): metrics for seed, metrics in by_seed.items()}
    for seed in dict.fromkeys(seeds):
        if not all(_positive(found.get(seed, {}).get(name, math.nan)) for name in LOSSES):
            raise SpecError(f"config {CONSTANT!r} lacks a finite loss > 0 on train or val under seed {seed}")
    return found


def _positive(value: Any) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return real and bool(math.isfinite(value) and value > 0)


# ── one Fit ─────────────────────────────────────────────────────────────────────────────────────────────────


def _by_fit(rows: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Yield a table for each Config and seed: a row per epoch, a column for what some seed of the Config measured."""
    wide = _wide(rows)
    known: Any = wide.notna().groupby(level="config").any()
    by_fit: Any = wide.groupby(level=["config", "seed"], sort=False)
    for (one, seed), table in by_fit:
        names = [name for name in table if name in LOSSES or known.loc[one, name]]
        yield one, int(seed), table[names].droplevel(["config", "seed"])


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per Config, seed and epoch at which both losses were measured, a column per metric."""
    names = rows["metric"] + "/" + rows["split"]
    wide = rows.assign(name=names).pivot(index=["config", "seed", "epoch"], columns="name", values="value")
    lacking = [one for one in LOSSES if one not in wide]
    if lacking:
        raise SpecError(f"no rows of metric loss, split {' and '.join(one[5:] for one in lacking)}")
    losses = rows[rows["metric"] == "loss"].groupby(["config", "seed", "epoch"])["split"].nunique()
    both = losses.index[losses == len(PARTS)]  # not where a value is NaN: that is measured, and diverged
    without = {key[:2] for key in wide.index} - {key[:2] for key in both}
    if without:
        config, seed = min(without)
        raise SpecError(f"{_at(config, seed)}: train and validation loss are never measured at the same epoch")
    return wide.loc[wide.index.isin(both)].sort_index()


def _at(config: str, seed: int) -> str:
    return f"config {config!r}, seed {seed}"


def _outcomes(rows: pd.DataFrame) -> dict[tuple[str, int], Outcome]:
    """Return what the frame says of how training ended; empty where it says nothing."""
    if "outcome" not in rows:
        return {}
    found = {}
    by_fit: dict[Any, Any] = rows.groupby(["config", "seed"])["outcome"].unique().to_dict()
    for (config, seed), said in by_fit.items():
        if len(said) > 1 or str(said[0]) not in list(Outcome):
            given = ", ".join(map(str, said))
            raise SpecError(f"{_at(config, seed)}: outcome is one of {', '.join(Outcome)}, in all rows, got {given}")
        found[config, int(seed)] = Outcome(str(said[0]))
    return found


def _fit(job: Job, table: pd.DataFrame, said: Outcome | None, loss: str, null: Mapping[str, float]) -> Fit:
    """Return the Fit of one Config under one seed. table: a row per epoch."""
    values = {str(name): table[name].to_numpy(np.float64) for name in table}
    curves = Curves(table.index.to_numpy(np.int64), values)
    outcome = _ended(job, curves)
    return Fit(job, said or outcome, int(curves.epoch[-1]), curves, loss=loss, null=dict(null))


def _ended(job: Job, curves: Curves) -> Outcome:
    """Return diverged where a loss ends without being a number. Raises SpecError where it is one again later."""
    finite = np.isfinite(curves[LOSSES[0]]) & np.isfinite(curves[LOSSES[1]])
    last = np.flatnonzero(finite)[-1] if finite.any() else -1
    if not finite[: last + 1].all():
        epoch = curves.epoch[np.flatnonzero(~finite)[0]]
        raise SpecError(
            f"{_at(job.config.swept[NAME], job.seed)}: a loss is not a number at epoch {epoch}, and is one later on; "
            "leave out rows that were not measured, and keep non-finite ones where training diverged for good"
        )
    return Outcome.COMPLETED if finite[-1] else Outcome.DIVERGED
