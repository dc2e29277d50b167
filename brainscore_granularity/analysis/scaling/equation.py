"""The equations of the laws, and the loss of given parameters; no solver, no derivatives."""

from __future__ import annotations

import numpy as np

from .solve import DELTA
from .table import Points


def log_misalignment(x, parameters) -> np.ndarray:
    """log L of L = E + A (X + 10^lambda)^-alpha, or of L = E + A N^-alpha + B D^-beta.

    Parameters
    ----------
    x : (n,) or (n, 2)
        X, or N and D, in the units of the parameters.
    parameters : mapping
        e = log E, a = log A, alpha; lambda for the law with a late start; b = log B and beta for two variables. A term
        whose parameter is missing or NaN is not in the law.

    Returns
    -------
    (n,)

    Examples
    --------
    >>> x, e, a = np.array([1.0, 100.0]), np.log(0.5), np.log(0.4)
    >>> np.exp(log_misalignment(x, {"e": e, "a": a, "alpha": 0.5})).round(3).tolist()
    [0.9, 0.54]
    """
    given = {name: value for name, value in dict(parameters).items() if np.isreal(value) and not np.isnan(value)}
    columns = np.asarray(x, float).reshape(len(x), -1).T
    late = 10 ** given["lambda"] if "lambda" in given else 0.0
    terms = [np.full(columns.shape[1], given["e"]), given["a"] - given["alpha"] * np.log(columns[0] + late)]
    if "beta" in given:
        terms.append(given["b"] - given["beta"] * np.log(columns[1]))
    return np.logaddexp.reduce(terms)


def loss(points: Points, parameters, delta: float = DELTA) -> float:
    """Huber loss of the log residuals, summed over rows, for given parameters, such as published ones."""
    residual = np.abs(log_misalignment(points.x, parameters) - np.log(points.loss))
    return float(np.where(residual <= delta, residual**2 / 2, delta * (residual - delta / 2)).sum())
