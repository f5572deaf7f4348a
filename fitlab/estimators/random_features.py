"""Least squares on random ReLU features (Rahimi and Recht 2008; Belkin et al. 2019): a network whose last layer learns.

N samples, D features, M components, K outputs.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]


class _RandomFeatures(BaseEstimator):  # type: ignore[misc]
    """relu(X W) with W fixed and random, then least squares: of minimum norm, or with a penalty."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, n_components: int = 100, *, alpha: float = 0.0, random_state: Any = None) -> None:
        self.n_components = n_components
        self.alpha = alpha
        self.random_state = random_state

    def _fit(self, X: Floats, Y: Floats) -> None:
        """Fit the last layer. X: (N, D); Y: (N, K)."""
        drawn = check_random_state(self.random_state).standard_normal((self.n_components, X.shape[1]))
        self.random_weights_ = drawn.T / np.sqrt(X.shape[1])  # a smaller M has the first of a larger one's
        self.coef_ = _least_squares(self._features(X), Y, self.alpha)

    def _features(self, X: Floats) -> Floats:
        """(N, D) → (N, M)"""
        return np.asarray(np.maximum(X @ self.random_weights_, 0))

    def _output(self, X: ArrayLike) -> Floats:
        """(N, D) → (N, K)"""
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self._features(checked) @ self.coef_)


def _least_squares(Z: Floats, Y: Floats, alpha: float) -> Floats:
    """Return argmin ‖Z w − Y‖² + alpha ‖w‖², for alpha 0 the one of minimum norm. Z: (N, M); Y: (N, K) → (M, K)"""
    u, s, vt = np.linalg.svd(Z, full_matrices=False)
    kept = s > s.max(initial=0.0) * max(Z.shape) * np.finfo(np.float64).eps
    shrunk = np.where(kept, s / np.where(kept, s**2 + alpha, 1), 0)
    return np.asarray(vt.T @ (shrunk[:, None] * (u.T @ Y)))


class RandomFeaturesRegressor(RegressorMixin, _RandomFeatures):  # type: ignore[misc]
    """Least squares on ``n_components`` random ReLU features, without intercept.

    It interpolates from n_components = N on, and its test error peaks there (double descent), unless alpha is above 0.

    Parameters: n_components, M; alpha, of the penalty alpha ‖coef‖², 0: the solution of minimum norm; random_state,
    draws the features (those of a smaller M are the first of a larger one's).
    Attributes: coef_ (M,); random_weights_ (D, M); n_features_in_.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to X (N, D) and y (N,)."""
        self._validate_params()
        checked, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._fit(checked, np.asarray(target, dtype=np.float64)[:, None])
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return predictions (N,) for X (N, D)."""
        return self._output(X)[:, 0]


class RandomFeaturesClassifier(ClassifierMixin, _RandomFeatures):  # type: ignore[misc]
    """Least squares on random ReLU features against classes written as one-hot rows (two classes: as −1 and 1).

    It says the class with the largest output, and no probabilities. Parameters are those of the regressor; with K
    classes, too, it interpolates from n_components = N on.
    Attributes: classes_ (K,); coef_ (M, K), (M, 1) for two classes; random_weights_ (D, M); n_features_in_.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit to X (N, D) and labels y (N,)."""
        self._validate_params()
        checked, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        binarizer = LabelBinarizer(neg_label=-1 if len(np.unique(labels)) == 2 else 0)
        coded = binarizer.fit_transform(labels).astype(np.float64)
        self.classes_ = binarizer.classes_
        self._fit(checked, coded)
        return self

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return outputs (N, K); (N,) for two classes, positive for the second."""
        output = self._output(X)
        return output[:, 0] if output.shape[1] == 1 else output

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return labels (N,) for X (N, D)."""
        output = self.decision_function(X)
        codes = output.argmax(axis=1) if output.ndim == 2 else (output > 0).astype(np.int64)
        return np.asarray(self.classes_[codes if len(self.classes_) > 1 else np.zeros_like(codes)])
