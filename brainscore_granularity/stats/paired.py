"""Stimuli and subjects as random factors, and the comparison of two models."""

from __future__ import annotations

import numpy as np

from .checks import stack
from .estimates import Estimate, estimate
from .resampling import resamples, scores_on

FACTORS = ("stimuli", "subjects", "both")


def two_factor(
    a,
    b,
    n: int = 1000,
    seed: int = 0,
    *,
    factor: str = "both",
    level: float = 0.95,
    method: str = "spearman",
    correction: str = "pairs",
) -> Estimate:
    """Mean score over subjects, with the error that new stimuli, new subjects, or both would bring.

    Two surpluses have to come off the naive variances. Resampling stimuli and subjects together counts what
    is particular to a stimulus in a subject three times; Schuett et al. (2023, eLife 12:e82566) remove it
    by

    .. math:: \\sigma^2 = 2 (\\sigma^2_{stimuli} + \\sigma^2_{subjects}) - \\sigma^2_{both},

    which is ``correction="schuett"`` (here with the unbiased variance over subjects). But the bootstrap
    over stimuli also counts three times what is particular to a *pair* of stimuli, since each entry of an
    RDM is weighted by two counts, and the jackknife counts it twice. With bootstrap and jackknife variances
    B and J of the mean score, and b and j of the stimulus-by-subject part, ``correction="pairs"`` takes

    .. math:: \\sigma^2_{stimuli} = 2J - B, \\quad \\sigma^2_{interaction} = 2j - b, \\quad
              \\sigma^2 = \\sigma^2_{stimuli} + \\sigma^2_{subjects} - \\sigma^2_{interaction},

    the same where pairs bring nothing of their own. The interval is value +- t error with degrees of
    freedom after Satterthwaite (1946).

    Parameters
    ----------
    a : (n, n)
        RDM of the model.
    b : (subjects, n, n)
        RDMs of the subjects.
    n : int
        Number of resamples, with replacement.
    factor : {"stimuli", "subjects", "both"}
        What the claim is meant to generalise to.
    level : float
        Coverage of the interval.
    method : {"spearman", "pearson", "cosine"}
    correction : {"pairs", "schuett"}
        See above.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> import numpy as np
    >>> truth, *noise = np.random.default_rng(0).normal(size=(7, 30, 40))
    >>> subjects = [np.corrcoef(truth + n) for n in noise]
    >>> result = two_factor(np.corrcoef(truth), subjects, n=200)
    >>> result.low < result.value < result.high
    True
    """
    a, b = stack(a, "a"), stack(b, "b", np.shape(a)[-1])
    if len(a) != 1:
        raise ValueError(f"a: expected one RDM (n, n), got {a.shape}; compare two with compare_models")
    return _estimates(a, b, np.ones((1, 1)), n, seed, factor, level, method, correction)[0]


def compare_models(
    a1,
    a2,
    b,
    n: int = 1000,
    seed: int = 0,
    *,
    factor: str | None = None,
    level: float = 0.95,
    method: str = "spearman",
    correction: str = "pairs",
) -> Estimate:
    """Difference between two models' scores, on the same resamples.

    Parameters
    ----------
    a1, a2 : (n, n)
        RDMs of the models; the value is score(a1) - score(a2).
    b : (n, n) or (subjects, n, n)
        RDMs of the subjects; scores are averaged over them.
    factor : {"stimuli", "subjects", "both"}, optional
        As in :func:`two_factor`. Default: "stimuli" for one subject, "both" for several.

    Returns
    -------
    Estimate
        p is two-sided, for the hypothesis of no difference.

    Examples
    --------
    >>> import numpy as np
    >>> x, y, *noise = np.random.default_rng(0).normal(size=(7, 30, 40))
    >>> subjects = [np.corrcoef(x + n) for n in noise]
    >>> compare_models(np.corrcoef(x), np.corrcoef(y), subjects, n=200).p < 0.05
    True
    """
    a = np.concatenate([stack(a1, "a1"), stack(a2, "a2", np.shape(a1)[-1])])
    if len(a) != 2:
        raise ValueError(f"a1, a2: expected one RDM each (n, n), got {np.shape(a1)} and {np.shape(a2)}")
    b = stack(b, "b", a.shape[1])
    factor = factor or ("both" if len(b) > 1 else "stimuli")
    return _estimates(a, b, np.array([[1.0, -1.0]]), n, seed, factor, level, method, correction)[0]


def contrasts(
    a,
    weights,
    b,
    n: int = 1000,
    seed: int = 0,
    *,
    factor: str = "stimuli",
    level: float = 0.95,
    method: str = "spearman",
    correction: str = "pairs",
) -> list[Estimate]:
    """Weighted sums of several models' scores, all on the same resamples: means of groups, and their differences.

    Parameters
    ----------
    a : (models, n, n)
        RDMs of the models.
    weights : (contrasts, models)
        One sum a row, such as 1/2, 1/2, -1/2, -1/2 for two networks against two others.
    b : (n, n) or (subjects, n, n)
        RDMs of the subjects; scores are averaged over them.
    factor, level, method, correction
        As in :func:`two_factor`.

    Returns
    -------
    list of Estimate
        One a row of ``weights``; p is two-sided, against 0.

    Examples
    --------
    >>> import numpy as np
    >>> x, y, *noise = np.random.default_rng(0).normal(size=(7, 30, 40))
    >>> subjects = [np.corrcoef(x + n) for n in noise]
    >>> one, difference = contrasts([np.corrcoef(x), np.corrcoef(y)], [[1, 0], [1, -1]], subjects, n=200)
    >>> one.value > 0, difference.p < 0.05
    (True, True)
    """
    a = stack(a, "a")
    b = stack(b, "b", a.shape[1])
    weights = np.atleast_2d(np.asarray(weights, np.float64))
    if weights.ndim != 2 or weights.shape[1] != len(a):
        raise ValueError(f"weights: expected (contrasts, {len(a)}), one number a model, got {weights.shape}")
    return _estimates(a, b, weights, n, seed, factor, level, method, correction)


def _estimates(a, b, weights, n, seed, factor, level, method, correction) -> list[Estimate]:
    if factor not in FACTORS:
        raise ValueError(f"factor: expected one of {', '.join(FACTORS)}, got {factor!r}")
    if correction not in ("pairs", "schuett"):
        raise ValueError(f"correction: expected 'pairs' or 'schuett', got {correction!r}")
    subjects, images = len(b), a.shape[1]
    if factor != "stimuli" and subjects < 2:
        raise ValueError(f"factor={factor!r} needs at least 2 subjects, got {subjects}; use factor='stimuli'")
    whole = scores_on(a, b, np.ones((1, images), np.int32), method)  # (resamples, models, subjects), here one
    drawn = one_out = None
    if factor != "subjects":
        drawn = scores_on(a, b, resamples(images, n, None, seed), method)
        one_out = scores_on(a, b, 1 - np.eye(images, dtype=np.int32), method) if correction == "pairs" else None
    return [
        estimate(_summed(row, whole), _summed(row, drawn), _summed(row, one_out), images, seed, factor, level)
        for row in weights
    ]


def _summed(contrast, scores: np.ndarray | None) -> np.ndarray | None:
    """(resamples, subjects): weighted sum over models, of the resamples in which all are defined."""
    if scores is None:
        return None
    used = contrast != 0
    out = np.einsum("m,rms->rs", contrast[used], scores[:, used])
    return out[np.isfinite(out).all(axis=1)]
