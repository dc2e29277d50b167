"""The laws with E of any sign: free, and its special case log-linear. Their coordinates are described in `laws`."""

from __future__ import annotations

from math import factorial

import numpy as np

from .terms import Terms, columns

# free: coordinates c, k, alpha; L = c + k (exp(-alpha u) - 1) / alpha. E = c - k / alpha may have any sign, and
# alpha = 0 is the log-linear law, which this family contains.


def _phi(t) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(exp(-t) - 1) / t and its first two derivatives, also near 0."""
    small = np.abs(t) < 0.5
    s = np.where(small, t, 0.0)
    coefficients = [(-1.0) ** (m + 1) / factorial(m + 1) for m in range(16)]
    series = []
    for _ in range(3):
        value = np.zeros_like(s)
        for c in reversed(coefficients):
            value = value * s + c
        series.append(value)
        coefficients = [m * c for m, c in enumerate(coefficients)][1:]
    t = np.where(small, 1.0, t)
    falling = np.exp(-t)
    zero = (falling - 1) / t
    one = (-falling - zero) / t
    two = (falling - 2 * one) / t
    return tuple(np.where(small, near, far) for near, far in zip(series, (zero, one, two), strict=True))


def free(theta, u) -> Terms:
    c, k, alpha = columns(theta)
    zero, one, two = _phi(alpha * u)
    slope, bent = u * zero, u**2 * one
    loss = _positive(c + k * slope)
    first = np.stack([1 / loss, slope / loss, k * bent / loss], axis=1)

    def second(weights):
        out = np.zeros((len(theta), 3, 3))
        out[:, 1, 2] = out[:, 2, 1] = np.einsum("mn,mn->m", weights, bent / loss)
        out[:, 2, 2] = np.einsum("mn,mn->m", weights, k * u**3 * two / loss)
        return out

    return Terms(np.log(loss), first, second)


def _positive(loss) -> np.ndarray:
    """NaN where L is not positive, outside the domain of the law; the solver avoids NaN."""
    return np.where(loss > 0, loss, np.nan)


def _linear_starts(alphas, u, loss) -> np.ndarray:
    """Least-squares starts for given alpha, for which the free law is linear; flattened until all L are positive."""
    out = []
    for alpha in alphas:
        g = u * _phi(alpha * u)[0]
        k, c = np.polyfit(g, loss, 1)
        while (c + k * g).min() <= 0.1 * loss.min():
            k, c = 0.8 * k, 0.8 * c + 0.2 * loss.mean()
        out.append((c, k, alpha))
    return np.array(out)


def free_starts(u, loss, log_g) -> np.ndarray:
    return _linear_starts((-1.0, -0.5, -0.2, -0.05, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0), u, loss)


def free_public(theta, log_g) -> dict:
    c, k, alpha = np.moveaxis(theta, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return {"E": c - k / alpha, "A": k / alpha * np.exp(alpha * log_g), "alpha": alpha}


# log-linear: coordinates c, k; L = c - k u


def log_linear(theta, u) -> Terms:
    c, k = columns(theta)
    loss = _positive(c - k * u)
    first = np.stack([1 / loss, -u / loss], axis=1)
    return Terms(np.log(loss), first, lambda weights: np.zeros((len(theta), 2, 2)))


def log_linear_starts(u, loss, log_g) -> np.ndarray:
    return _linear_starts((0.0,), u, loss)[:, :2]


def log_linear_public(theta, log_g) -> dict:
    c, k = np.moveaxis(theta, -1, 0)
    return {"c": c + k * log_g, "k": k}
