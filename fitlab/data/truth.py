"""What is known of the law behind a data set: its noise, and how well the best predictor does on test data.

K classes, r the rate at which labels are redrawn, p = P(y = 1 | x).
"""

from __future__ import annotations

import numpy as np

from fitlab.data.dataset import Dataset
from fitlab.laws import coefficients, expected, sigmoid
from fitlab.records import Floats, Truth
from fitlab.spec.datasets import Data
from fitlab.spec.generators import (
    MakeCircles,
    MakeFriedman,
    MakeFriedman23,
    MakeGaussianQuantiles,
    MakeHastie,
    MakeMoons,
    MakeRegression,
    MakeSparseUncorrelated,
)
from fitlab.spec.teachers import Classifying, DecayingTeacher, GaussianLogistic, Teacher, ThresholdTeacher

HALF_WIDTH, STEPS = 12.0, 48_001  # of the grid on which a standard normal is integrated


def truth_of(dataset: Dataset, data: Data, unit: float) -> Truth | None:
    """Return what is known of the test part, or None. unit: of the target, by which target_scaling divided it."""
    if dataset.task == "regression":
        return _additive(data, unit)
    rate = data.label_noise.rate
    tested = rate if "test" in data.label_noise.parts else 0.0
    match data:
        case GaussianLogistic():
            return _logistic(data, rate, tested)
        case MakeHastie() | MakeGaussianQuantiles() | ThresholdTeacher():
            return _certain(data.kind, rate, tested, len(dataset.classes))
        case MakeMoons() | MakeCircles() if data.noise == 0:
            return _certain(data.kind, rate, tested, len(dataset.classes))
        case _:
            return Truth("label noise", rate, None, None, "the rate in the spec") if rate else None


def expected_at(data: Data, X: Floats) -> Floats | None:
    """Return E[y | x] (N,), or P(y = k | x) (N, 2) of the test part, where the law is known at every row; else None.

    X: (N, D) unscaled, as the learner sees it: what it does not see averages to 0.
    """
    if not isinstance(data, Teacher):
        return None
    if isinstance(data, DecayingTeacher):
        X = np.pad(X, ((0, 0), (0, data.n_features - X.shape[1])))
    mean = expected(data, X)
    if not isinstance(data, Classifying):
        return mean
    redrawn = data.label_noise.rate if "test" in data.label_noise.parts else 0.0
    p = (1 - redrawn) * mean + redrawn / 2
    return np.stack([1 - p, p], axis=1)


def _additive(data: Data, unit: float) -> Truth | None:
    """Gaussian noise on the target: the best predictor is left with its variance, and with what it cannot see."""
    match data:
        case DecayingTeacher():
            hidden = float(np.square(coefficients(data)[data.n_visible :]).sum()) if data.n_visible else 0.0
            loss, noise = data.noise**2 + hidden, data.noise
        case MakeSparseUncorrelated():
            loss, noise = 1.0, 1.0
        case MakeRegression() | MakeFriedman() | MakeFriedman23():
            loss, noise = data.noise**2, data.noise
        case Teacher() if isinstance(data, Classifying):
            return None
        case Teacher():
            loss, noise = data.noise**2, data.noise
        case _:
            return None
    return Truth(data.kind, noise / unit, loss / unit**2, None, "closed form")


def _certain(name: str, rate: float, tested: float, k: int) -> Truth:
    """Labels that follow from x, but for those that are redrawn from K classes."""
    other = tested / k
    right = 1 - (k - 1) * other
    loss = float(-_xlogx(np.array([right])).sum() - (k - 1) * _xlogx(np.array([other])).sum())
    return Truth(name, rate, loss, (k - 1) * other, "closed form")


def _logistic(teacher: GaussianLogistic, rate: float, tested: float) -> Truth:
    """p' = (1 - r) p + r/2, its entropy and error averaged over x·w, which is standard normal."""
    t = np.linspace(-HALF_WIDTH, HALF_WIDTH, STEPS)
    density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    p = (1 - tested) * sigmoid(teacher.intercept + teacher.signal * t) + tested / 2
    loss = np.trapezoid(density * -(_xlogx(p) + _xlogx(1 - p)), t)
    error = np.trapezoid(density * np.minimum(p, 1 - p), t)
    return Truth(teacher.kind, rate, float(loss), float(error), "quadrature")


def _xlogx(p: Floats) -> Floats:
    """p log p in nats, 0 at 0."""
    return np.asarray(p * np.log(np.where(p > 0, p, 1.0)))
