"""The one grammar of model identifiers: what an id says, and how a network of that id is made.

========================================================= ======================================
``granularity_<recipe>_<labels>[_k<K>]_s<seed>``          a rung of a granularity ladder
``learningrule_<rule>[_<labels>_k<K>]_s<seed>``           a learning rule, on native classes or K
``scaling_<network>_w<width>_d<images a class>_s<seed>``  a network by width and by data
========================================================= ======================================

A width is a whole number or a fraction: ``w2``, ``w1of16``. In the place of labels, of a rule and of images a class may
also stand a condition without classes to learn: ``untrained``, a network as its seed makes it, and ``fitted``, the same
with batch-norm statistics taken from training images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNTRAINED, FITTED = "untrained", "fitted"
WITHOUT_K = ("native", "none", UNTRAINED, FITTED, "distilled")
"""What stands in the place of a label source where no number of classes follows."""

_LADDER = re.compile(r"(?P<family>granularity_[a-z0-9]+)_(?P<labels>[a-z0-9]+)(?:_k(?P<k>\d+))?_s(?P<seed>\d+)")
_RULE = re.compile(r"learningrule_(?P<rule>[a-z_]+?)(?:_(?P<labels>[a-z0-9]+)_k(?P<k>\d+))?_s(?P<seed>\d+)")
_SCALING = re.compile(
    r"scaling_(?P<network>[a-z0-9]+)_w(?P<width>\d+(?:of\d+)?)_(?:d(?P<images>\d+|full)|(?P<labels>[a-z]+))"
    r"_s(?P<seed>\d+)"
)


@dataclass(frozen=True)
class Ladder:
    """``granularity_<recipe>_<labels>[_k<K>]_s<seed>``."""

    family: str
    labels: str
    k: int | None
    seed: int

    @property
    def recipe(self) -> str:
        return self.family.removeprefix("granularity_")


@dataclass(frozen=True)
class Rule:
    """``learningrule_<rule>[_<labels>_k<K>]_s<seed>``; no labels: the native classes."""

    rule: str
    labels: str | None
    k: int | None
    seed: int


@dataclass(frozen=True)
class Scaling:
    """``scaling_<network>_w<width>_d<images a class>_s<seed>``."""

    network: str
    width: str
    """As written: ``2`` or ``1of16``."""
    images: int | None
    """Images of every class; None: all of them, or an untrained network."""
    seed: int
    labels: str | None = None
    """``untrained`` or ``fitted``, where that stands in the place of the images."""

    @property
    def times(self) -> float:
        """The width as a number."""
        width, _, of = self.width.partition("of")
        return int(width) / int(of or 1)


def parse(identifier: str) -> Ladder | Rule | Scaling | None:
    """What an identifier of ours says, None for any other.

    >>> parse("granularity_tiny_lite0_k8_s2")
    Ladder(family='granularity_tiny', labels='lite0', k=8, seed=2)
    >>> parse("learningrule_feedback_alignment_s1")
    Rule(rule='feedback_alignment', labels=None, k=None, seed=1)
    >>> parse("scaling_resnet18_w1of16_d30_s1").times
    0.0625
    >>> parse("alexnet") is None
    True
    """
    if found := _LADDER.fullmatch(identifier):
        return Ladder(found["family"], found["labels"], _whole(found["k"]), int(found["seed"]))
    if found := _RULE.fullmatch(identifier):
        return Rule(found["rule"], found["labels"], _whole(found["k"]), int(found["seed"]))
    if found := _SCALING.fullmatch(identifier):
        images = None if found["images"] == "full" else _whole(found["images"])
        return Scaling(found["network"], found["width"], images, int(found["seed"]), found["labels"])
    return None


def trained(recipe: str, rule: str, labels: str, k: int, seed: int) -> str:
    """The identifier of a network that a recipe trains.

    >>> trained("tiny", "backprop", "own", 8, 1), trained("tiny", "backprop", "native", 200, 1)
    ('granularity_tiny_own_k8_s1', 'granularity_tiny_native_s1')
    >>> trained("learning_rules", "stdp", "native", 10, 2)
    'learningrule_stdp_s2'
    """
    source = labels if labels in WITHOUT_K else f"{labels}_k{k}"
    if recipe == "learning_rules":
        return f"learningrule_{rule}{'' if labels == 'native' else f'_{source}'}_s{seed}"
    study = f"granularity_{recipe}" if rule == "backprop" else f"granularity_{recipe}_{rule}"
    return f"{study}_{source}_s{seed}"


def is_fitted(identifier: str) -> bool:
    """Whether a network is an untrained one with statistics taken from images.

    >>> is_fitted("granularity_tiny_fitted_s1"), is_fitted("granularity_tiny_untrained_s1")
    (True, False)
    """
    found = parse(identifier)
    return FITTED in (getattr(found, "rule", None), getattr(found, "labels", None))


def untrained_of(identifier: str) -> str:
    """The network that a fitted one is but for its statistics.

    >>> untrained_of("scaling_resnet18_w1of8_fitted_s1"), untrained_of("learningrule_fitted_s2")
    ('scaling_resnet18_w1of8_untrained_s1', 'learningrule_untrained_s2')
    """
    if not is_fitted(identifier):
        raise ValueError(f"{identifier}: expected an id of a fitted network, such as granularity_tiny_fitted_s1")
    start, seed = identifier.rsplit("_s", 1)
    return f"{start.removesuffix(FITTED)}{UNTRAINED}_s{seed}"


def fitted_of(identifier: str) -> str:
    """The fitted network of an untrained one: the inverse of `untrained_of`.

    >>> fitted_of("granularity_tiny_untrained_s3")
    'granularity_tiny_fitted_s3'
    """
    start, seed = identifier.rsplit("_s", 1)
    return f"{start.removesuffix(UNTRAINED)}{FITTED}_s{seed}"


def how_to_make(identifier: str) -> str:
    """The commands that make a checkpoint, in one line."""
    match parse(identifier):
        case Ladder(family="granularity_world"):
            return "run `granularity demo`"
        case found if found and is_fitted(identifier):
            data = {Ladder: "IMAGES", Rule: "CIFAR10", Scaling: "TINY_IMAGENET"}[type(found)]
            return f"run `granularity fit {identifier} --data {data}`"
        case Ladder() as wanted:
            return _ladder_commands(identifier, wanted)
        case Rule(rule, labels, k, seed):
            source = f" --labels {labels}_k{k}" if labels else ""
            asked = f"--rule {rule}{source} --seed {seed} --report"
            return f"run `granularity train --recipe learning_rules --data CIFAR10 {asked}`"
        case Scaling(network, _, int(images), seed) as wanted:
            subset = f"--images-per-class {images} --subset-seed {seed} --seed {seed}"
            asked = f"--recipe scaling --data TINY_IMAGENET --network {network}_w{wanted.times:g}_64px {subset}"
            return f"run `granularity train {asked} --name {identifier}`"
        case _:
            return f"train {identifier} and save it there"


def _ladder_commands(identifier: str, wanted: Ladder) -> str:
    source, k, seed = wanted.labels, wanted.k, wanted.seed
    steps, of = [], f"--recipe {wanted.recipe} --data IMAGES"
    if source not in ("native", "untrained", "random"):
        cut = "own" if source == "permuted" else source
        needs = {
            "own": f" --checkpoint granularity_{wanted.recipe}_native_s0",
            "merged": f" --k {k} --seed {seed}",
            "wordnet": f" --k {k} --is-a data.noun",
            "untrainedpcs": " --seed 0",
        }
        steps.append(f"`granularity labels {of} --source {cut}{needs.get(cut, '')}`")
    classes = f" --k {k}" if k else ""
    also = {"untrained": "native --epochs 0", "distilled": "distilled --objective regress --label-smoothing 0"}
    labels = also.get(source, source)
    if source == "merged":  # every seed merges anew
        labels, classes = f"merged_k{k}_s{seed}", ""
    named = f" --name {identifier}" if source == "untrained" else ""
    steps.append(f"`granularity train {of} --labels {labels}{classes} --seed {seed}{named}`")
    return "run " + ", then ".join(steps)


def _whole(number: str | None) -> int | None:
    return None if number is None else int(number)
