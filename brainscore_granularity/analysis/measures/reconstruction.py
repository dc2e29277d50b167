"""Is coarse training just dimensionality reduction? A fine model cut to its top components against coarse models."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import rsa, stats

KEPT = (*range(1, 16), 20, 30, 50)


def compare(coarse: dict, reconstructions: dict, subjects, resamples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every coarse model against every reconstruction of the fine model, on the same resamples of images.

    All pairs are reported without selection, with q over all of them (Benjamini-Hochberg).

    Parameters
    ----------
    coarse : {model: (n, n) RDM}
    reconstructions : {M: (n, n) RDM of the fine model rebuilt from its M leading components}
    subjects : (subjects, n, n)

    Returns
    -------
    One row per pair: model, kept, coarse and rebuilt (RSA), difference (coarse minus rebuilt), low, high, p, q.
    """
    score = {key: _mean(rdm, subjects) for key, rdm in (*coarse.items(), *reconstructions.items())}
    rows = []
    for model, own in coarse.items():
        for kept, rebuilt in reconstructions.items():
            found = stats.compare_models(own, rebuilt, subjects, n=resamples, seed=seed)
            rows.append(
                {
                    "model": model, "kept": kept, "coarse": score[model], "rebuilt": score[kept],
                    "difference": found.value, "low": found.low, "high": found.high, "p": found.p,
                }
            )  # fmt: skip
    return pd.DataFrame(rows).assign(q=lambda table: false_discovery_control(table["p"].to_numpy()))


def verdict(rows: pd.DataFrame, level: float = 0.05) -> str:
    """Verdict of one coarse model's rows on "coarse training is more than dimensionality reduction".

    "supported": better than the fine model at every number of components kept, each at q below the level. "refuted":
    for some number the fine model is better. Otherwise "undecided".
    """
    sure = rows["q"] < level
    if (sure & (rows["difference"] > 0)).all():
        return "supported"
    return "refuted" if (sure & (rows["difference"] < 0)).any() else "undecided"


def _mean(rdm, subjects) -> float:
    return float(np.mean([rsa.compare(rdm, own) for own in subjects]))
