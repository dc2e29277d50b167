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

from brainscore_granularity.inference.bootstrap import bootstrap, jackknife, resamples
from brainscore_granularity.inference.ceiling import (
    Ceiling,
    TwoSubjectsWarning,
    consistency,
    noise_ceiling,
    spearman_brown,
    split_half,
)
from brainscore_granularity.inference.interval import Interval, interval
from brainscore_granularity.inference.multiple import fdr
from brainscore_granularity.inference.overlaps import Overlaps, paired_variance, triplet_mean
from brainscore_granularity.inference.paired import Estimate, compare_models, contrasts, two_factor
from brainscore_granularity.inference.permutation import MaxStatistic, max_statistic, permutation_test

__all__ = [
    "Ceiling",
    "Estimate",
    "Interval",
    "MaxStatistic",
    "Overlaps",
    "TwoSubjectsWarning",
    "bootstrap",
    "compare_models",
    "consistency",
    "contrasts",
    "fdr",
    "interval",
    "jackknife",
    "max_statistic",
    "noise_ceiling",
    "paired_variance",
    "permutation_test",
    "resamples",
    "spearman_brown",
    "split_half",
    "triplet_mean",
    "two_factor",
]
