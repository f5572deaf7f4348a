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

from fitlab.errors import Problem
from fitlab.records import EMPTY_CURVES, Array, Curves, Fit, Floats, Job, Outcome, Split, Task
from fitlab.spec import Sections
from fitlab.spec.models import Adam, Mlp, Sgd
from fitlab.trainers import calling, initial, layout, measures, probing

VERSION = "mlp-kernel/4"
LONG = 0.05  # seconds of a call of the kernel: Python and its lock are negligible, and ``stop`` is asked often enough
MAX_ORDERS = 1 << 22  # rows that the orders of one call hold together


@dataclass(frozen=True, eq=False)
class State:
    """A network between two epochs. P parameters, N rows."""

    job: Job
    orders: RandomState  # draws the order of rows
    order: Array  # (N,) of the last epoch
    epoch: int  # trained so far
    memory: calling.Memory  # after ``epoch``
    measured: Floats  # (measured epochs from 0, 4) loss and score of train, loss and score of val
    snapshots: Mapping[int, Mapping[str, Array]]
    norms: Mapping[int, Mapping[str, float]]  # epoch -> as in Fit.norms
    probes: Mapping[int, Mapping[str, float]]  # epoch -> as in Fit.probes
    began: Floats  # (P,) before training
    cause: str | None = None  # why it diverged


def start(job: Job, split: Split) -> State:
    """Return the initialised network, measured."""
    model, training = _parts(job.config.sections)
    seeded = RandomState(job.stream("init"))
    theta = layout.drawn(model, split.sizes, seeded)
    if model.initial is not None:
        initial.put(theta, model, model.initial, split.sizes, known=job.trainer.rpartition(" ")[2])
    # Initialising has taken its draws from ``seeded``: what it draws next is scikit-learn's first order of rows.
    orders = seeded if job.random_state is not None else RandomState(job.stream("order"))
    state = State(
        job=job,
        orders=orders,
        order=np.arange(len(split.y_train)),
        epoch=0,
        memory=calling.begin(training, theta),
        measured=np.empty((0, 4)),
        snapshots={},
        norms={},
        probes={},
        began=theta,
    )
    return _trained(state, split, 0)


def advance(state: State, split: Split, to_epoch: int, stop: Callable[[], bool]) -> State:
    """Train to the end of ``to_epoch``, or until ``stop()``, early stopping or divergence.

    ``stop`` is asked before every call of the kernel: one epoch, then as many as take about LONG.
    """
    epochs = 1
    state = replace(state, orders=copy.deepcopy(state.orders))  # to draw from
    while state.epoch < to_epoch and state.cause is None and not _is_whole(state) and not stop():
        before, clock = state.epoch, time.perf_counter()
        state = _trained(state, split, min(epochs, to_epoch - before))
        per_epoch = (time.perf_counter() - clock) / (state.epoch - before)
        epochs = max(1, min(2 * epochs, int(LONG / per_epoch), MAX_ORDERS // len(state.order)))
    return state


def finish(state: State, split: Split) -> Fit:
    """Return the Fit of a state, with predictions of its last weights on validation and test."""
    sections = state.job.config.sections
    model, _ = _parts(sections)
    if state.cause is not None:
        outcome = Outcome.DIVERGED
    else:
        outcome = Outcome.COMPLETED if _is_whole(state) else Outcome.INTERRUPTED
    score = "accuracy" if split.task == "classification" else "r2"
    columns = {"loss/train": 0, "loss/val": 2, f"{score}/train": 1, f"{score}/val": 3} if len(state.measured) else {}
    predictions, snapshots = {}, dict(state.snapshots)
    if outcome is Outcome.COMPLETED:
        best = state.memory.best
        if len(best):
            lowest = int(state.measured[:, 2].argmin())
            snapshots = dict(sorted({**snapshots, lowest: layout.named(best, model, split.sizes)}.items()))
        parts = {"val": split.X_val, "test": split.X_test}
        predictions = {part: calling.output(model, split, state.memory.theta, X) for part, X in parts.items()}
    return Fit(
        job=state.job,
        outcome=outcome,
        epochs=state.epoch,
        curves=Curves(
            np.arange(len(state.measured)), {name: state.measured[:, i].copy() for name, i in columns.items()}
        ),
        weights=layout.named(state.memory.theta, model, split.sizes),
        snapshots=snapshots,
        norms=_as_curves(state.norms),
        probes=_as_curves(state.probes),
        predictions=predictions,
        loss=measures.loss_of(measures.LOSS[split.task], bool(split.weights)),
        null=measures.null_metrics(split),
        classes=split.labels,
        sizes={**split.sizes, "n_parameters": layout.n_parameters(model, split.sizes)},
        cause=state.cause,
    )


def version(sections: Sections) -> str:
    """Return name and version; where training begins from a file, with the sha256 of what that holds."""
    model, _ = _parts(sections)
    return VERSION if model.initial is None else f"{VERSION} from {initial.identity(model.initial)}"


def problems(sections: Sections) -> Iterator[Problem]:
    """Yield what is wrong with a Config whatever the data are."""
    model, _ = _parts(sections)
    if model.initial is not None:
        yield from initial.problems(model.initial)


def end(sections: Sections) -> int:
    """Return the last epoch of training."""
    return _parts(sections)[1].epochs


def cost(sections: Sections) -> float:
    """Return the work of training in arbitrary units: as measured on digits, 64 features."""
    model, training = _parts(sections)
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise((64, *model.hidden_layer_sizes)))
    return training.epochs * (1 + 8 / training.batch_size) * (16 + weights / 64)


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
    if model.initial is not None:
        yield from initial.misfits(model, model.initial, sizes)
    late = [epoch for epoch in training.snapshots if epoch > training.epochs]
    if late:
        allowed = f"epochs 0 to {training.epochs}"
        yield Problem(("training", "snapshots"), "after the last epoch", str(late), allowed)


def _is_whole(state: State) -> bool:
    """Whether training is at its end, or early stopping has ended it."""
    _, training = _parts(state.job.config.sections)
    return state.epoch == training.epochs or calling.has_stopped(training, state.memory)


def _parts(sections: Sections) -> tuple[Mlp, Adam | Sgd]:
    """Return the network and its training; other models and solvers have other trainers."""
    if not isinstance(sections.model, Mlp) or not isinstance(sections.training, Adam | Sgd):
        raise TypeError(f"not a network: {sections.model.kind}")
    return sections.model, sections.training


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
    memory, before, curves = calling.train(model, training, split, state.memory, state.epoch, drawn)
    reached = state.epoch + min(len(curves), epochs)
    cause = _cause(memory.theta, curves[-1], reached)
    fresh = curves[: len(curves) - (cause is not None)]
    state = replace(
        state,
        order=order,
        epoch=reached,
        memory=memory,
        measured=np.concatenate([state.measured, fresh]),
        cause=cause,
    )
    return state if cause is not None else _noted(state, split, before)


def _noted(state: State, split: Split, before: Floats) -> State:
    """Keep the weights of an epoch of which they are wanted, norms and probes there and at the end. before: (P,)."""
    (model, training), epoch, theta = _parts(state.job.config.sections), state.epoch, state.memory.theta
    if epoch in training.snapshots:
        kept = {**state.snapshots, epoch: layout.named(theta, model, split.sizes)}
        state = replace(state, snapshots=kept)
    if epoch not in training.snapshots and not _is_whole(state):
        return state
    update = theta - before if epoch > 0 else np.full_like(theta, np.nan)
    vectors = {"gradient": calling.gradient(model, training, split, theta), "update": update}
    with np.errstate(all="ignore"):  # a gradient may overflow where the loss has not
        norms = {
            f"{kind}/{name}": float(np.linalg.norm(array))
            for kind, vector in vectors.items()
            for name, array in layout.views(vector, model, split.sizes)
        }
    probes = probing.probed(
        model, split, layout.named(theta, model, split.sizes), layout.named(state.began, model, split.sizes)
    )
    return replace(state, norms={**state.norms, epoch: norms}, probes={**state.probes, epoch: probes})


def _as_curves(norms: Mapping[int, Mapping[str, float]]) -> Curves:
    """Return norms, or probes, at their epochs; that of an update before training is NaN."""
    values = {name: np.array([one[name] for one in norms.values()]) for name in next(iter(norms.values()), ())}
    return Curves(np.array(list(norms), np.int64), values) if norms else EMPTY_CURVES


def _cause(theta: Floats, last: Floats, epoch: int) -> str | None:
    """Say what became non-finite. last: (4,) measured after ``epoch``."""
    if not np.isfinite(theta).all():
        return f"weights became non-finite in epoch {epoch}"
    broken = [name for name, value in (("loss/train", last[0]), ("loss/val", last[2])) if not np.isfinite(value)]
    return f"{' and '.join(broken)} became non-finite in epoch {epoch}" if broken else None
