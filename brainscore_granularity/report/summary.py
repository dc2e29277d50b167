"""Summary of the tidy table of scores, for figures and tables: one row per condition, averaged over seeds."""

from __future__ import annotations

import pandas as pd

from . import conditions


def by_condition(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds of the value, its interval and the raw score, one row per (benchmark, condition).

    ``condition`` is a categorical of names, in order; see `conditions`.

    The interval is the mean of the seeds' own 95% stimulus intervals: all seeds are resampled with the same
    stimuli, so this is the interval of their mean if the seeds agree perfectly, and too wide otherwise.
    """
    scores = scores[scores["status"] == "ok"].copy()
    known = [conditions.condition(labels, k) for labels, k in zip(scores["labels"], scores["k"], strict=True)]
    scores["condition"] = [found and found.name for found in known]
    scores = scores.dropna(subset="condition")
    names = [found.name for found in conditions.in_order(filter(None, known))]
    summary = scores.groupby(["benchmark", "condition"], as_index=False).agg(
        value=("value", "mean"),
        low=("interval_low", "mean"),
        high=("interval_high", "mean"),
        raw=("raw", "mean"),
        seeds=("seed", "nunique"),
        lowest_seed=("value", "min"),
        highest_seed=("value", "max"),
        ceiling_lower=("ceiling_lower", "first"),
        ceiling_upper=("ceiling_upper", "first"),
        simulated=("simulated", "any"),
    )
    summary["condition"] = pd.Categorical(summary["condition"], names, ordered=True)
    return summary.sort_values(["benchmark", "condition"], ignore_index=True)


def raw_interval(row) -> tuple[float, float, float]:
    """Raw score and its interval; records hold the interval on the scale of the value, which is raw / ceiling."""
    scale = row["raw"] / row["value"] if row["value"] else 1.0
    return row["raw"], row["interval_low"] * scale, row["interval_high"] * scale


def number(value: float, digits: int = 3) -> str:
    """A number with fixed decimals, without a minus sign on zero.

    >>> number(-0.0004), number(-0.0006)
    ('0.000', '-0.001')
    """
    return f"{round(float(value), digits) + 0:.{digits}f}"


def best(summary: pd.DataFrame, benchmark: str) -> pd.Series | None:
    """The trained condition that aligns best with one benchmark; None if its interval includes 0."""
    rows = summary[(summary["benchmark"] == benchmark) & ~summary["condition"].isin(conditions.STARTS)]
    if rows.empty:
        return None
    row = rows.loc[rows["value"].idxmax()]
    return row if row["low"] > 0 else None


def is_best(summary: pd.DataFrame, benchmark: str, condition: str) -> bool:
    row = best(summary, benchmark)
    return row is not None and row["condition"] == condition
