"""The compiled heart of the mlp trainer: whole epochs of minibatches in one call, without the GIL.

This is the one place where speed may cost lines. A call allocates its buffers once, the optimiser is fused, and what
an epoch touches stays in the cache. All floats are float64, all arrays C-ordered, so that it compiles once.
Parameters are one flat array: the weights of every layer, then the biases of every layer, as scikit-learn updates them.
N rows, B of a minibatch, D features, H units of a layer, K outputs, E epochs, L layers, P parameters.

``layers`` (L, 5) says for each layer: units below, units, where its weights and its biases begin among the parameters
(-1: no biases), and where its output begins among the values of one row.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitlab.records import Floats
from fitlab.trainers.compiled import LINE, aligned, copy, entry, fused, inner, matrix
from fitlab.trainers.measures import CLIP
from fitlab.trainers.products import product

Ints = NDArray[np.int64]
Part = tuple[Floats, Floats, Floats]  # X (N·D,), y (N,), weights of rows (N,) or (0,)
IDENTITY, LOGISTIC, TANH, RELU, SOFTMAX = range(5)  # activations
CONSTANT, INVSCALING, ADAPTIVE = range(3)  # schedules of the learning rate
# Progress: steps of Adam, learning rate; lowest loss and epochs without change of training, and of validation.
STEPS, RATE, BEST, UNCHANGED, LOWEST, WAITED = range(6)
BELOW, UNITS, WEIGHT, BIAS, VALUE = range(5)  # columns of ``layers``
BLOCK = 128  # rows that are measured at a time: their values stay in the cache
SMALLEST = 1e-300  # that can be inverted
TINY, TINY_SQUARE = 1e-140, 1e-280  # taken for 0 after an epoch
SMALLEST_RATE = 1e-6  # adaptive: scikit-learn lowers it no further


class Settings(NamedTuple):
    """How to train: scikit-learn's parameters, choices as numbers."""

    hidden: int  # activation of hidden layers
    output: int  # activation of the last layer: SOFTMAX, LOGISTIC (two classes) or IDENTITY (regression)
    batch_size: int
    alpha: float
    adam: bool  # else sgd
    learning_rate_init: float
    beta_1: float
    beta_2: float
    epsilon: float
    momentum: float
    nesterov: bool
    schedule: int
    power_t: float
    tol: float
    patience: int  # n_iter_no_change
    stopping: bool  # on the validation loss, by the two below
    stopping_tol: float
    stopping_patience: int


@fused
def _exp(x: float) -> float:
    """Return e to the x within an ulp or two, in a form that compiles to vector instructions; NaN stays NaN.

    x = k ln 2 + r with |r| ≤ ln 2 / 2; e to the r by its Taylor polynomial (the rest is < 5e-18); k is added to the
    exponent bits: the sum with 1.5 · 2⁵² has k in its lowest bits. Beyond ±708 the result stays at that of ±708.
    """
    x = -708.0 if x < -708.0 else x
    x = 708.0 if x > 708.0 else x
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    k = shifted - 6755399441055744.0
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10
    p = 1.0 / 6227020800.0
    for divisor in (479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0):
        p = p * r + 1.0 / divisor
    p = p * r + 1.0
    bits = np.float64(p).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
    return np.int64(bits).view(np.float64)


@fused
def _about_inverse(x: float) -> float:
    """Return 1 / x within 1e-11, for 1e-300 < x < 1e300, without the divider, which is busy with square roots.

    The first guess, within 6 %, is a difference of bit patterns; each of Halley's steps cubes its relative error.
    """
    y = np.int64(0x7FDE6238502484BA - np.float64(x).view(np.int64)).view(np.float64)
    for _ in range(2):
        error = 1.0 - x * y
        y += y * (error + error * error)
    return float(y)


@fused
def _quotient(a: float, b: float, inverse: float) -> float:
    """Return a / b, given about 1 / b: rounded as the division itself, for the remainder is exact (Markstein 1990).

    An ulp would matter: the weights of a constant feature feel the penalty alone, and under Adam that is chaotic.
    """
    q = a * inverse
    return q + (a - q * b) * inverse


@inner
def _add(z: Floats, biases: Floats) -> None:
    """Add biases (H,) to every row of z (B, H)."""
    for row in range(len(z)):
        for j in range(len(biases)):
            z[row, j] += biases[j]


@inner
def _rectify(z: Floats, biases: Floats) -> None:
    """Add biases (H,) to every row of z (B, H) and apply relu, in one pass."""
    for row in range(len(z)):
        for j in range(len(biases)):
            shifted = z[row, j] + biases[j]
            z[row, j] = 0.0 if shifted <= 0.0 else shifted


@inner
def _sum_rows(delta: Floats, total: Floats) -> None:
    """Write the sum of the rows of delta (B, H) into total (H,)."""
    rows, units = delta.shape
    whole = rows - rows % 4
    for j in range(units):
        total[j] = 0.0
    for row in range(0, whole, 4):  # four at a time: a quarter of the loads and stores of the total
        one, two, three, four = delta[row], delta[row + 1], delta[row + 2], delta[row + 3]
        for j in range(units):
            total[j] += (one[j] + two[j]) + (three[j] + four[j])
    for row in range(whole, rows):
        for j in range(units):
            total[j] += delta[row, j]


@inner
def _transpose(straight: Floats, turned: Floats) -> None:
    """Write the transpose of straight (H, K) into turned (K, H)."""
    H, K = straight.shape
    for k in range(K):
        for h in range(H):
            turned[k, h] = straight[h, k]


@inner
def _activate(z: Floats, code: int) -> None:
    """Apply an activation to z (B, H) in place; what is not finite stays so."""
    flat = z.reshape(z.size)
    if code == RELU:
        for i in range(flat.size):
            flat[i] = 0.0 if flat[i] <= 0.0 else flat[i]
    elif code == TANH:
        for i in range(flat.size):
            flat[i] = math.tanh(flat[i])
    elif code == LOGISTIC:
        for i in range(flat.size):
            flat[i] = 1.0 / (1.0 + _exp(-flat[i]))
    elif code == SOFTMAX:
        _softmax(z, flat)


@inner
def _softmax(z: Floats, flat: Floats) -> None:
    """Turn logits z (B, K) into probabilities in place. flat: the same memory."""
    rows, K = z.shape
    for row in range(rows):
        top = z[row, 0]
        for k in range(1, K):
            top = z[row, k] if z[row, k] > top else top
        for k in range(K):
            z[row, k] -= top
    for i in range(flat.size):
        flat[i] = _exp(flat[i])
    for row in range(rows):
        total = 0.0
        for k in range(K):
            total += z[row, k]
        for k in range(K):
            z[row, k] /= total


@inner
def _forward(x: Floats, theta: Floats, layers: Ints, hidden: int, output: int, values: Floats, capacity: int) -> Floats:
    """Return the output (B, K) for x (B, D); the outputs of all layers are left in ``values``."""
    rows = len(x)
    for i in range(len(layers)):
        units, bias = layers[i, UNITS], layers[i, BIAS]
        z = matrix(values, capacity * layers[i, VALUE], rows, units)
        product(x, False, matrix(theta, layers[i, WEIGHT], layers[i, BELOW], units), z)
        code = output if i == len(layers) - 1 else hidden
        if bias >= 0 and code == RELU:
            _rectify(z, theta[bias : bias + units])
        else:
            if bias >= 0:
                _add(z, theta[bias : bias + units])
            _activate(z, code)
        x = z
    return x


@inner
def _backward(
    x: Floats,
    theta: Floats,
    layers: Ints,
    hidden: int,
    values: Floats,
    deltas: Floats,
    capacity: int,
    gradient: Floats,
    spare: Floats,
) -> None:
    """Sum the gradients over the rows of x (B, D); the last of ``deltas`` are given, the others filled in."""
    rows = len(x)
    for i in range(len(layers) - 1, -1, -1):
        below, units, bias = layers[i, BELOW], layers[i, UNITS], layers[i, BIAS]
        delta = matrix(deltas, capacity * layers[i, VALUE], rows, units)
        under = x if i == 0 else matrix(values, capacity * layers[i - 1, VALUE], rows, below)
        product(under, True, delta, matrix(gradient, layers[i, WEIGHT], below, units))
        if bias >= 0:
            _sum_rows(delta, gradient[bias : bias + units])
        if i > 0:
            lower = matrix(deltas, capacity * layers[i - 1, VALUE], rows, below)
            turned = matrix(spare, 0, units, below)
            _transpose(matrix(theta, layers[i, WEIGHT], below, units), turned)
            product(delta, False, turned, lower)
            _derive(lower.reshape(lower.size), under.reshape(under.size), hidden)


@inner
def _derive(delta: Floats, value: Floats, code: int) -> None:
    """Multiply by the derivative of an activation, given its value; both flat."""
    if code == RELU:
        for i in range(delta.size):
            delta[i] = 0.0 if value[i] == 0.0 else delta[i]
    elif code == TANH:
        for i in range(delta.size):
            delta[i] *= 1.0 - value[i] * value[i]
    elif code == LOGISTIC:
        for i in range(delta.size):
            delta[i] *= value[i] * (1.0 - value[i])


@inner
def _adam(
    theta: Floats, gradient: Floats, m: Floats, v: Floats, alpha: float, rate: float, rows: float, settings: Settings
) -> None:
    """Take a step (Kingma and Ba 2015, with epsilon outside the root); all flat and of the same parameters."""
    b1, b2 = settings.beta_1, settings.beta_2
    epsilon, share = max(settings.epsilon, SMALLEST), 1.0 / rows
    for i in range(theta.size):
        g = _quotient(gradient[i] + alpha * theta[i], rows, share)
        m[i] = b1 * m[i] + (1.0 - b1) * g
        v[i] = b2 * v[i] + (1.0 - b2) * (g * g)
        root = math.sqrt(v[i]) + epsilon
        theta[i] -= _quotient(rate * m[i], root, _about_inverse(root))


@inner
def _sgd(
    theta: Floats, gradient: Floats, velocity: Floats, alpha: float, rate: float, rows: float, settings: Settings
) -> None:
    """Take a step with momentum (Nesterov's: looking ahead); all flat and of the same parameters."""
    momentum, ahead, share = settings.momentum, settings.nesterov, 1.0 / rows
    for i in range(theta.size):
        step = rate * _quotient(gradient[i] + alpha * theta[i], rows, share)
        velocity[i] = momentum * velocity[i] - step
        theta[i] += momentum * velocity[i] - step if ahead else velocity[i]


@inner
def _step(
    theta: Floats,
    gradient: Floats,
    moments: Floats,
    first: int,
    last: int,
    alpha: float,
    rate: float,
    rows: float,
    settings: Settings,
) -> None:
    """Move the parameters from ``first`` to before ``last``."""
    m, v = moments[0, first:last], moments[1, first:last]
    if settings.adam:
        _adam(theta[first:last], gradient[first:last], m, v, alpha, rate, rows, settings)
    else:
        _sgd(theta[first:last], gradient[first:last], m, alpha, rate, rows, settings)


@inner
def _update(
    theta: Floats,
    gradient: Floats,
    moments: Floats,
    layers: Ints,
    multipliers: Floats,
    rows: float,
    progress: Floats,
    settings: Settings,
) -> None:
    """Step along the summed gradient of ``rows`` rows; the penalty is on weights alone.

    multipliers: (L,) of the learning rate, 0 leaves a layer as it is; (0,): none.
    """
    rate = progress[RATE]
    if settings.adam:
        progress[STEPS] += 1.0
        rate = settings.learning_rate_init * math.sqrt(1.0 - settings.beta_2 ** progress[STEPS])
        rate /= 1.0 - settings.beta_1 ** progress[STEPS]
    if multipliers.size == 0:
        weights = layers[-1, WEIGHT] + layers[-1, BELOW] * layers[-1, UNITS]
        _step(theta, gradient, moments, 0, weights, settings.alpha, rate, rows, settings)
        _step(theta, gradient, moments, weights, theta.size, 0.0, rate, rows, settings)
        return
    for i in range(len(layers)):
        if multipliers[i] > 0.0:
            own, weight, bias, units = multipliers[i] * rate, layers[i, WEIGHT], layers[i, BIAS], layers[i, UNITS]
            last = weight + layers[i, BELOW] * units
            _step(theta, gradient, moments, weight, last, settings.alpha, own, rows, settings)
            if bias >= 0:
                _step(theta, gradient, moments, bias, bias + units, 0.0, own, rows, settings)


@inner
def _round_off(theta: Floats, moments: Floats) -> None:
    """Set to 0 what is tiny, for arithmetic with subnormal numbers takes a hundred cycles.

    The penalty takes the weights of features that are always 0 there, after some 300 epochs of digits.
    """
    for values, least in ((theta, TINY), (moments[0], TINY), (moments[1], TINY_SQUARE)):
        for i in range(values.size):
            values[i] = 0.0 if abs(values[i]) < least else values[i]


@inner
def _loss(output: Floats, row: int, y: float, code: int) -> tuple[float, float]:
    """Return loss (nats or squared error) of one row, and 1 for a hit. output: (N, K); y: class code or target."""
    if code == IDENTITY:
        return (output[row, 0] - y) ** 2, 0.0
    if code == LOGISTIC:  # two columns, 1 - p and p
        p = output[row, 0] if y == 1.0 else 1.0 - output[row, 0]
        hit = (output[row, 0] > 1.0 - output[row, 0]) == (y == 1.0)
    else:
        p = output[row, int(y)]
        hit = True
        for k in range(output.shape[1]):  # the first maximum is the prediction
            hit &= output[row, k] < p if k < int(y) else output[row, k] <= p
    p = CLIP if p < CLIP else p
    p = 1.0 - CLIP if p > 1.0 - CLIP else p
    return -math.log(p), 1.0 if hit else 0.0


@inner
def _measure(
    part: Part,
    spread: float,
    theta: Floats,
    layers: Ints,
    settings: Settings,
    values: Floats,
    capacity: int,
    result: Floats,
) -> None:
    """Write mean loss, and accuracy or R², into result (2,), as measures defines them. part: X, y, weights."""
    X, y, weights = part
    D, N = layers[0, BELOW], len(y)
    loss = hits = 0.0
    total = weights.sum() if weights.size > 0 else float(N)
    for first in range(0, N, capacity):
        x = matrix(X, first * D, min(capacity, N - first), D)
        output = _forward(x, theta, layers, settings.hidden, settings.output, values, capacity)
        for row in range(len(x)):
            more, hit = _loss(output, row, y[first + row], settings.output)
            weight = weights[first + row] if weights.size > 0 else 1.0
            loss += weight * more
            hits += weight * hit
    result[0] = loss / total
    result[1] = hits / total
    if settings.output == IDENTITY:
        result[1] = 1.0 - loss / spread if spread > 0.0 else np.nan


@inner
def _epoch(
    X: Floats,
    y: Floats,
    counts: Floats,
    order: Ints,
    theta: Floats,
    layers: Ints,
    multipliers: Floats,
    settings: Settings,
    moments: Floats,
    progress: Floats,
    buffers: tuple[Floats, Floats, Floats, Floats, Floats],
    capacity: int,
) -> float:
    """Go through the minibatches of one epoch; return the loss that scikit-learn watches, for adaptive rates."""
    D, K, N = layers[0, BELOW], layers[-1, UNITS], len(y)
    batch, values, deltas, gradient, spare = buffers
    watched = 0.0
    for first in range(0, N, settings.batch_size):
        rows = min(settings.batch_size, N - first)
        for row in range(rows):
            copy(X, order[first + row] * D, batch, row * D, D)
        x = matrix(batch, 0, rows, D)
        output = _forward(x, theta, layers, settings.hidden, settings.output, values, capacity)
        if settings.schedule == ADAPTIVE:
            penalised = theta[: layers[-1, WEIGHT] + layers[-1, BELOW] * K]
            watched += _penalised(output, y, counts, order[first : first + rows], penalised, settings)
        delta = matrix(deltas, capacity * layers[-1, VALUE], rows, K)
        total = _errors(output, y, counts, order[first : first + rows], settings.output, delta)
        _backward(x, theta, layers, settings.hidden, values, deltas, capacity, gradient, spare)
        _update(theta, gradient, moments, layers, multipliers, total, progress, settings)
    return watched / N


@inner
def _errors(output: Floats, y: Floats, counts: Floats, rows: Ints, code: int, delta: Floats) -> float:
    """Fill delta (B, K), output minus target, weighted; return the sum of the weights of its rows. counts: (N,), (0,).

    It is the gradient by what goes into the last activation: of the log-loss, or of half the squared error.
    """
    B, K = output.shape
    for i in range(B):
        for k in range(K):
            delta[i, k] = output[i, k]
        target = y[rows[i]]
        if code == SOFTMAX:
            delta[i, int(target)] -= 1.0
        else:
            delta[i, 0] -= target
    if counts.size == 0:
        return float(len(rows))
    total = 0.0
    for i in range(len(rows)):
        weight = counts[rows[i]]
        total += weight
        for k in range(delta.shape[1]):
            delta[i, k] *= weight
    return total


@inner
def _gradient(
    X: Floats,
    y: Floats,
    counts: Floats,
    theta: Floats,
    layers: Ints,
    settings: Settings,
    buffers: tuple[Floats, Floats, Floats, Floats, Floats],
    capacity: int,
    result: Floats,
) -> None:
    """Write into result (P,) the mean gradient over all rows, without the penalty."""
    D, K, N = layers[0, BELOW], layers[-1, UNITS], len(y)
    _, values, deltas, part, spare = buffers
    total, rows = 0.0, np.arange(N)
    result[:] = 0.0
    for first in range(0, N, capacity):
        here = rows[first : min(first + capacity, N)]
        x = matrix(X, first * D, len(here), D)
        output = _forward(x, theta, layers, settings.hidden, settings.output, values, capacity)
        delta = matrix(deltas, capacity * layers[-1, VALUE], len(here), K)
        total += _errors(output, y, counts, here, settings.output, delta)
        _backward(x, theta, layers, settings.hidden, values, deltas, capacity, part, spare)
        result += part
    result /= total


@inner
def _penalised(output: Floats, y: Floats, counts: Floats, rows: Ints, penalised: Floats, settings: Settings) -> float:
    """Return B times the loss that scikit-learn watches: half the squared error, and the penalty included.

    counts: (N,) or (0,), the weights of all rows; penalised: the weights of the network.
    """
    loss = total = 0.0
    for i in range(len(rows)):
        weight = counts[rows[i]] if counts.size > 0 else 1.0
        loss += weight * _loss(output, i, y[rows[i]], settings.output)[0]
        total += weight
    half = 0.5 if settings.output == IDENTITY else 1.0
    return (half * loss + 0.5 * settings.alpha * float(np.dot(penalised, penalised))) * (len(rows) / total)


@inner
def _improved(progress: Floats, lowest: int, unchanged: int, loss: float, tol: float) -> bool:
    """Count an epoch that lowers the lowest loss by less than ``tol``, as scikit-learn does; whether it lowers it."""
    progress[unchanged] = progress[unchanged] + 1.0 if loss > progress[lowest] - tol else 0.0
    if loss < progress[lowest]:
        progress[lowest] = loss
        return True
    return False


@inner
def _reschedule(progress: Floats, watched: float, rows_seen: float, settings: Settings) -> None:
    """Set the learning rate for the next epoch, as scikit-learn does after one whose watched loss was ``watched``."""
    if settings.schedule == INVSCALING:
        progress[RATE] = settings.learning_rate_init / (rows_seen + 1.0) ** settings.power_t
    elif settings.schedule == ADAPTIVE:
        _improved(progress, BEST, UNCHANGED, watched, settings.tol)
        if progress[UNCHANGED] > settings.patience and progress[RATE] > SMALLEST_RATE:
            progress[RATE] /= 5.0
            progress[UNCHANGED] = 0.0


@entry
def train(
    train: Part,
    val: Part,
    spreads: Floats,
    counts: Floats,
    orders: Ints,
    epoch: int,
    theta: Floats,
    layers: Ints,
    multipliers: Floats,
    settings: Settings,
    moments: Floats,
    progress: Floats,
    best: Floats,
    before: Floats,
    gradient: Floats,
    curves: Floats,
) -> int:
    """Train E epochs, or until something is not finite or early stopping; return how many epochs were trained.

    train, val: X (N·D,) flat, y (N,) class codes or targets as floats, and the weights of rows when it is measured,
    (N,), or (0,) where all count alike; spreads: (2,) sums of squares of both y around their means; counts: the weights
    of rows in training, (N,) or (0,). orders: (E, N) rows of X; epoch: trained before; multipliers: see _update.
    Changed: theta (P,), moments (2, P), progress (6,), best (P,), the parameters of the lowest validation loss, (0,)
    without early stopping, before (P,), the parameters before the last epoch, and curves (E, 4): loss and score of
    train, loss and score of val after each epoch. E = 0 rows of orders and one of curves: measure only; or, where
    gradient is (P,) instead of (0,), write the mean gradient over all rows of train there, and nothing else.
    """
    E, (X, y, _) = len(orders), train
    capacity = max(settings.batch_size + -settings.batch_size % LINE, BLOCK)
    size = capacity * (layers[-1, VALUE] + layers[-1, UNITS])
    values, batch = aligned(size), aligned(settings.batch_size * layers[0, BELOW])
    buffers = (batch, values, aligned(size), aligned(theta.size), aligned(theta.size))
    given, theta = theta, aligned(theta.size)
    copy(given, 0, theta, 0, theta.size)
    if gradient.size > 0:
        _gradient(X, y, counts, theta, layers, settings, buffers, capacity, gradient)
        return 0
    for e in range(max(E, 1)):
        if E > 0:
            if settings.stopping or e == E - 1:
                before[:] = theta
            watched = _epoch(
                X, y, counts, orders[e], theta, layers, multipliers, settings, moments, progress, buffers, capacity
            )
            _reschedule(progress, watched, float(len(y)) * (epoch + e + 1), settings)
            _round_off(theta, moments)
            copy(theta, 0, given, 0, theta.size)
        _measure(train, spreads[0], theta, layers, settings, values, capacity, curves[e, :2])
        _measure(val, spreads[1], theta, layers, settings, values, capacity, curves[e, 2:])
        finite = math.isfinite(curves[e, 0]) and math.isfinite(curves[e, 2])
        if not (finite and np.isfinite(theta).all()):
            return min(e + 1, E)
        if settings.stopping:
            if _improved(progress, LOWEST, WAITED, curves[e, 2], settings.stopping_tol):
                best[:] = theta
            if progress[WAITED] > settings.stopping_patience:
                return min(e + 1, E)
    return E


@entry
def predict(X: Floats, N: int, theta: Floats, layers: Ints, hidden: int, output: int) -> Floats:
    """Return the output (N, K) for X (N·D,): probabilities (two classes: of the second), or predictions."""
    D, K = layers[0, BELOW], layers[-1, UNITS]
    values = aligned(BLOCK * (layers[-1, VALUE] + K))
    result = np.empty((N, K))
    for first in range(0, N, BLOCK):
        rows = min(BLOCK, N - first)
        x = matrix(X, first * D, rows, D)
        result[first : first + rows] = _forward(x, theta, layers, hidden, output, values, BLOCK)
    return result
