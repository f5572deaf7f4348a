"""The kernel's own arithmetic: as exact as what it stands in for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitlab.trainers import kernel


@given(st.floats(-1e100, 1e100), st.floats(1e-99, 1e99))
def test_a_quotient_is_the_division(a: float, b: float) -> None:
    said = kernel._quotient(a, b, kernel._about_inverse(b))
    assert said == pytest.approx(a / b, rel=1e-15, abs=1e-280)


def test_quotients_are_rounded_as_the_division_where_products_and_sums_fuse() -> None:
    rng = np.random.default_rng(0)
    pairs = zip(rng.normal(size=5000), np.exp(rng.uniform(-18, 10, size=5000)), strict=True)
    wrong = sum(kernel._quotient(a, b, kernel._about_inverse(b)) != a / b for a, b in pairs)
    assert wrong <= 500  # processors without fused instructions round twice; with them it is 0


@given(st.floats(-700, 700))
def test_the_exponential_is_within_two_ulps(x: float) -> None:
    assert abs(kernel._exp(x) - math.exp(x)) <= 2 * math.ulp(math.exp(x))


@pytest.mark.parametrize(
    ("x", "low", "high"), [(-np.inf, 0, 1e-300), (-1e3, 0, 1e-300), (1e3, 1e300, np.inf), (0, 1, 1)]
)
def test_the_exponential_has_limits(x: float, low: float, high: float) -> None:
    assert low <= kernel._exp(float(x)) <= high
    assert math.isnan(kernel._exp(np.nan))


def test_activations_keep_what_is_not_finite() -> None:
    for code in range(5):
        z = np.array([[np.nan, 1.0, 2.0]])
        kernel._activate(z, code)
        assert math.isnan(z[0, 0])


def test_biases_and_their_gradients_are_sums_over_rows() -> None:
    z, biases, total = np.random.default_rng(0).normal(size=(7, 3)), np.array([0.5, -9.0, 0.0]), np.empty(3)
    expected = z + biases
    kernel._sum_rows(z, total)
    assert total == pytest.approx(z.sum(axis=0), rel=1e-14)
    added, rectified = z.copy(), z.copy()
    kernel._add(added, biases)
    kernel._rectify(rectified, biases)
    assert (added == expected).all()
    assert (rectified == np.maximum(expected, 0)).all()


def test_after_an_epoch_nothing_is_subnormal_and_what_is_not_finite_stays() -> None:
    values = np.array([5e-324, -1e-150, 1e-139, np.nan, -np.inf])
    theta, moments = values.copy(), np.array([values, values])
    kernel._round_off(theta, moments)
    assert np.array_equal(theta, [0, 0, 1e-139, np.nan, -np.inf], equal_nan=True)
    assert np.array_equal(moments, [theta, [0, -1e-150, 1e-139, np.nan, -np.inf]], equal_nan=True)
