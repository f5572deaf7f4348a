"""Trainers: three pure functions that take a Job and its Split to a Fit.

``start(job, split) -> State``, ``advance(state, to_epoch, stop) -> State``, ``finish(state) -> Fit``.
A State pickles; no function changes its arguments; advancing in chunks changes no bit; ``stop`` is asked
before every epoch and ends the advance. Nothing here loops over jobs: the runner owns the only loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fitlab.records import Fit, Job, Split
from fitlab.spec import Sections
from fitlab.spec.model import Mlp
from fitlab.trainers import mlp

State = mlp.State  # later trainers join the union
Stop = Callable[[], bool]


def version(sections: Sections) -> str:
    """Return name and version of the trainer of a Config; a new version gives new numbers, hence new jobs."""
    match sections.model:
        case Mlp():
            return mlp.VERSION


def start(job: Job, split: Split) -> State:
    """Return the state before training: initialised, measured at epoch 0."""
    match job.config.sections.model:
        case Mlp():
            return mlp.start(job, split)


def advance(state: State, to_epoch: int, stop: Stop) -> State:
    """Train up to and including ``to_epoch``, or until ``stop()``; measure after every epoch."""
    match state:
        case mlp.State():
            return mlp.advance(state, to_epoch, stop)


def finish(state: State) -> Fit:
    """Return what training gave so far: completed, diverged, or else interrupted."""
    match state:
        case mlp.State():
            return mlp.finish(state)


def cost(sections: Sections) -> float:
    """Return the work of training a Config, in arbitrary units: what it is relative to others on the same data."""
    match sections.model:
        case Mlp():
            return mlp.cost(sections)


def n_parameters(sections: Sections, sizes: Mapping[str, int]) -> int:
    """Count the weights and biases of a Config on data of ``sizes`` (n_features, n_outputs)."""
    match sections.model:
        case Mlp():
            return mlp.n_parameters(sections, sizes)
