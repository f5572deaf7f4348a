"""Three families of networks, trained by fitlab's own kernel: by width, by epochs, and squared error by width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import softmax

from experiments.calibration.log_loss import binary
from experiments.calibration.problems import Predict, Problem, epochs_of, with_later
from experiments.calibration.squared import gaussian
from fitlab import space, trainers
from fitlab.records import Array, Config, Fit, Floats, Job, Split, Task
from fitlab.spec import read_spec


def problems() -> list[Problem]:
    """Every family under every one of its settings."""
    return [*widths(), *epochs(), *regression()]


def config(hidden: int, longest: int, **training: Any) -> Config:
    """Return a network whose weights are kept wherever it is measured, and after twice its epochs."""
    document = read_spec(
        {
            "name": "calibration",
            "data": {"kind": "iris"},  # not used: the rows come from the problem
            "model": {"kind": "mlp", "hidden_layer_sizes": [hidden]},
            "training": {
                "batch_size": 32,
                "epochs": 2 * longest,
                "snapshots": with_later(epochs_of([longest])[0]).tolist(),
                **training,
            },
        }
    )
    (only,) = space.configs(document)
    return only


def trained(one: Config, X: Floats, y: Array, classes: int, seed: int) -> Fit:
    """Train a network on given rows; ``seed`` says its initial weights and orders."""
    task: Task = "classification" if classes else "regression"
    y = y if classes else np.asarray(y, np.float64)
    split = Split(task, np.arange(classes), X, y, X[:2], y[:2], X[:2], y[:2], {})
    job = Job(one, seed, ("init", "order"), "calibration", trainers.version(one.sections))
    state = trainers.advance(trainers.start(job, split), split, trainers.end(one.sections), lambda: False)
    return trainers.finish(state, split)


def outputs(weights: Mapping[str, Array], X: Floats, classes: int) -> Floats:
    """Return what a network of one hidden layer of ReLUs says: probabilities (N, K), or values (N,)."""
    hidden = np.maximum(X @ weights["hidden_1/weight"] + weights["hidden_1/bias"], 0)
    last = hidden @ weights["output/weight"] + weights["output/bias"]
    if not classes:
        return np.asarray(last[:, 0])
    return np.asarray(softmax(last, axis=1) if classes > 2 else binary(last[:, 0]))


def predict(fit: Fit, at: Sequence[int], classes: int) -> Predict:
    """Return the outputs at the epochs ``at``; not a number where training had diverged by then."""

    def said(X: Floats, which: slice) -> Floats:
        nothing = np.full((len(X), classes) if classes else len(X), np.nan)
        known = fit.snapshots
        return np.stack([outputs(known[t], X, classes) if t in known else nothing for t in at[which]])

    return said


def learner(configs: Sequence[Config], classes: int) -> Any:
    """Return ``learn`` of networks that begin with the same weights where they are of the same width."""
    at = [sorted(one.sections.training.snapshots) for one in configs]  # type: ignore[union-attr]

    def learn(X: Floats, y: Array, rng: Generator) -> list[Predict]:
        seed = int(rng.integers(2**31))
        fits = [trained(one, X, y, classes, seed) for one in configs]
        return [predict(fit, times, classes) for fit, times in zip(fits, at, strict=True)]

    return learn


def rings(X: Floats, height: float) -> Floats:
    """Two classes in rings around the middle."""
    return binary(height * np.sin(2 * np.linalg.norm(X, axis=1)))


def widths() -> Iterator[Problem]:
    """Networks of rising width, trained for long; the last setting is pure noise."""
    hidden, longest = (1, 3, 8, 32, 100), 200
    configs = [config(H, longest, learning_rate_init=0.01, alpha=0.0) for H in hidden]
    for n, height in ((150, 4.0), (300, 4.0), (100, 0.0)):
        yield Problem(
            "network, width",
            "log_loss",
            n,
            n // 2,
            inputs=gaussian(2),
            law=partial(rings, height=height),
            learn=learner(configs, 2),
            epochs=epochs_of([longest] * len(hidden)),
        )


def epochs() -> Iterator[Problem]:
    """One network for more and more epochs, three classes; two more have a learning rate at which they explode."""
    longest = (2, 8, 30, 100, 400)
    slow = [config(64, last, learning_rate_init=3e-3, alpha=0.0) for last in longest]
    fast = [config(64, 30, solver="sgd", learning_rate_init=rate, alpha=0.0) for rate in (300.0, 1e6)]

    def law(X: Floats, height: float) -> Floats:
        scores = np.stack([np.zeros(len(X)), X[:, 0] * X[:, 1], X[:, 2] - X[:, 0]], axis=1)
        return np.asarray(softmax(height * scores, axis=1))

    for n, height in ((150, 1.0), (150, 4.0), (150, 0.0)):
        yield Problem(
            "network, epochs",
            "log_loss",
            n,
            n // 2,
            inputs=gaussian(5),
            law=partial(law, height=height),
            learn=learner([*slow, *fast], 3),
            epochs=epochs_of([*longest, 30, 30]),
            axis="epochs",
            diverges=(5, 6),
        )


def regression() -> Iterator[Problem]:
    """Networks of rising width on noisy targets, squared error."""
    hidden, longest = (1, 4, 16, 100), 200
    configs = [config(H, longest, learning_rate_init=0.01, alpha=0.0) for H in hidden]
    for n, noise in ((80, 0.2), (80, 1.0)):
        yield Problem(
            "network, width, regression",
            "squared_error",
            n,
            n // 2,
            inputs=gaussian(2),
            law=lambda X: np.sin(2 * X[:, 0]) * X[:, 1],
            learn=learner(configs, 0),
            noise=noise,
            epochs=epochs_of([longest] * len(hidden)),
        )
