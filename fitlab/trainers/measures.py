"""Losses and scores: one way to measure, for train and validation, for networks and the constant predictor.

The penalty is never part of a loss. Where the data have weights, every mean is over weighted rows.
N samples, K classes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from fitlab.records import Array, Floats, Split, Task
from fitlab.spec.datasets import Data
from fitlab.spec.tables import Table

CLIP = float(np.finfo(np.float64).eps)
LOSS = {
    "classification": f"log_loss, probabilities clipped to [{CLIP:.3g}, 1 - {CLIP:.3g}]",
    "regression": "mean_squared_error",
}
ZERO_ONE = "zero_one_loss"  # of classifiers that give no probabilities


def weighted(data: Data) -> bool:
    """Whether the rows of a data section have weights."""
    return isinstance(data, Table) and data.sample_weight is not None


def loss_of(kind: str, weighted: bool) -> str:
    """Return the name of a loss, with what it is a mean over."""
    return f"{kind}, rows weighted" if weighted else kind


def log_loss(y: Array, probabilities: Floats, weights: Floats | None = None) -> float:
    """Mean negative log-likelihood in nats, as sklearn.metrics.log_loss.

    y: (N,) class codes; probabilities: (N, K); weights: (N,) of the mean. Probabilities are clipped to [eps, 1 - eps]
    of float64, so that one confident error costs at most 36.04.
    """
    of_truth = probabilities[np.arange(len(y)), y]
    return float(np.average(-np.log(np.clip(of_truth, CLIP, 1 - CLIP)), weights=weights))


def accuracy(y: Array, output: Floats, weights: Floats | None = None) -> float:
    """Share of samples whose (most probable) class is the true one. y: (N,); output: (N, K), or (N,) class codes."""
    hits = (output.argmax(axis=1) if output.ndim == 2 else output) == y
    return float(np.average(hits, weights=weights))


def squared_error(y: Array, predictions: Floats, weights: Floats | None = None) -> float:
    """Mean squared error, without scikit-learn's factor of one half. y, predictions: (N,)."""
    return float(np.average(np.square(y - predictions), weights=weights))


def spread(y: Array, weights: Floats | None = None) -> float:
    """Sum of squares of a target around its mean. y: (N,)."""
    squares = np.square(y - np.average(y, weights=weights))
    return float((squares if weights is None else weights * squares).sum())


def r2(y: Array, predictions: Floats, weights: Floats | None = None) -> float:
    """Coefficient of determination; NaN where y is constant. y, predictions: (N,)."""
    total, squares = spread(y, weights), np.square(y - predictions)
    missed = (squares if weights is None else weights * squares).sum()
    return float(1 - missed / total) if total > 0 else float("nan")


def measure(task: Task, part: str, y: Array, output: Floats, weights: Floats | None = None) -> dict[str, float]:
    """Return loss and score of one part, under their metric names. output: (N, K) or (N,); weights: (N,).

    Class codes (N,) of a classifier without probabilities have the zero-one loss.
    """
    with np.errstate(all="ignore"):  # non-finite results are an outcome, not a warning
        if task == "classification" and output.ndim == 1:
            hits = accuracy(y, output, weights)
            return {f"loss/{part}": 1 - hits, f"accuracy/{part}": hits}
        if task == "classification":
            return {f"loss/{part}": log_loss(y, output, weights), f"accuracy/{part}": accuracy(y, output, weights)}
        return {f"loss/{part}": squared_error(y, output, weights), f"r2/{part}": r2(y, output, weights)}


def counts(class_weight: Literal["balanced"] | None, split: Split) -> Floats | None:
    """Return the weights of rows in training (N,): those of the data, of their classes, their product; None: all 1."""
    weights = split.weights.get("train")
    if class_weight is None:
        return weights
    found = np.unique(split.y_train)
    of_class = np.zeros(split.n_outputs)
    of_class[found] = compute_class_weight(class_weight, classes=found, y=split.y_train, sample_weight=weights)
    own = of_class[split.y_train]
    return np.asarray(own if weights is None else weights * own)


def constant_predictor(task: Task, y_train: Array, n_outputs: int, weights: Floats | None = None) -> Floats:
    """Return what the constant predictor says of every sample: class shares (K,), or the mean (). weights: (N,).

    A class absent from the training part gets 1 / (N + K), so that its log-loss is finite.
    """
    if task == "regression":
        return np.asarray(np.average(y_train, weights=weights))
    n = len(y_train)
    counts = np.bincount(y_train, weights=weights, minlength=n_outputs)
    return np.asarray(np.maximum(counts / counts.sum(), 1 / (n + n_outputs)))


def null_metrics(split: Split, hard: bool = False) -> dict[str, float]:
    """Return the constant predictor's loss and score on train and validation.

    hard: of a classifier without probabilities, which says the most frequent class.
    """
    constant = constant_predictor(split.task, split.y_train, split.n_outputs, split.weights.get("train"))
    if hard:
        constant = np.asarray(constant.argmax(), dtype=np.float64)
    return {
        name: value
        for part, y in (("train", split.y_train), ("val", split.y_val))
        for name, value in measure(
            split.task, part, y, np.broadcast_to(constant, (len(y), *constant.shape)), split.weights.get(part)
        ).items()
    }


def losses(task: Task, y: Array, output: Floats) -> Floats:
    """Return the loss of each row, whose mean is ``loss/…`` of ``measure``. y: (N,); output as there. -> (N,)"""
    if task == "regression":
        return np.asarray(np.square(y - output))
    if output.ndim == 1:
        return np.asarray(output != y, dtype=np.float64)
    return np.asarray(-np.log(np.clip(output[np.arange(len(y)), y], CLIP, 1 - CLIP)))
