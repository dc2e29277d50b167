"""How far the score of a chosen layer would move with other images.

The score is that of a procedure: choose the layer on one half of the images, score it on the other. To see how far it
moves, choice included, the whole procedure is run on a random half A of the images and on the half B that is left over,
many times. On half of the images a score has twice the variance, and A and B share no image, so that

.. math:: H = \\tfrac14 \\langle (\\mathrm{cv}(A) - \\mathrm{cv}(B))^2 \\rangle

is its variance on all images, with two exceptions. A and B are halved at random in turn, only a few times; what that
adds is known from its spread and is subtracted. And half of the images have a quarter of the pairs of images and an
eighth of the triplets, so that what is particular to a pair counts twice in H, and what is particular to a triplet four
times. For a mixture of the layers, in the shares in which they were chosen, the right variance V is known, with
everything counted once. Let F be H of that mixture. The variance of the procedure is taken to be

.. math:: V + \\max(H - F, 0),

that of the mixture and what choosing anew adds to it. The second part is measured on half of the images, where layers
are harder to tell apart than on all; on simulated worlds the sum is right to about a fifth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .estimates import over_stimuli_at_least
from .resampling import resamples

RESAMPLES = 400  # for V
HALVES = 8  # random halves of A, and of B
LARGE, HALVES_OF_LARGE = 1000, 4  # fewer where there are many images, since a score then takes long


class OfPairs:
    """A scorer of what belongs to pairs of images, such as the entries of RDMs, that knows the variance of a mixture.

    Parameters
    ----------
    scores : counts (resamples, images) -> (resamples, layers).
    images : how many.
    """

    def __init__(self, scores: Callable, images: int, seed: int = 0):
        self.scores, self.images = scores, images
        self.halves = HALVES_OF_LARGE if images >= LARGE else HALVES
        self.counts = resamples(images, RESAMPLES, None, seed)

    def __call__(self, counts) -> np.ndarray:
        return self.scores(counts)

    def mixture(self, shares) -> np.ndarray:
        """Scores of a mixture of layers on resamples, and with one image left out; mixtures may be subtracted."""
        used = shares > 0
        rows = np.concatenate([self.counts, 1 - np.eye(self.images, dtype=np.int32)])
        return self.scores(rows)[:, used] @ shares[used]

    def variance(self, mixture) -> float:
        """Variance V of a mixture's score over new images."""
        drawn, one_out = np.split(mixture, [RESAMPLES])
        return over_stimuli_at_least(drawn[np.isfinite(drawn)], one_out)

    def surplus(self, mixture, n: int) -> np.ndarray:
        """(n,) values with the variance of what is particular to pairs, which H counts once too often.

        A bootstrap counts it three times and a jackknife twice: these are the resamples' scores less what the single
        images, by the jackknife, add up to.
        """
        drawn, one_out = np.split(mixture, [RESAMPLES])
        own = (self.images - 1) / self.images * (one_out.mean() - one_out)  # of each image
        return np.nan_to_num(drawn - np.nanmean(drawn) - (self.counts - 1) @ own)[:n]


class Draws(NamedTuple):
    """Scores of the procedure that an estimate is made of; those of models on the same images may be added."""

    held_out: np.ndarray  # (splits,) on halves of all images
    apart: np.ndarray  # (pairs, halves) half of cv(A) - cv(B)
    of_mixture: np.ndarray  # (pairs,) the same for the mixture of layers
    mixture: np.ndarray  # see `OfPairs`
    chosen: np.ndarray  # (layers,) share of the choices


def summed(draws: Sequence[Draws], weights) -> Draws:
    """Weighted sum of several models' draws on the same images; the shares are those of the first that has a weight."""
    weighted = [(weight, one) for weight, one in zip(weights, draws, strict=True) if weight]
    names = ("held_out", "apart", "of_mixture", "mixture")
    parts = {name: sum(weight * getattr(one, name) for weight, one in weighted) for name in names}
    return Draws(**parts, chosen=weighted[0][1].chosen)


def quarters(images: int, pairs: int, halves: int, seed: int = 0) -> np.ndarray:
    """Random halves A and B, each halved again: (pairs, halves, 4, images) bool.

    The first two of the four are the halves of A, the last two those of B. A and B are the same for all ``halves`` of a
    pair.

    >>> found = quarters(14, 2, 3)
    >>> found.sum(axis=3)[0, 0].tolist(), bool((found.sum(axis=2) == 1).all())
    ([3, 4, 3, 4], True)
    """
    rng = np.random.default_rng([seed, 3])
    first = rng.permuted(np.tile(np.arange(images) < images // 2, (pairs, 1)), axis=1)
    order = (rng.random((pairs, halves, images)) + ~first[:, None]).argsort(axis=2)  # A first, within it at random
    a, rest = images // 2, images - images // 2
    which = np.repeat(np.arange(4), [a // 2, a - a // 2, rest // 2, rest - rest // 2])
    label = np.empty(order.shape, int)
    np.put_along_axis(label, order, np.broadcast_to(which, order.shape), axis=2)
    return label[:, :, None] == np.arange(4)[:, None]


def variance(apart: np.ndarray, of_mixture: np.ndarray, once: float) -> float:
    """Variance of the procedure's score over new images, as above.

    apart (pairs, halves), of_mixture (pairs,) : as in `Draws`; once : V.

    >>> apart = np.array([[2.0, 2.0], [-2.0, -2.0]])  # H is 4, the halves within add nothing
    >>> variance(apart, np.array([1.0, -1.0]), once=0.5)
    3.5
    """
    within = apart.var(axis=1, ddof=1).mean() / apart.shape[1]
    choice = np.mean(apart.mean(axis=1) ** 2) - within - np.nanmean(of_mixture**2)
    return float(once + max(choice, 0.0))


def within_halves(apart: np.ndarray) -> np.ndarray:
    """(pairs,) values with the variance that the few halves of each pair add to the mean over them."""
    return (apart[:, ::2].mean(axis=1) - apart[:, 1::2].mean(axis=1)) / 2
