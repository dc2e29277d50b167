"""The conditions of the study (what a network was trained on): their names, labels and order.

A condition is a source of labels and, for most sources, a number of classes K. Those without K stand beside the axis of
K: to its left ``untrained`` and ``fitted``, which is untrained but for batch-norm statistics fitted to images; to its
right ``native``, the classes of the data set, and whatever else `identifiers.WITHOUT_K` has. Two are controls:
``random`` labels, and labels ``permuted`` over images. Every other word names a source of coarse classes: ``own`` (a
network of ours), ``clip``, ``wordnet``, ``lite0``, ...

>>> coarse, control = Condition("own", 8), Condition("permuted", 64)
>>> coarse.name, coarse.label, control.name, control.label
('8', '8 classes', 'permuted 64', 'permuted 64')
>>> several = [control, Condition("native"), Condition("lite0", 4), coarse, Condition("untrained")]
>>> [condition.name for condition in in_order(several)]
['untrained', '8', 'lite0 4', 'native', 'permuted 64']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from brainscore_granularity.runner import results
from brainscore_granularity.weights.identifiers import WITHOUT_K

UNTRAINED, FITTED, NATIVE = "untrained", "fitted", "native"
STARTS = (UNTRAINED, FITTED)  # untrained networks: left of the axis of K
GOALS = (NATIVE, *sorted({*WITHOUT_K} - {*STARTS, NATIVE}))  # right of the axis of K
ENDS = (*STARTS, *GOALS)
OWN = "own"  # the default source, left out of names
RANDOM, PERMUTED = CONTROLS = ("random", "permuted")
NATIVE_CLASSES = {"granularity_world": 64, "granularity_tiny": 200, "granularity_imagenet": 1000}  # by family


class Condition(NamedTuple):
    """What a network was trained on; ``k`` is None for sources without a number of classes."""

    labels: str
    k: int | None = None

    @property
    def name(self) -> str:
        """Short and unique: "untrained", "8" for classes of our own networks, "clip 8", "native", "random 8"."""
        if self.k is None:
            return self.labels
        return str(self.k) if self.labels == OWN else f"{self.labels} {self.k}"

    @property
    def label(self) -> str:
        """The name in words, for use on its own, as in a legend: "8 classes"."""
        if self.labels == FITTED:
            return "untrained, fitted"
        return f"{self.name} classes" if self.labels == OWN else self.name

    @property
    def place(self) -> str | int:
        """Place on the axis of K, shared by all sources: a number of classes, or the word of a source without K."""
        return self.labels if self.k is None else self.k

    def tick(self, native: int) -> str:
        """Text of the place below an axis. native : number of native classes."""
        known = {UNTRAINED: "un-\ntrained", FITTED: "\n\nfitted", NATIVE: f"{native}\nnative"}
        return known.get(self.place, str(self.place))


def condition(labels: str | None, k: float | None) -> Condition | None:
    """The condition of a row of scores; None for models that are not of this study."""
    if labels in ENDS:
        return Condition(labels)
    known = isinstance(labels, str) and k is not None and k == k  # k == k is False for NaN, which tables have for None
    return Condition(labels, int(k)) if known else None


def of(model: str) -> Condition | None:
    """The condition of a model, read from its id.

    >>> of("granularity_tiny_own_k8_s1"), of("alexnet")
    (Condition(labels='own', k=8), None)
    """
    known = results.describe(model)
    return condition(known["labels"], known["k"])


def named(name: str) -> Condition:
    """The condition of a name.

    >>> named("8"), named("native").label, named("random 8").k
    (Condition(labels='own', k=8), 'native', 8)
    """
    source, _, last = name.rpartition(" ")
    return Condition(source or OWN, int(last)) if last.isdigit() else Condition(name)


def control(labels: str | None) -> str | None:
    """The kind of control that a source of labels is, None if it is none.

    >>> control("random"), control("permuted_wordnet"), control("wordnet")
    ('random', 'permuted', None)
    """
    kind = labels.partition("_")[0] if isinstance(labels, str) else None
    return kind if kind in CONTROLS else None


def is_coarse(labels: str | None) -> bool:
    """Whether a source gives coarse classes of the images; False for sources without K and for controls.

    >>> is_coarse("own"), is_coarse("native"), is_coarse("random"), is_coarse(None)
    (True, False, False, False)
    """
    return isinstance(labels, str) and labels not in ENDS and control(labels) is None


def source_rank(labels: str) -> tuple:
    """Sorts sources of labels: untrained, fitted, own, others by name, native and others without K, controls."""
    if labels in STARTS:
        return 0, STARTS.index(labels), labels
    if labels in GOALS:
        return 2, GOALS.index(labels), labels
    if kind := control(labels):
        return 3, CONTROLS.index(kind), labels
    return 1, labels != OWN, labels


def in_order(conditions: Iterable[Condition]) -> list[Condition]:
    """Each condition once: sources as `source_rank` says, each by growing K."""
    return sorted(dict.fromkeys(conditions), key=lambda c: (*source_rank(c.labels), c.k or 0))


def named_models(models: Iterable[str], words: bool = False) -> dict[str, str]:
    """Names of the models' conditions, {model: name} in order, with the seed if several have the same condition.

    words : labels instead of names.

    >>> list(named_models(f"granularity_tiny_{which}" for which in ("native_s1", "fitted_s2", "fitted_s1")).values())
    ['fitted, seed 1', 'fitted, seed 2', 'native']
    """
    ordered = {model: of(model) for model in models_in_order(models)}
    several = {found for found, count in Counter(ordered.values()).items() if count > 1}
    named = {}
    for model, found in ordered.items():
        seed = f", seed {results.describe(model)['seed']}" if found in several else ""
        named[model] = (found.label if words else found.name) + seed
    return named


def models_in_order(models: Iterable[str]) -> list[str]:
    """Models by family, condition and seed; those without a condition by name."""

    def rank(model):
        family, labels, k, seed = results.describe(model).values()
        return family, source_rank(labels or ""), k or 0, seed or 0, model

    return sorted(models, key=rank)


def places_in_order(places: Iterable[str | int]) -> list[str | int]:
    """Places on the axis of K, each once, from left to right: untrained, fitted, growing K, native, others."""
    present = set(places)
    numbers = sorted(place for place in present if place not in ENDS)
    return [*(p for p in STARTS if p in present), *numbers, *(p for p in GOALS if p in present)]
