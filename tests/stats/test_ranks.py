"""Kendall's τ is SciPy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from fitlab.stats import kendall_tau

NUMBERS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=9)


@given(NUMBERS)
def test_tau_is_that_of_scipy_with_ties_too(pairs: list[tuple[int, int]]) -> None:
    x, y = np.transpose(pairs)
    np.testing.assert_allclose(kendall_tau(x, y), kendalltau(x, y).statistic, rtol=1e-12)
