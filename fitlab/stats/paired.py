"""Tests of paired differences: does one Config differ from another on the seeds they share?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fitlab.records import Floats
from fitlab.stats.results import Significance
from fitlab.stats.student import paired

Alternative = Literal["two-sided", "less", "greater"]
EXACT_SEEDS = 14  # 2**14 patterns of signs are all tried
DRAWN = 9999


def paired_t_test(a: ArrayLike, b: ArrayLike, alternative: Alternative = "two-sided") -> Significance:
    """Student's test that the mean of a − b is 0 (Student 1908).

    Use it for one comparison that was planned. Prefer ``paired_t_interval``, which says how large the difference
    is; for several comparisons adjust the p-values with ``holm``; to claim equality use ``equivalence_test``.

    a, b: (S,) in the same order of seeds; a seed that one lacks (NaN) is left out. Statistic: t with S − 1
    degrees of freedom. Where all differences are equal the p-value is 0, or 1 if they are 0.
    Raises ValueError for unequal lengths, fewer than two common seeds, infinite values, another alternative.
    """
    differences = _several(a, b, alternative)
    if np.ptp(differences) == 0:
        return _without_spread(float(differences[0]), differences.size, alternative)
    from scipy.stats import ttest_1samp  # half a second, for those who want it

    result = ttest_1samp(differences, 0.0, alternative=alternative)
    return Significance(float(result.statistic), float(result.pvalue), differences.size, "paired t")


def sign_flip_test(a: ArrayLike, b: ArrayLike, seed: int, alternative: Alternative = "two-sided") -> Significance:
    """Permutation test that differences a − b are symmetric around 0, by flipping signs (Fisher 1935, section 21).

    Use it where differences are far from Gaussian and seeds are many enough: with S seeds no two-sided p-value is
    below 2/2**S, which is .25 at S = 3 and .0625 at S = 5, hence below S = 6 it can never reject at .05.

    a, b: (S,) in the same order of seeds; a seed that one lacks (NaN) is left out. All 2**S patterns of signs are
    tried up to S = 14, then 9,999 are drawn from ``seed``. Statistic: the mean difference.
    Raises ValueError for unequal lengths, fewer than two common seeds, infinite values, another alternative.
    """
    differences = _several(a, b, alternative)
    from scipy.stats import permutation_test

    exact = differences.size <= EXACT_SEEDS
    result = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",  # of one sample: its signs are flipped
        vectorized=True,
        n_resamples=2**EXACT_SEEDS if exact else DRAWN,
        alternative=alternative,
        rng=np.random.default_rng(seed),
    )
    method = "exact sign-flip" if exact else f"sign-flip, {DRAWN} drawn"
    return Significance(float(result.statistic), float(result.pvalue), differences.size, method)


def _several(a: ArrayLike, b: ArrayLike, alternative: str) -> Floats:
    """The differences of at least two seeds."""
    if alternative not in ("two-sided", "less", "greater"):
        raise ValueError(f"alternative must be two-sided, less or greater, got {alternative!r}")
    differences = paired(a, b)
    if differences.size < 2:
        raise ValueError("a test needs at least two seeds that both have: one seed says nothing about spread")
    return differences


def _without_spread(difference: float, count: int, alternative: Alternative) -> Significance:
    """All differences equal: certain, as far as these seeds can tell."""
    if difference == 0:
        return Significance(0.0, 1.0, count, "paired t")
    agrees = {"two-sided": True, "less": difference < 0, "greater": difference > 0}[alternative]
    return Significance(float(np.copysign(np.inf, difference)), 0.0 if agrees else 1.0, count, "paired t")
