"""Which learning rule makes a network brain-like?"""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import partial

import numpy as np
import pandas as pd

from brainscore_granularity import rsa

from .. import drawing
from ..base import Analysis, Findings, NotApplicable
from ..images import as_stimuli
from ..measures import resolution
from ..measures import rules as r
from . import rules_figures

GABOR_SIZE = 48  # pixels per side
BASELINES = ("pixels", "luminance", "gabor")


def run(study) -> Findings:
    study.brain_rows  # noqa: B018  an error where there are no brains
    models = by_rule(study)
    baselines = _baselines(study)
    controls = {name: baselines[name] for name in ("pixels", "luminance") if name in baselines}
    settings, tables, notes = study.settings, defaultdict(list), []
    for brain in study.brains:
        subjects = dict(zip(brain.subjects, brain.rdms, strict=True))
        rdms = {rule: {seed: _rdm(study, m, brain) for seed, m in seeds.items()} for rule, seeds in models.items()}
        rdms |= {name: {None: rdm} for name, rdm in baselines.items()}
        table = r.per_subject(rdms, subjects, controls)
        about = {"benchmark": brain.name}
        layer = {study.committed(m, brain.region) for seeds in models.values() for m in seeds.values()}
        tables["scores"].append(table.assign(**about))
        tables["summary"].append(
            r.summary(rdms, brain.rdms, table, settings.resamples, settings.seed).assign(
                layer=", ".join(sorted(layer)), subjects=len(subjects), **r.reliability(brain.rdms), **about
            )
        )
        tables["contrasts"].append(
            r.contrasts(rdms, brain.rdms, models, settings.resamples, settings.seed).assign(**about)
        )
        study.say(f"rules: {brain.name}")
        if len(subjects) == 1:
            notes.append(f"{brain.name} has one subject: no noise ceiling and no reliability between subjects")
    found = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    found |= {name: r.corrected(found[name]) for name in ("summary", "contrasts")}
    found["resolution"], left_out = _sweep(study, models, baselines)
    found["training"], found["layers"] = _training(models)
    found = {name: table for name, table in found.items() if len(table)}
    if few := sorted(rule for rule, seeds in models.items() if len(seeds) < 3):
        notes.append(f"fewer than three seeds of {', '.join(few)}: the spread over seeds is not known")
    if left_out:
        notes.append(f"no resolution sweep of {', '.join(left_out)}, which have branches")
    notes.append(
        "intervals and p of differences are over stimuli and seeds for these subjects; p_seeds is over seeds alone"
    )
    return Findings(found, _answer(found), notes, {"filters": _filters(models)})


def by_rule(study) -> dict[str, dict[int, str]]:
    """Models {rule: {seed: model}}, untrained and fitted first; a rule's name includes labels that are not native."""
    from brainscore_granularity.weights.find import checkpoint_of

    found: dict[str, dict[int, str]] = {}
    for model in study.models:
        try:
            info = checkpoint_of(model).info
        except ValueError as error:
            raise NotApplicable(f"needs networks of this package, whose recipes say their rule: {error}") from None
        name, seed = rule_of(info)
        if seed in found.setdefault(name, {}):
            raise ValueError(f"{model} and {found[name][seed]} are both {name} with seed {seed}; name one of them")
        found[name][seed] = model
    found = {name: dict(sorted(seeds.items())) for name, seeds in found.items()}
    if r.BASELINE not in found or not found.keys() - {*r.STARTS}:
        raise NotApplicable(
            "needs networks of a learning rule, and with them the untrained ones of the same seeds that have fitted "
            f"statistics, such as --models 'learningrule_*'; got {', '.join(found)}"
        )
    return {start: found.pop(start) for start in reversed(r.STARTS) if start in found} | found


def rule_of(info: dict) -> tuple[str, int]:
    """Rule and seed of a checkpoint."""
    recipe = info.get("recipe") or {}
    if "initial_seed" in info:
        return r.FITTED if "statistics" in info else r.UNTRAINED, info["initial_seed"]
    rule, labels, seed = recipe.get("rule", "backprop"), recipe.get("labels", "native"), recipe["seed"]
    if labels in r.STARTS:
        return labels, seed
    return rule if labels == "native" or rule == r.UNTRAINED else f"{rule} {labels} K={info['classes']}", seed


def _rdm(study, model, brain) -> np.ndarray:
    layer = study.committed(model, brain.region)
    return study.products(model, layer).rdm(study.brain_rows, f"{model} {layer}")


def _baselines(study) -> dict[str, np.ndarray]:
    """RDMs of pixels, mean luminance and Gabor energy; undefined ones are left out."""
    from PIL import Image

    from brainscore_granularity.brains.controls import control_rdms
    from brainscore_granularity.brains.gabor import gabor_energy

    images = study.seen
    found = control_rdms(as_stimuli(images.ids, images.paths, images.name))
    small = []
    for path in images.paths:
        with Image.open(path) as image:
            small.append(np.asarray(image.convert("RGB").resize((GABOR_SIZE, GABOR_SIZE), Image.Resampling.BOX)))
    try:
        found["gabor"] = rsa.rdm(gabor_energy(np.stack(small)))
    except rsa.DegenerateFeatures:
        pass
    return found


def _sweep(study, models, baselines) -> tuple[pd.DataFrame, list[str]]:
    """Scores with images shown at other sizes; baselines do not depend on the size."""
    from brainscore_granularity.brains.model import VISUAL_DEGREES
    from brainscore_granularity.networks import Network
    from brainscore_granularity.weights.find import checkpoint_of

    paths, rows, left_out = study.seen.shown_at(VISUAL_DEGREES), [], []
    for rule, seeds in models.items():
        for seed, model in seeds.items():
            network = checkpoint_of(model).network()
            if not isinstance(network, Network):
                left_out.append(model)
                continue
            for brains in _by_layer(study, model):
                layer = study.committed(model, brains[0].region)
                for size in resolution.SIZES:
                    make = partial(resolution.rdm, network, layer, paths, size)
                    own = study.kept(model, layer, f"shown-{size}px", lambda make=make: {"rdm": make()})["rdm"]
                    rows += [{"benchmark": brain.name, "rule": rule, "seed": seed, "layer": layer, "pixels": size,
                              "rsa": _mean(own, brain)} for brain in brains]  # fmt: skip
            study.say(f"rules: {model} from {resolution.SIZES[0]} to {resolution.SIZES[-1]} pixels")
    for brain, (name, rdm) in itertools.product(study.brains, baselines.items()):
        rows += [{"benchmark": brain.name, "rule": name, "pixels": size, "rsa": _mean(rdm, brain)}
                 for size in resolution.SIZES]  # fmt: skip
    return pd.DataFrame(rows), left_out


def _by_layer(study, model):
    groups = defaultdict(list)
    for brain in study.brains:
        groups[study.committed(model, brain.region)].append(brain)
    return groups.values()


def _mean(rdm, brain) -> float:
    return float(np.mean([rsa.compare(rdm, own) for own in brain.rdms]))


def _training(models) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test accuracy after each epoch, and displacement, angle and activity of each layer, as training reported them."""
    from brainscore_granularity.weights.find import checkpoint_of

    curves, layers = [], []
    for rule, seeds in models.items():
        for seed, model in seeds.items():
            metrics = checkpoint_of(model).info.get("metrics") or {}
            about = {"rule": rule, "seed": seed}
            losses = metrics.get("train_loss", [])
            accuracies = metrics.get("validation_accuracy_by_epoch", [None] * len(losses))
            curves += [about | {"epoch": i, "accuracy": a, "train_loss": loss}
                       for i, (a, loss) in enumerate(zip(accuracies, losses, strict=True), start=1)]  # fmt: skip
            for quantity, of_layers in metrics.get("report", {}).items():
                for layer, values in of_layers.items():
                    layers += [about | {"layer": layer, "epoch": i, "quantity": quantity, "value": value}
                               for i, value in enumerate(values, start=1)]  # fmt: skip
    return pd.DataFrame(curves), pd.DataFrame(layers)


def _filters(models) -> dict[str, np.ndarray]:
    """First-layer kernels {rule: (channels, 3, height, width)} of the lowest seed that all rules have.

    The fitted network has the kernels of the untrained one.
    """
    from brainscore_granularity.weights.find import checkpoint_of

    models = {rule: seeds for rule, seeds in models.items() if rule != r.FITTED or r.UNTRAINED not in models}

    common = set.intersection(*(set(seeds) for seeds in models.values()))
    found = {}
    for rule, seeds in models.items():
        tensors = checkpoint_of(seeds[min(common or seeds)]).state_dict()
        on_colours = [tensor for tensor in tensors.values() if tensor.ndim == 4 and tensor.shape[1] == 3]
        if on_colours:
            found[rule] = on_colours[0].numpy()
    return found


def _answer(found) -> str:
    contrasts = found["contrasts"]
    against = contrasts[contrasts["b"] == r.BASELINE]
    parts = []
    for name, own in against.groupby("benchmark", sort=False):
        said = ", ".join(f"{row.a} {row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f}{', certain' * row.certain})"
                         for row in own.itertuples())  # fmt: skip
        summary = found["summary"].query("benchmark == @name").set_index("rule")["rsa"]
        simple = ", ".join(f"{rule} {summary[rule]:.3f}" for rule in BASELINES if rule in summary)
        starts = ", ".join(f"{start} {summary[start]:.3f}" for start in r.STARTS if start in summary)
        parts.append(f"{name}: {starts}; {said}; {simple}")
    return (
        "RSA minus that of each seed's own untrained network with fitted statistics (95% over stimuli and seeds; "
        f"certain: q below 0.05 over all differences and every seed of that sign). {'. '.join(parts)}."
    )


def draw(findings) -> dict:
    with drawing.pyplot() as plt:
        return rules_figures.draw(plt, findings)


ANALYSIS = Analysis(
    name="rules",
    question="Which learning rule makes a network like a brain?",
    how_to_read=(
        "Networks of one architecture, initialisation, data order and schedule differ in the rule that changed their "
        "weights; each is compared with the untrained network of its own seed whose batch-norm statistics were taken "
        "from training images (fitted). The same network with its initial statistics (untrained) is shown as well: the "
        "difference between the two is no effect of learning. Layers were committed before any score. A rule that "
        "scores below pixels, luminance or Gabor energy of the images says little about learning, and a difference "
        "that depends on the size at which images are shown (the sweep) is one of input statistics. Partial scores "
        "have pixels and luminance partialled out of both sides."
    ),
    run=run,
    draw=draw,
)
