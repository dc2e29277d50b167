"""One fit: a law, its parameters, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .laws import Law, law
from .solve import DELTA, minimise
from .table import Points, ScalingError, TooFewPoints


@dataclass(frozen=True)
class Fit:
    """A law fitted to points.

    Parameters
    ----------
    name : name of the law
    theta : (p,), its coordinates
    others : (k, p), further minima of the loss that were found, best first; the first is ``theta``
    log_g : (), or (2,) for two variables: mean of log X
    loss : Huber loss of the log residuals, summed over rows
    points : the points that were fitted
    """

    name: str
    theta: np.ndarray
    others: np.ndarray
    log_g: np.ndarray
    loss: float
    delta: float
    points: Points

    @property
    def law(self) -> Law:
        return law(self.name)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters by name, for X in units of ``points.scale``; E, A and B, and also their logarithms."""
        return {name: float(value) for name, value in public(self.law, self.theta, self.log_g).items()}

    def predict(self, x) -> np.ndarray:
        """Misalignment at x, in units of ``points.scale``: (n,) or (n, 2) -> (n,)."""
        return predict(self.law, self.theta, self.log_g, x)


def fit(points: Points, law_name: str = "power", delta: float = DELTA) -> Fit:
    """Fit a law, starting from all of its starting points.

    >>> import numpy as np
    >>> from brainscore_granularity.analysis.scaling import Points
    >>> x = np.geomspace(1, 1e6, 40)
    >>> found = fit(Points(x, 0.5 + 0.4 * x**-0.3, np.arange(40), ("x",), (1.0,)))
    >>> {name: round(value, 4) for name, value in found.parameters.items()}
    {'e': -0.6931, 'a': -0.9163, 'alpha': 0.3, 'E': 0.5, 'A': 0.4}
    """
    form = law(law_name)
    check(points, form)
    u, log_g = centre(points.x)
    starts = form.starts(u, points.loss, log_g)
    found = minimise(form, u, points.loss, starts, delta=delta)
    others = found.others[0][np.isfinite(found.others[0, :, 0])]
    return Fit(law_name, found.theta[0], others, log_g, float(found.loss[0]), delta, points)


def check(points: Points, form: Law) -> None:
    """Raise if there are too few rows or values of X to fit a law."""
    if points.x.ndim != form.variables:
        raise ScalingError(
            f"{form.equation}: expected {form.variables} variable(s), got {len(points.names)} "
            f"({', '.join(points.names)})"
        )
    parameters = len(form.coordinates)
    distinct = min(len(np.unique(column)) for column in np.atleast_2d(points.x.T))
    needed = parameters if form.variables == 1 else 2
    if len(points) < parameters or distinct < needed:
        raise TooFewPoints(
            f"{form.equation} has {parameters} parameters; expected at least {parameters} rows and {needed} different "
            f"values of {' and '.join(points.names)}, got {len(points)} rows and {distinct} values. The log-linear law "
            "has 2"
        )


def centre(x) -> tuple[np.ndarray, np.ndarray]:
    """Centred log X, and the mean of log X."""
    log_x = np.log(x)
    log_g = log_x.mean(axis=0)
    return log_x - log_g, log_g


def public(form: Law, theta, log_g) -> dict[str, np.ndarray]:
    """Parameters of the equation for coordinates (..., p)."""
    found = form.public(np.asarray(theta), log_g)
    with np.errstate(over="ignore"):
        return found | {
            name.upper(): np.exp(found[name]) for name in ("e", "a", "b") if name in found and name.upper() not in found
        }


def predict(form: Law, theta, log_g, x) -> np.ndarray:
    """Misalignment (..., n) at x for coordinates (..., p)."""
    theta = np.asarray(theta)
    out = np.exp(form.terms(np.atleast_2d(theta), np.log(np.asarray(x, float)) - log_g).log_loss)
    return out[0] if theta.ndim == 1 else out
