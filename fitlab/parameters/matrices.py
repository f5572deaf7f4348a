"""Numbers of weight matrices and biases alone. fan_in, fan_out: the widths below and above a layer.

A matrix is (fan_in, fan_out), or as an estimator has it; what is (D,) is one row. Non-finite entries give NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitlab.parameters.layers import Layer
from fitlab.records import Array, Floats

LARGE = 50  # the smaller side of a matrix whose spectrum has a tail to speak of
TAIL = 10  # eigenvalues that a tail has, at least


def norm(array: Array) -> float:
    """Euclidean (Frobenius) norm."""
    return float(np.linalg.norm(array))


def singular_values(matrix: Array) -> Floats:
    """Singular values (min(fan_in, fan_out),), the largest first; NaN where an entry is not finite."""
    matrix = np.atleast_2d(matrix)
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def stable_rank(singular: Floats) -> float:
    """‖W‖_F² / ‖W‖₂², between 1 and the rank (Rudelson and Vershynin 2007); NaN for the zero matrix."""
    top = float(singular[0])
    return float(((singular / top) ** 2).sum()) if top > 0 else float("nan")


def tail_exponent(singular: Floats) -> float:
    """Exponent α of the power law p(λ) ∝ λ^−α that the largest eigenvalues λ of WᵀW follow best.

    The start of the tail is where the Kolmogorov–Smirnov distance is least; α by maximum likelihood (Clauset, Shalizi
    and Newman 2009, equations 3.1 and 3.9; for weights Martin and Mahoney 2021). singular: singular values of W.
    NaN where fewer than TAIL of them are above 0.
    """
    values = np.sort(singular[singular > 0] ** 2)
    best, exponent = np.inf, float("nan")
    for start in range(len(values) - TAIL + 1):
        tail = values[start:]
        logs = np.log(tail / tail[0]).sum()
        if not logs > 0:
            continue
        alpha = 1 + len(tail) / logs
        model = 1 - (tail / tail[0]) ** (1 - alpha)
        steps = np.arange(len(tail) + 1) / len(tail)
        distance = max(np.abs(model - steps[:-1]).max(), np.abs(model - steps[1:]).max())
        if distance < best:
            best, exponent = distance, float(alpha)
    return exponent


def bias_share(weight: Array, bias: Array) -> float:
    """‖b‖² / (‖b‖² + ‖W‖²); NaN where all are 0."""
    own, rest = float(np.square(bias).sum()), float(np.square(weight).sum())
    return own / (own + rest) if own + rest > 0 else float("nan")


def path_norm(layers: Sequence[Layer]) -> float:
    """√ of the sum over paths from input to output of the products of squared weights (Neyshabur et al. 2015).

    Biases are left out. Scaling a relu unit's input up and its output down leaves it as it is.
    """
    paths = np.ones(layers[0].weight.shape[0])
    for layer in layers:
        paths = paths @ np.square(layer.weight)
    return float(np.sqrt(paths.sum()))
