"""Accuracy of every layer on resamples of the images of odd-one-out choices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TOGETHER = 1024  # choices at a time, so that their weights stay near the processor


def triplet_scorer(correct, triplets) -> tuple[Callable, Callable]:
    """A scorer for :func:`cross_validate`, and the variance that the noise of single choices brings.

    A choice counts as often as the product of its images' counts: of a half, only choices among its own images do.

    Parameters
    ----------
    correct : (layers, choices)
        Probability with which each layer makes people's choice.
    triplets : (choices, 3) int
        Images of each choice.

    Returns
    -------
    counts (resamples, images) -> accuracies (resamples, layers), NaN where a resample has no choice;
    shares (layers,) -> variance of the accuracy of that mixture of layers by single choices.

    Examples
    --------
    >>> scorer, noise = triplet_scorer([[1.0, 0.0]], [[0, 1, 2], [1, 2, 3]])
    >>> scorer(np.array([[1, 1, 1, 1], [2, 1, 1, 1]])).round(3).tolist(), noise(np.ones(1))
    ([[0.5], [0.667]], 0.125)
    """
    correct, triplets = np.atleast_2d(np.asarray(correct, float)), np.asarray(triplets)

    def scorer(counts):
        by_image = np.ascontiguousarray(np.asarray(counts).T, np.float32)  # products of counts are exact
        right, total = np.zeros((len(correct), len(counts))), np.zeros(len(counts))
        for start in range(0, len(triplets), TOGETHER):
            some = slice(start, start + TOGETHER)
            a, b, c = triplets[some].T
            weight = by_image[a] * by_image[b] * by_image[c]
            right += correct[:, some] @ weight
            total += weight.sum(axis=0, dtype=np.float64)
        return np.where(total > 0, right / np.where(total > 0, total, 1), np.nan).T

    return scorer, lambda shares: float((shares @ correct).var() / len(triplets))
