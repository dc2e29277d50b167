"""Means over triplets of images, such as odd-one-out accuracy: how far they would move with other images.

Triplets that share images are not independent. With x_t the value of triplet t (right or wrong, or the
difference of two models), images drawn at random and triplets drawn without looking at them, the effects of
images (a), of pairs (b) and of the triplet itself (c, with the noise of the choice) are uncorrelated
(Hoeffding 1948):

.. math:: x_t = \\mu + \\sum_{i \\in t} a_i + \\sum_{ij \\subset t} b_{ij} + c_t .

So the covariance of two triplets depends on how many images they share, and is 0 where they share none. The
variance of the mean over T triplets is the sum of these covariances over the ordered pairs (t, u) of triplets
that share 1, 2 or 3 images, each pair counted once, divided by T^2.

**An unbiased estimate.** Put the residual r_t = x_t - mean for x_t and sum it for every image, pair and
triplet of images:

.. math:: S_1 = \\sum_i \\Big(\\sum_{t \\ni i} r_t\\Big)^2, \\quad
          S_2 = \\sum_{ij} \\Big(\\sum_{t \\supset ij} r_t\\Big)^2, \\quad
          S_3 = \\sum_{ijk} \\Big(\\sum_{t = ijk} r_t\\Big)^2 .

Two triplets that share s images meet s times in S_1, s(s - 1)/2 times in S_2 and once in S_3 where s = 3:

=======  ===  ===  ===  =================  =================
shared   S_1  S_2  S_3  S_1 - S_2 + S_3    S_1 + S_2 + S_3
=======  ===  ===  ===  =================  =================
1        1    0    0    1                  1
2        2    1    0    1                  3
3        3    3    1    1                  7
=======  ===  ===  ===  =================  =================

The column before the last is what is wanted, by inclusion and exclusion. The last is the variance under a
bootstrap of images that weights a triplet by the product of its three counts (which have variance 1): it
counts what is particular to a pair three times and the noise of a triplet seven times, and the jackknife
(S_1) counts them two and three times. Since residuals are taken from the mean, every product is low by the
variance V that is sought, so that the estimate's expectation is V (1 - q), q being the share of all ordered
pairs of triplets that share an image, exactly so where every triplet meets equally many others:

.. math:: \\hat V = \\frac{S_1 - S_2 + S_3}{T^2 (1 - q)} .

It varies, and can be negative. S_2 counts three times what would be there if all triplets were independent;
a quarter of it is the least that is accepted (a third would make intervals too wide where images do not
matter).

**Differences from what scores keep.** Scores keep one value for each of some resamples, on the same random
weights for all models, so that a difference can be paired without the models. No such values can have the
variance V for every model: the variance of any values that are linear in x is a positive semidefinite form,
and the form of V has negative eigenvalues as soon as there are more triplets than images (it is S_1, which has
no more non-zero eigenvalues than there are images, less twice the identity, but for pairs of images that
meet again). So two lines are kept: values with variance S_1 / (T^2 (1 - q)), which are those of the images'
counts m_i in a bootstrap, sum_i (m_i - 1) sum_t r_t, and their *surplus*, with two thirds of S_2 in the place
of S_1, from random signs e_i: sum_ij e_i e_j sum_t r_t. The variance of a difference is that of the first
less that of the second. The noise of triplets is then counted 3 - 2 = 1 times, images 1 times, and what is
particular to a pair of images that several triplets share 2 - 2/3 = 4/3 times, which is the price for two
lines in the place of three; it widens intervals where pairs of images matter, images do not, and all pairs
were judged many times, by at most 15%. Two lines of 400 values know a variance to a quarter of it where
images do not matter, less well than V itself is known, so a third of S_2 is the least here.

Standard errors from such sums for pairs: Aronow, Samii & Assenova (2015, Political Analysis 23:564).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from .estimates import Estimate, with_student
from .resampling import resamples

LEAST = 1 / 4  # least variance that is accepted, as a share of S_2
LEAST_PAIRED = 1 / 3  # the same where the variance is known from two lines
MOST_SHARED = 0.9  # largest share q that is accepted; with 18 images q is 0.44
SURPLUS = 2 / 3  # variance of the second line, as a share of S_2


class Overlaps:
    """Which triplets share images, the same for all models.

    Parameters
    ----------
    triplets : (t, 3) int
        Images of each triplet, from 0; the order within a triplet does not matter.
    images : int
        Number of images.

    Examples
    --------
    >>> design = Overlaps([[0, 1, 2], [3, 1, 2], [3, 4, 5], [6, 7, 8]], 9)
    >>> float(design.shared * 16)  # each with itself, 0 with 1 and 1 with 2, in both orders
    8.0
    """

    def __init__(self, triplets, images: int):
        rows = np.asarray(triplets)
        if rows.ndim != 2 or rows.shape[1] != 3 or rows.dtype.kind not in "iu" or len(rows) < 2:
            raise ValueError(f"triplets: expected integers (t, 3), at least 2 rows, got {rows.dtype} {rows.shape}")
        if not (0 <= rows.min() and rows.max() < images):
            raise ValueError(f"triplets: expected images from 0 to {images - 1}, got {rows.min()} to {rows.max()}")
        rows = np.sort(rows.astype(np.int64), axis=1)
        if (rows[:, :2] == rows[:, 1:]).any():
            raise ValueError("triplets: expected three different images in each, got an image twice")
        self.rows, self.images, (a, b, c) = rows, images, rows.T
        keys, pair = np.unique(np.stack([a * images + b, a * images + c, b * images + c]), return_inverse=True)
        self.pairs, self.pair_rows = np.divmod(keys, images), pair.reshape(3, -1)  # images of each; rows of the three
        self._triplet = np.unique((a * images + b) * images + c, return_inverse=True)[1].reshape(-1)
        ones = self.sums(np.ones(len(rows)))
        self.shared = float(_alternating(ones)) / len(rows) ** 2
        """Share q of the ordered pairs of triplets that share an image."""
        if self.shared > MOST_SHARED:
            raise ValueError(
                f"triplets: {self.shared:.0%} of their pairs share an image, expected at most {MOST_SHARED:.0%}: "
                f"{images} images are too few to tell how far the score would move with others; use at least 8"
            )

    def sums(self, values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (t,) summed for each image, each pair and each triplet of images."""
        return (
            np.bincount(self.rows.T.reshape(-1), np.tile(values, 3), self.images),
            np.bincount(self.pair_rows.reshape(-1), np.tile(values, 3)),
            np.bincount(self._triplet, values),
        )

    def scaled(self, values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sums of the residuals whose squares add to S_1, S_2 and S_3, each divided by T^2 (1 - q)."""
        values = np.asarray(values, np.float64)
        if values.shape != (len(self.rows),):
            raise ValueError(f"values: expected one for each of {len(self.rows)} triplets, got {values.shape}")
        return self.sums((values - values.mean()) / (len(values) * np.sqrt(1 - self.shared)))

    def variance(self, values) -> float:
        """Variance of the mean of values (t,) over new images, as derived above."""
        parts = self.scaled(values)
        return float(max(_alternating(parts), LEAST * parts[1] @ parts[1]))

    def resampled(self, values, n: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Two lines (n,) from which :func:`paired_variance` knows the error of a difference to another score.

        The counts of the images are those of ``resamples(images, n, None, seed)``, as for RSA.
        """
        by_image, _, _ = self.scaled(values)
        counts = resamples(self.images, n, None, seed)
        return np.mean(values) + (counts - 1) @ by_image, np.sqrt(SURPLUS) * self.of_pairs(values, n, seed)

    def of_pairs(self, values, n: int, seed: int = 0) -> np.ndarray:
        """(n,) values of variance S_2 / (T^2 (1 - q)), linear in ``values``: sums over pairs with random signs."""
        _, by_pair, _ = self.scaled(values)
        signs = np.random.default_rng([seed, 1]).choice([-1.0, 1.0], (self.images, n))
        upper = csr_array((by_pair, tuple(self.pairs)), (self.images, self.images))
        return np.einsum("ir,ir->r", signs, upper @ signs)


def _alternating(parts) -> float:
    one, two, three = (part @ part for part in parts)
    return one - two + three


def paired_variance(a, b=0.0) -> float:
    """Variance over images of the difference of two scores, from the lines (2, n) that each keeps.

    The variance of the second line is subtracted from that of the first; at least half of it is what remains.

    >>> rng = np.random.default_rng(0)
    >>> rows = np.stack([rng.permutation(500)[:3] for _ in range(2000)])
    >>> easy, design = rng.random(500) < 0.6, Overlaps(rows, 500)
    >>> right = easy[rows].sum(axis=1) > 1
    >>> kept = np.stack(design.resampled(right, 20_000))
    >>> bool(0.9 < paired_variance(kept) / design.variance(right) < 1.1)
    True
    """
    spread, surplus = np.var(np.asarray(a) - b, axis=1, ddof=1)
    return float(max(spread - surplus, LEAST_PAIRED / SURPLUS * surplus))


def triplet_mean(values, triplets, images: int | None = None, *, level: float = 0.95, null: float = 0.0) -> Estimate:
    """Mean over triplets, with the error that new images and new choices would bring.

    Parameters
    ----------
    values : (t,)
        For each triplet: whether a model is right, as from :func:`triplets.choice_probabilities`; or the
        difference between two models.
    triplets : (t, 3) int, or Overlaps
        Images of each triplet, from 0.
    images : int, optional
        Number of images; default those in ``triplets``.
    level : float
        Coverage of the interval.
    null : float
        What p tests against: 1/3 for accuracy, 0 for a difference.

    Returns
    -------
    Estimate
        The interval is value +- t error, with one degree of freedom less than there are images.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = np.stack([rng.permutation(300)[:3] for _ in range(1000)])
    >>> found = triplet_mean(rng.random(1000) < 0.6, rows, null=1 / 3)
    >>> bool(found.low < 0.6 < found.high), found.p < 0.001
    (True, True)
    """
    if not isinstance(triplets, Overlaps):
        triplets = Overlaps(triplets, 1 + int(np.max(triplets)) if images is None else images)
    return with_student(float(np.mean(values)), triplets.variance(values), triplets.images - 1, level, null)
