"""Do human and macaque brains, on the same images, prefer the same networks?"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainscore_granularity.report import conditions, measures, style
from brainscore_granularity.rsa.degenerate import DegenerateFeatures

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..measures import species as s

SPECIES = {"fMRI": "human", "MEG": "human", "spiking": "macaque"}  # all spiking benchmarks are of macaques
BOTH = ("human", "macaque")
SIGNIFICANT = 0.05
BETWEEN = ["human_benchmark", "macaque_benchmark"]


def run(study) -> Findings:
    pairs, notes = _pairs(study)
    settings, found = study.settings, {"orders": [], "partial": [], "direct": []}
    for human, macaque in pairs:
        rdms, layers = _rdms(study, human.region, notes)
        groups = [re.sub(r"_s\d+$", "", model) for model in rdms]
        if len(set(groups)) < s.FEWEST:
            raise NotApplicable(
                f"needs at least {s.FEWEST} networks that differ in more than their seed, got {len(set(groups))}"
            )
        stack = np.stack([*rdms.values()])
        about = dict(zip(BETWEEN, (human.name, macaque.name), strict=True)) | {"images": stack.shape[1]}
        rows = s.orders(stack, human.rdms, macaque.rdms, groups, settings.resamples, settings.seed)
        found["orders"] += [about | row for row in rows]
        found["direct"].append(about | s.direct(human.rdms, macaque.rdms, settings.resamples, settings.seed))
        for who, own, other in (("human", human, macaque), ("macaque", macaque, human)):
            control = s.pooled(other.rdms)
            lower, upper = s.partial_ceiling(own.rdms, control)
            rows = s.partials(stack, own.rdms, control, settings.resamples, settings.seed)
            found["partial"] += [
                about | study.describe(model) | {"layer": layers[model], "species": who} | row
                | {"ceiling_lower": lower, "ceiling_upper": upper}
                for model, row in zip(rdms, rows, strict=True)
            ]  # fmt: skip
        study.say(f"species: {human.name} and {macaque.name}")
        notes += [f"{brain.name} has one RDM: how much of it is noise is not known"
                  for brain in (human, macaque) if len(brain.subjects) == 1]  # fmt: skip
        if len(set(groups)) < len(groups):
            notes.append(f"{len(groups)} networks, {len(set(groups))} in the orders: seeds of one network count as one")
    tables = {name: pd.DataFrame(rows) for name, rows in found.items()}
    tables["partial"]["q"] = false_discovery_control(tables["partial"]["p"])
    notes.append(
        "subjects are as they are in all intervals; 'networks' takes these for a random draw of independent networks"
    )
    return Findings(tables, _answer(tables), list(dict.fromkeys(notes)))


def _rdms(study, region: str, notes: list[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """{model: RDM} and {model: layer} of the layers committed to a region; a note on networks that have no RDM."""
    rdms, layers = {}, {model: study.committed(model, region) for model in study.models}
    for model, layer in layers.items():
        try:
            rdms[model] = study.products(model, layer).rdm(study.brain_rows, f"{model} {layer}")
        except DegenerateFeatures as error:
            notes.append(f"left out: {error}")
    return rdms, layers


def committed(study) -> dict:
    """The layers that the results depend on."""
    regions = {brain.region for brain in study.brains}
    try:
        return {model: [study.committed(model, region) for region in sorted(regions)] for model in study.models}
    except NotApplicable:  # said when it is run
        return {}


def _pairs(study) -> tuple[list, list[str]]:
    """Human and macaque benchmarks of one region, and notes on those left out."""
    study.brain_rows  # noqa: B018  an error where there are no brains
    of = {brain.name: SPECIES.get(measures.scale(brain.name)) for brain in study.brains}
    human, macaque = ([b for b in study.brains if of[b.name] == who] for who in BOTH)
    pairs = [(one, other) for one in human for other in macaque if one.region == other.region]
    if not pairs:
        raise NotApplicable(
            "needs a human (fMRI or MEG) and a macaque (spiking) benchmark of one region on the same images, such as "
            f"--benchmarks Kriegeskorte2008.hIT-rsa Kriegeskorte2008.mIT-rsa; got {', '.join(of)}"
        )
    paired = {brain.name for pair in pairs for brain in pair}
    left = [name for name in of if name not in paired]
    return pairs, [f"left out, without a benchmark of the other species and region: {', '.join(left)}"] if left else []


def _answer(tables) -> str:
    parts = []
    for row in tables["orders"].query("statistic == 'spearman'").itertuples():
        own = {name: table[(table[BETWEEN] == [row.human_benchmark, row.macaque_benchmark]).all(axis=1)]
               for name, table in tables.items()}  # fmt: skip
        tau = own["orders"].query("statistic == 'kendall'").iloc[0]
        said = (
            f"{row.human_benchmark} and {row.macaque_benchmark} {_verdict(row)} {row.networks} networks on different "
            f"halves of the images ({_across(row, 'rho')}; {_across(tau, 'tau')}; 95% over images and networks), where "
            f"noise leaves human with human {row.human:.2f} and macaque with macaque {row.macaque:.2f}; on the same "
            f"images rho is {row.value:.2f} ({row.images_low:.2f} to {row.images_high:.2f} over images, "
            f"{row.networks_low:.2f} to {row.networks_high:.2f} over networks, {row.both_low:.2f} to "
            f"{row.both_high:.2f} over both)"
        )
        if row.people == row.people:
            said += f"; half of the people against the others {row.people:.2f}"
        alone = [_alone(own["partial"], who, other) for who, other in (BOTH, BOTH[::-1])]
        parts.append("; ".join([said, *alone, _direct(own["direct"])]))
    return ". ".join(parts) + "."


def _verdict(row) -> str:
    if row.across_low > 0:
        return "put in similar orders"
    return "put in opposite orders" if row.across_high < 0 else "are not shown to agree on the order of"


def _across(row, name: str) -> str:
    return f"{name} {row.across:.2f}, {row.across_low:.2f} to {row.across_high:.2f}"


def _alone(table, who: str, other: str) -> str:
    own = table[table["species"] == who]
    sure = own[(own["q"] < SIGNIFICANT) & (own["partial"] > 0)]
    said = f"given the {other} RDM {len(sure)} of {len(own)} networks correlate with {who} at q < {SIGNIFICANT}"
    if len(sure):
        best = sure.loc[sure["partial"].idxmax()]
        said += (
            f" (highest {best['model']} {best['partial']:.3f}, {best['low']:.3f} to {best['high']:.3f}), as networks "
            f"of shared structure alone would if at most {sure['gone_at'].median():.2f} (median) of the {other} RDM "
            "were shared"
        )
    return said


def _direct(table) -> str:
    row = table.iloc[0]
    said = f"the species' RDMs correlate at {row['rsa']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    for who in BOTH:
        known = row[f"{who}_lower"] == row[f"{who}_lower"]
        bounds = f"{row[f'{who}_lower']:.3f} to {row[f'{who}_upper']:.3f}" if known else "unknown"
        said += f", {who} ceiling {bounds}"
    return said


def draw(findings) -> dict:
    partial, direct = findings.tables["partial"], findings.tables["direct"]
    with drawing.pyplot() as plt:
        figure, axes = plt.subplots(len(direct), 2, figsize=(7.1, 0.6 + 3 * len(direct)), squeeze=False)
        for (left, right), (_, row) in zip(axes, direct.iterrows(), strict=True):
            own = partial[(partial[BETWEEN] == row[BETWEEN]).all(axis=1)]
            human, macaque = (own[own["species"] == who] for who in BOTH)
            for (_, x), (_, y) in zip(human.iterrows(), macaque.iterrows(), strict=True):
                look = _look(x)
                left.plot(x["rsa"], y["rsa"], **look)
                right.plot([x["low"], x["high"]], [y["partial"]] * 2, linewidth=0.5, color=look["color"], alpha=0.5)
                right.plot([x["partial"]] * 2, [y["low"], y["high"]], linewidth=0.5, color=look["color"], alpha=0.5)
                right.plot(x["partial"], y["partial"], **look)
            for axis in (left, right):
                axis.axvline(0, color=style.GRID, linewidth=0.8, zorder=0)
                axis.axhline(0, color=style.GRID, linewidth=0.8, zorder=0)
            names = drawing.short(row[BETWEEN])
            left.set_xlabel(f"RSA with human {names[0]}")
            left.set_ylabel(f"RSA with macaque {names[1]}")
            right.set_xlabel("human given macaque (partial)")
            right.set_ylabel("macaque given human (partial)")
        drawing.legend_below(figure, axes[0, 0], 6, 0.14)
    return {
        "species": (
            figure,
            "A mark is a network. Left: RSA (Spearman) with both species on the same images. Right: partial "
            "correlations, one species' RDM given the other's, with 95% intervals over images.",
        )
    }


def _look(row) -> dict:
    """Mark of a network: untrained ones are open, those that are not of the study of K triangles."""
    colour = drawing.look(row)["color"]
    known = conditions.condition(row["labels"], row["k"])
    face = "none" if known and known.labels in conditions.STARTS else colour
    return {
        "linestyle": "none", "marker": "o" if known else "^", "markersize": 3.5, "color": colour,
        "markerfacecolor": face, "markeredgewidth": 0.7, "label": known.label if known else "other networks",
    }  # fmt: skip


ANALYSIS = Analysis(
    name="species",
    question="Do human and macaque brains, on the same images, prefer the same networks?",
    how_to_read=(
        "rho (Spearman) and tau (Kendall) compare the networks' orders by RSA with each species, seeds of one network "
        "averaged. On the same images chance helps a network with both species, so similar orders are claimed from "
        "different halves of the images only. Noise limits these: where two halves do not agree on the order within a "
        "species, they cannot agree across. An interval above 0 says that orders are similar, not that they are the "
        "same. "
        "Partial scores take the other species' RDM out of both sides. One above 0 does not show structure that one "
        "species has alone, because an RDM with noise and structure of its own does not take out all that is shared: "
        "if only the share gone_at of it is what both species have, a network with nothing else would score the same."
    ),
    run=run,
    draw=draw,
    needs=(),
    inputs=committed,
)
