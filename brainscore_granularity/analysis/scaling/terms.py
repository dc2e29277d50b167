"""What the solver needs of a law."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Terms(NamedTuple):
    """A law at some coordinates, m problems at once."""

    log_loss: np.ndarray  # (m, n)
    first: np.ndarray  # (m, p, n), dL/dtheta_i / L
    second: Callable  # weights (m, n) -> (m, p, p), sum over rows of weight * d2L/dtheta_i dtheta_j / L


def columns(theta) -> list[np.ndarray]:
    """The coordinates of theta (m, p), each (m, 1)."""
    return [theta[:, i, None] for i in range(theta.shape[1])]
