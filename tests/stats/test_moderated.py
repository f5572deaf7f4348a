"""Moderated variances: limits, closed form, coverage."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from fitlab.stats import moderated_half_widths, moderated_t, prior_variance, sample_variances, t_interval


def losses(rows: int, seeds: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, seeds))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_without_trust_in_the_sweep_it_is_the_ordinary_t_interval(level: float) -> None:
    table = losses(7, 5)
    ours = moderated_half_widths(table, level, prior_df=0)
    theirs = [t_interval(row, level) for row in table]
    assert_allclose(ours, [(i.high - i.low) / 2 for i in theirs], rtol=1e-12)


def test_with_all_trust_in_it_every_row_has_the_same_normal_interval() -> None:
    ours = moderated_half_widths(losses(7, 5), 0.95, prior_df=1e9, prior=4.0)
    assert_allclose(ours, scipy.stats.norm.ppf(0.975) * 2 / np.sqrt(5), rtol=1e-6)


def test_the_formula_of_the_project() -> None:
    table, s = losses(9, 5), 5
    v = np.var(table, axis=1, ddof=1)
    pooled = (4 * np.median(v) + (s - 1) * v) / (s + 3)
    ours = moderated_half_widths(table)
    assert_allclose(ours, scipy.stats.t.ppf(0.95, s + 3) * np.sqrt(pooled / s), rtol=1e-12)
    one = moderated_t(table[2], prior_variance(table))
    assert_allclose([one.estimate, one.high - one.estimate], [table[2].mean(), ours[2]], rtol=1e-12)
    assert (one.n, one.method) == (5, "moderated t")


def test_missing_seeds_count_for_less_and_missing_rows_for_nothing() -> None:
    table = losses(6, 5)
    whole = table.copy()
    table[0] = np.nan
    table[1, 2:] = np.nan
    table[2, 1:] = np.nan
    table[3, 1] = np.inf
    known = table[[1, 4, 5]]
    assert_allclose(
        sample_variances(table), [np.nan, *[np.nanvar(known[0], ddof=1)], np.nan, np.nan, *whole[4:].var(1, ddof=1)]
    )
    ours = moderated_half_widths(table)
    assert np.isnan(ours[[0, 2, 3]]).all()
    prior = prior_variance(table)
    assert prior == pytest.approx(np.median(np.nanvar(known, axis=1, ddof=1)))
    alone = [moderated_t(row[~np.isnan(row)], prior) for row in known]
    assert_allclose(ours[[1, 4, 5]], [i.high - i.estimate for i in alone])


def test_rows_that_never_vary_have_no_say_in_the_prior() -> None:
    table = np.vstack([np.full((5, 4), 0.1), losses(1, 4)])
    assert prior_variance(table) == pytest.approx(table[-1].var(ddof=1))
    assert prior_variance(table[:5]) == 0
    assert np.isnan(prior_variance(np.ones((3, 1))))
    assert np.isnan(prior_variance(np.empty((0, 4))))


def test_one_seed_says_nothing_even_beside_a_sweep() -> None:
    assert np.isnan(moderated_t([1.0], prior=2.0).high)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_it_scales_with_the_losses_and_ignores_their_origin_and_order(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(6, 4))
    ours = moderated_half_widths(table)
    rows, columns = rng.permutation(6), rng.permutation(4)
    assert_allclose(moderated_half_widths(scale * (table[rows][:, columns] + shift)), scale * ours[rows], rtol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "said"), [({"level": 1}, "level"), ({"prior_df": -1}, "prior_df"), ({"prior": -1}, "prior")]
)
def test_what_makes_no_sense_is_refused(wrong: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        moderated_half_widths(losses(2, 3), **wrong)
    with pytest.raises(ValueError, match="finite"):
        moderated_t([1.0, np.nan], 1.0)
