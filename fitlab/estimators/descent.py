"""Gradient descent on least squares with a given rate: it converges below 2/λ_max, and above it does not.

N samples, D features.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]


class GradientDescentRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Full-batch gradient descent from 0 on ‖X w − y‖²/(2N), without intercept.

    λ_max is the largest eigenvalue of XᵀX/N. Below a learning rate of 2/λ_max it converges, to the solution of minimum
    norm; above it the loss grows without bounds (LeCun, Simard and Pearlmutter 1992).

    Parameters: learning_rate, positive; relative, whether it counts in units of 1/λ_max of the rows that it is first
    fitted to (1: the fastest safe one along the steepest direction; 2: the edge); max_iter, steps of ``fit``.
    ``partial_fit`` makes one step on the rows it is given: as a training axis let batch_size be all rows
    of the training part, ``axis: {kind: partial_fit, batch_size: 40, shuffle: false}`` where there are 40.
    Attributes: coef_ (D,); step_, the learning rate in absolute units; n_iter_, steps so far; n_features_in_.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "relative": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, learning_rate: float = 1.0, *, relative: bool = True, max_iter: int = 1000) -> None:
        self.learning_rate = learning_rate
        self.relative = relative
        self.max_iter = max_iter

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Make ``max_iter`` steps from 0. X: (N, D); y: (N,)."""
        self._validate_params()
        checked, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._begin(checked)
        for _ in range(self.max_iter):
            self._step(checked, target)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Make one step on all rows given, the first from 0. X: (N, D); y: (N,)."""
        self._validate_params()
        first = not hasattr(self, "coef_")
        checked, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True, reset=first)
        if first:
            self._begin(checked)
        self._step(checked, target)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return predictions (N,) for X (N, D)."""
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_)

    def _begin(self, X: Floats) -> None:
        self.coef_ = np.zeros(X.shape[1])
        self.n_iter_ = 0
        largest = float(np.linalg.norm(X, 2)) ** 2 / len(X)
        self.step_ = self.learning_rate / largest if self.relative and largest > 0 else float(self.learning_rate)

    def _step(self, X: Floats, y: Floats) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # above 2/λ_max that is what happens
            self.coef_ = self.coef_ - self.step_ * (X.T @ (X @ self.coef_ - y) / len(X))
        self.n_iter_ += 1
