"""Bias and variance over seeds: squared error, log-loss and zero-one loss. Pure functions of arrays.

S seeds, N test rows, K classes. The rows are the same for all seeds. Every part is a table (S, N) whose mean it is, so
that parts add up in every cell: jackknife pseudo-values S·θ − (S − 1)·θ₋ₛ (Quenouille 1956, Tukey 1958), whose mean is
the part without its bias of order 1/S, and whose spread over seeds gives its standard error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, stdtrit, xlogy

from fitlab.records import Array, Floats, Interval
from fitlab.stats.student import checked_level


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The parts of an error, each a table (S, N); error = bias_and_noise + variance + interaction in every cell.

    Where the truth is known bias_and_noise = bias + noise, else both are None.
    """

    error: Floats  # what was measured: the loss of each seed at each row
    bias_and_noise: Floats
    variance: Floats
    interaction: Floats | None  # of zero-one loss alone
    bias: Floats | None = None
    noise: Floats | None = None


def squared_error_parts(
    predictions: Floats, y: Floats, expected: Floats | None = None, noise: float | None = None
) -> Decomposition:
    """Decompose the mean squared error (Geman, Bienenstock and Doursat 1992).

    Variance is the unbiased one over seeds (ddof = 1); bias² and noise are the error of the mean prediction less
    variance/S, by the ensemble-ambiguity identity (Krogh and Vedelsby 1995). expected, E[y | x], gives the bias without
    the luck of the labels: mean (f̄ − E[y | x])² less variance/S; noise is then what the labels add to the error, of
    which the expectation is the variance of y. With ``noise`` alone, that variance, bias² is what is left above it.
    An estimate of bias² may be negative: it is unbiased.

    predictions: (S, N); y, expected: (N,). Raises ValueError for fewer than two seeds and shapes that do not fit.
    """
    count = _checked(predictions, y, 2)
    error = np.square(predictions - y)
    mean = predictions.mean(axis=0)
    apart = predictions - mean
    variance = np.square(apart) * count / (count - 1)  # S·θ − (S − 1)·θ₋ₛ, written out
    if expected is None:
        return _with_level(error, variance, None, noise)
    others = mean - apart / (count - 1)
    bias = count * np.square(mean - expected) - (count - 1) * np.square(others - expected)
    return _with_bias(error, variance, bias)


def log_loss_parts(
    probabilities: Floats, y: Array, expected: Floats | None = None, noise: float | None = None
) -> Decomposition:
    """Decompose the log-loss, additively (Heskes 1998; Wood et al. 2023, as of any Bregman divergence).

    The central prediction q is the normalised geometric mean of the S predictions. Variance is the mean KL(q ‖ p) from
    it, bias and noise are its own log-loss, here both without their bias of order 1/S by the jackknife.
    expected: P(y = k | x); the bias is KL(expected ‖ q), noise what is left, of which the expectation is the entropy.
    noise: the mean entropy alone, in nats.

    probabilities: (S, N, K), all above 0 (clipped as the loss is); y: (N,) class codes; expected: (N, K).
    Raises ValueError for fewer than two seeds, shapes that do not fit and probabilities of 0.
    """
    count = _checked(probabilities, y, 3)
    if not (probabilities > 0).all():
        raise ValueError("log-loss needs probabilities above 0; clip them as the loss is clipped")
    logs = np.log(probabilities)
    error = -np.take_along_axis(logs, np.broadcast_to(y[:, None], (count, len(y), 1)), axis=2)[:, :, 0]
    mean = logs.mean(axis=0)  # (N, K)
    others = mean - (logs - mean) / (count - 1)  # (S, N, K)
    variance = count * _spread(mean) - (count - 1) * _spread(others)
    if expected is None:
        return _with_level(error, variance, None, noise)
    bias = count * _divergence(expected, mean) - (count - 1) * _divergence(expected, others)
    return _with_bias(error, variance, bias)


def zero_one_parts(
    codes: Array, y: Array, n_classes: int, expected: Array | None = None, noise: float | None = None
) -> Decomposition:
    """Decompose the zero-one loss, with its interaction (Domingos 2000; Wood et al. 2023, section 5).

    The main prediction m is the class that most seeds say (where classes tie, each in equal shares). Variance is
    Domingos', P(f ≠ m). Bias and noise is the loss of m; given ``expected``, the best class of each row, noise is the
    loss of that and bias what m loses more (the bias-effect of Wood et al.). Where m is right, variance is all that
    is added; where it is wrong a seed that differs from it may be right, so that variance helps. The interaction
    makes up for that: 0 where m is right, −P(f ≠ m) − P(f = y) where it is wrong (−2 P(f ≠ m) in two classes).
    Variance and interaction together are Domingos' net variance, and the variance-effect of Wood et al.

    A majority has no bias that the jackknife removes: the parts are those of the S seeds, and with few of them variance
    comes out too low. noise: the error of the best classifier alone.
    codes: (S, N) class codes; y, expected: (N,) class codes. Raises ValueError as the others do.
    """
    count = _checked(codes, y, 2)
    said = codes.astype(np.int64)[:, :, None] == np.arange(n_classes)  # (S, N, K)
    votes = said.sum(axis=0)
    whole, without = _majority(votes), _majority(votes - said)
    others = (votes - said) / (count - 1)
    error = np.asarray(codes != y, dtype=np.float64)
    differing = _recentred(1 - (whole * votes).sum(axis=-1) / count, 1 - (without * others).sum(axis=-1))
    wrong = _recentred(*(1 - np.take_along_axis(one, _at(y, one), axis=-1)[..., 0] for one in (whole, without)))
    best = None if expected is None else np.broadcast_to((expected != y).astype(np.float64), error.shape)
    interaction = error - wrong - differing
    if best is None:
        known = None if noise is None else np.full(error.shape, noise)
        return Decomposition(error, wrong, differing, interaction, None if known is None else wrong - known, known)
    return Decomposition(error, wrong, differing, interaction, wrong - best, best)


def part_interval(
    table: Floats, level: float = 0.90, weights: Floats | None = None, rows_drawn: bool = True
) -> Interval:
    """Return the interval of a part: the mean of its table (S, N), over seeds and, where rows are drawn, test rows.

    Seeds share their test rows, so that their spread says nothing about these: the variance of the mean is
    var(means of seeds)/S + var(means of rows)/N, and Student's t has the degrees of freedom of Satterthwaite (1946).
    It is a little wide: the second term has some of the first. rows_drawn: False where the test rows are all there
    are, such as the points of a fixed design. weights: (N,) how much rows count.
    """
    checked_level(level)
    share = np.full(table.shape[1], 1 / table.shape[1]) if weights is None else weights / weights.sum()
    seeds, rows = table @ share, table.mean(axis=0)
    estimate = float(seeds.mean())
    name = "jackknife t over seeds and test rows" if rows_drawn else "jackknife t over seeds"
    if len(seeds) == 1:
        return Interval(estimate, math.nan, math.nan, level, 1, name)
    terms = [(float(seeds.var(ddof=1)) / len(seeds), len(seeds) - 1)]
    if rows_drawn and len(rows) > 1:
        scatter = float(np.square(share * (rows - estimate)).sum()) * len(rows) / (len(rows) - 1)
        terms.append((scatter, len(rows) - 1))
    total = sum(term for term, _ in terms)
    if not total > 0:
        return Interval(estimate, estimate, estimate, level, len(seeds), name)
    free = 1 / sum((term / total) ** 2 / df for term, df in terms)
    half = float(stdtrit(free, (1 + level) / 2)) * math.sqrt(total)
    return Interval(estimate, estimate - half, estimate + half, level, len(seeds), name)


def _checked(predictions: Array, y: Array, ndim: int) -> int:
    """Return S."""
    if predictions.ndim != ndim or predictions.shape[1] != len(y) or not len(y):
        raise ValueError(f"predictions of shape {predictions.shape} do not fit {len(y)} test rows")
    if len(predictions) < 2:
        raise ValueError("bias and variance need at least two seeds: one seed says nothing about spread")
    return len(predictions)


def _with_level(error: Floats, variance: Floats, interaction: Floats | None, noise: float | None) -> Decomposition:
    left = error - variance
    if noise is None:
        return Decomposition(error, left, variance, interaction)
    return Decomposition(error, left, variance, interaction, left - noise, np.full(error.shape, noise))


def _with_bias(error: Floats, variance: Floats, bias: Floats) -> Decomposition:
    left = error - variance
    return Decomposition(error, left, variance, None, bias, left - bias)


def _spread(logs: Floats) -> Floats:
    """Mean KL(q ‖ p) of the predictions whose mean log-probabilities these are: −log Σ exp. (…, K) → (…)"""
    return np.asarray(-logsumexp(logs, axis=-1))


def _divergence(expected: Floats, logs: Floats) -> Floats:
    """KL(expected ‖ q), q ∝ exp(logs). expected: (N, K); logs: (…, N, K) → (…, N)"""
    return np.asarray((xlogy(expected, expected) - expected * logs).sum(axis=-1) - _spread(logs))


def _majority(votes: NDArray[np.int64]) -> Floats:
    """Return the class with the most votes as shares, equal ones where classes tie. (…, K) → (…, K)"""
    most = votes == votes.max(axis=-1, keepdims=True)
    return np.asarray(most / most.sum(axis=-1, keepdims=True))


def _at(y: Array, like: Floats) -> NDArray[np.int64]:
    return np.broadcast_to(y.astype(np.int64)[:, None], (*like.shape[:-1], 1))


def _recentred(whole: Floats, without: Floats) -> Floats:
    """Return pseudo-values moved so that their mean is the statistic itself. whole: (N,); without: (S, N)"""
    return np.asarray(whole - (len(without) - 1) * (without - without.mean(axis=0)))
