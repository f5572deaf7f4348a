"""What scikit-learn takes without a word and every Fit would fail at, or worse: code in pickles, names of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PowerTransformer, RobustScaler, StandardScaler
from sklearn.utils import get_tags

from fitlab.errors import Path, Problem
from fitlab.spec.grammar import did_you_mean
from fitlab.trainers.labels import GRIDS

SIGNED = (StandardScaler, RobustScaler, PowerTransformer, PCA)  # they make negative numbers of positive ones
SEARCHES = (GridSearchCV, RandomizedSearchCV)
MEMORY = "memory"
COMPOSED = (Pipeline, StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor)
NONE = (None, "passthrough", "drop")  # in the place of an estimator


def problems(owner: Any, name: str, value: Any, at: Path) -> Iterator[Problem]:
    """Yield what is wrong with the value of one parameter of ``owner``, however right its type is."""
    if name == MEMORY and value is not None:
        yield _memory(at, value)
    if isinstance(owner, COMPOSED) and name in ("steps", "estimators") and isinstance(value, list):
        yield from _composition_problems(value, at)
    if isinstance(owner, SEARCHES) and name in GRIDS:
        for grid in value if isinstance(value, list) else [value]:
            yield from _grid_problems(owner.estimator, grid if isinstance(grid, dict) else {}, at)
    if isinstance(owner, SEARCHES) and name == "refit" and value is False:
        yield Problem(at, "a search that is not refitted predicts nothing", "false", hint="leave it out")
    if isinstance(owner, ColumnTransformer) and name == "transformers" and isinstance(value, list):
        for i, one in enumerate(value):
            named = _names(one[2]) if isinstance(one, list | tuple) and len(one) == 3 else ""
            if named:
                hint = "categories and gaps are seen to in the data section"
                yield Problem((*at, i), "features come without names", named, "numbers of columns, from 0", hint)


def _memory(at: Path, value: Any) -> Problem:
    message = "a folder of pickles: reading one runs the code in it"
    return Problem(at, message, str(value), "null", "leave it out: fitlab keeps every Fit by itself")


def _composition_problems(parts: list[Any], at: Path) -> Iterator[Problem]:
    allowed = "[name, {estimator: …}], at least one"
    if not parts:
        yield Problem(at, "an empty list", "[]", allowed)
    for i, part in enumerate(parts):
        paired = isinstance(part, list | tuple) and len(part) == 2 and isinstance(part[0], str)
        if not paired or not (part[1] in NONE or callable(getattr(part[1], "get_params", None))):
            yield Problem((*at, i), "not a name and an estimator", str(part), allowed)


def _grid_problems(estimator: Any, grid: dict[Any, Any], at: Path) -> Iterator[Problem]:
    names: dict[str, Any] = estimator.get_params(deep=True)
    for key in map(str, grid):
        if key not in names:
            yield Problem((*at, key), "no such parameter of the estimator within", hint=did_you_mean(key, names))
        if key.rpartition("__")[2] == MEMORY:
            yield _memory((*at, key), grid.get(key))


def _names(columns: Any) -> str:
    listed = columns if isinstance(columns, Iterable) and not isinstance(columns, str | dict) else [columns]
    return ", ".join(column for column in listed if isinstance(column, str))


def step_problems(pipeline: Pipeline) -> Iterator[Problem]:
    """Yield a last step that takes no negative features, after one that makes them."""
    if len(pipeline.steps) < 2:
        return
    (before, scaler), (_, last) = pipeline.steps[-2:]
    if isinstance(scaler, SIGNED) and _is_positive(last):
        message = f"{type(last).__name__} takes no negative features, and step {before} makes some"
        hint = "sklearn.preprocessing.MinMaxScaler makes none"
        yield Problem(("model", "estimator"), message, type(scaler).__name__, hint=hint)


def _is_positive(estimator: Any) -> bool:
    try:
        return bool(get_tags(estimator).input_tags.positive_only)
    except Exception:  # an estimator of another package without tags: its fit will say
        return False
