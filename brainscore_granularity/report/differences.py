"""Networks against a baseline on one image set: differences, what may be said of them, and their table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity import stats
from brainscore_granularity.runner import results

from . import conditions
from .answer import MARGIN
from .measures import ONE_IMAGE_SET

Sums = list[dict[str, float]]  # weights of models
ALPHA = 0.05


def against(baseline: str, models: Iterable[str], estimates: Callable[[str, Sums], list]) -> pd.DataFrame:
    """Each model minus the baseline of its seed.

    baseline : condition of the baseline: ``native``, or ``fitted`` to measure the effect of learning.
    estimates : (scale, weighted sums of models) -> one `stats.Estimate` each, on the same resamples.

    Returns
    -------
    One row per (scale, model): difference of raw scores, 95% interval, p (two-sided), q over all rows
    (Benjamini-Hochberg). Against ``native`` also ``verdict``: better, worse, as well (within `MARGIN` of native minus
    fitted: q of two one-sided tests below .05), or open.
    """
    models = list(models)
    known = {model: results.describe(model) for model in models}
    of = {(about["labels"], about["seed"]): model for model, about in known.items()}
    if not any(labels == baseline for labels, _ in of):
        raise ValueError(f"no {baseline} network among {', '.join(models)}")

    def same_seed(labels: str, model: str) -> str | None:
        others = {seed: name for (source, seed), name in of.items() if source == labels}
        return others.get(known[model]["seed"], next(iter(others.values()), None))

    rows: list[dict] = []
    compared = [model for model in models if known[model]["labels"] != baseline]
    for scale in ONE_IMAGE_SET:
        sums: Sums = []
        for model in compared:
            other, fitted = same_seed(baseline, model), same_seed(conditions.FITTED, model)
            sums.append({model: 1, other: -1})
            if baseline == conditions.NATIVE and fitted not in (None, model):
                sums += [{model: 1, other: -1 + way * MARGIN, fitted: -way * MARGIN} for way in (1, -1)]
        found = iter(estimates(scale, sums))
        for model in compared:
            difference = next(found)
            row = {"scale": scale, "model": model, "difference": difference.value, "low": difference.low,
                   "high": difference.high, "p": difference.p}  # fmt: skip
            if baseline == conditions.NATIVE and same_seed(conditions.FITTED, model) not in (None, model):
                row["p_equivalent"] = stats.equivalence_of_sides(difference, next(found), next(found)).p
            rows.append(row)
    frame = pd.DataFrame(rows)
    frame["q"] = false_discovery_control(frame["p"].to_numpy())
    return _judged(frame) if "p_equivalent" in frame else frame


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    tested = frame["p_equivalent"].notna()
    frame.loc[tested, "q_equivalent"] = false_discovery_control(frame.loc[tested, "p_equivalent"].to_numpy())
    within, apart, more = frame["q_equivalent"] < ALPHA, frame["q"] < ALPHA, frame["difference"] > 0
    frame["verdict"] = "open"
    frame.loc[apart & more, "verdict"] = "better"
    frame.loc[apart & ~more, "verdict"] = "worse"
    frame.loc[within & ~apart, "verdict"] = "as well"
    frame.loc[within & apart, "verdict"] += ", within the margin"
    return frame


def markdown_of(found: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and cells: difference with its interval (bold: q < .05), q, and the verdict where there is one."""
    kept = ["q", "verdict"] if "verdict" in found else ["q"]
    header, rows = ["trained on"], []
    for scale in ONE_IMAGE_SET:
        header += [scale, *kept]
    for model, name in conditions.named_models(found["model"].unique()).items():
        own, cells = found[found["model"] == model].set_index("scale"), []
        for scale in ONE_IMAGE_SET:
            row = own.loc[scale]
            text = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
            cells += [f"**{text}**" if row["q"] < ALPHA else text, f"{row['q']:.3f}"]
            cells += [row["verdict"]] if "verdict" in kept else []
        rows.append([name, *cells])
    return header, rows
