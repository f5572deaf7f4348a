"""Power against scipy's law and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from conftest import PROVE
from hypothesis import given
from hypothesis import strategies as st

from fitlab.stats import moderated_half_widths, seeds_needed, t_power


def test_seeds_for_effects_of_a_half_one_and_two_standard_deviations() -> None:
    assert [seeds_needed(effect) for effect in (0.5, 1, 2)] == [34, 10, 5]  # two-sided, alpha .05, power .80
    assert [seeds_needed(effect, level=0.90) for effect in (0.5, 1, 2)] == [27, 8, 4]
    assert [seeds_needed(effect, one_sided=True) for effect in (0.5, 1, 2)] == [27, 8, 4]


@given(st.floats(0, 3), st.integers(2, 60), st.floats(0.5, 0.99))
def test_power_is_the_integral_over_the_standard_deviations_law(effect: float, seeds: int, level: float) -> None:
    q, phi = scipy.stats.t.ppf((1 + level) / 2, seeds - 1), scipy.stats.norm.cdf
    share = (np.arange(20_000) + 0.5) / 20_000
    reach = q * np.sqrt(scipy.stats.chi2.ppf(share, seeds - 1) / (seeds - 1))  # in true standard errors
    shift = effect * np.sqrt(seeds)
    expected = np.mean(phi(shift - reach) + phi(-shift - reach))
    assert float(t_power(effect, seeds, level)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("effect", "seeds", "prior_df"), [(1.0, 5, 0), (2.0, 3, 0), (1.0, 5, 4)])
def test_power_is_how_often_the_interval_excludes_0(effect: float, seeds: int, prior_df: float) -> None:
    draws = 400_000 if PROVE else 40_000
    rng = np.random.default_rng(seeds)
    sd = np.sqrt(prior_df / rng.chisquare(prior_df, (draws, 1))) if prior_df else 1.0  # the law the prior stands for
    x = sd * (effect + rng.normal(size=(draws, seeds)))
    found = np.mean(np.abs(x.mean(axis=1)) > moderated_half_widths(x, 0.90, prior_df, prior=1.0))
    expected = float(t_power(effect, seeds, 0.90, prior_df=prior_df))
    assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / draws)


@given(st.floats(0.02, 50), st.floats(0.5, 0.99), st.booleans())
def test_seeds_needed_are_the_fewest(effect: float, power: float, one_sided: bool) -> None:
    seeds = seeds_needed(effect, power, one_sided=one_sided)
    if seeds is None:
        assert t_power(effect, 10_000, one_sided=one_sided) < power
        return
    assert t_power(effect, seeds, one_sided=one_sided) >= power
    assert seeds == 2 or t_power(effect, seeds - 1, one_sided=one_sided) < power


def test_the_ends() -> None:
    assert float(t_power(0, 7, 0.90)) == pytest.approx(0.10)
    assert float(t_power(np.inf, 2)) == pytest.approx(1, abs=1e-4)
    assert np.isnan(t_power(np.nan, 5))
    assert (seeds_needed(0), seeds_needed(np.nan), seeds_needed(np.inf)) == (None, None, 2)
    assert seeds_needed(-1) == seeds_needed(1)
    for name, wrong in (("level", 1.0), ("power", 1.0), ("prior_df", -1.0)):
        with pytest.raises(ValueError, match=name):
            seeds_needed(1.0, **{name: wrong})
    with pytest.raises(ValueError, match="two seeds"):
        t_power(1.0, 1)
