"""Many tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fitlab.records import Floats


def holm(pvalues: ArrayLike) -> Floats:
    """Return p-values adjusted for their number (Holm 1979): reject where the result is at most alpha.

    Use it where each of a few claims must stand ("these Configs differ from the best"): the chance of one false claim
    or more is at most alpha, whatever the dependence between tests. It rejects whatever Bonferroni rejects, and
    more. For a long list of leads of which a share may be false, scipy.stats.false_discovery_control (Benjamini and
    Hochberg 1995) is the tool. Where *all* of several tests must reject, none of them needs an adjustment.

    pvalues: (M,) or any shape, taken as one family; NaN: no test was made, it stays NaN and does not count.
    Raises ValueError for numbers outside [0, 1].
    """
    given = np.asarray(pvalues, dtype=np.float64)
    flat = given.ravel()
    made = np.flatnonzero(~np.isnan(flat))
    if ((flat[made] < 0) | (flat[made] > 1)).any():
        raise ValueError("p-values must lie between 0 and 1")
    order = made[np.argsort(flat[made], kind="stable")]
    steps = flat[order] * np.arange(order.size, 0, -1)
    adjusted = np.full(flat.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.reshape(given.shape)
