"""How much of a neuroid's response is signal: split-half reliability and noise ceilings, from repeated presentations.

Split halves: the presentations of each stimulus are numbered in the order in which they happened; the mean of the odd
ones (first, third, ...) and the mean of the even ones give two response profiles over stimuli. Their Pearson
correlation r is the reliability of half of the data; the reliability of all data is (Spearman-Brown) ::

    reliability = 2 r / (1 + r)

With an odd number of presentations the halves are unequal and this is slightly too low, never too high.

Noise ceiling (Allen et al. 2022): with the variance of the noise, sigma_n^2 = mean over stimuli of the variance over
presentations (n - 1 in the denominator), and of the signal, sigma_s^2 = max(0, variance of all responses - sigma_n^2),
the ratio ncsnr = sigma_s / sigma_n gives the share of variance in means of n presentations that a model can explain ::

    nc = 100 ncsnr^2 / (ncsnr^2 + mean over stimuli of 1 / n)    percent
"""

from __future__ import annotations

import numpy as np


def split_half(odd: np.ndarray, even: np.ndarray) -> np.ndarray:
    """Reliability of each neuroid, (neuroids,); odd, even (stimuli, neuroids). NaN where a half does not vary."""
    if odd.shape != even.shape or odd.ndim != 2:
        raise ValueError(f"expected two halves (stimuli, neuroids) of one shape, got {odd.shape} and {even.shape}")
    if len(odd) < 3:
        return np.full(odd.shape[1], np.nan, np.float32)
    deviations = [half - half.mean(axis=0, dtype=np.float64) for half in (odd, even)]
    norms = [np.sqrt((d**2).sum(axis=0)) for d in deviations]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (deviations[0] * deviations[1]).sum(axis=0) / (norms[0] * norms[1])
        return (2 * r / (1 + r)).astype(np.float32)


def noise_ceiling(ncsnr: np.ndarray, presentations: np.ndarray) -> np.ndarray:
    """Percent of variance that can be explained, (neuroids,); presentations (stimuli,) averaged for each stimulus.

    A neuroid without an ncsnr (NaN) has a ceiling of 0.
    """
    squared = np.nan_to_num(np.asarray(ncsnr, np.float64)) ** 2
    return (100 * squared / (squared + np.mean(1 / np.asarray(presentations, np.float64)))).astype(np.float32)
