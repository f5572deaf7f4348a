"""Multi-layer perceptrons by scikit-learn's MLPClassifier and MLPRegressor, one partial_fit an epoch.

What ``fit`` does inside, this does from outside: the same initial weights, and orders of rows drawn from the
same stream, each a shuffle of the one before. So the network after E epochs equals, bit for bit, the one of
``MLPClassifier(random_state=fit.random_state, max_iter=E, n_iter_no_change=E + 1).fit(...)``, and the
traps of partial_fit (with an int seed it repeats one order for ever) are kept out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import shuffle

from fitlab.errors import Problem
from fitlab.records import Array, Curves, Fit, Floats, Job, Outcome, Split
from fitlab.spec import Sections
from fitlab.spec.models import Adam, Mlp, Sgd
from fitlab.trainers import measures

VERSION = "mlp-partial_fit/2"
Estimator = Any  # MLPClassifier | MLPRegressor
_STANDSTILL = 1e-300  # a learning rate that changes no weight


@dataclass(frozen=True, eq=False)
class State:
    """A network between two epochs."""

    job: Job
    estimator: Estimator
    orders: RandomState  # draws the order of rows
    order: Array  # (N,) of the last epoch
    epoch: int  # trained so far
    measured: tuple[dict[str, float], ...]  # one a measured epoch, from 0
    weights: Mapping[str, Array]  # after ``epoch``
    snapshots: Mapping[int, Mapping[str, Array]]
    cause: str | None = None  # why it diverged


def start(job: Job, split: Split) -> State:
    """Return the initialised network. Raises what scikit-learn raises for impossible parameters."""
    seeded = RandomState(job.stream("init"))
    # Weights at epoch 0, through the public interface: one step that goes nowhere, on a row of zeros.
    probe = _estimator(job.config.sections, split, seeded, at_standstill=True)
    _epoch(probe, split, np.zeros((1, split.X_train.shape[1])), split.y_train[:1])
    # Initialising has taken its draws from ``seeded``: what it draws next is scikit-learn's first order of rows.
    orders = seeded if job.random_state is not None else RandomState(job.stream("order"))
    estimator = _estimator(job.config.sections, split, RandomState(job.stream("init")))
    row, cause = _measure(probe, split, epoch=0)
    measured = () if cause else (row,)
    weights = _weights(probe)
    snapshots = {0: weights} if 0 in _parts(job.config.sections)[1].snapshots else {}
    order = np.arange(len(split.y_train))
    return State(job, estimator, orders, order, 0, measured, weights, snapshots, cause)


def advance(state: State, split: Split, to_epoch: int, stop: Callable[[], bool]) -> State:
    """Train to the end of ``to_epoch``, or until ``stop()`` or divergence."""
    training = _parts(state.job.config.sections)[1]
    estimator, orders = copy.deepcopy((state.estimator, state.orders))
    order, epoch, cause = state.order, state.epoch, state.cause
    measured, snapshots = list(state.measured), dict(state.snapshots)
    while epoch < to_epoch and cause is None and not stop():
        epoch += 1
        order = shuffle(order, random_state=orders) if training.shuffle else order
        try:
            _epoch(estimator, split, split.X_train[order], split.y_train[order])
        except ValueError:
            if _finite(estimator):
                raise
            cause = f"weights became non-finite in epoch {epoch}"
            break
        row, cause = _measure(estimator, split, epoch)
        if cause is None:
            measured.append(row)
            snapshots |= {epoch: _weights(estimator)} if epoch in training.snapshots else {}
    weights = _weights(estimator) if epoch > state.epoch else state.weights
    return State(state.job, estimator, orders, order, epoch, tuple(measured), weights, snapshots, cause)


def finish(state: State, split: Split) -> Fit:
    """Return the Fit of a state, with predictions of its last weights on validation and test."""
    job = state.job
    sections = job.config.sections
    if state.cause is not None:
        outcome = Outcome.DIVERGED
    else:
        outcome = Outcome.COMPLETED if state.epoch == end(sections) else Outcome.INTERRUPTED
    names = sorted(state.measured[0] if state.measured else (), key=lambda name: (not name.startswith("loss"), name))
    curves = {name: np.array([row[name] for row in state.measured]) for name in names}
    predictions = {}
    if outcome is Outcome.COMPLETED:
        predictions = {
            "val": _output(state.estimator, split.X_val),
            "test": _output(state.estimator, split.X_test),
        }
    return Fit(
        job=job,
        outcome=outcome,
        epochs=state.epoch,
        curves=Curves(np.arange(len(state.measured)), curves),
        weights=state.weights,
        snapshots=state.snapshots,
        predictions=predictions,
        loss=measures.LOSS[split.task],
        null=measures.null_metrics(split.task, split.y_train, split.y_val, split.n_outputs),
        sizes={**split.sizes, "n_parameters": n_parameters(sections, split.sizes)},
        cause=state.cause,
    )


def end(sections: Sections) -> int:
    """Return the last epoch of training."""
    return _parts(sections)[1].epochs


def cost(sections: Sections) -> float:
    """Return the work of training in arbitrary units: minibatches, and multiplications within them."""
    model, training = _parts(sections)
    hidden = model.hidden_layer_sizes
    units = sum(hidden) + sum(a * b for a, b in pairwise(hidden)) / 64
    return training.epochs * (1 + 32 / training.batch_size) * (100 + units)  # 100: Python's share of a minibatch


def n_parameters(sections: Sections, sizes: Mapping[str, int]) -> int:
    """Count weights and biases; two classes need one output, as in scikit-learn."""
    outputs = sizes["n_outputs"] if sizes["n_outputs"] > 2 else 1
    layers = (sizes["n_features"], *_parts(sections)[0].hidden_layer_sizes, outputs)
    return sum(fan_in * fan_out + fan_out for fan_in, fan_out in pairwise(layers))


def misfits(sections: Sections, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Yield what of a Config does not fit the data or itself."""
    _, training = _parts(sections)
    n_train = sizes["n_train"]
    if training.batch_size > n_train:
        allowed = f"at most {n_train}, the rows of the training part"
        given = str(training.batch_size)
        yield Problem(("training", "batch_size"), "a minibatch larger than the data", given, allowed)
    late = [epoch for epoch in training.snapshots if epoch > training.epochs]
    if late:
        allowed = f"epochs 0 to {training.epochs}"
        yield Problem(("training", "snapshots"), "after the last epoch", str(late), allowed)


def _parts(sections: Sections) -> tuple[Mlp, Adam | Sgd]:
    """Return the network and its training; other models have other trainers."""
    if not isinstance(sections.model, Mlp) or sections.training is None:
        raise TypeError(f"not a network: {sections.model.kind}")
    return sections.model, sections.training


def _estimator(sections: Sections, split: Split, random_state: RandomState, at_standstill: bool = False) -> Estimator:
    """Make scikit-learn's estimator, its own shuffling off: the orders come from us."""
    chosen: dict[str, Any]
    model, training = _parts(sections)
    match training:
        case Adam() as adam:
            chosen = adam.model_dump(include={"solver", "beta_1", "beta_2", "epsilon"})
        case Sgd() as sgd:
            chosen = sgd.model_dump(exclude={"epochs", "shuffle", "snapshots", "alpha", "batch_size"})
    chosen["learning_rate_init"] = training.learning_rate_init
    if at_standstill:
        chosen = {
            "solver": "sgd",
            "learning_rate_init": _STANDSTILL,
            "momentum": 0.0,
            "nesterovs_momentum": False,
        }
    kind = MLPClassifier if split.task == "classification" else MLPRegressor
    return kind(
        hidden_layer_sizes=model.hidden_layer_sizes,
        activation=model.activation,
        alpha=training.alpha,
        batch_size=1 if at_standstill else training.batch_size,
        shuffle=False,
        random_state=random_state,
        **chosen,
    )


def _epoch(estimator: Estimator, split: Split, X: Floats, y: Array) -> None:
    with np.errstate(all="ignore"):  # overflow is an outcome, not a warning
        if split.task == "classification":
            estimator.partial_fit(X, y, classes=np.arange(split.n_outputs))
        else:
            estimator.partial_fit(X, y)


def _measure(estimator: Estimator, split: Split, epoch: int) -> tuple[dict[str, float], str | None]:
    """Measure train and validation alike, with the same weights; the second result says what is not finite."""
    n = len(split.y_train)
    output = _output(estimator, np.concatenate([split.X_train, split.X_val]))
    row = measures.measure(split.task, "train", split.y_train, output[:n])
    row |= measures.measure(split.task, "val", split.y_val, output[n:])
    broken = [name for name in ("loss/train", "loss/val") if not np.isfinite(row[name])]
    return row, f"{' and '.join(broken)} became non-finite in epoch {epoch}" if broken else None


def _output(estimator: Estimator, X: Floats) -> Floats:
    """Return probabilities (N, K) or predictions (N,)."""
    with np.errstate(all="ignore"):
        probable = isinstance(estimator, MLPClassifier)
        return np.asarray(estimator.predict_proba(X) if probable else estimator.predict(X), dtype=np.float64)


def _weights(estimator: Estimator) -> dict[str, Array]:
    """Copy weights (fan_in, fan_out) and biases (fan_out,), layer by layer from the input."""
    named: dict[str, Array] = {}
    last = len(estimator.coefs_) - 1
    for i, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        layer = "output" if i == last else f"hidden_{i + 1}"
        named |= {f"{layer}/weight": weight.copy(), f"{layer}/bias": bias.copy()}
    return named


def _finite(estimator: Estimator) -> bool:
    return all(np.isfinite(array).all() for array in (*estimator.coefs_, *estimator.intercepts_))
