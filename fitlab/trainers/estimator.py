"""Any estimator of scikit-learn, or of a package that was allowed, along the training axis that it has.

partial_fit: one pass over minibatches an epoch. warm_start: fitted again with more trees or iterations. staged: one
fit, then the predictions of its stages. none: one fit, one point. These learners have no epoch 0, and none is invented.
Where scikit-learn's ``fit`` is the same computation, the result is the one of
``Estimator(random_state=fit.random_state, …).fit(split.X_train, split.y_train)``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.utils import get_tags, shuffle

from fitlab.errors import Problem
from fitlab.records import Array, Curves, Fit, Job, Outcome, Split, Task
from fitlab.spec import Sections
from fitlab.spec.models import Estimator, PartialFitAxis, StagedAxis, WarmStartAxis
from fitlab.trainers import axes, building, fitted, labels, measures, warned

VERSION = "estimator/2"
Row = Mapping[str, float]
SIZES = ("n_estimators", "max_depth", "degree")  # parameters that make an estimator slow, besides its axis


@dataclass(frozen=True, eq=False)
class State:
    """An estimator between two measurements."""

    job: Job
    estimator: Any  # the user's, seeded; fitted as far as ``epoch`` (staged: whole, once it began)
    orders: RandomState  # partial_fit: draws the order of rows
    order: np.ndarray  # (N,) of the last epoch
    epoch: int = 0  # the last measured one; 0: not begun
    epochs: tuple[int, ...] = ()  # measured
    measured: tuple[Row, ...] = ()  # one a measured epoch
    staged: tuple[Row, ...] = ()  # of every stage, shown as the epochs go
    said: tuple[str, ...] = ()  # what the library warned of, each once
    cause: str | None = None  # why it diverged


def start(job: Job, split: Split) -> State:
    """Return the unfitted estimator with its random_state; nothing is measured yet."""
    with warned.collected() as caught:
        estimator = building.seeded(_model(job.config.sections), job.stream("init"), split.classes)
    order = np.arange(len(split.y_train))
    return State(job, estimator, RandomState(job.stream("order")), order, said=warned.lines(caught))


def advance(state: State, split: Split, to_epoch: int, stop: Callable[[], bool]) -> State:
    """Fit as far as the last measured epoch that is at most ``to_epoch``, or until ``stop()`` or divergence.

    ``stop`` is asked before every fit; a single fit cannot be ended from outside.
    """
    axis, last = _axis(state.job.config.sections)
    given = state.estimator
    while state.epoch < last and state.cause is None:
        epoch = axes.following(axis, state.epoch, last)
        if epoch > to_epoch or stop():
            break
        if state.estimator is given:  # which stays as it is
            with warned.collected():  # copying makes a deprecated class warn again
                estimator, orders = copy.deepcopy((state.estimator, state.orders))
            state = replace(state, estimator=estimator, orders=orders)
        state = _step(state, split, axis, epoch)
    return state


def _step(state: State, split: Split, axis: axes.Resolved, epoch: int) -> State:
    """Take one step to ``epoch`` and measure; the estimator of ``state`` is ours to change."""
    with warned.collected() as caught, np.errstate(all="ignore"):
        try:
            state = _fitted(state, split, axis, epoch)
            row = state.staged[epoch - 1] if state.staged else _measure(state, split)
            cause = _not_finite(row, epoch)
        except ValueError as error:
            if "overflow" not in str(error):  # the word of scikit-learn for weights that became non-finite
                raise
            row, cause = {}, f"weights became non-finite in epoch {epoch}: {warned.line(error)}"
    said = tuple(dict.fromkeys([*state.said, *warned.lines(caught)]))
    state = replace(state, said=said, cause=cause, epoch=epoch)
    if cause is not None:
        return state
    return replace(state, epochs=(*state.epochs, epoch), measured=(*state.measured, row))


def _fitted(state: State, split: Split, axis: axes.Resolved, epoch: int) -> State:
    estimator = state.estimator
    match axis:
        case PartialFitAxis():
            order = shuffle(state.order, random_state=state.orders) if axis.shuffle else state.order
            _pass(estimator, split, order, axis.batch_size)
            return replace(state, order=order)
        case WarmStartAxis():
            estimator.set_params(**{axis.parameter: epoch, "warm_start": True})
        case StagedAxis() if state.staged:
            return state
    name, weights = fitted.weight_parameter(estimator, "fit"), split.weights.get("train")
    weighted = {} if name is None or weights is None else {name: weights}
    estimator.fit(split.X_train, split.y_train, **weighted)
    return replace(state, staged=tuple(_stages(state, split))) if isinstance(axis, StagedAxis) else state


def _pass(estimator: Any, split: Split, order: np.ndarray, batch_size: int) -> None:
    classed = "classes" in signature(estimator.partial_fit).parameters
    classes = {"classes": np.arange(split.n_outputs)} if classed and split.task == "classification" else {}
    weights = split.weights.get("train")
    for first in range(0, len(order), batch_size):
        rows = order[first : first + batch_size]
        weighted = {} if weights is None else {"sample_weight": weights[rows]}
        estimator.partial_fit(split.X_train[rows], split.y_train[rows], **classes, **weighted)


def _stages(state: State, split: Split) -> Iterator[Row]:
    """Yield a row for every stage; an ensemble that ended early keeps its last one to the end."""
    last = end(state.job.config.sections)
    X = np.concatenate([split.X_train, split.X_val])
    probable = _probable(state.job.config.sections, split.task)
    row: Row = {}
    count = 0
    for output in fitted.stages(state.estimator, X, split.n_outputs, probable):
        row = _row(split, output)
        count += 1
        yield row
    yield from [row] * (last - count)


def _measure(state: State, split: Split) -> Row:
    """Measure train and validation alike, by one call."""
    X = np.concatenate([split.X_train, split.X_val])
    probable = _probable(state.job.config.sections, split.task)
    return _row(split, fitted.output(state.estimator, X, split.n_outputs, probable))


def _row(split: Split, output: np.ndarray) -> Row:
    n = len(split.y_train)
    row = measures.measure(split.task, "train", split.y_train, output[:n], split.weights.get("train"))
    return row | measures.measure(split.task, "val", split.y_val, output[n:], split.weights.get("val"))


def _not_finite(row: Row, epoch: int) -> str | None:
    broken = [name for name in ("loss/train", "loss/val") if not np.isfinite(row[name])]
    return f"{' and '.join(broken)} became non-finite in epoch {epoch}" if broken else None


def finish(state: State, split: Split) -> Fit:
    """Return the Fit of a state, with predictions on validation and test, and its public arrays as weights."""
    job, sections = state.job, state.job.config.sections
    whole = state.epoch == end(sections)
    outcome = Outcome.DIVERGED if state.cause else Outcome.COMPLETED if whole else Outcome.INTERRUPTED
    probable = _probable(sections, split.task)
    hard = split.task == "classification" and not probable
    parts = {"val": split.X_val, "test": split.X_test} if outcome is Outcome.COMPLETED else {}
    with warned.collected():  # measuring has met the same ones
        predictions = {part: fitted.output(state.estimator, X, split.n_outputs, probable) for part, X in parts.items()}
        weights = fitted.weights(state.estimator) if whole or not state.staged else {}
    names = sorted(state.measured[0] if state.measured else (), key=lambda name: (not name.startswith("loss"), name))
    return Fit(
        job=job,
        outcome=outcome,
        epochs=state.epoch,
        curves=Curves(
            np.array(state.epochs, dtype=np.int64),
            {name: np.array([row[name] for row in state.measured]) for name in names},
        ),
        weights=weights,
        predictions=predictions,
        loss=loss(sections, split.task),
        null=measures.null_metrics(split, hard),
        classes=split.labels,
        sizes=split.sizes,
        cause=state.cause or warned.told(state.said),
    )


def end(sections: Sections) -> int:
    """Return the last epoch of the training axis; 1 where there is none."""
    return _axis(sections)[1]


def steady(sections: Sections) -> bool:
    """Whether every epoch costs about the same: passes do, growing and single fits do not."""
    return isinstance(_axis(sections)[0], PartialFitAxis)


def weighs_midway(sections: Sections) -> bool:
    """Whether there are weights before the end: not where one fit makes all stages."""
    return not isinstance(_axis(sections)[0], StagedAxis)


def cost(sections: Sections) -> float:
    """Return the work in arbitrary units: fits, longer ones with more trees, deeper ones, higher degrees."""
    axis, last = _axis(sections)
    own = building.prototype(_model(sections)).get_params(deep=True)
    sizes = {key: value for key, value in own.items() if key.rpartition("__")[2] in SIZES and isinstance(value, int)}
    factor = float(np.prod([1.0 + max(value, 0) for key, value in sizes.items() if key != _grown(axis)]))
    match axis:
        case PartialFitAxis():
            return last * (1 + 32 / axis.batch_size)
        case WarmStartAxis():
            return last * factor * (1 + last / axis.step / 100)  # measuring costs more with every tree
        case _:
            return last * factor


def _grown(axis: axes.Resolved) -> str | None:
    match axis:
        case WarmStartAxis():
            return axis.parameter
        case StagedAxis():
            return "n_estimators"
        case _:
            return None


def loss(sections: Sections, task: Task) -> str:
    """Return which loss a Config has: log-loss where the unfitted estimator offers probabilities, else zero-one."""
    hard = task == "classification" and not _probable(sections, task)
    return measures.loss_of(measures.ZERO_ONE if hard else measures.LOSS[task], measures.weighted(sections.data))


def problems(sections: Sections, packages: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with a Config whatever the data are; nothing outside ``packages`` is imported."""
    model = _model(sections)
    found = list(building.problems(model, packages))
    yield from found or axes.problems(model, building.prototype(model))


def misfits(sections: Sections, task: Task, sizes: Mapping[str, int], classes: Array) -> Iterator[Problem]:
    """Yield what of a Config does not fit the data. classes: (K,) their labels."""
    model = _model(sections)
    estimator = building.prototype(model)
    kind, name = building.kind_of(estimator), _name(model)
    if (kind == "classifier") != (task == "classification"):
        target = f"{sizes['n_outputs']} classes" if task == "classification" else "numbers"
        allowed = f"a {'classifier' if task == 'classification' else 'regressor'}: the target is {target}"
        yield Problem(("model", "estimator"), f"a {kind} for a task of {task}", name, allowed)
        return
    axis, _ = _axis(sections)
    if isinstance(axis, PartialFitAxis) and axis.batch_size > sizes["n_train"] and model.axis.kind == "partial_fit":
        allowed = f"at most {sizes['n_train']}, the rows of the training part"
        yield Problem(
            ("model", "axis", "batch_size"), "a minibatch larger than the data", str(axis.batch_size), allowed
        )
    early = estimator.get_params(deep=False).get("early_stopping")
    if isinstance(axis, WarmStartAxis) and early == "auto" and sizes["n_train"] > axes.HIST_STOPS_ABOVE:
        message = f"{name} stops early by itself above {axes.HIST_STOPS_ABOVE} rows, and growth would go on"
        yield Problem(("model", "axis"), message, hint="say early_stopping: false or true in model.parameters")
    yield from _weight_problems(estimator, sections, axis, name)
    yield from _tag_problems(estimator, sections, sizes, name)
    yield from labels.problems(estimator, classes)


def _weight_problems(estimator: Any, sections: Sections, axis: axes.Resolved, name: str) -> Iterator[Problem]:
    method = "partial_fit" if isinstance(axis, PartialFitAxis) else "fit"
    if measures.weighted(sections.data) and fitted.weight_parameter(estimator, method) is None:
        hint = "leave it out, or use an estimator that has them, such as LogisticRegression, or kind: mlp"
        yield Problem(("data", "sample_weight"), f"{method} of {name} takes no weights of rows", hint=hint)


def _tag_problems(estimator: Any, sections: Sections, sizes: Mapping[str, int], name: str) -> Iterator[Problem]:
    """Yield what the estimator says of itself that does not fit."""
    try:
        tags = get_tags(estimator)
    except Exception:  # an estimator of another package without tags: its fit will say
        return
    if not tags.target_tags.single_output:
        yield Problem(("model", "estimator"), "it wants several targets, and a data set has one", name)
    if tags.classifier_tags is not None and not tags.classifier_tags.multi_class and sizes["n_outputs"] > 2:
        yield Problem(("model", "estimator"), "it tells two classes apart", name, f"the data have {sizes['n_outputs']}")
    if tags.input_tags.pairwise:
        yield Problem(("model", "estimator"), "it wants distances of rows, not features", name, hint="kernel or metric")
    if tags.input_tags.positive_only and sections.data.scaling == "standard":
        hint = "scaling: minmax, or none where the features are counts"
        yield Problem(("data", "scaling"), f"{name} takes no negative features", "standard", hint=hint)


def _model(sections: Sections) -> Estimator:
    """Return the estimator section; other models have other trainers."""
    if not isinstance(sections.model, Estimator):
        raise TypeError(f"not an estimator: {sections.model.kind}")
    return sections.model


def _name(model: Estimator) -> str:
    return model.estimator if isinstance(model.estimator, str) else model.estimator[-1]


def _axis(sections: Sections) -> tuple[axes.Resolved, int]:
    """Return the training axis and its last epoch."""
    model = _model(sections)
    estimator = building.prototype(model)
    axis = axes.resolved(model, estimator)
    return axis, axes.end(axis, estimator)


def _probable(sections: Sections, task: Task) -> bool:
    """Whether losses are of probabilities, as the unfitted estimator says: the same before and after training."""
    return fitted.is_probable(task, building.prototype(_model(sections)))
