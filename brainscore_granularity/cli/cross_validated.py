"""The output of `granularity layers --cross-validate`."""

from __future__ import annotations

import sys

from rich.table import Table

from brainscore_granularity.report.summary import number

from .tables import _console, said_of


def show(model: str, loaded, benchmarks: list, layers, splits: int, csv: bool) -> None:
    """Cross-validate a loaded model on benchmarks; print one table for each, or all as comma-separated values."""
    import pandas as pd

    from brainscore_granularity.brains.cross_validation import cross_validated

    found = cross_validated(loaded, benchmarks, layers, splits)
    tables = [
        [row | {"scaling": benchmark.scaling} for row in _rows(model, one, benchmark.layer_of(loaded) or "")]
        for one, benchmark in zip(found, benchmarks, strict=True)
    ]
    if csv:
        pd.DataFrame([row for rows in tables for row in rows]).to_csv(sys.stdout, index=False)
        return
    for one, rows, benchmark in zip(found, tables, benchmarks, strict=True):
        _console().print(_table(model, one, rows, benchmark.scaling))


def _rows(model: str, one, committed: str) -> list[dict]:
    """One row per layer: how often it was chosen, and its raw score; each row repeats the score of the procedure."""
    chosen, layers = one.chosen, committed.split(", ")
    whole = {
        "model": model, "benchmark": one.benchmark, "cv_value": one.record()["value"], "cv_raw": one.found.value,
        "cv_low": one.found.low, "cv_high": one.found.high, "splits": one.splits,
    }  # fmt: skip
    return [
        whole | {"layer": layer, "chosen": chosen.get(layer, 0.0), "raw": raw, "committed": layer in layers}
        for layer, raw in zip(one.layers, one.raw.tolist(), strict=True)
    ]


def _table(model: str, one, rows: list[dict], scaling: str) -> Table:
    """The procedure's score beside the best layer's and the committed one's."""
    value = number(float(one.value(one.found.value)))
    table = Table(
        title=f"{model} on {one.benchmark}{said_of(scaling)}: {number(one.found.value)} raw "
        f"({number(one.found.low)} to {number(one.found.high)}), value {value}\n"
        f"layer chosen on half of the images, scored on the other half, {one.splits} splits",
        caption=f"bold: best layer on all images ({one.best}), whose score gains from the search; >: committed",
    )
    for name in ("layer", "chosen", "raw, all images"):
        table.add_column(name, justify="left" if name == "layer" else "right")
    for row in rows:
        name = ("> " if row["committed"] else "  ") + row["layer"]
        style = "bold" if row["layer"] == one.best else None
        table.add_row(name, f"{row['chosen']:.0%}" if row["chosen"] else "-", number(row["raw"]), style=style)
    return table
