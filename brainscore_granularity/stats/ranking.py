"""Spearman correlations of two sets of RDMs on many resamples of the stimuli: exact, without sorting again.

A resample gives every image a count: 0 or 1 in a subsample, 0, 1, 2, ... in a bootstrap with replacement.
The pair of images i and j then stands in the resampled RDM w = m_i m_j times. Order does not change when
entries are dropped or repeated, so each RDM is sorted once; its average ranks in a resample are running
sums of w along that order. For the tie group g with W_g entries, C_g of them before it and N entries in
all, the doubled, centred rank d and the correlation are

.. math:: d = 2 C_g + W_g - N, \\qquad
          \\rho = \\frac{3 \\sum w\\, d^a d^b}{\\sqrt{(N^3 - \\sum_g W_{ga}^3)(N^3 - \\sum_g W_{gb}^3)}}.

These are the numbers that ``scipy.stats.spearmanr`` gives on the resampled entries; ties share their
average rank.

Why numba: the work is one pass of running sums along a sorted order and one gather a pair, with nothing for
BLAS to do. Measured for 1,000 images on two cores, one resample takes about 1 ms with numba (`kernels`), 25
ms with numpy (which stays as the fallback where numba is missing), 30 ms with torch (cumulative sums over
16 resamples at a time), and 100 ms with scipy, which sorts again.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from brainscore_granularity.threads import cores, in_threads

TABLE_BYTES = 1 << 30  # limit for the rank tables of all threads together


class Sorted(NamedTuple):
    """The pairs of one RDM in the order of its entries."""

    rows: np.ndarray  # (m,) first image of each pair
    columns: np.ndarray  # (m,) second image
    order: np.ndarray  # (m,) number of the pair
    starts: np.ndarray  # (groups + 1,) where tie groups start


@cache
def have_numba() -> bool:
    """Whether numba can be imported."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def scores(a, b, counts, *, use_numba: bool | None = None) -> np.ndarray:
    """Spearman correlation of every model with every subject on every resample.

    Parameters
    ----------
    a : (models, n, n)
        RDMs; only the upper triangle is read.
    b : (subjects, n, n)
        RDMs.
    counts : (resamples, n) int
        How often each image stands in each resample. Pairs of an image with itself are left out.
    use_numba : bool, optional
        Default: where numba is installed.

    Returns
    -------
    (resamples, models, subjects) float64
        NaN where a resample leaves an RDM constant.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import spearmanr
    >>> a, b = np.random.default_rng(0).integers(0, 5, size=(2, 6, 6))
    >>> keep, (i, j) = np.array([0, 2, 3, 5]), np.triu_indices(4, 1)
    >>> direct = spearmanr(a[keep[i], keep[j]], b[keep[i], keep[j]])[0]
    >>> np.allclose(scores([a], [b], [[1, 0, 1, 1, 0, 1]]), direct)
    True
    """
    a, b, counts = np.asarray(a), np.asarray(b), np.asarray(counts, np.int32)
    rows, columns = np.triu_indices(counts.shape[1], 1)
    # Pairs are numbered along the order of the first b, so that its ranks are written from front to back.
    number = np.argsort(b[0][rows, columns])
    rows, columns = rows[number], columns[number]
    a_sorted = in_threads(lambda x: _sort(x, rows, columns), a)
    b_sorted = in_threads(lambda x: _sort(x, rows, columns), b)
    if have_numba() if use_numba is None else use_numba:
        return _with_numba(a_sorted, b_sorted, counts)
    return np.stack([_with_numpy(a_sorted, b_sorted, m) for m in counts])


def _sort(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Sorted:
    order = np.argsort(x[rows, columns])
    ordered = x[rows[order], columns[order]]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    return Sorted(*(v.astype(np.uint32) for v in (rows[order], columns[order], order, starts)))


def _pairs(counts: np.ndarray, power: int) -> np.ndarray:
    """Sum over pairs of w^power, w = m_i m_j: (resamples,)."""
    m = counts.astype(np.float64) ** power
    return (m.sum(axis=1) ** 2 - (m**2).sum(axis=1)) / 2


def _rho(product, total, ties_a, ties_b) -> np.ndarray:
    """Correlations from sums of products of doubled, centred ranks; NaN where an RDM is constant."""
    cube = total**3
    left, right = (cube - ties_a) / 3, (cube - ties_b) / 3
    # Spreads of RDMs that are not constant are at least N^2; what is far below that is the rounding of zero.
    floor = np.maximum(0.5, 1e-12 * cube)
    defined = (left > floor) & (right > floor)
    return np.where(defined, product / np.sqrt(np.where(defined, left * right, 1)), np.nan)


def _with_numba(a_sorted, b_sorted, counts) -> np.ndarray:
    from . import kernels

    lanes, pairs = kernels.LANES, len(a_sorted[0].order)
    total, singles = _pairs(counts, 1), _pairs(counts, 3)
    together = max(1, min(len(b_sorted), TABLE_BYTES // (pairs * lanes * 4)))  # subjects that share a table
    workers = max(1, min(cores(), TABLE_BYTES // (pairs * lanes * 4 * together)))

    out = np.empty((len(counts), len(a_sorted), len(b_sorted)))

    def work(worker):
        tables = np.empty((pairs, together, lanes), np.int32)
        for start in range(worker * lanes, len(counts), workers * lanes):
            some = slice(start, start + lanes)
            size = len(counts[some])
            w = np.ones((counts.shape[1], lanes), np.int32)  # idle lanes repeat the full sample
            w[:, :size] = counts[some].T
            n = np.full(lanes, pairs, np.int32)
            n[:size] = total[some]
            product = np.zeros((len(a_sorted), len(b_sorted), lanes))
            ties_a, ties_b = np.zeros((len(a_sorted), lanes)), np.zeros((len(b_sorted), lanes))
            for first in range(0, len(b_sorted), together):
                group = slice(first, first + together)
                for s, x in enumerate(b_sorted[group]):
                    kernels.rank_pairs(*x, w, n, tables[:, s], ties_b[first + s])
                for k, x in enumerate(a_sorted):
                    ties_a[k] = 0
                    table = tables[:, : len(b_sorted[group])]
                    kernels.multiply_ranks(*x, w, n, table, product[k, group], ties_a[k])
            ties_a, ties_b = ties_a[:, :size] + singles[some], ties_b[:, :size] + singles[some]
            rho = _rho(product[..., :size], total[some], ties_a[:, None], ties_b)
            out[some] = np.moveaxis(rho, -1, 0)

    in_threads(work, range(workers), workers)
    return out


def _with_numpy(a_sorted, b_sorted, m) -> np.ndarray:
    """The same for one resample with numpy alone: (models, subjects)."""
    n = _pairs(m[None], 1)[0]

    def centred(x: Sorted):
        w = m[x.rows] * m[x.columns]
        ends = np.r_[0, np.cumsum(w)][x.starts]
        d = np.empty((2, len(w)))
        d[0, x.order] = np.repeat(ends[1:] + ends[:-1] - n, np.diff(x.starts))
        d[1, x.order] = w
        return *d, (np.diff(ends).astype(float) ** 3).sum()

    a, (w, *_), ties_a = zip(*map(centred, a_sorted), strict=True)
    b, _, ties_b = zip(*map(centred, b_sorted), strict=True)
    return _rho((np.stack(a) * w) @ np.stack(b).T, n, np.array(ties_a)[:, None], np.array(ties_b))
