"""Two one-sided tests: is one condition as good as another, within a margin that was fixed beforehand?

No difference found is not the same as no difference. "As well as" is a claim of its own: that the difference d lies
within a margin m, and it is made only where both of

.. math:: H_1: d \\le -m, \\qquad H_2: d \\ge m

are rejected (Schuirmann 1987). The margin is a share of what learning brings, native minus untrained with fitted
statistics, so that it means the same on every benchmark. This difference is estimated as well: with ``scale`` the
tests are made on d + share * scale and d - share * scale, whose errors hold both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from .estimates import ROUNDING, Estimate

EQUIVALENT, DIFFERENT, BOTH, UNDECIDED = "equivalent", "different", "both: different but within the margin", "undecided"


class Equivalence(NamedTuple):
    """A difference, what is known of it, and what may be said.

    low_90, high_90 : the interval that lies within the margin where a fixed margin passes.
    p : of "the difference is the margin or more".
    p_different : two-sided, of no difference.
    """

    difference: float
    margin: float
    low_90: float
    high_90: float
    low_95: float
    high_95: float
    p: float
    p_different: float
    verdict: str

    def sentence(self, first: str = "the first", second: str = "the second") -> str:
        """What may be said; "as well as" only where the tests pass."""
        known = (
            f"difference {self.difference:+.3f}, 90% interval {self.low_90:+.3f} to {self.high_90:+.3f}, margin "
            f"{self.margin:.3f}, p of equivalence {self.p:.3f}"
        )
        if self.verdict == EQUIVALENT:
            return f"{first} scores as well as {second} ({known})."
        better = "higher" if self.difference > 0 else "lower"
        if self.verdict == BOTH:
            return f"{first} scores {better} than {second}, and as well as it within the margin ({known})."
        if self.verdict == DIFFERENT:
            return f"{first} scores {better} than {second} ({known})."
        return (
            f"Whether {first} scores as well as {second} is not decided ({known}); excluded is that it is more than "
            f"{max(0.0, -self.low_95):.3f} lower or more than {max(0.0, self.high_95):.3f} higher (95%)."
        )


def equivalence_margin(share: float, native: float, untrained: float) -> float:
    """The margin in units of the score: a share of what learning brings.

    Parameters
    ----------
    share : float
        Fixed before the scores are seen, such as 0.25.
    native, untrained : float
        Scores of native training and of the same networks untrained, with fitted statistics.

    Examples
    --------
    >>> round(equivalence_margin(0.25, native=0.19, untrained=0.11), 3)
    0.02
    """
    _check_share(share)
    if not native > untrained:
        raise ValueError(
            f"native: expected a score above the untrained {untrained:.3f}, got {native:.3f}; where learning brings "
            "nothing a share of it is no margin. Give a margin in units of the score"
        )
    return share * (native - untrained)


def equivalence_of(estimate: Estimate, width: float, alpha: float = 0.05) -> Equivalence:
    """Equivalence, from a difference with its standard error and degrees of freedom.

    As `compare_models`, `contrasts` and `stats.over_networks` give it.

    Parameters
    ----------
    estimate : Estimate
    width : float
        The margin, in units of the score; 0 or more.
    """
    if not width >= 0:
        raise ValueError(f"width: expected a margin of 0 or more, got {width}")
    if not np.isfinite(estimate.df):
        raise ValueError("estimate: expected degrees of freedom, got none; take what compare_models or contrasts give")
    value, error, df = estimate.value, estimate.error, estimate.df
    return _found(value, width, (error, df), (value + width, error, df), (value - width, error, df), alpha)


def equivalence_of_sides(difference: Estimate, above: Estimate, below: Estimate, alpha: float = 0.05) -> Equivalence:
    """Equivalence where the margin is estimated too, from estimates of d, d + margin and d - margin.

    As `contrasts` gives them for weights such as 1, -1 and 1, -0.75, -0.25 of a network, native and fitted.
    """
    width = (above.value - below.value) / 2
    at, over, under = ((one.value, one.error, one.df) for one in (difference, above, below))
    if width < 0:  # learning brings nothing: no difference is within a share of it
        over, under = (-np.inf, 1.0, 1.0), (np.inf, 1.0, 1.0)
    return _found(at[0], width, at[1:], over, under, alpha)


def equivalence(first, second, width: float | None = None, *, share=None, scale=None, paired=True, alpha=0.05):
    """Equivalence of two conditions with several networks each: seeds are the random factor.

    Parameters
    ----------
    first, second : (networks,)
        Scores of the networks of each condition; in the order of their seeds where ``paired``.
    width : float, optional
        The margin in units of the score. Otherwise ``share`` and ``scale``:
    share : float
        Margin as a share of ``scale``.
    scale : (networks,)
        Native minus untrained with fitted statistics, of the same seeds; needs ``paired``. The tests then know that it
        is estimated.
    paired : bool
        Networks of one seed belong together. Otherwise Welch's t.

    Returns
    -------
    Equivalence

    Examples
    --------
    >>> found = equivalence([0.20, 0.21, 0.19, 0.20], [0.20, 0.20, 0.19, 0.21], 0.02)
    >>> found.verdict
    'equivalent'
    """
    first, second = (_networks(x, name) for x, name in ((first, "first"), (second, "second")))
    if (width is None) == (share is None) or (share is None) != (scale is None):
        raise ValueError("expected width, or share and scale, got both or neither; the margin is one of them")
    if not paired:
        if scale is not None:
            raise ValueError("scale: expected with paired=True; with networks of other seeds give the margin as width")
        return equivalence_of(_welch(first, second), float(width or 0), alpha)
    if len(first) != len(second):
        raise ValueError(
            f"expected a network of each seed in both, got {len(first)} and {len(second)}; or paired=False"
        )
    difference = first - second
    reach = np.full(len(difference), width) if scale is None else _check_share(share) * _networks(scale, "scale")
    if len(reach) != len(difference):
        raise ValueError(f"scale: expected {len(difference)} networks as the others, got {len(reach)}")
    if reach.mean() < 0:
        raise ValueError(
            f"margin: expected 0 or more, got {reach.mean():.3f}; where learning brings nothing a share of it is no "
            "margin"
        )
    whole, above, below = (_mean(x) for x in (difference, difference + reach, difference - reach))
    return _found(whole[0], float(reach.mean()), whole[1:], above, below, alpha)


def equivalence_on_resamples(difference: float, samples, width, alpha: float = 0.05) -> Equivalence:
    """Equivalence, from percentiles of a difference on paired resamples of images.

    Parameters
    ----------
    difference : float
        On all images.
    samples : (n,)
        On the resamples, the same ones for both conditions.
    width : float or (n,)
        The margin; or share * (native - untrained) on the same resamples, so that its error counts.
    """
    samples = np.asarray(samples, float)
    if samples.ndim != 1 or len(samples) < 100 or not np.isfinite(samples).all():
        raise ValueError(f"samples: expected 100 finite numbers (n,) or more, got {samples.shape}")
    reach = np.broadcast_to(np.asarray(width, float), samples.shape)
    if reach.mean() < 0:
        raise ValueError(f"width: expected a margin of 0 or more, got {reach.mean():.3f}")

    def beyond(away) -> float:
        return (np.count_nonzero(away) + 1) / (len(samples) + 1)

    sides = beyond(samples <= -reach), beyond(samples >= reach)
    other = min(1.0, 2 * min(beyond(samples <= 0), beyond(samples >= 0)))
    ends = [(float(np.quantile(samples, tail)), float(np.quantile(samples, 1 - tail))) for tail in (0.05, 0.025)]
    return _judged(difference, float(reach.mean()), ends[0], ends[1], max(sides), other, alpha)


def _found(value, width, whole, above, below, alpha) -> Equivalence:
    error, df = whole
    ends = [(value - reach, value + reach) for reach in (_quantile(tail, df) * error for tail in (0.95, 0.975))]
    p = max(_upper_tail(*above), _upper_tail(-below[0], *below[1:]))
    return _judged(value, width, ends[0], ends[1], p, min(1.0, 2 * _upper_tail(abs(value), error, df)), alpha)


def _judged(value, width, at_90, at_95, p, p_different, alpha) -> Equivalence:
    within, apart = p < alpha, p_different < alpha
    verdict = BOTH if within and apart else EQUIVALENT if within else DIFFERENT if apart else UNDECIDED
    (low_90, high_90), (low_95, high_95) = at_90, at_95
    return Equivalence(
        float(value), float(width), low_90, high_90, low_95, high_95, float(p), float(p_different), verdict
    )


def _quantile(tail, df) -> float:
    return float(student.ppf(tail, df))


def _upper_tail(value, error, df) -> float:
    """p of "the true value is 0 or less"; without any error it is known, and 0 itself is not above 0."""
    if error <= ROUNDING:
        return 0.0 if value > ROUNDING else 1.0
    return float(student.sf(value / error, df))


def _mean(x) -> tuple[float, float, float]:
    return float(x.mean()), float(x.std(ddof=1) / np.sqrt(len(x))), len(x) - 1.0


def _welch(x, y) -> Estimate:
    parts = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    error = float(np.sqrt(sum(parts)))
    spread = parts[0] ** 2 / (len(x) - 1) + parts[1] ** 2 / (len(y) - 1)
    df = sum(parts) ** 2 / spread if spread > 0 else len(x) + len(y) - 2.0
    value, reach = float(x.mean() - y.mean()), float(student.ppf(0.975, df)) * error
    return Estimate(value, error, value - reach, value + reach, min(1.0, 2 * _upper_tail(abs(value), error, df)), df)


def _networks(x, name) -> np.ndarray:
    x = np.asarray(x, float)
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(
            f"{name}: expected finite scores (networks,) of 2 networks or more, got {x.shape}; with one network a "
            "condition nothing is known of others, and equivalence_on_resamples speaks of these networks only"
        )
    return x


def _check_share(share) -> float:
    if share is None or not 0 <= share:
        raise ValueError(f"share: expected 0 or more, such as 0.25, got {share}")
    return share
