"""Numbers of scikit-learn's own examples that specs name, had as these examples have them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from fitlab.stats import squared_error_parts


def test_pruning_is_best_at_0114_in_the_split_of_the_example() -> None:
    """Post pruning decision trees with cost complexity pruning; SCIENCE 3: .9371 of the test rows."""
    X, X_test, y, y_test = train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)
    alphas = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(X, y).ccp_alphas.clip(0)
    scores = [
        DecisionTreeClassifier(random_state=0, ccp_alpha=alpha).fit(X, y).score(X_test, y_test) for alpha in alphas
    ]
    best = int(np.argmax(scores))
    assert (round(alphas[best], 4), round(scores[best], 4)) == (0.0114, 0.9371)
    assert scores[0] < 0.9
    assert scores[-1] < 0.7


def example(rng: np.random.RandomState, n: int, repeats: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X (n, 1), y (n, repeats) and f(X), drawn in the order of the example."""
    x = np.sort(rng.rand(n) * 10 - 5)
    f = np.exp(-(x**2)) + 1.5 * np.exp(-((x - 2) ** 2))
    y = np.stack([f + rng.normal(0.0, 0.1, n) for _ in range(repeats)], axis=1)
    return x[:, None], y, f


@pytest.mark.parametrize(
    ("model", "error", "bias", "variance"),
    [
        (DecisionTreeRegressor(random_state=0), 0.0255, 0.0003, 0.0152),
        (BaggingRegressor(DecisionTreeRegressor(), random_state=0), 0.0196, 0.0004, 0.0092),
    ],
)
def test_a_tree_and_bagged_trees_have_the_parts_of_the_example(
    model: BaseEstimator, error: float, bias: float, variance: float
) -> None:
    """Single estimator versus bagging: bias-variance decomposition; seed 0, 50 training sets, 1000 test rows.

    The example's variance has ddof 0; bias² there holds a fiftieth of it, which ours does not.
    """
    rng = np.random.RandomState(0)
    train = [example(rng, 50) for _ in range(50)]
    X_test, y_test, f = example(rng, 1000, 50)
    said = np.stack([model.fit(X, y[:, 0]).predict(X_test) for X, y, _ in train])
    parts = squared_error_parts(said, y_test.mean(axis=1), f)
    noise = float(y_test.var(axis=1).mean())
    found = [parts.error.mean() + noise, parts.bias.mean() + said.var(axis=0).mean() / 49, said.var(axis=0).mean()]
    assert round(noise, 4) == 0.0098
    assert found == pytest.approx([error, bias, variance], abs=5e-4)
