"""Trained networks as scikit-learn's own fitted estimators.

scikit-learn is imported when one is asked for: everything that knows Fits would load it otherwise.
K classes, D features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitlab.errors import FitlabError
from fitlab.spec.models import Mlp, Training, TrainingOptions

OURS = {"epochs", "snapshots", "early_stopping", "learning_rate_multipliers", "class_weight"}  # not scikit-learn's


def as_estimator(
    model: Mlp,
    training: Training,
    weights: Mapping[str, NDArray[Any]],
    classes: Sequence[Any],
    random_state: int | None,
    epochs: int,
    n_train: int,
) -> Any:
    """Return a fitted MLPClassifier, or MLPRegressor where there are no classes.

    weights: "hidden_1/weight" (D, H), "hidden_1/bias" (H,) …, layer by layer; without biases intercepts_ are zero.
    classes: (K,) labels in the order of codes. epochs, n_train: how long it was trained, and on how many rows.
    loss_curve_ is empty: scikit-learn records another loss than the curves of a Fit, and none was recorded; nor is
    n_iter_ of solver: lbfgs. What partial_fit goes on from are the weights; moments and order of rows begin anew.
    Raises FitlabError for labels that scikit-learn takes for quantities, and outputs that are not one a class.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import LabelBinarizer

    broken = next((label for label in classes if isinstance(label, float) and label % 1), None)
    if broken is not None:
        raise FitlabError(f"scikit-learn has no label {broken}: name the classes by text or whole numbers")
    parameters = training.model_dump(exclude=OURS)
    parameters |= {"max_iter": training.epochs} if isinstance(training, TrainingOptions) else {}
    made: Any = (MLPClassifier if classes else MLPRegressor)(
        hidden_layer_sizes=model.hidden_layer_sizes,
        activation=model.activation,
        random_state=random_state,
        **parameters,
    )
    made.coefs_ = [np.array(array) for name, array in weights.items() if name.endswith("/weight")]
    biases = {name.removesuffix("/bias"): array for name, array in weights.items() if name.endswith("/bias")}
    layers = [name.removesuffix("/weight") for name in weights if name.endswith("/weight")]
    made.intercepts_ = [
        np.array(biases.get(layer, np.zeros(coefs.shape[1]))) for layer, coefs in zip(layers, made.coefs_, strict=True)
    ]
    made.n_features_in_ = made.coefs_[0].shape[0]
    made.n_layers_, made.n_outputs_ = len(made.coefs_) + 1, made.coefs_[-1].shape[1]
    if isinstance(training, TrainingOptions):
        made.n_iter_, made.t_ = epochs, epochs * n_train
        made.loss_curve_, made.best_loss_, made._no_improvement_count = [], np.inf, 0
        made.validation_scores_ = made.best_validation_score_ = None
    made.out_activation_ = "identity"
    if classes and made.n_outputs_ != (len(classes) if len(classes) > 2 else 1):
        raise FitlabError("its training part had not every class, and scikit-learn knows no other; use adam or sgd")
    if classes:
        made._label_binarizer = LabelBinarizer().fit(np.array(classes))
        made.classes_ = made._label_binarizer.classes_
        made.out_activation_ = "softmax" if len(classes) > 2 else "logistic"
    return made
