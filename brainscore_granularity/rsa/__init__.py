"""Representational similarity analysis: arrays in, numbers out.

>>> import numpy as np
>>> from brainscore_granularity import rsa
>>> rng = np.random.default_rng(0)
>>> model, brain = rsa.rdm(rng.normal(size=(20, 50))), rsa.rdm(rng.normal(size=(20, 30)))
>>> model.shape, round(rsa.compare(model, model), 12), abs(rsa.compare(model, brain)) < 0.5
((20, 20), 1.0, True)
"""

from .comparison import METHODS, compare, standardised_ranks, upper
from .degenerate import DegenerateFeatures
from .distances import DISTANCES, from_gram, rdm
from .feature_scaling import SCALINGS
from .noise import noise_covariance

__all__ = [
    "DISTANCES",
    "METHODS",
    "SCALINGS",
    "DegenerateFeatures",
    "compare",
    "from_gram",
    "noise_covariance",
    "rdm",
    "standardised_ranks",
    "upper",
]
