"""What plots are given, as what they draw from: a Sweep or tidy curves, one of its Configs, its reference lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fitlab.diagnosis.naming import name_of
from fitlab.errors import SpecError
from fitlab.plots.shared import nothing, refuse_other
from fitlab.recorded import COLUMNS, numbers
from fitlab.records import Config
from fitlab.sweep import Sweep


def recorded(frame: pd.DataFrame) -> Sweep:
    """Return curves from elsewhere as a Sweep. Raises ValueError where the frame is not tidy."""
    refuse_other(frame, Sweep, pd.DataFrame)
    lacking = [column for column in COLUMNS if column not in frame]
    if lacking:
        raise nothing(f"the DataFrame lacks {', '.join(lacking)}, which sweep.curves() has", frame.columns)
    return Sweep.from_frame(frame)


def numeric(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a DataFrame with those of some columns that it has as numbers. Raises ValueError for what is none."""
    others = [name for name in columns if name in frame and not _plain_numbers(frame[name])]
    try:
        return frame.assign(**{name: numbers(frame[name]) for name in others})
    except SpecError as error:
        raise nothing(str(error)) from None


def _plain_numbers(column: pd.Series) -> bool:
    """Whether a column has numpy's numbers: they stay as they are, whole ones whole."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"


def one_config(sweep: Sweep, config: Config | str | None) -> Config:
    """Return the Config that is meant: by itself, by its name or the beginning of its digest, or the selected one."""
    if isinstance(config, Config):
        return config
    if isinstance(config, str):
        named = [one for one in sweep.configs if name_of(one) == config or one.digest.startswith(config)]
        if len(named) == 1:
            return named[0]
        raise nothing(f"{len(named) or 'no'} Configs are called {config!r}", map(name_of, sweep.configs[:8]))
    if len(sweep.configs) == 1:
        return sweep.configs[0]
    if sweep.verdicts.selection is None:
        if not any(map(sweep.completed, sweep.configs)):
            raise nothing("no Config completed")
        raise nothing(f"which of {len(sweep.configs)} Configs? Give config=, one of sweep.configs")
    return next(one for one in sweep.configs if one.digest == sweep.verdicts.selection.config)


def titled(sweep: Sweep, config: Config) -> str:
    """Return the name of a Config with its verdict."""
    verdict = sweep.verdicts.by_config.get(config.digest)
    return name_of(config) if verdict is None else f"{name_of(config)}: {verdict.brief}"


def null_of(sweep: Sweep, config: Config, metric: str) -> float | None:
    """Return what the constant predictor comes to on the data of a Config, the mean over seeds; None: not known."""
    known = [fit.null[metric] for fit in sweep.of(config) if metric in fit.null]
    return float(np.mean(known)) if known else None


def floor_of(sweep: Sweep, config: Config) -> float | None:
    """Return the floor that a verdict is about: (train + validation)/2 of the reference, mean over seeds."""
    verdict, train = sweep.verdicts.by_config.get(config.digest), sweep.intervals(config).get("loss/train")
    if verdict is None or train is None or "distance" not in verdict.reasons:
        return None
    return train.estimate - verdict.reasons["distance"].estimate
