"""Trainers: three pure functions that take a Job and its Split to a Fit.

``start(job, split) -> State``, ``advance(state, split, to_epoch, stop) -> State``, ``finish(state, split) -> Fit``.
A State pickles, without the Split; no function changes its arguments; advancing in chunks changes no bit;
``stop`` is asked before every epoch, or every few where they are short, and ends the advance.
Nothing here loops over jobs: the runner owns the only loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fitlab.errors import Problem
from fitlab.records import Array, Fit, Job, Split, Task
from fitlab.spec import Sections
from fitlab.spec.models import Estimator, Mlp
from fitlab.trainers import estimator, layout, lbfgs, measures, mlp

State = mlp.State | lbfgs.State | estimator.State
Stop = Callable[[], bool]


def version(sections: Sections) -> str:
    """Return name and version of the trainer of a Config; a new version gives new numbers, hence new jobs."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return lbfgs.VERSION
        case Mlp():
            return mlp.version(sections)
        case Estimator():
            return estimator.VERSION


def start(job: Job, split: Split) -> State:
    """Return the state before training: initialised, measured at epoch 0 where there is one."""
    match job.config.sections.model:
        case Mlp() if lbfgs.trains(job.config.sections):
            return lbfgs.start(job, split)
        case Mlp():
            return mlp.start(job, split)
        case Estimator():
            return estimator.start(job, split)


def advance(state: State, split: Split, to_epoch: int, stop: Stop) -> State:
    """Train up to the last measured epoch that is at most ``to_epoch``, or until ``stop()``; never beyond the end.

    Epochs are measured one by one, but for growth in larger steps: those of ``Fit.curves.epoch``.
    """
    match state:
        case mlp.State():
            return mlp.advance(state, split, to_epoch, stop)
        case lbfgs.State():
            return lbfgs.advance(state, split, to_epoch, stop)
        case estimator.State():
            return estimator.advance(state, split, to_epoch, stop)


def finish(state: State, split: Split) -> Fit:
    """Return what training gave so far: completed, diverged, or else interrupted."""
    match state:
        case mlp.State():
            return mlp.finish(state, split)
        case lbfgs.State():
            return lbfgs.finish(state, split)
        case estimator.State():
            return estimator.finish(state, split)


def end(sections: Sections) -> int:
    """Return the last epoch of a Config's training axis; 1 where it has none."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return 1
        case Mlp():
            return mlp.end(sections)
        case Estimator():
            return estimator.end(sections)


def releases_lock(sections: Sections) -> bool:
    """Whether training runs without Python's lock, so that threads train side by side."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return False
        case Mlp():
            return True
        case Estimator():
            return False


def weighs_midway(sections: Sections) -> bool:
    """Whether there are weights before the end of training, so that they can be kept at an epoch."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return False
        case Mlp():
            return True
        case Estimator():
            return estimator.weighs_midway(sections)


def steady(sections: Sections) -> bool:
    """Whether every epoch costs about the same, so that the first ones tell how long all will take."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return False
        case Mlp():
            return True
        case Estimator():
            return estimator.steady(sections)


def loss(sections: Sections, task: Task) -> str:
    """Return which loss a Config is measured with, as in Fit.loss: those of one sweep must be the same to compare."""
    match sections.model:
        case Mlp():
            return measures.loss_of(measures.LOSS[task], measures.weighted(sections.data))
        case Estimator():
            return estimator.loss(sections, task)


def cost(sections: Sections) -> float:
    """Return the work of training a Config, in arbitrary units: what it is relative to others on the same data."""
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            return lbfgs.cost(sections)
        case Mlp():
            return mlp.cost(sections)
        case Estimator():
            return estimator.cost(sections)


def n_parameters(sections: Sections, sizes: Mapping[str, int]) -> int | None:
    """Count the weights and biases of a Config on data of ``sizes`` (n_features, n_outputs); None: not known before."""
    match sections.model:
        case Mlp():
            return layout.n_parameters(sections.model, sizes)
        case Estimator():
            return None


def problems(sections: Sections, packages: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with a Config whatever the data are. packages: what may be imported from.

    Only where nothing is wrong may the other functions be asked about the Config.
    """
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            yield from ()
        case Mlp():
            yield from mlp.problems(sections)
        case Estimator():
            yield from estimator.problems(sections, packages)


def misfits(sections: Sections, task: Task, sizes: Mapping[str, int], classes: Array) -> Iterator[Problem]:
    """Yield what of a Config does not fit the data (a task, n_train, n_features, n_outputs, labels) or itself.

    classes: (K,) the labels of a classification; empty for a regression.
    """
    match sections.model:
        case Mlp() if lbfgs.trains(sections):
            yield from lbfgs.misfits(sections, task)
        case Mlp():
            yield from mlp.misfits(sections, task, sizes)
        case Estimator():
            yield from estimator.misfits(sections, task, sizes, classes)
