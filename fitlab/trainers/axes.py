"""Training axes of estimators: which one there is, where it ends, which of its epochs are measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from fitlab.errors import Path, Problem
from fitlab.spec.grammar import did_you_mean
from fitlab.spec.models import AutoAxis, Estimator, NoAxis, PartialFitAxis, StagedAxis, WarmStartAxis

Resolved = PartialFitAxis | WarmStartAxis | StagedAxis | NoAxis
KIND: Path = ("model", "axis", "kind")
HIST = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
HIST_STOPS_ABOVE = 10_000  # rows, where early_stopping is "auto"


def resolved(model: Estimator, estimator: Any) -> Resolved:
    """Return the axis of a model itself; for auto the first that its estimator has.

    warm_start growth of its trees; stages, where it cannot grow or stops by itself; partial_fit, where its own
    fit makes passes over the rows (it has max_iter), so that epochs are what it does; else none.
    partial_fit makes max_iter passes, of batch_size rows, with or without shuffle, where the user gives these; a
    parameter that partial_fit would not honour, such as tol, makes it one fit, which does.
    """
    if not isinstance(model.axis, AutoAxis):
        return model.axis
    if isinstance(estimator, Pipeline):
        return NoAxis(kind="none")
    if not stops_early(estimator):
        for parameter in ("n_estimators", "max_iter"):
            if _grows_by(estimator, parameter):
                return WarmStartAxis(kind="warm_start", parameter=parameter)
    if staged_method(estimator) and _stages(estimator) is not None:
        return StagedAxis(kind="staged")
    if _can(estimator, "partial_fit") and "max_iter" in _own(estimator) and not _unheard(model, estimator):
        return _passes(model)
    return NoAxis(kind="none")


def _passes(model: Estimator) -> PartialFitAxis:
    """Return the epochs that the parameters of the user ask for. (Not validated: any number of passes is one.)"""
    given = {key: model.parameters[name] for name, key in _PASSES.items() if name in model.parameters}
    whole = PartialFitAxis(kind="partial_fit")
    return whole.model_copy(update={key: value for key, value in given.items() if value != "auto"})


_PASSES = {"max_iter": "epochs", "batch_size": "batch_size", "shuffle": "shuffle"}  # parameter -> key of the axis
_STOPPING = ("early_stopping", "tol", "n_iter_no_change", "validation_fraction")


def _unheard(model: Estimator, estimator: Any) -> list[str]:
    """Return the parameters that the user gives and partial_fit does not honour; null and false switch them off."""
    own = {name: value for name, value in _own(estimator).items() if name in model.parameters}
    found = [name for name in _STOPPING if own.get(name) is not None and own[name] is not False]
    words = {"class_weight": "balanced", "learning_rate": "adaptive"}  # of all rows, and of what stopping goes by
    return found + [name for name, word in words.items() if own.get(name) == word]


def end(axis: Resolved, estimator: Any) -> int:
    """Return the last epoch: passes, the size that grows, the number of stages; 1 where there is no axis."""
    match axis:
        case PartialFitAxis():
            return axis.epochs
        case WarmStartAxis():
            return int(_own(estimator)[axis.parameter])
        case StagedAxis():
            return _stages(estimator) or 1
        case NoAxis():
            return 1


def following(axis: Resolved, epoch: int, last: int) -> int:
    """Return the next epoch that is measured after ``epoch``."""
    return min(epoch + axis.step, last) if isinstance(axis, WarmStartAxis) else epoch + 1


def staged_method(estimator: Any) -> str | None:
    """Return the name of the method that gives the stages of one fit: probabilities where it has them."""
    return next((name for name in ("staged_predict_proba", "staged_predict") if _can(estimator, name)), None)


def stops_early(estimator: Any) -> bool:
    """Whether ``fit`` may end before its own number of trees or iterations."""
    own = _own(estimator)
    if "early_stopping" in own:
        return own["early_stopping"] is True
    return own.get("n_iter_no_change") is not None and "n_estimators" in own


def problems(model: Estimator, estimator: Any) -> Iterator[Problem]:
    """Yield what of an explicit axis the estimator does not have, or would not honour."""
    axis, name = model.axis, type(estimator).__name__
    if isinstance(axis, AutoAxis | NoAxis):
        return
    if isinstance(estimator, Pipeline):
        yield Problem(
            KIND, "a Pipeline has no training axis: its steps are fitted one after the other", axis.kind, _OTHERS
        )
        return
    match axis:
        case PartialFitAxis() if not _can(estimator, "partial_fit"):
            yield Problem(KIND, f"{name} has no partial_fit", axis.kind, _available(estimator))
        case PartialFitAxis():
            yield from _partial_problems(model, estimator)
        case StagedAxis() if not (staged_method(estimator) and _stages(estimator)):
            yield Problem(KIND, f"{name} has no staged_predict", axis.kind, _available(estimator))
        case WarmStartAxis():
            yield from _growth_problems(axis, estimator)


_OTHERS = "auto, none"


def _partial_problems(model: Estimator, estimator: Any) -> Iterator[Problem]:
    at: Path = ("model", "parameters")
    for name in _unheard(model, estimator):
        hint = "leave it out, or axis: {kind: none}, one fit that honours it"
        yield Problem((*at, name), "partial_fit does not honour it", str(model.parameters[name]), hint=hint)
    if "max_iter" in model.parameters and "max_iter" in _own(estimator):
        given = str(model.parameters["max_iter"])
        yield Problem((*at, "max_iter"), "partial_fit counts epochs instead", given, hint="epochs in model.axis")


def _growth_problems(axis: WarmStartAxis, estimator: Any) -> Iterator[Problem]:
    own, name = _own(estimator), type(estimator).__name__
    at: Path = ("model", "axis", "parameter")
    grows = [parameter for parameter in ("n_estimators", "max_iter") if _grows_by(estimator, parameter)]
    value = own.get(axis.parameter)
    if "warm_start" not in own:
        yield Problem(KIND, f"{name} has no warm_start", axis.kind, _available(estimator))
    elif stops_early(estimator):
        hint = "axis: {kind: staged} shows its stages" if staged_method(estimator) else None
        yield Problem(KIND, "growth would go on where early stopping ends it", axis.kind, hint=hint)
    elif axis.parameter not in own:
        hint = did_you_mean(axis.parameter, own)
        yield Problem(at, f"{name} has no such parameter", axis.parameter, ", ".join(grows) or None, hint)
    elif axis.parameter == "max_iter" and not grows:
        message = f"max_iter of {name} counts the iterations of one fit, not of all together"
        yield Problem(at, message, axis.parameter, _available(estimator))
    elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
        yield Problem(
            at, f"it does not grow: {axis.parameter} is {value!r}", axis.parameter, "a parameter that is an integer"
        )


def _available(estimator: Any) -> str:
    """Name the axes that an estimator has."""
    found = ["auto", "none"]
    found += ["partial_fit"] if _can(estimator, "partial_fit") else []
    grows = _grows_by(estimator, "n_estimators") or _grows_by(estimator, "max_iter")
    found += ["warm_start"] if grows and not stops_early(estimator) else []
    found += ["staged"] if staged_method(estimator) else []
    return ", ".join(found)


def _grows_by(estimator: Any, parameter: str) -> bool:
    """Whether fitting again with warm_start and a larger ``parameter`` adds to what was fitted."""
    own = _own(estimator)
    cumulative = parameter == "n_estimators" or isinstance(estimator, HIST)
    return cumulative and "warm_start" in own and isinstance(own.get(parameter), int)


def _stages(estimator: Any) -> int | None:
    own = _own(estimator)
    found = own.get("n_estimators", own.get("max_iter"))
    return found if isinstance(found, int) else None


def _own(estimator: Any) -> dict[str, Any]:
    found: dict[str, Any] = estimator.get_params(deep=False)
    return found


def _can(estimator: Any, method: str) -> bool:
    return callable(getattr(estimator, method, None))
