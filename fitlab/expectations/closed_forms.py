"""Closed forms: what theory says that the validation loss, or accuracy, of a Config is on average over seeds.

N training rows, D features, σ the noise of a teacher. Each says of which data and estimator it is; of others it is
not evaluated. Rows of validation are drawn like those of training: the numbers hold for the test part, too. Where a
loss is known as noise + bias² + variance, so are these, of the test part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from fitlab.expectations.reasons import NotEvaluatedError
from fitlab.laws import coefficients, expected, fixed_points
from fitlab.records import Config, Floats
from fitlab.spec.expect import Theory
from fitlab.spec.models import Estimator, Mlp, NoAxis, PartialFitAxis
from fitlab.spec.teachers import (
    DecayingTeacher,
    FixedDesign,
    LinearTeacher,
    PolynomialFixedX,
    Sine,
    Teacher,
    ThresholdTeacher,
)

LINEAR = "sklearn.linear_model.LinearRegression"
RIDGE = "sklearn.linear_model.Ridge"
POLYNOMIAL = "sklearn.preprocessing.PolynomialFeatures"
DESCENT = "fitlab.estimators.GradientDescentRegressor"
NEIGHBOURS = "sklearn.neighbors.KNeighborsRegressor"


@dataclass(frozen=True)
class Exact:
    """A loss, and its parts where these are known."""

    loss: float
    noise: float | None = None
    bias: float | None = None  # squared
    variance: float | None = None


def closed_form(theory: Theory, config: Config, sizes: Mapping[str, int], part: str | None = None) -> float:
    """Return the number that theory has for a Config. sizes: n_train, n_val and n_test, as of a Fit.

    part: noise, bias or variance of the test part instead of the loss, or accuracy, on validation rows.
    Raises NotEvaluatedError where the Config is not what the closed form is of, and for a part that is not known.
    """
    data = config.sections.data
    if not isinstance(data, Teacher) or not data.fresh or (data.scaling, data.target_scaling) != ("none", "none"):
        raise NotEvaluatedError(f"{theory.closed_form} is of a teacher with fresh rows that are not scaled")
    found = _exact(theory, config, sizes["n_train"], sizes["n_test" if part else "n_val"])
    value: float | None = found.loss if part is None else getattr(found, part)
    if value is None:
        raise NotEvaluatedError(f"{theory.closed_form} has no closed form of the {part}")
    return value


def _exact(theory: Theory, config: Config, n: int, rows: int) -> Exact:
    """n: training rows; rows: of the part that is predicted."""
    match theory.closed_form:
        case "ridge_fixed_design":
            return _ridge(config, n, rows)
        case "gradient_descent_fixed_design":
            return _descent(config, n, rows)
        case "polynomial_fixed_x":
            return _polynomial(config, n, rows)
        case "nearest_neighbours_sine":
            return _neighbours(config, n, rows)
        case "least_squares_gaussian":
            return _least_squares(config, n)
        case "minimum_norm_decaying":
            return Exact(_minimum_norm(config, n))
        case "threshold_without_bias":
            return Exact(_threshold(config))


def _needs(condition: bool, what: str) -> None:
    if not condition:
        raise NotEvaluatedError(f"the closed form is of {what}")


def _given(config: Config, estimator: str | tuple[str, ...], **defaults: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, none of which may stand there beside those with ``defaults``."""
    model = config.sections.model
    names = " and ".join(part.rsplit(".", 1)[-1] for part in ([estimator] if isinstance(estimator, str) else estimator))
    _needs(isinstance(model, Estimator) and model.estimator == estimator, names)
    parameters = model.parameters if isinstance(model, Estimator) else {}
    _needs(set(parameters) <= set(defaults), f"{names} with no other parameters than {', '.join(defaults) or 'none'}")
    return {**defaults, **parameters}


# ── fixed points: the predictions are W y, and only the noise of y is drawn ─────────────────────────────────


def smoothed(weights: Floats, at_train: Floats, at_val: Floats, noise: float) -> Exact:
    """Return σ² + bias² + variance of predictions W y, averaged over the rows that are predicted.

    weights: W (N_val, N); at_train: (N,) and at_val: (N_val,) what is expected of y there; noise: σ.
    """
    bias = float(np.square(weights @ at_train - at_val).mean())
    variance = noise**2 * float(np.square(weights).sum(axis=1).mean())
    return Exact(noise**2 + bias + variance, noise**2, bias, variance)


def _at_fixed_points(teacher: FixedDesign | PolynomialFixedX | Sine, W: Floats, X: Floats, X_val: Floats) -> Exact:
    return smoothed(W, expected(teacher, X), expected(teacher, X_val), teacher.noise)


def _ridge(config: Config, n: int, rows: int) -> Exact:
    """Ridge on a fixed design (Hoerl and Kennard 1970): W = X_val (XᵀX + λI)⁻¹ Xᵀ."""
    data = config.sections.data
    if not isinstance(data, FixedDesign):
        raise NotEvaluatedError("the closed form is of kind: fixed_design")
    given = _given(config, RIDGE, alpha=1.0, fit_intercept=True)
    _needs(given["fit_intercept"] is False, "ridge without an intercept")
    X, X_val = fixed_points(data, n), fixed_points(data, rows)
    penalised = X.T @ X + float(given["alpha"]) * np.eye(X.shape[1])
    return _at_fixed_points(data, X_val @ np.linalg.solve(penalised, X.T), X, X_val)


def _descent(config: Config, n: int, rows: int) -> Exact:
    """t steps of gradient descent from 0 with rate η (Ali, Kolter and Tibshirani 2019, lemma 1).

    With X = U diag(d) Vᵀ, W = X_val V diag((1 − (1 − η d²/N)ᵗ)/d) Uᵀ: like ridge, it takes small d in last.
    """
    data = config.sections.data
    if not isinstance(data, FixedDesign):
        raise NotEvaluatedError("the closed form is of kind: fixed_design")
    given = _given(config, DESCENT, learning_rate=1.0, relative=True, max_iter=1000)
    X, X_val = fixed_points(data, n), fixed_points(data, rows)
    U, d, Vt = np.linalg.svd(X, full_matrices=False)
    rate = float(given["learning_rate"]) * (n / d.max() ** 2 if given["relative"] else 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        learned = 1 - (1 - rate * d**2 / n) ** _steps(config, n, int(given["max_iter"]))
        found = _at_fixed_points(data, X_val @ (Vt.T * (learned / d)) @ U.T, X, X_val)
    _needs(math.isfinite(found.loss), "a loss that is a finite number")
    return found


def _steps(config: Config, n: int, max_iter: int) -> int:
    """Return how many steps over all n rows an estimator makes: of its fit, or one an epoch."""
    model = config.sections.model
    axis = model.axis if isinstance(model, Estimator) else None
    if isinstance(axis, PartialFitAxis):
        _needs(axis.batch_size >= n, "batches of all training rows")
        return axis.epochs
    _needs(isinstance(axis, NoAxis), "axis: {kind: none}, or partial_fit")
    return max_iter


def _polynomial(config: Config, n: int, rows: int) -> Exact:
    """Least squares on powers of x up to a degree: W projects, and the variance is σ² (degree + 1) / N.

    LinearRegression leaves out directions whose singular value is below tol = 1e-6 of the largest: from degree 11 or so
    on it is no projection on all powers any more, and varies less.
    """
    data = config.sections.data
    if not isinstance(data, PolynomialFixedX):
        raise NotEvaluatedError("the closed form is of kind: polynomial_fixed_x")
    given = _given(config, (POLYNOMIAL, LINEAR), polynomialfeatures__degree=2, linearregression__tol=1e-6)
    degree = int(given["polynomialfeatures__degree"])
    X, X_val = fixed_points(data, n), fixed_points(data, rows)
    _needs(len(X) > degree, "fewer powers than rows")
    powers = X ** np.arange(1, degree + 1)
    singular = np.linalg.svd(powers - powers.mean(axis=0), compute_uv=False)
    kept = int((singular > float(given["linearregression__tol"]) * singular.max(initial=0.0)).sum())
    _needs(
        kept == degree, f"all {degree} powers; LinearRegression leaves out directions of them: a lower tol keeps them"
    )
    basis, basis_val = (np.polynomial.legendre.legvander(2 * x[:, 0] - 1, degree) for x in (X, X_val))
    return _at_fixed_points(data, np.asarray(basis_val @ np.linalg.pinv(basis)), X, X_val)


def _neighbours(config: Config, n: int, rows: int) -> Exact:
    """The mean of the k nearest: W is 1/k there, and the variance is σ²/k (Hastie, Tibshirani and Friedman, 7.3)."""
    data = config.sections.data
    if not isinstance(data, Sine):
        raise NotEvaluatedError("the closed form is of kind: sine")
    k = int(_given(config, NEIGHBOURS, n_neighbors=5)["n_neighbors"])
    X, X_val = fixed_points(data, n), fixed_points(data, rows, "val")
    _needs(k <= len(X), "no more neighbours than rows")
    nearest = np.abs(X_val - X[:, 0]).argsort(axis=1, kind="stable")[:, :k]
    W = np.zeros((len(X_val), len(X)))
    np.put_along_axis(W, nearest, 1 / k, axis=1)
    return _at_fixed_points(data, W, X, X_val)


# ── Gaussian points ─────────────────────────────────────────────────────────────────────────────────────────


def _without_intercept(config: Config) -> None:
    _needs(_given(config, LINEAR, fit_intercept=True)["fit_intercept"] is False, "least squares without an intercept")


def _least_squares(config: Config, n: int) -> Exact:
    """σ² (1 + D / (N - D - 1)): the risk of least squares against the number of rows."""
    data = config.sections.data
    if not isinstance(data, LinearTeacher):
        raise NotEvaluatedError("the closed form is of kind: linear_teacher")
    _without_intercept(config)
    _needs(n >= data.n_features + 2, "at least two rows more than features")
    noise, variance = data.noise**2, data.noise**2 * data.n_features / (n - data.n_features - 1)
    return Exact(noise + variance, noise, 0.0, variance)


def _minimum_norm(config: Config, n: int) -> float:
    """Least squares of minimal norm on the first p of D features (Belkin, Hsu and Xu 2020, theorem 1)."""
    data = config.sections.data
    if not isinstance(data, DecayingTeacher):
        raise NotEvaluatedError("the closed form is of kind: decaying_teacher")
    _without_intercept(config)
    w, p = coefficients(data), data.n_visible or data.n_features
    _needs(abs(p - n) >= 2, "two features more or fewer than rows: nearer to them the loss has no mean")
    seen, unseen = float(np.square(w[:p]).sum()), float(np.square(w[p:]).sum()) + data.noise**2
    if p < n:
        return unseen * (1 + p / (n - p - 1))
    return seen * (1 - n / p) + unseen * (1 + n / (p - n - 1))


def _threshold(config: Config) -> float:
    """Return the accuracy 1/2 + Φ(-|threshold|) of a linear classifier that can separate at 0 alone."""
    data, model = config.sections.data, config.sections.model
    if not isinstance(data, ThresholdTeacher) or not isinstance(model, Mlp):
        raise NotEvaluatedError("the closed form is of kind: threshold_teacher and a network")
    _needs(not model.hidden_layer_sizes and not model.biases, "a linear network without biases")
    redrawn = data.label_noise.rate if "val" in data.label_noise.parts else 0.0
    return (1 - redrawn) * (0.5 + NormalDist().cdf(-abs(data.threshold))) + redrawn / 2
