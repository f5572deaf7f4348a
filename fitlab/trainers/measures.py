"""Losses and scores: one way to measure, for train and validation, for networks and the constant predictor.

The penalty is never part of a loss. N samples, K classes.
"""

from __future__ import annotations

import numpy as np

from fitlab.records import Array, Floats, Task

CLIP = float(np.finfo(np.float64).eps)
LOSS = {
    "classification": f"log_loss, probabilities clipped to [{CLIP:.3g}, 1 - {CLIP:.3g}]",
    "regression": "mean_squared_error",
}
ZERO_ONE = "zero_one_loss"  # of classifiers that give no probabilities


def log_loss(y: Array, probabilities: Floats) -> float:
    """Mean negative log-likelihood in nats, as sklearn.metrics.log_loss.

    y: (N,) class codes; probabilities: (N, K). Probabilities are clipped to [eps, 1 - eps] of float64, so
    that one confident error costs at most 36.04.
    """
    of_truth = probabilities[np.arange(len(y)), y]
    return float(-np.log(np.clip(of_truth, CLIP, 1 - CLIP)).mean())


def accuracy(y: Array, output: Floats) -> float:
    """Share of samples whose (most probable) class is the true one. y: (N,); output: (N, K), or (N,) class codes."""
    return float(((output.argmax(axis=1) if output.ndim == 2 else output) == y).mean())


def squared_error(y: Array, predictions: Floats) -> float:
    """Mean squared error, without scikit-learn's factor of one half. y, predictions: (N,)."""
    return float(np.square(y - predictions).mean())


def r2(y: Array, predictions: Floats) -> float:
    """Coefficient of determination; NaN where y is constant. y, predictions: (N,)."""
    total = np.square(y - y.mean()).sum()
    return float(1 - np.square(y - predictions).sum() / total) if total > 0 else float("nan")


def measure(task: Task, part: str, y: Array, output: Floats) -> dict[str, float]:
    """Return loss and score of one part, under their metric names. output: (N, K) or (N,).

    Class codes (N,) of a classifier without probabilities have the zero-one loss.
    """
    with np.errstate(all="ignore"):  # non-finite results are an outcome, not a warning
        if task == "classification" and output.ndim == 1:
            hits = accuracy(y, output)
            return {f"loss/{part}": 1 - hits, f"accuracy/{part}": hits}
        if task == "classification":
            return {f"loss/{part}": log_loss(y, output), f"accuracy/{part}": accuracy(y, output)}
        return {f"loss/{part}": squared_error(y, output), f"r2/{part}": r2(y, output)}


def constant_predictor(task: Task, y_train: Array, n_outputs: int) -> Floats:
    """Return what the constant predictor says of every sample: class shares (K,), or the mean ().

    A class absent from the training part gets 1 / (N + K), so that its log-loss is finite.
    """
    if task == "regression":
        return np.asarray(y_train.mean())
    n = len(y_train)
    shares = np.bincount(y_train, minlength=n_outputs) / n
    return np.asarray(np.maximum(shares, 1 / (n + n_outputs)))


def null_metrics(task: Task, y_train: Array, y_val: Array, n_outputs: int, hard: bool = False) -> dict[str, float]:
    """Return the constant predictor's loss and score on train and validation.

    hard: of a classifier without probabilities, which says the most frequent class.
    """
    constant = constant_predictor(task, y_train, n_outputs)
    if hard:
        constant = np.asarray(constant.argmax(), dtype=np.float64)
    return {
        name: value
        for part, y in (("train", y_train), ("val", y_val))
        for name, value in measure(task, part, y, np.broadcast_to(constant, (len(y), *constant.shape))).items()
    }


def losses(task: Task, y: Array, output: Floats) -> Floats:
    """Return the loss of each row, whose mean is ``loss/…`` of ``measure``. y: (N,); output as there. -> (N,)"""
    if task == "regression":
        return np.asarray(np.square(y - output))
    if output.ndim == 1:
        return np.asarray(output != y, dtype=np.float64)
    return np.asarray(-np.log(np.clip(output[np.arange(len(y)), y], CLIP, 1 - CLIP)))
