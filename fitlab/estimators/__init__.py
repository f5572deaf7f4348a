"""Estimators that theory speaks of and scikit-learn does not have, by scikit-learn's contract.

Only these. Least squares of minimum norm is ``LinearRegression`` (of fixed designs with ``fit_intercept=False``), ridge
of a fixed design ``Ridge(fit_intercept=False)``, and a linear classifier without bias
``LogisticRegression(fit_intercept=False)``: a test shows that they are what theory means.
"""

from fitlab.estimators.descent import GradientDescentRegressor
from fitlab.estimators.random_features import RandomFeaturesClassifier, RandomFeaturesRegressor

__all__ = ["GradientDescentRegressor", "RandomFeaturesClassifier", "RandomFeaturesRegressor"]
