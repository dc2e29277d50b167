import numpy as np
import pytest
from scipy import stats

from brainscore_granularity.datasets.prepare.reliability import noise_ceiling, split_half
from brainscore_granularity.datasets.prepare.repeats import Repeats


def trials(rng, stimuli, repeats, neuroids, noise):
    """Responses with a known share of noise: (trials, neuroids), stimulus of each trial, and the signal."""
    signal = rng.normal(size=(stimuli, neuroids))
    order = rng.permutation(np.repeat(np.arange(stimuli), repeats))
    return signal[order] + noise * rng.normal(size=(len(order), neuroids)), order, signal


def collected(responses, order, stimuli, pieces=3):
    repeats = Repeats(np.arange(stimuli), responses.shape[1])
    for ids, values in zip(np.array_split(order, pieces), np.array_split(responses, pieces), strict=True):
        repeats.add(ids, values)
    return repeats


def test_split_half_is_spearman_brown_of_pearson():
    rng = np.random.default_rng(0)
    odd, even = rng.normal(size=(2, 40, 3)) + rng.normal(size=(40, 3))
    expected = [stats.pearsonr(odd[:, v], even[:, v])[0] for v in range(3)]
    assert np.allclose(split_half(odd, even), [2 * r / (1 + r) for r in expected], atol=1e-6)


def test_means_and_halves_follow_the_order_of_presentation():
    rng = np.random.default_rng(1)
    responses, order, _ = trials(rng, 20, 3, 4, noise=1)
    repeats = collected(responses, order, 20)
    rows = [np.flatnonzero(order == s) for s in range(20)]
    assert np.allclose(repeats.mean(), [responses[r].mean(axis=0) for r in rows], atol=1e-6)
    odd = np.array([responses[r[[0, 2]]].mean(axis=0) for r in rows])
    even = np.array([responses[r[1]] for r in rows])
    assert np.allclose(repeats.reliability(), split_half(odd, even), atol=1e-5)
    assert (repeats.counts == 3).all()


def test_reliability_is_the_squared_correlation_of_the_mean_with_the_signal():
    """Known answer: with signal variance 1 and noise variance 4, means of n = 4 have reliability 1 / (1 + 4 / n)."""
    responses, order, signal = trials(np.random.default_rng(2), 4000, 4, 6, noise=2)
    repeats = collected(responses, order, 4000)
    assert np.allclose(repeats.reliability(), 0.5, atol=0.04)
    achieved = [stats.pearsonr(repeats.mean()[:, v], signal[:, v])[0] ** 2 for v in range(6)]
    assert np.allclose(achieved, 0.5, atol=0.04)
    assert np.allclose(repeats.ncsnr(), 0.5, atol=0.04)
    assert np.allclose(noise_ceiling(repeats.ncsnr(), repeats.counts), 50, atol=4)


def test_ncsnr_with_unequal_repetitions():
    rng = np.random.default_rng(3)
    signal = rng.normal(size=(3000, 2))
    order = rng.permutation(np.repeat(np.arange(3000), rng.choice([2, 4, 8], 3000)))
    repeats = collected(signal[order] + rng.normal(size=(len(order), 2)) * [0.5, 3], order, 3000)
    assert np.allclose(repeats.ncsnr(), [2, 1 / 3], rtol=0.08)


def test_noise_ceiling_equation():
    assert np.allclose(noise_ceiling([0, 1, 2, np.nan], [3, 3]), [0, 75, 100 * 4 / (4 + 1 / 3), 0])
    assert np.allclose(noise_ceiling([1], [1, 2]), 100 / (1 + 0.75))


def test_pure_noise_has_no_reliability():
    rng = np.random.default_rng(4)
    order = rng.permutation(np.repeat(np.arange(2000), 2))
    repeats = collected(rng.normal(size=(4000, 20)), order, 2000)
    assert np.abs(repeats.reliability()).max() < 0.15
    assert repeats.ncsnr().max() < 0.3


def test_what_is_undefined_is_nan_or_an_error():
    constant = np.ones((5, 2))
    assert np.isnan(split_half(constant, constant)).all()
    assert np.isnan(split_half(constant[:2], constant[:2])).all()
    with pytest.raises(ValueError, match=r"\(5, 2\) and \(4, 2\)"):
        split_half(constant, constant[:4])
    with pytest.raises(ValueError, match="1 stimuli were never shown, such as 1"):
        collected(np.ones((2, 1)), np.zeros(2, int), 2).mean()
