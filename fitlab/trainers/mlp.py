"""Multi-layer perceptrons: scikit-learn's MLPClassifier and MLPRegressor, trained by our own compiled kernel.

The initial weights, the orders of rows and the arithmetic are those of ``fit``: the network after E epochs equals,
to rounding, the one of ``MLPClassifier(random_state=fit.random_state, max_iter=E, n_iter_no_change=E + 1).fit(...)``.
What scikit-learn has not: networks without biases, and losses after each epoch that are measured alike.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import RandomState
from sklearn.utils.class_weight import compute_class_weight

from fitlab.errors import Problem
from fitlab.records import Array, Curves, Fit, Floats, Job, Outcome, Split, Task
from fitlab.spec import Sections
from fitlab.spec.models import Adam, EarlyStopping, Mlp, Sgd
from fitlab.trainers import kernel, layout, measures

VERSION = "mlp-kernel/1"
LONG = 0.05  # seconds of a call of the kernel: Python and its lock are negligible, and ``stop`` is asked often enough
MAX_ORDERS = 1 << 22  # rows that the orders of one call hold together
_ACTIVATIONS = {"identity": kernel.IDENTITY, "logistic": kernel.LOGISTIC, "tanh": kernel.TANH, "relu": kernel.RELU}
_SCHEDULES = {"constant": kernel.CONSTANT, "invscaling": kernel.INVSCALING, "adaptive": kernel.ADAPTIVE}


@dataclass(frozen=True, eq=False)
class State:
    """A network between two epochs. P parameters, N rows."""

    job: Job
    orders: RandomState  # draws the order of rows
    order: Array  # (N,) of the last epoch
    epoch: int  # trained so far
    theta: Floats  # (P,) weights and biases after ``epoch``
    moments: Floats  # (2, P) of Adam; of sgd the first row is the velocity
    progress: Floats  # (6,) what else the solver remembers
    best: Floats  # (P,) with the lowest validation loss; (0,) without early stopping
    measured: Floats  # (measured epochs from 0, 4) loss and score of train, loss and score of val
    snapshots: Mapping[int, Mapping[str, Array]]
    cause: str | None = None  # why it diverged


def start(job: Job, split: Split) -> State:
    """Return the initialised network, measured."""
    model, training = _parts(job.config.sections)
    seeded = RandomState(job.stream("init"))
    theta = layout.drawn(model, split.sizes, seeded)
    # Initialising has taken its draws from ``seeded``: what it draws next is scikit-learn's first order of rows.
    orders = seeded if job.random_state is not None else RandomState(job.stream("order"))
    state = State(
        job=job,
        orders=orders,
        order=np.arange(len(split.y_train)),
        epoch=0,
        theta=theta,
        moments=np.zeros((2, len(theta))),
        progress=np.array([0.0, training.learning_rate_init, np.inf, 0.0, np.inf, 0.0]),
        best=np.empty(0 if training.early_stopping is None else len(theta)),
        measured=np.empty((0, 4)),
        snapshots={},
    )
    return _trained(state, split, 0)


def advance(state: State, split: Split, to_epoch: int, stop: Callable[[], bool]) -> State:
    """Train to the end of ``to_epoch``, or until ``stop()``, early stopping or divergence.

    ``stop`` is asked before every call of the kernel: one epoch, then as many as take about LONG.
    """
    epochs = 1
    state = replace(state, orders=copy.deepcopy(state.orders))  # to draw from
    while state.epoch < to_epoch and state.cause is None and not _has_stopped(state) and not stop():
        before, clock = state.epoch, time.perf_counter()
        state = _trained(state, split, min(epochs, to_epoch - before))
        per_epoch = (time.perf_counter() - clock) / (state.epoch - before)
        epochs = max(1, min(2 * epochs, int(LONG / per_epoch), MAX_ORDERS // len(state.order)))
    return state


def finish(state: State, split: Split) -> Fit:
    """Return the Fit of a state, with predictions of its last weights on validation and test."""
    sections = state.job.config.sections
    if state.cause is not None:
        outcome = Outcome.DIVERGED
    else:
        whole = state.epoch == end(sections) or _has_stopped(state)
        outcome = Outcome.COMPLETED if whole else Outcome.INTERRUPTED
    score = "accuracy" if split.task == "classification" else "r2"
    columns = {"loss/train": 0, "loss/val": 2, f"{score}/train": 1, f"{score}/val": 3} if len(state.measured) else {}
    predictions, snapshots = {}, dict(state.snapshots)
    if outcome is Outcome.COMPLETED:
        if len(state.best):
            best = int(state.measured[:, 2].argmin())
            snapshots = dict(sorted({**snapshots, best: _named(state, split, state.best)}.items()))
        predictions = {"val": _output(state, split, split.X_val), "test": _output(state, split, split.X_test)}
    return Fit(
        job=state.job,
        outcome=outcome,
        epochs=state.epoch,
        curves=Curves(
            np.arange(len(state.measured)), {name: state.measured[:, i].copy() for name, i in columns.items()}
        ),
        weights=_named(state, split, state.theta),
        snapshots=snapshots,
        predictions=predictions,
        loss=measures.loss_of(measures.LOSS[split.task], bool(split.weights)),
        null=measures.null_metrics(split),
        sizes={**split.sizes, "n_parameters": n_parameters(sections, split.sizes)},
        cause=state.cause,
    )


def end(sections: Sections) -> int:
    """Return the last epoch of training."""
    return _parts(sections)[1].epochs


def cost(sections: Sections) -> float:
    """Return the work of training in arbitrary units: as measured on digits, 64 features."""
    model, training = _parts(sections)
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise((64, *model.hidden_layer_sizes)))
    return training.epochs * (1 + 8 / training.batch_size) * (16 + weights / 64)


def n_parameters(sections: Sections, sizes: Mapping[str, int]) -> int:
    """Count weights and biases."""
    return layout.n_parameters(_parts(sections)[0], sizes)


def misfits(sections: Sections, task: Task, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Yield what of a Config does not fit the data or itself."""
    model, training = _parts(sections)
    n_train = sizes["n_train"]
    multipliers, layers = training.learning_rate_multipliers, len(model.hidden_layer_sizes) + 1
    if multipliers and len(multipliers) != layers:
        allowed = f"{layers} numbers, one a layer from the input, the output layer last"
        yield Problem(("training", "learning_rate_multipliers"), "not one a layer", str(list(multipliers)), allowed)
    if training.batch_size > n_train:
        allowed = f"at most {n_train}, the rows of the training part"
        given = str(training.batch_size)
        yield Problem(("training", "batch_size"), "a minibatch larger than the data", given, allowed)
    if training.class_weight is not None and task == "regression":
        yield Problem(("training", "class_weight"), "a regression has no classes", training.class_weight, "null")
    late = [epoch for epoch in training.snapshots if epoch > training.epochs]
    if late:
        allowed = f"epochs 0 to {training.epochs}"
        yield Problem(("training", "snapshots"), "after the last epoch", str(late), allowed)


def _has_stopped(state: State) -> bool:
    """Whether early stopping has ended training."""
    rule = _parts(state.job.config.sections)[1].early_stopping
    return rule is not None and bool(state.progress[kernel.WAITED] > rule.n_iter_no_change)


def _parts(sections: Sections) -> tuple[Mlp, Adam | Sgd]:
    """Return the network and its training; other models have other trainers."""
    if not isinstance(sections.model, Mlp) or sections.training is None:
        raise TypeError(f"not a network: {sections.model.kind}")
    return sections.model, sections.training


def _settings(model: Mlp, training: Adam | Sgd, split: Split) -> kernel.Settings:
    """Return the kernel's settings; what a solver has not stays as scikit-learn's default, unused."""
    adam = training if isinstance(training, Adam) else Adam()
    sgd = training if isinstance(training, Sgd) else Sgd(solver="sgd")
    rule = training.early_stopping or EarlyStopping()
    return kernel.Settings(
        hidden=_ACTIVATIONS[model.activation],
        output=_last(split),
        batch_size=training.batch_size,
        alpha=float(training.alpha),
        adam=isinstance(training, Adam),
        learning_rate_init=float(training.learning_rate_init),
        beta_1=float(adam.beta_1),
        beta_2=float(adam.beta_2),
        epsilon=float(adam.epsilon),
        momentum=float(sgd.momentum),
        nesterov=sgd.nesterovs_momentum,
        schedule=_SCHEDULES[sgd.learning_rate],
        power_t=float(sgd.power_t),
        tol=float(sgd.tol),
        patience=sgd.n_iter_no_change,
        stopping=training.early_stopping is not None,
        stopping_tol=float(rule.tol),
        stopping_patience=rule.n_iter_no_change,
    )


def _last(split: Split) -> int:
    """Return the activation of the last layer."""
    if split.task == "regression":
        return kernel.IDENTITY
    return kernel.SOFTMAX if split.n_outputs > 2 else kernel.LOGISTIC


def _trained(state: State, split: Split, epochs: int) -> State:
    """Train ``epochs`` more in one call, or as far as the next snapshot or divergence; 0: measure.

    Draws from ``state.orders``; nothing else of the state is changed.
    """
    model, training = _parts(state.job.config.sections)
    ahead = [at - state.epoch for at in training.snapshots if at > state.epoch]
    epochs = min([epochs, *ahead])
    drawn = np.empty((epochs, len(state.order)), np.int64)
    order = state.order
    for row in drawn:  # each a shuffle of the one before, as fit does it
        order = order[state.orders.permutation(len(order))] if training.shuffle else order
        row[:] = order
    theta, moments, progress, best = (a.copy() for a in (state.theta, state.moments, state.progress, state.best))
    own, held = split.weights.get("train"), split.weights.get("val")
    train = (_flat(split.X_train), _flat(split.y_train), _flat(own))
    val = (_flat(split.X_val), _flat(split.y_val), _flat(held))
    curves = np.empty((max(epochs, 1), 4))
    done = kernel.train(
        train,
        val,
        np.array([measures.spread(y, weights) for y, weights in ((split.y_train, own), (split.y_val, held))]),
        _counts(training, split),
        drawn,
        state.epoch,
        theta,
        layout.table(model, split.sizes),
        np.array(training.learning_rate_multipliers, np.float64),
        _settings(model, training, split),
        moments,
        progress,
        best,
        curves,
    )
    reached = state.epoch + done
    cause = _cause(theta, curves[done - 1], reached)
    fresh = curves[: max(done, 1) - (cause is not None)]
    state = replace(
        state,
        order=order,
        epoch=reached,
        theta=theta,
        moments=moments,
        progress=progress,
        best=best,
        measured=np.concatenate([state.measured, fresh]),
        cause=cause,
    )
    kept = cause is None and reached in training.snapshots
    return replace(state, snapshots={**state.snapshots, reached: _named(state, split, theta)}) if kept else state


def _cause(theta: Floats, last: Floats, epoch: int) -> str | None:
    """Say what became non-finite. last: (4,) measured after ``epoch``."""
    if not np.isfinite(theta).all():
        return f"weights became non-finite in epoch {epoch}"
    broken = [name for name, value in (("loss/train", last[0]), ("loss/val", last[2])) if not np.isfinite(value)]
    return f"{' and '.join(broken)} became non-finite in epoch {epoch}" if broken else None


def _counts(training: Adam | Sgd, split: Split) -> Floats:
    """Return the weights of rows in training: those of the data, those of their classes, their product; (0,): none."""
    weights = split.weights.get("train")
    if training.class_weight is None:
        return _flat(weights)
    found = np.unique(split.y_train)
    of_class = np.zeros(split.n_outputs)
    of_class[found] = compute_class_weight(training.class_weight, classes=found, y=split.y_train, sample_weight=weights)
    counts = of_class[split.y_train]
    return _flat(counts if weights is None else weights * counts)


def _flat(array: Array | None) -> Floats:
    """The array as the kernel takes it: flat, float64, writable (other types would be compiled for again)."""
    return np.require(np.empty(0) if array is None else array, np.float64, ["C", "W"]).reshape(-1)


def _output(state: State, split: Split, X: Floats) -> Floats:
    """Return probabilities (N, K) or predictions (N,)."""
    model, _ = _parts(state.job.config.sections)
    layers = layout.table(model, split.sizes)
    output = kernel.predict(_flat(X), len(X), state.theta, layers, _ACTIVATIONS[model.activation], _last(split))
    if split.task == "regression":
        return np.asarray(output[:, 0])
    return np.hstack([1 - output, output]) if split.n_outputs <= 2 else np.asarray(output)


def _named(state: State, split: Split, theta: Floats) -> dict[str, Array]:
    """Copy the weights and biases of ``theta`` under their names."""
    model, _ = _parts(state.job.config.sections)
    return {name: array.copy() for name, array in layout.views(theta, model, split.sizes)}
