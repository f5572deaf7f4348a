"""Calls of the kernel: from model, training and Split to the arrays and numbers that it takes, and back.

N rows, P parameters, E epochs, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitlab.records import Array, Floats, Split
from fitlab.spec.models import Adam, EarlyStopping, Mlp, Sgd
from fitlab.trainers import kernel, layout, measures

_ACTIVATIONS = {"identity": kernel.IDENTITY, "logistic": kernel.LOGISTIC, "tanh": kernel.TANH, "relu": kernel.RELU}
_SCHEDULES = {"constant": kernel.CONSTANT, "invscaling": kernel.INVSCALING, "adaptive": kernel.ADAPTIVE}


@dataclass(frozen=True, eq=False)
class Memory:
    """What training changes and goes on from."""

    theta: Floats  # (P,) weights and biases
    moments: Floats  # (2, P) of Adam; of sgd the first row is the velocity
    progress: Floats  # (6,) what else the solver remembers
    best: Floats  # (P,) with the lowest validation loss; (0,) without early stopping


def begin(training: Adam | Sgd, theta: Floats) -> Memory:
    """Return the memory before training."""
    progress = np.array([0.0, training.learning_rate_init, np.inf, 0.0, np.inf, 0.0])
    best = np.empty(len(theta) if training.early_stopping else 0)
    return Memory(theta, np.zeros((2, len(theta))), progress, best)


def has_stopped(training: Adam | Sgd, memory: Memory) -> bool:
    """Whether early stopping has ended training."""
    rule = training.early_stopping
    return rule is not False and bool(memory.progress[kernel.WAITED] > rule.n_iter_no_change)


def train(
    model: Mlp, training: Adam | Sgd, split: Split, memory: Memory, epoch: int, orders: NDArray[np.int64]
) -> tuple[Memory, Floats, Floats]:
    """Train E more epochs after ``epoch``, or fewer where something ends it. orders: (E, N) rows; E = 0: measure only.

    Returns the memory after them, theta (P,) before the last of them, and curves (epochs trained or 1, 4). ``memory``
    is not changed.
    """
    after = Memory(memory.theta.copy(), memory.moments.copy(), memory.progress.copy(), memory.best.copy())
    before, curves = np.empty(len(memory.theta)), np.empty((max(len(orders), 1), 4))
    done = _call(model, training, split, after, epoch, orders, before, np.empty(0), curves)
    return after, before, curves[: max(done, 1)]


def gradient(model: Mlp, training: Adam | Sgd, split: Split, theta: Floats) -> Floats:
    """Return the gradient (P,) over the whole training part of what training minimises, without the penalty."""
    found, orders = np.empty(len(theta)), np.empty((0, len(split.y_train)), np.int64)
    _call(model, training, split, begin(training, theta), 0, orders, np.empty(0), found, np.empty((1, 4)))
    return found


def _call(
    model: Mlp,
    training: Adam | Sgd,
    split: Split,
    memory: Memory,
    epoch: int,
    orders: NDArray[np.int64],
    before: Floats,
    found: Floats,
    curves: Floats,
) -> int:
    own, held = split.weights.get("train"), split.weights.get("val")
    done: int = kernel.train(
        (_flat(split.X_train), _flat(split.y_train), _flat(own)),
        (_flat(split.X_val), _flat(split.y_val), _flat(held)),
        np.array([measures.spread(y, weights) for y, weights in ((split.y_train, own), (split.y_val, held))]),
        _flat(measures.counts(training.class_weight, split)),
        orders,
        epoch,
        memory.theta,
        layout.table(model, split.sizes),
        np.array(training.learning_rate_multipliers, np.float64),
        _settings(model, training, split),
        memory.moments,
        memory.progress,
        memory.best,
        before,
        found,
        curves,
    )
    return done


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
        stopping=bool(training.early_stopping),
        stopping_tol=float(rule.tol),
        stopping_patience=rule.n_iter_no_change,
    )


def _last(split: Split) -> int:
    """Return the activation of the last layer."""
    if split.task == "regression":
        return kernel.IDENTITY
    return kernel.SOFTMAX if split.n_outputs > 2 else kernel.LOGISTIC


def _flat(array: Array | None) -> Floats:
    """The array as the kernel takes it: flat, float64, writable (other types would be compiled for again)."""
    return np.require(np.empty(0) if array is None else array, np.float64, ["C", "W"]).reshape(-1)


def output(model: Mlp, split: Split, theta: Floats, X: Floats) -> Floats:
    """Return probabilities (N, K) or predictions (N,) for X (N, D)."""
    layers = layout.table(model, split.sizes)
    said = kernel.predict(_flat(X), len(X), theta, layers, _ACTIVATIONS[model.activation], _last(split))
    if split.task == "regression":
        return np.asarray(said[:, 0])
    return np.hstack([1 - said, said]) if split.n_outputs <= 2 else np.asarray(said)
