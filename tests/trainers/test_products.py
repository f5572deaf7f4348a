"""Products of matrices are those of numpy, and the same to the last bit whatever a processor's registers hold."""

import os
import subprocess
import sys
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitlab.trainers import products

NARROW = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+fma,+popcnt,+sse4.2"}
BARE = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse2"}
SMALL = [(1, 1, 1), (33, 7, 10), (200, 64, 256), (3, 65, 17)]
SHAPES = [*SMALL, (5, 1100, 1000), (600, 40, 520)]  # BLAS multiplies the last ones


def _drawn(rows: int, depth: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, depth)), rng.normal(size=(depth, columns))


def _product(left: np.ndarray, turned: bool, right: np.ndarray) -> np.ndarray:
    """Multiply inside a larger array, of which nothing else may change."""
    rows, columns, room = len(left), right.shape[1], 16
    whole = np.full(rows * columns + 2 * room, 7.0)
    out = whole[room : room + rows * columns].reshape(rows, columns)
    products.product(np.ascontiguousarray(left.T) if turned else left, turned, right, out)
    assert (whole[:room] == 7).all()
    assert (whole[-room:] == 7).all()
    return out


def said() -> tuple[int, str]:
    """Return how many floats a register holds, and a digest of products, each of which is numpy's."""
    summed = sha256()
    for shape in SHAPES:
        left, right = _drawn(*shape)
        for turned in (False, True):
            found = _product(left, turned, right)
            assert np.allclose(found, left @ right, rtol=0, atol=1e-12 * len(right))
            summed.update(found.tobytes() if shape in SMALL else b"")
    return products.LANES, summed.hexdigest()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("rows", "depth", "columns"), SHAPES)
def test_products_are_those_of_numpy(rows: int, depth: int, columns: int, turned: bool) -> None:
    left, right = _drawn(rows, depth, columns)
    assert _product(left, turned, right) == pytest.approx(left @ right, rel=0, abs=1e-12 * depth)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_of_any_shape(rows: int, depth: int, columns: int, turned: bool) -> None:
    left, right = _drawn(rows, depth, columns)
    assert _product(left, turned, right) == pytest.approx(left @ right, rel=0, abs=1e-12 * depth)


@pytest.mark.skipif(products.LANES == 0, reason="this processor does not multiply and add at once")
def test_an_entry_is_summed_along_the_depth_rounded_once_a_step() -> None:
    left, right = _drawn(11, 50, 37)
    expected = np.zeros((11, 37))
    for i, j in np.ndindex(11, 37):
        for k in range(50):
            exact = Fraction(left[i, k]) * Fraction(right[k, j]) + Fraction(expected[i, j])
            expected[i, j] = float(exact)
    assert (_product(left, False, right) == expected).all()


def test_what_is_not_finite_stays_in_its_row_and_column() -> None:
    left, right = _drawn(9, 20, 19)
    left[4, 3], right[5, 17] = np.inf, np.nan
    found = _product(left, False, right)
    assert np.isnan(found[:, 17]).all()
    assert not np.isfinite(found[4]).any()
    assert np.isfinite(np.delete(np.delete(found, 4, 0), 17, 1)).all()


@pytest.mark.skipif(products.LANES not in (4, 8), reason="not an x86 processor whose instructions can be left out")
@pytest.mark.parametrize(("machine", "lanes"), [(NARROW, 4), (BARE, 0)])
def test_the_bits_are_the_same_with_narrower_registers_and_without_any_it_is_blas(machine: dict, lanes: int) -> None:
    command = [sys.executable, "-c", "from tests.trainers.test_products import said; print(*said())"]
    printed = subprocess.run(command, env={**os.environ, **machine}, capture_output=True, text=True, check=True).stdout
    found, digest = printed.split()
    assert int(found) == lanes
    assert digest == said()[1] or lanes == 0
