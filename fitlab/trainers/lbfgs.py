"""Networks by ``solver: lbfgs``: scikit-learn's own MLPClassifier or MLPRegressor, one fit without a training axis.

The kernel takes minibatches and has epochs; L-BFGS has neither. The result is the one of
``MLPClassifier(solver="lbfgs", random_state=fit.random_state, …).fit(split.X_train, split.y_train)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fitlab.errors import Problem
from fitlab.records import EMPTY_CURVES, Array, Curves, Fit, Job, Outcome, Split, Task
from fitlab.spec import Sections
from fitlab.spec.models import Lbfgs, Mlp
from fitlab.trainers import fitted, layout, measures, probing, warned

VERSION = "mlp-lbfgs/2"


@dataclass(frozen=True, eq=False)
class State:
    """Before the one fit, or after it."""

    job: Job
    estimator: Any = None  # fitted
    row: Mapping[str, float] | None = None  # measured after the fit
    said: tuple[str, ...] = ()  # what scikit-learn warned of
    cause: str | None = None  # why it diverged

    @property
    def epoch(self) -> int:
        """1 after the fit."""
        return int(self.estimator is not None)


def trains(sections: Sections) -> bool:
    """Whether a Config is for this trainer: that is the rule, and the only one."""
    return isinstance(sections.model, Mlp) and isinstance(sections.training, Lbfgs)


def start(job: Job, split: Split) -> State:  # noqa: ARG001 (as of every trainer)
    """Return the state before the fit; nothing is measured there."""
    return State(job)


def advance(state: State, split: Split, to_epoch: int, stop: Callable[[], bool]) -> State:
    """Fit, unless ``stop()``; a fit cannot be ended from outside."""
    if state.epoch == 1 or to_epoch < 1 or stop():
        return state
    model, training = _parts(state.job.config.sections)
    estimator: Any = (MLPClassifier if split.task == "classification" else MLPRegressor)(
        hidden_layer_sizes=model.hidden_layer_sizes,
        activation=model.activation,
        random_state=state.job.stream("init"),
        **training.model_dump(exclude={"class_weight"}),
    )
    weights = measures.counts(training.class_weight, split)
    with warned.collected() as caught, np.errstate(all="ignore"):
        try:
            estimator.fit(split.X_train, split.y_train, sample_weight=weights)
            row, cause = _measured(estimator, split), None
        except ValueError as error:
            if "non-finite" not in str(error):
                raise
            row, cause = {}, f"weights became non-finite in epoch 1: {warned.line(error)}"
    broken = [name for name in ("loss/train", "loss/val") if not np.isfinite(row.get(name, 0.0))]
    if broken:
        row, cause = {}, f"{' and '.join(broken)} became non-finite in epoch 1"
    return replace(state, estimator=estimator, row=row, said=warned.lines(caught), cause=cause)


def finish(state: State, split: Split) -> Fit:
    """Return the Fit: with one point where it was fitted, empty before."""
    whole = state.epoch == 1 and state.cause is None
    outcome = Outcome.DIVERGED if state.cause else Outcome.COMPLETED if whole else Outcome.INTERRUPTED
    model, _ = _parts(state.job.config.sections)
    parts = {"val": split.X_val, "test": split.X_test} if whole else {}
    weights = _named(state.estimator, model) if whole else {}
    row = state.row or {}
    return Fit(
        job=state.job,
        outcome=outcome,
        epochs=state.epoch,
        curves=Curves(
            np.arange(1, 1 + bool(row)),
            {name: np.array([row[name]]) for name in sorted(row, key=lambda name: (not name.startswith("loss"), name))},
        ),
        weights=weights,
        probes=_probes(state.job, split, weights),
        predictions={part: _output(state.estimator, split, X) for part, X in parts.items()},
        loss=measures.loss_of(measures.LOSS[split.task], bool(split.weights)),
        null=measures.null_metrics(split),
        classes=split.labels,
        sizes={**split.sizes, "n_parameters": layout.n_parameters(model, split.sizes)},
        cause=state.cause or warned.told(state.said),
    )


def _probes(job: Job, split: Split, weights: Mapping[str, Array]) -> Curves:
    model, _ = _parts(job.config.sections)
    if not weights or weights["output/weight"].shape[1] != layout.widths(model, split.sizes)[-1]:
        return EMPTY_CURVES  # scikit-learn has no outputs for classes that the training part lacks
    began = layout.named(layout.drawn(model, split.sizes, RandomState(job.stream("init"))), model, split.sizes)
    found = probing.probed(model, split, weights, began)
    return Curves(np.array([1]), {name: np.array([value]) for name, value in found.items()})


def cost(sections: Sections) -> float:
    """Return the work in the units of the kernel: an iteration is about two epochs of large minibatches."""
    model, training = _parts(sections)
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise((64, *model.hidden_layer_sizes)))
    return 2 * training.max_iter * (16 + weights / 64)


def misfits(sections: Sections, task: Task) -> Iterator[Problem]:
    """Yield what of a Config does not fit the data."""
    _, training = _parts(sections)
    if training.class_weight is not None and task == "regression":
        yield Problem(("training", "class_weight"), "a regression has no classes", training.class_weight, "null")


def _parts(sections: Sections) -> tuple[Mlp, Lbfgs]:
    if not isinstance(sections.model, Mlp) or not isinstance(sections.training, Lbfgs):
        raise TypeError(f"not a network by lbfgs: {sections.model.kind}")
    return sections.model, sections.training


def _output(estimator: Any, split: Split, X: Array) -> Array:
    return fitted.output(estimator, X, split.n_outputs, split.task == "classification")


def _measured(estimator: Any, split: Split) -> dict[str, float]:
    """Measure train and validation alike."""
    row: dict[str, float] = {}
    for part, X, y in (("train", split.X_train, split.y_train), ("val", split.X_val, split.y_val)):
        row |= measures.measure(split.task, part, y, _output(estimator, split, X), split.weights.get(part))
    return row


def _named(estimator: Any, model: Mlp) -> dict[str, Array]:
    """Copy weights and biases under the names that networks have."""
    named: dict[str, Array] = {}
    for layer, coefs, intercepts in zip(
        layout.layer_names(model), estimator.coefs_, estimator.intercepts_, strict=True
    ):
        named |= {f"{layer}/weight": np.array(coefs), f"{layer}/bias": np.array(intercepts)}
    return named
