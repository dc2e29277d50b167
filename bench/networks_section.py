"""Tables of networks as a random factor, for docs/calibration.md: false positives, power, and other tests."""

from __future__ import annotations

from functools import partial

import numpy as np

from bench.calibrate_networks import (
    KS,
    SDS,
    SEEDS,
    equal_rules,
    equivalent_at_the_margin,
    found,
    mixed,
    shuffled,
    together,
)
from bench.calibration_page import note

ASKED = (3, 7)
COLUMNS = (
    "slope, judgments", "slope, fMRI", "slopes differ", "any K, judgments", "any K, fMRI", "curves together",
)  # fmt: skip


def section(worlds) -> str:
    """Markdown; worlds: `bench.worlds.Worlds`."""
    lines = [f"| sd of networks | seeds | {' | '.join(COLUMNS)} |", "|" + "---|" * (2 + len(COLUMNS))]
    coverage, outside, many = [], 0, worlds.times(4)
    for seeds in SEEDS:
        for sd in SDS:
            rates = many(partial(found, sd=sd, seeds=seeds))
            if seeds > 1:
                rates["curves together"] = worlds(partial(together, sd=sd, seeds=seeds))[""]
            coverage += [rate for name, rate in rates.items() if name.startswith("covered")]
            shown = [rates.get(name) for name in COLUMNS]
            outside += sum(not ASKED[0] <= rate <= ASKED[1] for rate in shown if rate is not None)
            cells = ["refused" if rate is None else f"{rate:.1f}%" for rate in shown]
            lines.append(f"| {sd:g} | {seeds} | {' | '.join(cells)} |")
    text = note("networks", worlds=f"{many.worlds:,}", fewer=f"{worlds.worlds:,}") + "\n".join(lines)
    text += f"\n\nOutside of what was asked: {outside}. 95% intervals of slopes contain 0 in {min(coverage):.1f} to "
    text += f"{max(coverage):.1f}%."
    return text + _varied(worlds) + _power(worlds) + _alternatives(worlds) + _conditions(worlds)


def _varied(worlds) -> str:
    cells = [(sd, seeds, varied) for sd in (0.0, 0.01) for seeds in SEEDS for varied in (0.0025, 0.005)]
    rates = [worlds(partial(found, sd=sd, seeds=seeds, varied=varied)) for sd, seeds, varied in cells]
    told = []
    for name in ("judgments", "fMRI"):
        values = [rate[f"slope, {name}"] for rate in rates]
        told.append(f"{name} {min(values):.1f} to {max(values):.1f}%")
    return (
        " Where subjects have slopes of their own (sd .0025 and .005 a doubling, mean 0), false positives of slopes "
        f"over twelve such rows: {', '.join(told)}.\n"
    )


def _power(worlds) -> str:
    columns = [name for name in COLUMNS if name[:5] in ("slope", "any K") and "," in name]
    lines = [f"| effect, sd of networks .01 | seeds | {' | '.join(columns)} |", "|" + "---|" * 6]
    steps = np.linspace(-1, 1, len(KS))
    effects = {"2 sd from K = 2 to 64, a line": 0.01 * steps, "4 sd from K = 2 to 64, a line": 0.02 * steps,
               "K = 2 is 2 sd below all others": -0.02 * (np.arange(len(KS)) == 0),
               "rises by 2 sd to K = 8 and falls again": 0.02 * np.array([0, 0.5, 1, 1, 0.5, 0])}  # fmt: skip
    for name, effect in effects.items():
        for seeds in SEEDS:
            rates = worlds(partial(found, sd=0.01, seeds=seeds, effect=effect))
            cells = [f"{rates[column]:.0f}%" if column in rates else "refused" for column in columns]
            lines.append(f"| {name} | {seeds} | {' | '.join(cells)} |")
    return "\nPower, the share of worlds in which an effect that is there is found:\n\n" + "\n".join(lines) + "\n"


def _alternatives(worlds) -> str:
    lines = ["| test of the slope | sd of networks | seeds | judgments | fMRI |", "|" + "---|" * 5]
    few = worlds.times(1 / 10)
    tests = [(partial(mixed, networks=False), "mixed model without networks, Wald z", few),
             (partial(mixed, networks=True), "mixed model with networks, Wald z", few),
             (shuffled, "K shuffled within seeds", worlds)]  # fmt: skip
    for test, name, many in tests:
        for sd, seeds in ((0.005, 1), (0.01, 1), (0.02, 1), (0.01, 3)):
            rates = many(partial(test, sd=sd, seeds=seeds))
            lines.append(f"| {name} | {sd:g} | {seeds} | {rates['judgments']:.1f}% | {rates['fMRI']:.1f}% |")
    head = f"\nOther tests of the same, false positives at 5% (mixed models: {few.worlds} worlds a row):\n\n"
    return head + "\n".join(lines) + "\n"


def _conditions(worlds) -> str:
    more, fewer = worlds.times(4), worlds.times(2 / 5)
    lines = ["| two conditions of 5 networks each | reached | asked |", "|" + "---|" * 3]
    for name, rate in more(equivalent_at_the_margin).items():
        what = f"equivalence, {name}: called equivalent where the difference is the margin"
        lines.append(f"| {what} | {rate:.1f}% | 3 to 7% |")
    for name, rate in fewer(equal_rules).items():
        asked = "3 to 7%" if name == "networks random" else "none, shown for comparison"
        lines.append(f"| two equal learning rules, 60 images, {name}: called different at 5% | {rate:.1f}% | {asked} |")
    head = f"\n{more.worlds:,} worlds for equivalence, {fewer.worlds} for learning rules; under 3% is careful:"
    return head + "\n\n" + "\n".join(lines) + "\n"
