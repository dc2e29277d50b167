"""Comparison of two results folders: what changed, by how much, and whether beyond noise."""

from __future__ import annotations

import html
import math

import pandas as pd

from brainscore_granularity.runner.record import resampled_of

from . import embed
from .answer import difference_variance
from .summary import number

_KINDS = ("beyond noise", "within noise", "identical", "noise not known", "only in A", "only in B", "status changed")


def changes(before: list[dict], after: list[dict]) -> pd.DataFrame:
    """One row per pair: difference of the values, its 95% interval and what else differs.

    The interval is over stimuli, which are the same for both scores. If both records have resamples and the benchmark
    is the same, the difference is taken on the same resamples; otherwise the errors are added as if they were
    independent, which is too wide for similar scores. There is no correction for the number of pairs: 5% of the
    differences that are only noise are reported as beyond noise.
    """
    a, b = ({(r["model"], r["benchmark"]): r for r in records} for records in (before, after))
    return pd.DataFrame([_change(key, a.get(key), b.get(key)) for key in dict.fromkeys([*a, *b])])


def _change(key, a: dict | None, b: dict | None) -> dict:
    row = {"model": key[0], "benchmark": key[1], "a": math.nan, "b": math.nan, "difference": math.nan,
           "low": math.nan, "high": math.nan, "kind": "", "why": "", "paired": False}  # fmt: skip
    if a is None or b is None:
        return row | {"kind": "only in B" if a is None else "only in A"}
    if a["status"] != "ok" or b["status"] != "ok":
        same = a["status"] == b["status"]
        return row | {"kind": "identical" if same else "status changed", "why": f"{a['status']} -> {b['status']}"}
    difference = b["value"] - a["value"]
    row |= {"a": a["value"], "b": b["value"], "difference": difference, "why": _why(a, b)}
    if difference == 0:
        return row | {"kind": "identical"}
    if a.get("error") is None or b.get("error") is None:
        return row | {"kind": "noise not known"}
    same = (a.get("fingerprint") or {}).get("benchmark_version") == (b.get("fingerprint") or {}).get(
        "benchmark_version"
    )
    one, other = ((r["error"], resampled_of(r) if same else None) for r in (a, b))
    variance, paired = difference_variance(one, other)
    width = 1.959964 * math.sqrt(variance)
    kind = "beyond noise" if abs(difference) > width else "within noise"
    return row | {"low": difference - width, "high": difference + width, "kind": kind, "paired": paired}


def _why(a: dict, b: dict) -> str:
    first, second = (r.get("fingerprint") or {} for r in (a, b))
    names = {"checkpoint": "weights", "layers": "layers", "benchmark_version": "benchmark"}
    differ = [name for key, name in names.items() if first.get(key) != second.get(key)]
    differ += ["versions"] if a.get("versions") != b.get("versions") else []
    return ", ".join(differ)


def sentence(table: pd.DataFrame) -> str:
    """How many pairs changed, and how."""
    counts = table["kind"].value_counts()
    parts = [f"{counts[kind]} {kind}" for kind in _KINDS if kind in counts]
    return f"Of {len(table)} pairs: {', '.join(parts)}."


def section(table: pd.DataFrame, names: tuple[str, str], most: int = 200) -> str:
    """HTML section of all changes, largest first; A is the first folder, B the second."""
    esc = html.escape
    order = table.assign(size=table["difference"].abs(), rank=table["kind"].map(_KINDS.index))
    order = order[order["kind"] != "identical"].sort_values(["rank", "size"], ascending=[True, False])
    body = "".join(
        f"<tr><th scope=row>{esc(r.model)}<td class=text>{esc(r.benchmark)}"
        + "".join(f"<td>{'' if math.isnan(v) else number(v)}" for v in (r.a, r.b, r.difference))
        + f"<td>{'' if math.isnan(r.low) else f'{number(r.low)} to {number(r.high)}'}<td class=text>{r.kind}<td class=text>{esc(r.why)}"
        for r in order.head(most).itertuples()
    )
    paired = table.loc[table["low"].notna(), "paired"].astype(bool)
    columns = ("model", "benchmark", "A", "B", "B - A", "95% interval", "change", "what differs")
    head = "".join(f"<th scope=col>{name}" for name in columns)
    return (
        f'<section id="changes"><h2>What changed</h2><p>A: {esc(names[0])}, B: {esc(names[1])}. {sentence(table)} The rest of '
        f"this page is about B. Intervals are over stimuli; {'all' if len(paired) and paired.all() else f'{paired.sum()} of {len(paired)}'} "
        "are of paired differences on the same resamples; the others treat the scores as independent and are too wide.</p>"
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</thead><tbody>{body}</tbody></table></div>'
        f"<p>{embed.csv_link(table, 'changes', 'every pair')}</p></section>"
    )  # fmt: skip
