"""How well any model could do, from halves of one subject's data: of its repeats, or of its units."""

from __future__ import annotations

import numpy as np
from brainscore_core.metrics import Score

from brainscore_granularity import rsa, stats
from brainscore_granularity.datasets.assembly import without_time

from .scoring import ceiling_score

N_SPLITS = 100
N_SPLITS_OF_UNITS = 20  # more would move the result less than other units do


def between_repeats(responses: list, order, n_splits: int = N_SPLITS) -> Score:
    """How well the RDM of half of a subject's repeats predicts that of the other half, averaged over subjects.

    Parameters
    ----------
    responses : assemblies presentation x neuroid, one a subject; presentations without any number are passed over.
    order : stimulus ids.
    """
    lower, upper = zip(*(of_repeats(repeats(own, order), order, n_splits) for own in responses), strict=True)
    return ceiling_score(float(np.mean(lower)), float(np.mean(upper)), kind="repeats")


def of_repeats(values: list[np.ndarray], order, n_splits: int = N_SPLITS) -> tuple[float, float]:
    """Lower and upper bound of one subject, from its responses (repeats, neuroids) to each stimulus.

    The repeats of every stimulus are split into random halves of their own number, one repeat left out where it is odd;
    stimuli repeated equally often are split alike, so that what drifts from one repeat to the next does so for all of
    them. With r the mean correlation of the halves' RDMs, k times as many repeats as in a half have the reliability
    k r / (1 + (k - 1) r) (Spearman-Brown), and the true model, which has no noise, correlates with their RDM by about
    its square root: the upper bound. k is the smallest ratio of all repeats to those of a half, 2 where some stimulus
    has an even number, so that no stimulus is credited with repeats that it does not have. The lower bound is r itself:
    what half of the data achieve on the other half.
    """
    shown = np.array([len(one) for one in values])
    _refuse_unrepeated(shown, order)
    alike = [
        (np.flatnonzero(shown == n), np.stack([one for one in values if len(one) == n], axis=1))
        for n in np.unique(shown)
    ]
    rng, r = np.random.default_rng(0), []
    for _ in range(n_splits):
        halves = np.empty((2, len(values), values[0].shape[1]))
        for rows, presented in alike:  # (n, stimuli, neuroids)
            shuffled, half = rng.permutation(len(presented)), len(presented) // 2
            for k in range(2):
                halves[k, rows] = presented[shuffled[k * half : (k + 1) * half]].mean(axis=0)
        r.append(rsa.compare(*map(rsa.rdm, halves)))
    return float(np.mean(r)), _reached(float(np.mean(r)), np.min(shown / (shown // 2)))


def of_units(responses: np.ndarray, n_splits: int = N_SPLITS_OF_UNITS) -> tuple[float, float]:
    """The same from random halves of the units, for responses (stimuli, units) whose repeats are not known.

    It answers another question: how well the RDM of a large population of such units would predict that of the recorded
    ones. Noise that units of one moment share counts as signal.
    """
    rng, r, half = np.random.default_rng(0), [], responses.shape[1] // 2
    for _ in range(n_splits):
        shuffled = rng.permutation(responses.shape[1])
        r.append(rsa.compare(*(rsa.rdm(responses[:, shuffled[k * half : (k + 1) * half]]) for k in range(2))))
    return float(np.mean(r)), _reached(float(np.mean(r)), responses.shape[1] / half)


def _reached(r: float, ratio: float) -> float:
    """Correlation that the true model reaches with the RDM of all data, from that between halves."""
    return float(np.sqrt(max(stats.spearman_brown(r, ratio), 0)))


def repeats(assembly, order) -> list[np.ndarray]:
    """Responses (repeats, neuroids) to each stimulus of ``order``: all that it has, however many others have."""
    assembly = presented(assembly)
    found = assembly["stimulus_id"].values
    values = np.asarray(assembly.transpose("presentation", "neuroid").values, np.float64)
    by_stimulus = np.argsort(found, kind="stable")
    names, starts = np.unique(found[by_stimulus], return_index=True)
    rows = dict(zip(names, np.split(by_stimulus, starts[1:]), strict=True))
    return [values[rows.get(stimulus, [])] for stimulus in order]


def presented(assembly):
    """The assembly without presentations in which every neuroid is NaN.

    Files pad with them where some stimuli were shown less often than others.
    """
    assembly = without_time(assembly)
    empty = np.isnan(assembly.values).all(axis=assembly.dims.index("neuroid"))
    return assembly.isel(presentation=np.flatnonzero(~empty)) if empty.any() else assembly


def _refuse_unrepeated(shown: np.ndarray, order) -> None:
    few = np.flatnonzero(shown < 2)
    if len(few):
        more = f" ({len(few)} of {len(shown)} stimuli have fewer than 2)" if len(few) > 1 else ""
        raise ValueError(
            f"a ceiling from repeats needs each stimulus at least twice, got {shown[few[0]]} of {order[few[0]]}{more}; "
            "presentations that are NaN throughout are not counted. Leave these stimuli out, or use ceiling='subjects'"
        )
