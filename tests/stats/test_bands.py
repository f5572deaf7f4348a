"""Simultaneous bands: Bonferroni by its formula, and which band covers a whole curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import PROVE
from numpy.testing import assert_allclose

from fitlab.stats import moderated_half_widths, simultaneous_band, t_interval

POINTS = 30


def curves(rng: np.random.Generator, kind: str, seeds: int) -> np.ndarray:
    """Deviations from a mean curve of 0: points alike (a level and noise), or each by itself."""
    own = rng.normal(size=(seeds, POINTS))
    return own if kind == "rough" else rng.normal(size=(seeds, 1)) + 0.3 * own


def test_bonferroni_is_the_t_interval_at_a_higher_level() -> None:
    x = np.random.default_rng(0).normal(size=(5, 7))
    band = simultaneous_band(x, 0.90)
    each = [t_interval(column, 1 - 0.10 / 7) for column in x.T]
    assert_allclose(band.low, [i.low for i in each])
    assert_allclose(band.high, [i.high for i in each])
    assert (band.n, band.method) == (5, "Bonferroni t band")


@pytest.mark.parametrize("kind", ["alike", "rough"])
@pytest.mark.parametrize(("seeds", "method"), [(3, "bonferroni"), (5, "bonferroni"), (20, "bonferroni"), (20, "max-t")])
def test_the_band_covers_the_whole_curve(kind: str, seeds: int, method: str) -> None:
    draws, rng = 1500 if PROVE else 200, np.random.default_rng(seeds)
    hits = []
    for i in range(draws):
        band = simultaneous_band(curves(rng, kind, seeds), 0.90, method, seed=i, resamples=399)
        hits.append(bool(((band.low <= 0) & (band.high >= 0)).all()))
    assert np.mean(hits) >= 0.90 - 4 * math.sqrt(0.09 / draws)


def test_pointwise_intervals_do_not_cover_the_whole_curve() -> None:
    rng = np.random.default_rng(1)
    for kind, at_most in (("alike", 0.75), ("rough", 0.10)):
        x = np.stack([curves(rng, kind, 5).T for _ in range(1000)])  # (draws, P, S)
        inside = np.abs(x.mean(axis=-1)) <= moderated_half_widths(x, 0.90, prior_df=0)
        assert abs(inside.mean() - 0.90) < 0.03
        assert inside.all(axis=1).mean() < at_most


def test_max_t_is_wider_at_five_seeds_and_narrower_at_forty_where_points_are_alike() -> None:
    rng = np.random.default_rng(2)
    for seeds, wider in ((5, True), (40, False)):
        x = curves(rng, "alike", seeds)
        one, other = (simultaneous_band(x, 0.90, method) for method in ("max-t", "bonferroni"))
        assert bool((one.high - one.low > other.high - other.low).all()) == wider


def test_a_single_point_is_one_interval_and_one_seed_says_nothing() -> None:
    x = np.random.default_rng(3).normal(size=(4, 1))
    band, one = simultaneous_band(x), t_interval(x[:, 0])
    assert_allclose([band.low[0], band.high[0]], [one.low, one.high])
    alone = simultaneous_band(x[:1])
    assert np.isnan(alone.low).all()
    assert alone.estimate == x[0]


def test_the_seed_decides_and_points_that_never_vary_have_no_width() -> None:
    x = np.random.default_rng(4).normal(size=(20, 6))
    x[:, 2] = 0.1
    ours, again, other = (simultaneous_band(x, method="max-t", seed=seed) for seed in (0, 0, 1))
    assert_allclose(ours.high, again.high, rtol=0)
    assert not np.allclose(ours.high, other.high, rtol=1e-6)
    assert ours.low[2] == ours.estimate[2] == ours.high[2]
    assert np.isfinite(ours.high).all()


def test_bad_input_is_refused() -> None:
    for wrong in (np.zeros(3), np.zeros((0, 3)), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="shape"):
            simultaneous_band(wrong)
    with pytest.raises(ValueError, match="method"):
        simultaneous_band(np.zeros((2, 2)), method="sup")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level"):
        simultaneous_band(np.zeros((2, 2)), 0)
