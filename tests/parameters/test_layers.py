"""What a network of layers computes is what scikit-learn's estimator with the same parameters computes."""

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from fitlab.parameters.layers import activated, layers_of, pre_activations


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_the_output_is_that_of_scikit_learn(activation: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.normal(size=40)
    made = MLPRegressor(hidden_layer_sizes=(7, 3), activation=activation, solver="sgd", max_iter=5, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        made.fit(X, y)
    weights = {}
    for name, weight, bias in zip(("hidden_1", "hidden_2", "output"), made.coefs_, made.intercepts_, strict=True):
        weights |= {f"{name}/weight": weight, f"{name}/bias": bias}
    layers = layers_of({**weights, "scaler/mean_": np.zeros(5)})
    assert [layer.name for layer in layers] == ["hidden_1", "hidden_2", "output"]
    np.testing.assert_allclose(pre_activations(layers, activation, X)[-1][:, 0], made.predict(X), rtol=1e-12)


def test_a_layer_without_biases_has_none_and_unknown_activations_are_refused() -> None:
    (layer,) = layers_of({"output/weight": np.ones((3, 2))})
    assert layer.bias is None
    assert pre_activations([layer], "relu", np.zeros((1, 3)))[0].tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match="no activation 'gelu'"):
        activated("gelu", np.zeros(1))


def test_arrays_of_estimators_are_layers_too() -> None:
    one, two = np.ones((1, 3)), np.zeros(1)
    for name, layer in (("", "model"), ("ridge/", "ridge")):
        (found,) = layers_of({f"{name}coef_": one, f"{name}intercept_": two, f"{name}feature_importances_": two})
        assert (found.name, found.bias) == (layer, two)
    listed = layers_of({"coefs_/0": one, "coefs_/1": one, "intercepts_/0": two, "intercepts_/1": two})
    assert [layer.name for layer in listed] == ["layer_1", "layer_2"]
