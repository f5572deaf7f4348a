"""Holm's adjustment against his own steps, and what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from fitlab.stats import holm

pvalues = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def steps(values: list[float], alpha: float) -> list[bool]:
    """Holm 1979, by the book: reject from the smallest on, until one is above alpha/(those that are left)."""
    rejected = [False] * len(values)
    for done, i in enumerate(np.argsort(values, kind="stable")):
        if values[i] * (len(values) - done) > alpha:
            break
        rejected[i] = True
    return rejected


@given(pvalues, st.floats(0.001, 0.5))
def test_it_rejects_what_his_steps_reject(values: list[float], alpha: float) -> None:
    assert list(holm(values) <= alpha) == steps(values, alpha)


@given(pvalues, st.randoms())
def test_order_does_not_matter_and_it_lies_between_plain_and_bonferroni(values: list[float], random) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    assert_allclose(holm(np.array(values)[order]), holm(values)[order])
    assert (holm(values) >= np.array(values)).all()
    assert (holm(values) <= np.minimum(1, len(values) * np.array(values)) + 1e-15).all()


def test_a_known_case() -> None:
    assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])  # R: p.adjust(…, "holm")


def test_tests_that_were_not_made_do_not_count() -> None:
    table = np.array([[0.01, np.nan], [0.04, 0.03]])
    assert_allclose(holm(table), [[0.03, np.nan], [0.06, 0.06]])
    assert holm([]).size == 0
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            holm([wrong])


def test_one_false_claim_or_more_is_made_in_no_more_than_alpha() -> None:
    draws = 100_000 if PROVE else 10_000
    p = np.random.default_rng(0).random((draws, 6))
    p[:, :3] *= 1e-4  # three effects are real
    false = np.mean([(holm(row)[3:] <= 0.1).any() for row in p])
    assert abs(false - (1 - (1 - 0.1 / 3) ** 3)) <= 4 * math.sqrt(0.1 * 0.9 / draws)  # they leave a third each
