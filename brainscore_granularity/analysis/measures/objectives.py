"""Auxiliary coarse losses and curricula against plain coarse and plain fine training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import stats


def table(rdms: dict, subjects, references: tuple[str, ...], resamples: int = 1000, permutations: int = 999, seed=0):
    """Alignment of every objective, and its difference to each plain (classification) run on the same resamples.

    Parameters
    ----------
    rdms : {objective: (n, n)}, RDMs of the same layer and images.
    subjects : (n, n) or (subjects, n, n)
    references : plain fine and plain coarse, names among ``rdms``.

    Returns
    -------
    One row per objective: objective, value, low, high, p (shuffled images), and for each reference ``against REF``,
    ``low against REF``, ``high against REF``, ``q against REF`` (Benjamini-Hochberg over all differences).
    """
    if missing := [name for name in references if name not in rdms]:
        raise ValueError(f"no {', '.join(missing)} to compare with; there are {', '.join(rdms)}")
    names = list(rdms)
    stacked = np.stack([rdms[name] for name in names])
    samples = stats.bootstrap(stacked, subjects, n=resamples, fraction=None, seed=seed)
    samples = samples.reshape(resamples, len(names), -1).mean(axis=2)
    rows, tests = [], []
    for i, name in enumerate(names):
        found = stats.max_statistic(stacked[i : i + 1], subjects, permutations, seed)
        low, high = stats.interval(samples[:, i])
        row = {"objective": name, "value": float(found.scores[0]), "low": low, "high": high, "p": found.p_best}
        for reference in references:
            if name == reference:
                continue
            difference = stats.compare_models(rdms[name], rdms[reference], subjects, n=resamples, seed=seed)
            row[f"against {reference}"] = difference.value
            row[f"low against {reference}"], row[f"high against {reference}"] = difference.low, difference.high
            tests.append((i, reference, difference.p))
        rows.append(row)
    frame = pd.DataFrame(rows)
    for (i, reference, _), q in zip(tests, false_discovery_control([p for *_, p in tests]), strict=True):
        frame.loc[i, f"q against {reference}"] = q
    return frame
