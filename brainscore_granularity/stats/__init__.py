"""Ceilings, intervals and tests for RSA scores: arrays in, numbers out.

>>> import numpy as np
>>> from brainscore_granularity import rsa, stats
>>> truth, *noise = np.random.default_rng(0).normal(size=(5, 40, 60))
>>> subjects = np.stack([rsa.rdm(truth + n) for n in noise])
>>> model = rsa.rdm(truth)

How well could any model do?

>>> ceiling = stats.noise_ceiling(subjects)
>>> bool(ceiling.lower < rsa.compare(model, subjects[0]) < 1), ceiling.lower < ceiling.upper
(True, True)

How far would the score move with other stimuli?

>>> samples = stats.bootstrap(model, subjects[0], n=200, fraction=None)
>>> low, high = stats.interval(samples)
>>> low < rsa.compare(model, subjects[0]) < high
True

Is it above chance? With 999 shuffles the smallest p value is 1 / 1000.

>>> stats.permutation_test(model, subjects, n=999)
0.001

Which estimator to use when: docs/statistics.md. How each is calibrated: docs/calibration.md.
"""

from .ceiling import Ceiling, TwoSubjectsWarning, consistency, noise_ceiling, spearman_brown, split_half
from .estimates import Estimate
from .intervals import Interval, interval
from .layer_choice import (
    SPLITS,
    Choices,
    LayerChoice,
    choices,
    compare_choices,
    contrast_choices,
    cross_validate,
    halves,
    held_out,
    rdm_scorer,
)
from .margins import (
    Equivalence,
    equivalence,
    equivalence_margin,
    equivalence_of,
    equivalence_of_sides,
    equivalence_on_resamples,
)
from .overlaps import Overlaps, paired_variance, triplet_mean
from .paired import compare_models, contrasts, two_factor
from .permutation import MaxStatistic, max_statistic, permutation_test
from .resampling import bootstrap, jackknife, resamples
from .seeds import over_networks
from .triplet_scorer import TripletScorer

__all__ = [
    "SPLITS",
    "Ceiling",
    "Choices",
    "Equivalence",
    "Estimate",
    "Interval",
    "LayerChoice",
    "MaxStatistic",
    "Overlaps",
    "TripletScorer",
    "TwoSubjectsWarning",
    "bootstrap",
    "choices",
    "compare_choices",
    "compare_models",
    "consistency",
    "contrast_choices",
    "contrasts",
    "cross_validate",
    "equivalence",
    "equivalence_margin",
    "equivalence_of",
    "equivalence_of_sides",
    "equivalence_on_resamples",
    "halves",
    "held_out",
    "interval",
    "jackknife",
    "max_statistic",
    "noise_ceiling",
    "over_networks",
    "paired_variance",
    "permutation_test",
    "rdm_scorer",
    "resamples",
    "spearman_brown",
    "split_half",
    "triplet_mean",
    "two_factor",
]
