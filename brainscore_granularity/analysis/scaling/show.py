"""Tables on the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from .laws import law as named

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
        interval = "{:.4g} {:.4g}".format(*bootstrap.interval(name)) if bootstrap else ""
        table.add_row(name, f"{value:.5g}", interval, f"{span.low:.4g} {span.high:.4g}")
    console().print(table)


def print_comparison(comparison, extrapolations) -> None:
    table = Table(
        "law", "Huber loss, in-sample", "mean error ahead", "best in resamples of models", "top 20%: error", "bias",
        title="Laws compared above the X they were fitted to: mean |log L_hat - log L|",
    )  # fmt: skip
    for i, (name, top) in enumerate(zip(comparison.laws, extrapolations, strict=True)):
        cells = f"{comparison.in_sample[i]:.5f}", f"{comparison.held_out[i]:.4f}", f"{comparison.wins[i]:.0%}"
        style = "bold" if name == comparison.best else None
        table.add_row(name, *cells, f"{top.error:.4f}", f"{top.bias:+.4f}", style=style)
    console().print(table)


def print_reproduction(rows) -> None:
    """Published against ours."""
    from .reproduction import digits

    table = Table("fit", "rows", "", "published", "ours", "published 95%", "ours 95%", "Huber loss, ours - published")
    previous = None
    for row in rows.to_dict("records"):
        first = row["experiment"] != previous
        previous = row["experiment"]
        agree = digits(row["published"], row["ours"])
        ours = f"{row['ours']:.5g}" + ("" if agree >= 4 else f" ({agree:.1f} digits)")
        cells = [row["experiment"], str(row["rows"])] if first else ["", ""]
        table.add_row(
            *cells,
            row["parameter"],
            f"{row['published']:.5g}",
            ours if row["identified"] else NOT_IDENTIFIED,
            f"{row['published_low']:.3g} {row['published_high']:.3g}",
            f"{row['ours_low']:.3g} {row['ours_high']:.3g}" if row["identified"] else "",
            f"{row['our_loss'] - row['published_loss']:+.1e}" if first else "",
        )
    console().print(table)
    known = rows[rows["identified"]]
    exact = digits(known["published"], known["ours"]) >= 4
    print(
        f"{rows['experiment'].nunique()} fits, {len(rows)} parameters: {len(known)} identified, {int(exact.sum())} of "
        f"these to 4 digits; {len(rows) - len(known)} not identified"
    )


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
        interval = " ({:.2g} {:.2g})".format(*each.bootstrap.interval(name)) if each.bootstrap else ""
        cells.append(f"{name} {value:.3g}{interval}")
    return "; ".join(cells)


def console() -> Console:
    made = Console()
    return made if made.is_terminal else Console(width=160)
