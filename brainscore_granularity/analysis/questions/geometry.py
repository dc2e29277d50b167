"""Slightly better, or different? How far coarse networks are from native ones, from each other and from brains."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from brainscore_granularity.report import conditions
from brainscore_granularity.rsa.degenerate import DegenerateFeatures

from .. import drawing, label_axes
from ..base import Analysis, Findings, NotApplicable
from ..measures import geometry
from . import geometry_figures

AT_MOST = 500  # images drawn for comparing layers: 125,000 pairs
SORTED = 100  # images in displayed RDMs


def run(study) -> Findings:
    rows = _drawn(study, AT_MOST)
    warnings = [] if len(rows) == len(study.rows) else [f"layers are compared on {len(rows)} images drawn at random"]
    pairs = _pairs(study)
    if not pairs:
        raise NotApplicable("needs a native network and others, or two seeds of one condition")
    layerwise = pd.DataFrame(_layerwise(study, rows, pairs, warnings))
    if "seed" not in set(layerwise["pair"]):
        warnings.append(
            "one seed only: no distance between seeds to compare these distances with, and no interval over networks; "
            "a coarse network may be as far from the native one as another seed would be"
        )
    sights, rdms = _sights(study)
    matrix = geometry.similarities(rdms)
    found = geometry.embed(1 - matrix)
    points = sights.assign(x=found.points[:, 0], y=found.points[:, 1], stress=found.stress)
    names = [f"{row.what} {row.layer}".strip() for row in sights.itertuples()]
    wide = pd.DataFrame(matrix, columns=names)
    wide.insert(0, "what", names)
    shown, order, said = _sorted(study)
    warnings.append(said)
    tables = {"layerwise": layerwise, "map": points, "matrix": wide, "order": order}
    return Findings(tables, _answer(layerwise, study), warnings, {"shown": shown})


def _drawn(study, most, rows=None):
    rows = study.rows if rows is None else rows
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(study.settings.seed).choice(rows, most, replace=False))


def _pairs(study):
    """Pairs (model, other, kind): "native" with the native one of its seed, "seed" of two seeds of a condition."""
    known = {model: study.describe(model) for model in study.models}
    pairs = []
    for model, about in known.items():
        native = study.native(model)
        if native not in (None, model) and about["labels"] != conditions.NATIVE:
            pairs.append((model, native, "native"))
    for one, other in itertools.combinations(known, 2):
        same = all(known[one][key] == known[other][key] for key in ("labels", "k"))
        if same and known[one]["labels"] is not None and known[one]["seed"] != known[other]["seed"]:
            pairs.append((one, other, "seed"))
    return pairs


def _layerwise(study, rows, pairs, warnings):
    """RSA and CKA of each pair in each layer."""
    settings = study.settings
    for layer in study.layers:
        rdms, grams = {}, {}
        for model in dict.fromkeys(itertools.chain.from_iterable(pair[:2] for pair in pairs)):
            products = study.products(model, layer)
            try:
                rdms[model] = products.rdm(rows, f"{model} {layer}")
            except DegenerateFeatures as error:
                warnings.append(str(error))
                continue
            grams[model] = products.gram[np.ix_(rows, rows)]
        for other in dict.fromkeys(pair[1] for pair in pairs):
            mine = [pair for pair in pairs if pair[1] == other and {pair[0], other} <= rdms.keys()]
            if not mine:
                continue
            by_rsa = geometry.rsa_with([rdms[model] for model, _, _ in mine], rdms[other], settings.resamples,
                                       settings.seed)  # fmt: skip
            by_cka = geometry.cka_with([grams[model] for model, _, _ in mine], grams[other], settings.resamples,
                                       settings.seed)  # fmt: skip
            for (model, _, kind), a, b in zip(mine, by_rsa, by_cka, strict=True):
                yield study.describe(model) | {
                    "layer": layer, "against": other, "pair": kind, "rsa": a.value, "rsa_low": a.low,
                    "rsa_high": a.high, "cka": b.value, "cka_low": b.low, "cka_high": b.high,
                }  # fmt: skip
        study.say(f"geometry: {layer}")


def _sights(study):
    """RDMs of every layer and of every brain (mean of its subjects' ranks), for the images that brains saw."""
    rows = _drawn(study, AT_MOST, study.brain_rows if study.brains else study.rows)
    about, rdms = [], []
    for model, layer in itertools.product(study.models, study.layers):
        try:
            rdms.append(study.products(model, layer).rdm(rows))
        except DegenerateFeatures:
            continue
        about.append({"what": model, **study.describe(model), "layer": layer, "kind": "network"})
    chosen = rows - study.brain_rows[0] if study.brains else rows
    for brain in study.brains:
        rdms.append(np.mean([geometry.percentiles(each[np.ix_(chosen, chosen)]) for each in brain.rdms], axis=0))
        about.append({"what": brain.name, "layer": "", "kind": "brain"})
    return pd.DataFrame(about), np.stack(rdms)


def _sorted(study):
    """RDMs for display: {name: (n, n)}, a table of the images' order and class, and the axis they are sorted by."""
    rows = _drawn(study, SORTED, study.brain_rows if study.brains else study.rows)
    score, classes, said = _axis(study, rows)
    ids = np.concatenate([images.ids for images in study.sets])[rows]
    order = pd.DataFrame({"image": ids, "score": score, "class": classes})
    chosen = rows - study.brain_rows[0] if study.brains else rows
    shown = {}
    for model in _few(study):
        layer = study.layers[-1] if not study.brains else study.committed(model, study.brains[0].region)
        shown[drawing.name(study.describe(model))] = study.products(model, layer).rdm(rows)
    for brain, name in zip(study.brains, drawing.short([brain.name for brain in study.brains]), strict=True):
        shown[name] = np.mean([geometry.percentiles(e[np.ix_(chosen, chosen)]) for e in brain.rdms], axis=0)
    return shown, order, said


def _axis(study, rows):
    """Score of each image on one axis, its coarse class, and the origin of both in words."""
    try:
        axes = label_axes.of(study)[0]
    except label_axes.NoAxes as error:
        model = study.native() or study.models[-1]
        layer = study.layers[-1]
        products = study.products(model, layer)
        scores = study.components(model, layer).scores(products, rows)
        bits = scores[:, :3] > np.median(scores[:, :3], axis=0)
        return (
            scores[:, 0],
            bits @ (2 ** np.arange(bits.shape[1])[::-1]),
            f"RDMs are sorted by the components of {model} {layer}, because the label source's are missing: {error}",
        )
    return (
        axes.scores[rows, 0],
        axes.classes(geometry_figures.GROUPS)[rows],
        (f"RDMs are sorted by the components of {axes.encoder} that cut the classes ({axes.source})"),
    )


def _few(study):
    """At most five networks that span the conditions: coarsest, middle and finest K, native, one without learning."""
    coarse = study.coarse()
    first = {study.describe(model)["k"]: model for model in reversed(coarse)}
    ks = sorted(first)
    few = [first[ks[i]] for i in sorted({0, len(ks) // 2, len(ks) - 1})] if ks else []
    starts = [model for model in study.models if study.describe(model)["labels"] in conditions.STARTS]
    starts.sort(key=lambda model: study.describe(model)["labels"] != conditions.FITTED)
    few += [*([study.native()] if study.native() else []), *starts[:1]]
    return few or study.models[:5]


def _answer(layerwise, study) -> str:
    last = layerwise[layerwise["layer"] == study.layers[-1]]
    parts = []
    for kind, title in (("native", "with the native network"), ("seed", "between seeds of one condition")):
        own = last[last["pair"] == kind]
        told = ", ".join(f"{drawing.name(row)} {row['rsa']:.2f} ({row['rsa_low']:.2f} to {row['rsa_high']:.2f})"
                         for _, row in own.iterrows())  # fmt: skip
        if told:
            parts.append(f"RSA {title}: {told}")
    yardstick = last[last["pair"] == "seed"]
    if len(yardstick):
        below = last[(last["pair"] == "native") & (last["rsa_high"] < yardstick["rsa_low"].min())]
        which = ", ".join(dict.fromkeys(drawing.name(row) for _, row in below.iterrows())) or "none"
        parts.append(f"farther from native than any two seeds are from each other: {which}")
    else:
        parts.append("one seed of each condition, so there is no distance between seeds as a yardstick")
    return f"In {study.layers[-1]}, {'; '.join(parts)}."


ANALYSIS = Analysis(
    name="geometry",
    question="Slightly better or different: how far are coarse networks from native ones, and from each other?",
    how_to_read=(
        "Similarity of each layer to the same layer of the native network, by RSA and by CKA (which weights large "
        "distances). Two seeds of one condition are the yardstick: a network farther from native than such seeds are "
        "from each other is different, not only better. The map puts all RDMs of networks and "
        "brains in one plane; its stress says how much the plane hides (above 0.2: a lot)."
    ),
    run=run,
    draw=geometry_figures.draw,
    inputs=label_axes.inputs,
)
