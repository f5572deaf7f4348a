"""What is read from a fitted estimator: outputs, stages, and its public arrays of numbers.

N samples, K classes, T stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from fitlab.records import Array, Floats, Task
from fitlab.trainers.axes import staged_method

# Fitted attributes, public and documented by scikit-learn, that are arrays of numbers or lists of such arrays.
PUBLIC = (
    "coef_", "intercept_", "coefs_", "intercepts_",  # linear models, networks
    "feature_importances_", "estimator_weights_", "estimator_errors_",  # trees, boosting
    "dual_coef_", "support_vectors_", "support_", "n_support_",  # support vector machines, kernel ridge
    "class_prior_", "class_log_prior_", "feature_log_prob_", "theta_", "var_",  # naive Bayes
    "priors_", "means_", "covariance_", "scalings_", "centroids_",  # discriminant analysis, centroids
    "alpha_", "lambda_", "sigma_", "scores_",  # Bayesian and cross-validated linear models
)  # fmt: skip


def weight_parameter(estimator: Any, method: str) -> str | None:
    """Return the name under which ``fit`` or ``partial_fit`` takes the weights of rows; None: it takes none."""
    step, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    if "sample_weight" not in signature(getattr(last, method)).parameters:
        return None
    return f"{step}__sample_weight" if step else "sample_weight"


def is_probable(task: Task, estimator: Any) -> bool:
    """Whether an estimator, fitted or not, gives probabilities of classes."""
    return task == "classification" and callable(getattr(estimator, "predict_proba", None))


def output(estimator: Any, X: Floats, n_outputs: int, probable: bool) -> Floats:
    """Return probabilities (N, K), or what is predicted (N,): class codes or values. X: (N, D)."""
    with np.errstate(all="ignore"):  # overflow is an outcome, not a warning
        if probable:
            return spread(estimator.predict_proba(X), estimator.classes_, n_outputs)
        return flat(estimator.predict(X), len(X))


def stages(estimator: Any, X: Floats, n_outputs: int, probable: bool) -> Iterator[Floats]:
    """Yield the outputs after each of T stages, as ``output`` gives them."""
    if probable and staged_method(estimator) == "staged_predict_proba":
        for found in estimator.staged_predict_proba(X):
            yield spread(found, estimator.classes_, n_outputs)
    else:
        for found in estimator.staged_predict(X):
            yield flat(found, len(X))


def spread(probabilities: Floats, classes: Array, n_outputs: int) -> Floats:
    """Give every class its column. A class absent from training has probability 0. -> (N, K)."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if len(classes) == n_outputs:
        return probabilities
    whole = np.zeros((len(probabilities), n_outputs))
    whole[:, np.asarray(classes, dtype=np.int64)] = probabilities
    return whole


def flat(predicted: Array, n: int) -> Floats:
    """Return predictions as (N,) floats. Raises ValueError where they are more than one a sample."""
    return np.asarray(predicted, dtype=np.float64).reshape(n)


def weights(estimator: Any) -> dict[str, Array]:
    """Copy the public arrays of a fitted estimator, of a Pipeline those of its last step: ``ridge/coef_``."""
    if isinstance(estimator, Pipeline):
        step, last = estimator.steps[-1]
        return {f"{step}/{name}": array for name, array in weights(last).items()}
    named: dict[str, Array] = {}
    for name in PUBLIC:
        found = _attribute(estimator, name)
        if isinstance(found, list):
            named |= {f"{name}/{i}": np.array(one) for i, one in enumerate(found) if _numeric(one)}
        elif _numeric(found):
            named[name] = np.array(found)
    return named


def _attribute(estimator: Any, name: str) -> Any:
    """Return a fitted attribute, None where there is none: some are properties that raise."""
    try:
        return getattr(estimator, name, None)
    except Exception:  # coef_ of a kernel machine, feature_importances_ of a booster of stumps without a split
        return None


def _numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.number | float | int) and np.asarray(value).dtype.kind in "fiu"
