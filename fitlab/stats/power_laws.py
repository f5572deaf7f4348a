"""Laws of loss against sample size, fitted by weighted least squares: many curves at once. Pure functions of arrays.

P sizes n, B curves. Every law is a + b·g(n; c, d) with g falling to 0, so that a ≥ 0 is the loss of endless data, and
a and b ≥ 0 follow from c and d by linear least squares (variable projection, Golub and Pereyra 1973). c and d are
looked for on a grid, which is then drawn in around the best point of each curve: no start to choose, no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fitlab.records import Floats

Law = Literal["pow4", "mmf", "pow3"]
SHAPES = np.geomspace(0.01, 10, 31)  # (n_min + c)/n_min of pow4; (n_min^d + c)/n_min^d of MMF
EXPONENTS = np.geomspace(0.1, 4, 31)
ZOOMS, AROUND, SHRINK = 24, np.linspace(-1, 1, 7), 0.7
AT_ONCE = 2_000_000  # numbers of a grid around the best points: 16 MB


@dataclass(frozen=True, eq=False)
class FittedLaws:
    """B fitted curves of one law."""

    law: Law
    smallest: float  # of the sizes, to which u refers
    a: Floats  # (B,) loss of endless data
    b: Floats  # (B,) what g is multiplied by, g being 1 at the smallest size
    u: Floats  # (B,) (n_min + c)/n_min, or (n_min^d + c)/n_min^d
    d: Floats  # (B,)
    residual: Floats  # (B,) weighted mean square of what is left

    def at(self, sizes: Floats) -> Floats:
        """Return the loss at some sizes. (Q,) → (B, Q)"""
        ratio = np.asarray(sizes, dtype=np.float64) / self.smallest
        return np.asarray(self.a[:, None] + self.b[:, None] * _shape(self.law, ratio, self.u[:, None], self.d[:, None]))

    def needed(self, loss: float) -> Floats:
        """Return at which size each curve falls to a loss; infinite where it never does. (B,)"""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = (loss - self.a) / self.b  # what g must be
            if self.law == "mmf":
                ratio = np.maximum(self.u / share - self.u + 1, 0.0) ** (1 / self.d)
            else:
                ratio = self.u * share ** (-1 / self.d) - self.u + 1
        reached = loss >= self.a + self.b  # at the smallest size already
        found = np.where(reached, self.smallest, self.smallest * ratio)
        return np.asarray(np.where(reached | ((self.b > 0) & (loss > self.a)), found, np.inf))


def _shape(law: Law, ratio: Floats, u: Floats, d: Floats) -> Floats:
    """Return g, 1 at the smallest size. ratio: n/n_min."""
    if law == "mmf":
        return np.asarray(u / (ratio**d - 1 + u))
    return np.asarray(((ratio - 1 + u) / u) ** -d)


def fitted_laws(sizes: Floats, losses: Floats, weights: Floats, law: Law = "pow4") -> FittedLaws:
    """Fit a law to curves: pow4 a + b·(n + c)^−d, MMF a + b/(n^d + c), pow3 a + b·n^−d (Viering and Loog 2023).

    MMF is Morgan, Mercer and Flodin's (1975) growth curve, (a′b′ + c′n^d)/(b′ + n^d). a and b are at least 0, d is
    between 0.1 and 4; c may be negative as far as the smallest size allows.
    sizes: (P,) positive; losses: (B, P) finite; weights: (P,) positive, such as 1/variance.
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    ratio, share = sizes / sizes.min(), weights / weights.sum()
    shapes = np.ones(1) if law == "pow3" else SHAPES
    u, d = (one.ravel() for one in np.meshgrid(shapes, EXPONENTS, indexing="ij"))
    solve = _solver(law, ratio, share)
    best = np.concatenate([
        solve(part, u[None], d[None])[2].argmin(axis=1) for part in _parts(losses, len(u))
    ])  # fmt: skip
    found_u, found_d = _zoomed(solve, losses, u[best], d[best], law)
    a, b, residual = (one[:, 0] for one in solve(losses, found_u[:, None], found_d[:, None]))
    return FittedLaws(law, float(sizes.min()), a, b, found_u, found_d, residual)


Solver = Callable[[Floats, Floats, Floats], tuple[Floats, Floats, Floats]]


def _solver(law: Law, ratio: Floats, share: Floats) -> Solver:
    def solve(losses: Floats, u: Floats, d: Floats) -> tuple[Floats, Floats, Floats]:
        """Return a, b ≥ 0 and the weighted mean square that is left, (B, G). losses: (B, P); u, d: (B or 1, G)"""
        g = _shape(law, ratio, u[..., None], d[..., None])  # (B or 1, G, P)
        mean_y, mean_g = losses @ share, g @ share
        y, x = losses - mean_y[:, None], g - mean_g[..., None]
        total = (share * np.square(y)).sum(axis=1)[:, None]
        xx = (share * np.square(x)).sum(axis=-1)
        xy = (share * y) @ x[0].T if len(x) == 1 else np.einsum("bp,bgp->bg", share * y, x)
        b = np.maximum(xy / xx, 0)
        a = mean_y[:, None] - b * mean_g
        gg, gy = xx + np.square(mean_g), xy + mean_g * mean_y[:, None]
        low = a < 0  # then the best has a = 0
        b = np.where(low, np.maximum(gy / gg, 0), b)
        left = np.where(
            low, total + np.square(mean_y)[:, None] - 2 * b * gy + b**2 * gg, total - 2 * b * xy + b**2 * xx
        )
        return np.where(low, 0, a), b, left

    return solve


def _parts(losses: Floats, grid: int) -> list[Floats]:
    return np.array_split(losses, max(1, losses.size * grid // AT_ONCE))


def _zoomed(solve: Solver, losses: Floats, u: Floats, d: Floats, law: Law) -> tuple[Floats, Floats]:
    """Return u and d of each curve after drawing a grid in around the best point. u, d: (B,)"""
    if len(losses) * len(AROUND) ** 2 * losses.shape[1] > AT_ONCE:
        halves = zip(*(np.array_split(one, 2) for one in (losses, u, d)), strict=True)
        both = [_zoomed(solve, some, near_u, near_d, law) for some, near_u, near_d in halves]
        return np.concatenate([one[0] for one in both]), np.concatenate([one[1] for one in both])
    along_u, along_d = (one.ravel() for one in np.meshgrid(AROUND * (law != "pow3"), AROUND, indexing="ij"))
    reach_u, reach_d = np.log(SHAPES[1] / SHAPES[0]), np.log(EXPONENTS[1] / EXPONENTS[0])
    rows = np.arange(len(losses))
    for step in range(ZOOMS):
        near_u = u[:, None] * np.exp(along_u * reach_u * SHRINK**step)
        near_d = d[:, None] * np.exp(along_d * reach_d * SHRINK**step)
        if law != "pow3":
            near_u = np.clip(near_u, SHAPES[0], SHAPES[-1])
        near_d = np.clip(near_d, EXPONENTS[0], EXPONENTS[-1])
        best = solve(losses, near_u, near_d)[2].argmin(axis=1)
        u, d = near_u[rows, best], near_d[rows, best]
    return u, d
