"""Tables on the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from brainscore_granularity.analysis.scaling.laws import law as named

LAWS = ("power", "free", "log-linear")
NOT_IDENTIFIED = "not identified"


def print_fit(fit, bootstrap, ranges) -> None:
    points = fit.points
    units = ", ".join(f"{n} in {s:g}" if s != 1 else n for n, s in zip(points.names, points.scale, strict=True))
    models = len(np.unique(points.models))
    print(f"{named(fit.name).equation}\nX: {units}; {len(points)} rows, {models} models; Huber loss {fit.loss:.6f}")
    how = f"95% by {bootstrap.by}, {len(bootstrap.theta)} resamples" if bootstrap else "no resamples"
    table = Table("parameter", "value", how, "not excluded by the profile")
    for name, value in fit.parameters.items():
        span = ranges[name]
        if not span.identified:
            bound = f"E < {span.high:.3g}" if name == "E" and np.isfinite(span.high) else ""
            table.add_row(name, NOT_IDENTIFIED, "", bound)
            continue
        interval = ends(*bootstrap.interval(name), ".4g") if bootstrap else ""
        table.add_row(name, f"{value:.5g}", interval, f"{span.low:.4g} {span.high:.4g}")
    console().print(table)


def print_comparison(comparison, extrapolations) -> None:
    table = Table(
        "law", "Huber loss, in-sample", "mean error ahead", "best in resamples of models", "top 20%: error", "bias",
        title="Laws compared at larger X than they were fitted to: mean |log L_hat - log L|",
    )  # fmt: skip
    for i, (name, top) in enumerate(zip(comparison.laws, extrapolations, strict=True)):
        cells = f"{comparison.in_sample[i]:.5f}", f"{comparison.held_out[i]:.4f}", f"{comparison.wins[i]:.0%}"
        style = "bold" if name == comparison.best else None
        table.add_row(name, *cells, f"{top.error:.4f}", f"{top.bias:+.4f}", style=style)
    console().print(table)


HEADINGS = ("fit", "rows", "", "published", "ours", "published 95%", "ours 95%", "loss, ours - published")


def reproduction(rows) -> list[tuple[str, ...]]:
    """Published and our parameters, one row of cells per parameter."""
    from brainscore_granularity.analysis.scaling.reproduction import digits

    lines, previous = [], None
    for row in rows.to_dict("records"):
        first = row["experiment"] != previous
        previous = row["experiment"]
        agree = digits(row["published"], row["ours"])
        value, interval = NOT_IDENTIFIED, ""
        if row["identified"]:
            value = f"{row['ours']:.5g}" + ("" if agree >= 4 else f" ({max(agree, 0):.0f} digits)")
            interval = ends(row["ours_low"], row["ours_high"], ".3g")
        lines.append(
            (
                row["experiment"] if first else "",
                str(row["rows"]) if first else "",
                row["parameter"],
                f"{row['published']:.5g}",
                value,
                f"{row['published_low']:.3g} {row['published_high']:.3g}",
                interval,
                f"{row['our_loss'] - row['published_loss']:+.1e}" if first else "",
            )
        )
    return lines


def summary(rows) -> str:
    """How many fits are reproduced, and how many of their parameters agree to how many digits."""
    from brainscore_granularity.analysis.scaling.reproduction import digits, verdicts

    fits = verdicts(rows)
    known = rows[rows["identified"]]
    exact = digits(known["published"], known["ours"]) >= 4
    reproduced, lower = int(fits["reproduced"].sum()), int(fits["lower"].sum())
    text = (
        f"{reproduced} of {len(fits)} published fits reproduced: on our rows the published parameters have the "
        f"published loss to 8 digits, and the loss that we find is not above it (lower by more than 1e-9 in {lower})."
        f"{_not_reproduced(fits)} {len(rows)} parameters: {len(known)} identified, {int(exact.sum())} of them to 4 "
        f"digits; {len(rows) - len(known)} not identified."
    )
    ends = [digits(known[f"published_{end}"], known[f"ours_{end}"]) >= 2 for end in ("low", "high")]
    if known["ours_low"].notna().any():
        text += (
            f" Interval ends to 2 digits: {int(ends[0].sum())} lower and {int(ends[1].sum())} upper of {len(known)}."
        )
    return text


def _not_reproduced(fits) -> str:
    missed = fits[~fits["reproduced"]]
    return f" Not reproduced: {', '.join(missed.index)}." if len(missed) else ""


def print_reproduction(rows) -> None:
    table = Table(*HEADINGS)
    for line in reproduction(rows):
        table.add_row(*line)
    console().print(table)
    print(summary(rows))


def markdown(rows) -> str:
    """The table of `reproduction` as a Markdown page."""
    lines = [f"| {' | '.join(cells)} |" for cells in (HEADINGS, ["---"] * len(HEADINGS), *reproduction(rows))]
    head = (
        "# Published fits against ours\n\nWritten by `granularity scaling reproduce --data DIR --page "
        "docs/scaling_fits.md`; what it means: [scaling.md](scaling.md).\n\n"
    )
    return head + summary(rows) + "\n\n" + "\n".join(lines) + "\n"


def print_plan(plan) -> None:
    n, d, loss = (plan.optimum[name] for name in "NDL")
    print(f"Budget {plan.budget:g} FLOPs; joint law in parameters N and samples seen D, 95% intervals by model:")
    print(f"  N  {n[0]:.3g} ({n[1]:.3g} to {n[2]:.3g}) parameters")
    print(f"  D  {d[0]:.3g} ({d[1]:.3g} to {d[2]:.3g}) images, epochs counted")
    print(f"  1 - alignment, mean of V1, V2, V4, IT and behaviour: {loss[0]:.3f} ({loss[1]:.3f} to {loss[2]:.3f})")
    exponents = plan.allocation.exponents
    for name in "ND":
        print(f"  {name} ~ C^{exponents[name][0]:.2f} ({exponents[name][1]:.2f} to {exponents[name][2]:.2f})")
    if plan.beyond > 1:
        print(f"This is {plan.beyond:.1f} times the largest compute in the data: an extrapolation.")
    table = Table("architecture", "parameters", "images for the budget", "1 - alignment", title="Nearest in the data")
    for row in plan.architectures.head(8).itertuples():
        table.add_row(row.arch, f"{row.n_params:.3g}", f"{row.samples:.3g}", f"{row.loss:.3f}")
    console().print(table)


def print_axis(fits) -> None:
    table = Table("benchmark", "labels", "models", f"{fits[0].axis.replace('_', ' ')}", "parameters (95% by model)")
    for each in fits:
        values = " ".join(f"{v:g}" for v in each.values)
        name = each.benchmark + (" (simulated)" if each.simulated else "")
        table.add_row(name, each.labels, str(each.models), values, each.note or _parameters(each))
    console().print(table)


def _parameters(each) -> str:
    cells = []
    for name, value in each.fit.parameters.items():
        if name in ("e", "a"):
            continue
        if not each.ranges[name].identified:
            cells.append(f"{name} {NOT_IDENTIFIED}")
            continue
        interval = f" ({ends(*each.bootstrap.interval(name), '.2g')})" if each.bootstrap else ""
        cells.append(f"{name} {value:.3g}{interval}")
    return "; ".join(cells)


def ends(low: float, high: float, form: str) -> str:
    """Text of an interval; an end beyond the limits of what the data identify is open."""
    return " ".join(format(end, form) if not np.isinf(end) else "open" for end in (low, high))


def console() -> Console:
    made = Console()
    return made if made.is_terminal else Console(width=160)
