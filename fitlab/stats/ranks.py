"""Rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def kendall_tau(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's τ-b: concordant minus discordant pairs, over the root of pairs that are no ties in x, and in y.

    Kendall 1945. x, y: (n,) finite numbers; between -1 and 1. NaN where all of x, or all of y, are equal.
    """
    pairs = np.triu_indices(len(np.asarray(x)), 1)
    one, two = (np.sign(np.subtract.outer(values, values)[pairs]) for values in (np.asarray(x), np.asarray(y)))
    scale = float(np.sqrt(np.abs(one).sum() * np.abs(two).sum()))
    return float((one * two).sum()) / scale if scale > 0 else float("nan")
