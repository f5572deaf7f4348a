"""Bias and variance of the Configs of a sweep, from the predictions of its Fits on test rows that all seeds share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from fitlab.errors import FitlabError
from fitlab.records import Array, Config, Floats, Interval
from fitlab.spec.datasets import Data
from fitlab.spec.teachers import Teacher
from fitlab.stats import Decomposition, log_loss_parts, part_interval, squared_error_parts, zero_one_parts

Loss = Literal["squared_error", "log_loss", "zero_one_loss"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
PARTS = ("error", "bias_and_noise", "bias", "noise", "variance", "interaction")


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the Fits of one Config said on the test part, in the units of the data. S seeds, N rows, K classes."""

    config: Config
    predictions: Floats  # (S, N, K) probabilities, clipped as in the loss; or (S, N) class codes or values
    y: Array  # (N,) class codes or targets
    n_classes: int  # K; 0 for regression
    weights: Floats | None = None  # (N,)
    expected: Floats | None = None  # (N,) E[y | x], or (N, K) P(y = k | x), where the law is known at every row
    noise: Mapping[Loss, float] | None = None  # loss of the best predictor, where it is known on average
    rows_drawn: bool = True  # False: the test rows are all points that there are


@dataclass(frozen=True)
class Parts:
    """The parts of one Config's test error: error = bias_and_noise + variance + interaction; None: not known."""

    error: Interval
    bias_and_noise: Interval
    variance: Interval  # over what: BiasVariance.over
    interaction: Interval | None = None  # of zero-one loss alone
    bias: Interval | None = None  # of squared error: bias²
    noise: Interval | None = None  # bias_and_noise = bias + noise, where the truth is known

    @property
    def n(self) -> int:
        """Seeds that it rests on; 1 where they gave the same predictions."""
        return self.error.n


@dataclass(frozen=True)
class BiasVariance:
    """Bias and variance of every Config of a sweep, in its order."""

    loss: Loss
    over: str  # what the variance is over, in words
    parts: Mapping[Config, Parts]
    missing: Mapping[Config, str]  # why there are no parts

    def table(self) -> pd.DataFrame:
        """Return a row per Config: its swept values, n, and each part with its bounds; NaN where it is not known."""
        parts = [name for name in PARTS if any(getattr(one, name) is not None for one in self.parts.values())]
        every = {**self.parts, **self.missing}
        rows: list[dict[str, Any]] = []
        for config, one in every.items():
            known = one if isinstance(one, Parts) else None
            row: dict[str, Any] = {**config.swept, "n": 0 if known is None else known.n}
            for name in parts or PARTS:
                row |= _cells(name, None if known is None else getattr(known, name))
            rows.append({**row, "missing": one} if isinstance(one, str) else row)
        return pd.DataFrame(rows, index=pd.Index([config.digest[:12] for config in every], name="config"))


def _cells(name: str, found: Interval | None) -> dict[str, float]:
    values = (math.nan,) * 3 if found is None else (found.estimate, found.low, found.high)
    return dict(zip((name, f"{name}/low", f"{name}/high"), values, strict=True))


def parts_of(tested: Predicted, loss: Loss, level: float = 0.90) -> Parts:
    """Return the parts of one Config. See ``squared_error_parts``, ``log_loss_parts`` and ``zero_one_parts``.

    Raises ValueError for fewer than two seeds, FitlabError where the loss does not suit the predictions.
    """
    tables = _decomposed(tested, loss)
    alike = bool((tested.predictions == tested.predictions[:1]).all())

    def interval(table: Floats | None) -> Interval | None:
        if table is None:
            return None
        return part_interval(table[:1] if alike else table, level, tested.weights, tested.rows_drawn)

    found = {name: interval(getattr(tables, name)) for name in PARTS}
    return Parts(**found)  # type: ignore[arg-type]  # error, bias_and_noise and variance are always there


def _decomposed(tested: Predicted, loss: Loss) -> Decomposition:
    predictions, y, expected = tested.predictions, tested.y, tested.expected
    noise = (tested.noise or {}).get(loss)
    probable, classed = predictions.ndim == 3, tested.n_classes > 0
    match loss:
        case "squared_error" if not classed:
            return squared_error_parts(predictions, y, expected, noise)
        case "log_loss" if probable:
            return log_loss_parts(predictions, y, expected, noise)
        case "zero_one_loss" if classed:
            codes = predictions.argmax(axis=2) if probable else predictions
            best = None if expected is None else expected.argmax(axis=1)
            return zero_one_parts(codes, y, tested.n_classes, best, noise)
    what = "probabilities" if probable else "classes" if classed else "values"
    raise FitlabError(f"{loss} does not suit predictions that are {what}; {' or '.join(suited(tested))} does")


def suited(tested: Predicted) -> tuple[Loss, ...]:
    """Return the losses that suit what a model predicts, the one that its curves are of first."""
    if not tested.n_classes:
        return ("squared_error",)
    return ("log_loss", "zero_one_loss") if tested.predictions.ndim == 3 else ("zero_one_loss",)


def over(vary: Sequence[str], data: Data) -> str:
    """Say what a variance over seeds is over. vary: what the seed changes, of split, init and order."""
    fresh = isinstance(data, Teacher) and data.fresh
    words = {
        "split": "training rows, drawn anew" if fresh else "training rows, dealt anew from one data set",
        "init": "initialisation",
        "order": "order of rows",
    }
    said = [word for name, word in words.items() if name in vary]
    return "; ".join(said) if "split" in vary else "; ".join([*said, "all on the same training rows"])


def bias_variance(
    tested: Sequence[Predicted], missing: Mapping[Config, str], said: str, loss: Loss | None = None, level: float = 0.90
) -> BiasVariance:
    """Return bias and variance of Configs. missing: why others have none; said: what the variance is over.

    loss: by default the one that the curves of the first Config are of.
    Raises FitlabError for a loss that does not suit.
    """
    if loss is not None and loss not in LOSSES:
        raise FitlabError(f"loss must be {', '.join(LOSSES)}, got {loss!r}")
    chosen = loss or (suited(tested[0])[0] if tested else "squared_error")
    found: dict[Config, Parts] = {}
    why = dict(missing)
    for one in tested:
        if np.isfinite(one.predictions).all():
            found[one.config] = parts_of(one, chosen, level)
        else:
            why[one.config] = "its predictions are not finite"
    return BiasVariance(chosen, said, found, why)
