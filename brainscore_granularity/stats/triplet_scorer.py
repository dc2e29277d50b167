"""Accuracy of every layer on any part of the images of odd-one-out choices."""

from __future__ import annotations

import numpy as np

from .overlaps import Overlaps

TOGETHER = 1024  # choices at a time, so that their weights stay near the processor
HALVES = 16  # random halves within each half of the images, for the interval: they keep few choices


class TripletScorer:
    """A scorer for :func:`cross_validate`: of a half, only the choices among its own images count.

    Parameters
    ----------
    correct : (layers, choices)
        Probability with which each layer makes people's choice.
    triplets : (choices, 3) int, or Overlaps
        Images of each choice.
    images : int, optional
        Number of images; default those in ``triplets``.

    Examples
    --------
    >>> triplets = [[0, 1, 2], [1, 2, 3], [4, 5, 6], [6, 7, 8]]
    >>> scorer = TripletScorer([[1.0, 0.0, 1.0, 1.0]], triplets)
    >>> scorer(np.array([[1] * 9, [1] * 4 + [0] * 5])).tolist()
    [[0.75], [0.5]]
    """

    def __init__(self, correct, triplets, images: int | None = None):
        self.halves = HALVES
        self.correct = np.atleast_2d(np.asarray(correct, float))
        if not isinstance(triplets, Overlaps):
            triplets = Overlaps(triplets, 1 + int(np.max(triplets)) if images is None else images)
        self.overlaps = triplets
        if self.correct.shape[1] != len(triplets.rows):
            raise ValueError(
                f"correct: expected one column for each of {len(triplets.rows)} choices, got {self.correct.shape}"
            )

    def __call__(self, counts) -> np.ndarray:
        """Accuracies (resamples, layers), NaN where a resample has no choice.

        A choice counts as often as the product of its images' counts (resamples, images).
        """
        by_image = np.ascontiguousarray(np.asarray(counts).T, np.float32)  # products of counts are exact
        right, total = np.zeros((len(self.correct), len(counts))), np.zeros(len(counts))
        for start in range(0, len(self.overlaps.rows), TOGETHER):
            some = slice(start, start + TOGETHER)
            a, b, c = self.overlaps.rows[some].T
            weight = by_image[a] * by_image[b] * by_image[c]
            right += self.correct[:, some] @ weight
            total += weight.sum(axis=0, dtype=np.float64)
        return np.where(total > 0, right / np.where(total > 0, total, 1), np.nan).T

    def mixture(self, shares) -> np.ndarray:
        """(choices,) probability with which a mixture of the layers makes each choice; mixtures may be subtracted."""
        return shares @ self.correct

    def variance(self, mixture) -> float:
        """Variance of a mixture's accuracy over new images and choices."""
        return self.overlaps.variance(mixture)

    def surplus(self, mixture, n: int) -> np.ndarray:
        """(n,) values with the variance of what halves of the images count too often."""
        return self.overlaps.of_pairs(mixture, n)
