"""Numbers of matrices against closed forms and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab.parameters.layers import Layer
from fitlab.parameters.matrices import bias_share, norm, path_norm, singular_values, stable_rank, tail_exponent


@given(st.integers(0, 10_000), st.floats(0.1, 30))
def test_scaling_a_relu_unit_changes_norms_but_neither_paths_nor_the_function(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    scaled, unscaled = one.copy(), two.copy()
    scaled[:, 1] *= factor
    unscaled[1] /= factor
    before = [Layer("hidden_1", one, None), Layer("output", two, None)]
    after = [Layer("hidden_1", scaled, None), Layer("output", unscaled, None)]
    assert path_norm(after) == pytest.approx(path_norm(before), rel=1e-12)
    if abs(factor - 1) > 0.01:
        assert norm(scaled) != pytest.approx(norm(one), rel=1e-6)


def test_the_path_norm_is_the_sum_over_paths() -> None:
    rng = np.random.default_rng(1)
    sizes = [(3, 4), (4, 2), (2, 2)]
    layers = [Layer(str(i), rng.normal(size=size), None) for i, size in enumerate(sizes)]
    a, b, c = (layer.weight for layer in layers)
    paths = [(a[i, j] * b[j, k] * c[k, m]) ** 2 for i in range(3) for j in range(4) for k in range(2) for m in range(2)]
    assert path_norm(layers) == pytest.approx(np.sqrt(sum(paths)), rel=1e-12)


def test_spectra_of_known_matrices() -> None:
    singular = singular_values(np.diag([3.0, 4.0, 0.0]))
    assert singular.tolist() == pytest.approx([4, 3, 0])
    assert stable_rank(singular) == pytest.approx(25 / 16)
    assert stable_rank(singular_values(np.outer([1, 2, 3], [1, 1]))) == pytest.approx(1)
    assert stable_rank(singular_values(np.eye(7))) == pytest.approx(7)
    assert np.isnan(stable_rank(singular_values(np.zeros((2, 2)))))
    assert np.isnan(singular_values(np.array([[1.0, np.nan]]))).all()
    assert singular_values(np.array([3.0, 4.0])).tolist() == pytest.approx([5])  # coefficients of one output


def test_the_share_of_biases() -> None:
    assert bias_share(np.array([[3.0]]), np.array([4.0])) == pytest.approx(16 / 25)
    assert bias_share(np.ones((2, 2)), np.zeros(2)) == 0
    assert np.isnan(bias_share(np.zeros((2, 2)), np.zeros(2)))


@pytest.mark.parametrize("alpha", [2.0, 3.0, 5.0])
def test_the_exponent_of_a_power_law_is_found_again(alpha: float) -> None:
    """The maximum likelihood estimate has standard error (α - 1) / √n; the start of the tail costs some more."""
    n, found = 2000, []
    for seed in range(5):
        eigenvalues = (1 - np.random.default_rng(seed).random(n)) ** (-1 / (alpha - 1))
        found.append(tail_exponent(np.sqrt(eigenvalues)))
    assert np.mean(found) == pytest.approx(alpha, abs=8 * (alpha - 1) / np.sqrt(n))


def test_too_few_eigenvalues_have_no_tail() -> None:
    assert np.isnan(tail_exponent(np.array([3.0, 2.0, 1.0, 0.0])))
    assert np.isnan(tail_exponent(np.ones(20)))
