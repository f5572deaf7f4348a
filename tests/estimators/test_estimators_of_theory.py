"""The small estimators: scikit-learn's contract, and what theory says of each."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from fitlab.estimators import GradientDescentRegressor, RandomFeaturesClassifier, RandomFeaturesRegressor

ALL = [
    "RandomFeaturesRegressor()",
    "RandomFeaturesRegressor(alpha=1.0)",
    "RandomFeaturesClassifier()",
    "RandomFeaturesClassifier(5, alpha=0.1)",
    "GradientDescentRegressor()",
]
EXPLAINED = {"check_array_api_input"}  # skipped: these are numpy estimators, and array_api_strict is not installed
CHECK = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from fitlab.estimators import *
warnings.simplefilter("ignore")  # it warns of every check that it skips: the caller looks at these
print(json.dumps([[one["check_name"], one["status"]] for one in check_estimator({}, on_fail=None)]))
"""


@pytest.mark.parametrize("estimator", ALL)
def test_it_keeps_scikit_learns_contract(estimator: str) -> None:
    """In a process of its own: scikit-learn's checks switch on what is experimental, for good."""
    code = CHECK.replace("{}", estimator)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    assert [name for name, status in results if status not in ("passed", "skipped")] == []
    assert {name for name, status in results if status == "skipped"} <= EXPLAINED
    assert len(results) > 30


def problem(n: int = 40, d: int = 15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d) + 0.3 * rng.standard_normal(n)


@pytest.mark.parametrize("m", [5, 40, 90])
def test_without_a_penalty_the_coefficients_are_those_of_the_pseudo_inverse(m: int) -> None:
    X, y = problem()
    model = RandomFeaturesRegressor(m, random_state=1).fit(X, y)
    Z = np.maximum(X @ model.random_weights_, 0)
    assert model.coef_[:, 0] == pytest.approx(np.linalg.pinv(Z) @ y, abs=1e-6)
    assert (np.abs(model.predict(X) - y).max() < 1e-6) == (m >= 40)  # it interpolates from M = N on


def test_with_a_penalty_the_coefficients_are_ridges() -> None:
    X, y = problem()
    model = RandomFeaturesRegressor(60, alpha=0.7, random_state=1).fit(X, y)
    Z = np.maximum(X @ model.random_weights_, 0)
    assert model.coef_[:, 0] == pytest.approx(Ridge(0.7, fit_intercept=False, tol=1e-12).fit(Z, y).coef_, abs=1e-9)


def test_features_are_nested_and_drawn_by_the_seed() -> None:
    X, y = problem()
    small, large, other = (
        RandomFeaturesRegressor(m, random_state=s).fit(X, y).random_weights_ for m, s in ((5, 3), (9, 3), (9, 4))
    )
    assert (small == large[:, :5]).all()
    assert (large != other).all()


def test_the_classifier_of_digits_has_its_peak_at_as_many_features_as_rows() -> None:
    """SCIENCE 3: 200 rows, a fifth of the labels redrawn."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    noisy = np.where(rng.random(len(y)) < 0.2, rng.integers(10, size=len(y)), y)
    train, test = order[:200], order[200:]
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0) + 1e-9
    X = np.where(scale > 1e-8, (X - mean) / np.maximum(scale, 1e-8), 0)
    errors = {
        m: 1 - RandomFeaturesClassifier(m, random_state=0).fit(X[train], noisy[train]).score(X[test], y[test])
        for m in (60, 200, 2000)
    }
    assert errors[200] > 2 * errors[60]
    assert errors[2000] < errors[60] + 0.03


@pytest.mark.parametrize(("rate", "converges"), [(0.5, True), (1.0, True), (1.99, True), (2.01, False), (3.0, False)])
def test_descent_converges_below_two_over_the_largest_eigenvalue(rate: float, converges: bool) -> None:
    X, y = problem()
    model = GradientDescentRegressor(rate, max_iter=20_000).fit(X, y)
    assert model.step_ * np.linalg.eigvalsh(X.T @ X / len(y)).max() == pytest.approx(rate)
    best = LinearRegression(fit_intercept=False).fit(X, y).coef_
    close = bool(np.isfinite(model.coef_).all()) and np.abs(model.coef_ - best).max() < 1e-6
    assert close == converges
    absolute = GradientDescentRegressor(model.step_, relative=False, max_iter=50).fit(X, y)
    again = GradientDescentRegressor(rate, max_iter=50).fit(X, y)
    assert absolute.coef_ == pytest.approx(again.coef_)


def test_steps_of_partial_fit_are_those_of_fit() -> None:
    X, y = problem()
    model = GradientDescentRegressor(1.5)
    for _ in range(7):
        model.partial_fit(X, y)
    assert (model.coef_ == GradientDescentRegressor(1.5, max_iter=7).fit(X, y).coef_).all()
    assert model.n_iter_ == 7


# ── what scikit-learn has already ───────────────────────────────────────────────────────────────────────────


def test_linear_regression_is_least_squares_of_minimum_norm() -> None:
    X, y = problem(20, 60)
    assert LinearRegression(fit_intercept=False).fit(X, y).coef_ == pytest.approx(np.linalg.pinv(X) @ y, abs=1e-10)


def test_ridge_without_intercept_is_that_of_the_fixed_design() -> None:
    X, y = problem(50, 20)
    u, d, vt = np.linalg.svd(X, full_matrices=False)
    exact = vt.T @ (d / (d**2 + 20) * (u.T @ y))
    assert Ridge(20, fit_intercept=False).fit(X, y).coef_ == pytest.approx(exact, abs=1e-10)


@pytest.mark.parametrize("c", [0.5, 1.0])
def test_a_linear_classifier_without_bias_reaches_one_half_plus_the_lower_tail(c: float) -> None:
    x = norm.ppf((np.arange(100_000) + 0.5) / 100_000)[:, None]
    y = (x[:, 0] > c).astype(int)
    model = LogisticRegression(fit_intercept=False).fit(x, y)
    assert model.score(x, y) == pytest.approx(0.5 + norm.cdf(-c), abs=1e-4)
    assert model.predict_proba(np.zeros((1, 1)))[0] == pytest.approx([0.5, 0.5])
