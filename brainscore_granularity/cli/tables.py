"""Tables on the terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from brainscore_granularity.report import conditions
from brainscore_granularity.report.measures import ONE_IMAGE_SET, SUBJECTS
from brainscore_granularity.report.summary import by_condition, is_best, number, raw_interval


def print_world_table(scores: pd.DataFrame) -> None:
    """The embedded study: one row per condition, one column per benchmark; mean over seeds with its interval."""
    scores = scores[scores["benchmark"].str.startswith("World") & scores["labels"].notna()]
    summary = by_condition(scores)
    benchmarks = list(dict.fromkeys(summary["benchmark"]))
    table = Table(
        title="Alignment with SIMULATED subjects: share of the noise ceiling (mean of the seeds, 95% interval)",
        caption="bold: best trained network of the column; the ceiling is the raw score that corresponds to 1 "
        "(lower to upper bound)",
    )
    table.add_column("trained on")
    for name in benchmarks:
        table.add_column(name.replace("-rsa", "\nRSA").replace(".triplet", "\ntriplet"), justify="right")
    for condition in summary["condition"].cat.categories:
        cells = []
        for name in benchmarks:
            row = summary[(summary["benchmark"] == name) & (summary["condition"] == condition)]
            if row.empty:
                cells.append("-")
                continue
            row = row.iloc[0]
            value = number(row["value"], 2)
            if is_best(summary, name, condition):
                value = f"[bold]{value}[/bold]"
            cells.append(f"{value}\n[dim]{number(row['low'], 2)} {number(row['high'], 2)}[/dim]")
        table.add_row(conditions.named(condition).label, *cells)
    table.add_section()
    ceilings = summary.groupby("benchmark")[["ceiling_lower", "ceiling_upper"]].first()
    table.add_row(
        "noise ceiling", *(f"{ceilings.loc[n].iloc[0]:.2f} {ceilings.loc[n].iloc[1]:.2f}" for n in benchmarks)
    )
    _console().print(table)


def print_scales_table(scores: pd.DataFrame) -> None:
    """Measured brains on one image set: one row per network, one column per measurement scale; raw scores."""
    table = Table(
        title="Alignment with measured brains on 92 images: RSA, raw (95% interval over images)",
        caption="bold: best of the column; layers were chosen on other stimuli, see docs/results.md",
    )
    table.add_column("trained on")
    for scale in ONE_IMAGE_SET:
        table.add_column(f"{scale}\n{SUBJECTS[scale]}", justify="right")
    scores = scores[scores["status"] == "ok"]
    best = scores.groupby("benchmark")["raw"].max()
    for model, words in conditions.named_models(scores["model"].unique(), words=True).items():
        cells = []
        for name in ONE_IMAGE_SET.values():
            row = scores[(scores["model"] == model) & (scores["benchmark"] == name)].iloc[0]
            raw, low, high = raw_interval(row)
            text = f"[bold]{number(raw)}[/bold]" if raw == best[name] else number(raw)
            cells.append(f"{text} [dim]{number(low, 2)} {number(high, 2)}[/dim]")
        table.add_row(words, *cells)
    _console().print(table)


def print_scores(scores: pd.DataFrame) -> None:
    """One line per score."""
    table = Table()
    for name in ("model", "benchmark"):
        table.add_column(name, overflow="fold")
    for name in ("value", "95% interval", "raw", "ceiling", "layer"):
        table.add_column(name, justify="right")
    for row in scores.itertuples():
        if row.status != "ok":
            table.add_row(row.model, row.benchmark, "failed", "", "", "", row.reason)
            continue
        interval = "" if pd.isna(row.interval_low) else f"{number(row.interval_low)} {number(row.interval_high)}"
        raw, ceiling = (f"{v:.3f}" if not pd.isna(v) else "" for v in (row.raw, row.ceiling_upper))
        benchmark = row.benchmark + (" (simulated)" if row.simulated else "")
        table.add_row(row.model, benchmark, number(row.value), interval, raw, ceiling, row.layer or "")
    _console().print(table)


def print_grid(scores: pd.DataFrame, most: int = 40) -> None:
    """A grid that was just scored: one line per score, or the matrix if there are many."""
    (print_scores if len(scores) <= most else print_matrix)(scores)


def print_matrix(scores: pd.DataFrame) -> None:
    """Models by benchmarks."""
    _console().print(_matrix(scores))


def _matrix(scores: pd.DataFrame) -> Table:
    benchmarks = list(dict.fromkeys(scores["benchmark"]))
    cells = {
        (row.model, row.benchmark): "failed" if row.status != "ok" else number(row.value) for row in scores.itertuples()
    }
    simulated = set(scores.loc[scores["simulated"].astype(bool), "benchmark"])
    table = Table(caption="share of the noise ceiling; a dash: not scored yet")
    table.add_column("model", overflow="fold")
    for name in benchmarks:
        table.add_column(name + ("\n(simulated)" if name in simulated else ""), justify="right", overflow="fold")
    for model in scores.sort_values(["family", "labels", "k", "seed"], kind="stable")["model"].unique():
        table.add_row(model, *(cells.get((model, name), "-") for name in benchmarks))
    return table


def print_failed(records: list[dict]) -> None:
    """The failed pairs and why."""
    failed = [record for record in records if record["status"] != "ok"]
    for record in failed:
        print(f"{record['model']} on {record['benchmark']}: {record.get('reason')}")
    print(f"{len(failed)} of {len(records)} failed")


def watch_matrix(folder, every: float, warn) -> None:
    """Show the matrix of a results folder, again whenever scores arrive, until interrupted."""
    import time

    from rich.live import Live

    from brainscore_granularity.runner import results

    with Live(console=_console(), refresh_per_second=2) as live:
        while True:
            live.update(_matrix(results.table(results.read_all(folder, warn))))
            time.sleep(every)


def print_layers(model: str, layers: pd.DataFrame) -> None:
    """One line per layer of the table that ``layers.table`` returns."""
    table = Table(
        title=f"{model} on {layers.attrs['benchmark']}{' (simulated)' if layers.attrs['simulated'] else ''}"
        f"{said_of(layers.attrs['scaling'])}",
        caption=f"bold: best layer ({layers.attrs['best']}); >: committed; p: corrected for the search among them",
    )
    subjects = [name for name in layers.columns if name not in ("layer", "value", "raw", "p", "committed")]
    for name in ("layer", "value", "raw", "p", *subjects):
        table.add_column(name, justify="left" if name == "layer" else "right")
    for row in layers.to_dict("records"):
        cells = ["-" if pd.isna(row[name]) else number(row[name]) for name in ("value", "raw", "p", *subjects)]
        style = "bold" if row["layer"] == layers.attrs["best"] else None
        table.add_row(("> " if row["committed"] else "  ") + row["layer"], *cells, style=style)
    _console().print(table)


def said_of(scaling: str) -> str:
    """How the features were scaled, for a title; nothing where they were compared as they are."""
    return "" if scaling == "none" else ", features z-scored over the images"


def print_data_status(datasets: list, states: dict[str, dict[str, tuple[str, str]]]) -> None:
    """One row per data set; incomplete and damaged builds are listed below.

    datasets : ``prepare.registry.Dataset``. states : data set -> build -> (state, detail).
    """
    table = Table()
    for name in ("data set", "local builds", "serves", "how to get it"):
        table.add_column(name, overflow="fold", no_wrap=name == "local builds")
    for dataset in datasets:
        found = [state for state, _ in states[dataset.name].values()]
        counts = [f"{found.count(state)} {state}" for state in ("ready", "incomplete", "damaged") if state in found]
        how = f"Under {dataset.licence}. To get it: {dataset.access}. Then `{dataset.command}`."
        table.add_row(
            f"{dataset.title} ({dataset.name})",
            f"{', '.join(counts) or 'none'} of {len(found)}",
            escape(dataset.serves),
            "" if set(found) == {"ready"} else escape(how),
        )
        table.add_section()
    _console().print(table)
    for dataset in datasets:
        for build, (state, detail) in states[dataset.name].items():
            if state in ("incomplete", "damaged"):
                line = f"{build} is {state}: {detail}. Run `{dataset.command}` again."
                _console().print(escape(line), soft_wrap=True)


def print_fetched(data_sets: list) -> None:
    """One row for each data set (``datasets.pinned.Pinned``) that is fetched when it is first used."""
    table = Table()
    for name in ("data set, fetched when first used", "state", "how to get it"):
        table.add_column(name, overflow="fold")
    for files in data_sets:
        state = files.state()
        how = f"{files.terms} Or set {files.variable} to a folder with the files of {files.origin}."
        table.add_row(files.title, state, "" if state == "ready" else escape(how))
    _console().print(table)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=140)
