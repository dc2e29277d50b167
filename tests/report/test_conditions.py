import itertools

import pytest

from brainscore_granularity.analysis import drawing
from brainscore_granularity.report import answer, conditions, curves
from brainscore_granularity.report import drawing as page_drawing
from brainscore_granularity.report.conditions import Condition

KNOWN = [
    Condition("untrained"), Condition("fitted"), Condition("own", 2), Condition("own", 16), Condition("clip", 2),
    Condition("lite0", 8), Condition("permutation", 8), Condition("native"), Condition("distilled"),
    Condition("random", 8), Condition("permuted", 2), Condition("permuted_wordnet", 2),
]  # fmt: skip


def test_models_stand_in_the_order_of_granularity_with_the_controls_last():
    names = ["permuted_k8_s1", "native_s1", "own_k16_s2", "random_k64_s1", "own_k2_s1", "untrained_s1", "own_k16_s1"]
    found = conditions.models_in_order(f"granularity_tiny_{name}" for name in names)
    assert [conditions.of(model).name for model in found] == [
        "untrained", "2", "16", "16", "native", "random 64", "permuted 8",
    ]  # fmt: skip
    assert found[2].endswith("_s1") and conditions.models_in_order(["vgg16", "alexnet"]) == ["alexnet", "vgg16"]


@pytest.mark.parametrize(
    "shuffled", list(itertools.islice(itertools.permutations(range(len(KNOWN))), 0, 10**6, 99_991))
)
def test_the_order_does_not_depend_on_where_conditions_come_from(shuffled):
    assert conditions.in_order([KNOWN[i] for i in shuffled] * 2) == KNOWN


@pytest.mark.parametrize("known", KNOWN)
def test_a_name_is_unique_and_gives_its_condition_back(known):
    assert conditions.named(known.name) == known and len({each.name for each in KNOWN}) == len(KNOWN)


@pytest.mark.parametrize("known", KNOWN)
def test_every_source_is_beside_the_axis_a_control_or_coarse_classes(known):
    labels = known.labels
    kinds = labels in conditions.ENDS, conditions.control(labels) is not None, conditions.is_coarse(labels)
    assert sum(kinds) == 1 and (known.k is None) == kinds[0]


@pytest.mark.parametrize(
    ("labels", "k"), [(None, None), (None, 8), ("own", None), ("own", float("nan")), (float("nan"), 2)]
)
def test_rows_of_other_models_have_no_condition(labels, k):
    assert conditions.condition(labels, k) is None and not (labels != "own" and conditions.is_coarse(labels))
    assert drawing.name({"labels": labels, "k": k, "model": "alexnet"}) == "alexnet"
    assert drawing.look({"labels": labels, "k": k})["color"]


def test_every_condition_has_a_look_of_its_own_source():
    looks = {known.name: drawing.look({"labels": known.labels, "k": known.k}) for known in KNOWN}
    assert len({str(looks[name]) for name in ("untrained", "fitted", "native", "distilled")}) == 4
    assert looks["2"] == looks["clip 2"] != looks["16"]  # colour is for K
    assert looks["permuted 2"] == looks["permuted_wordnet 2"] != looks["random 8"]


def test_several_seeds_of_a_condition_are_told_apart_in_words():
    models = [f"granularity_tiny_{which}" for which in ("own_k8_s1", "fitted_s2", "untrained_s1", "fitted_s1")]
    assert list(conditions.named_models(models, words=True).values()) == [
        "untrained", "untrained, fitted, seed 1", "untrained, fitted, seed 2", "8 classes",
    ]  # fmt: skip


def test_what_has_no_k_stands_beside_the_axis_and_never_on_top_of_each_other():
    places = conditions.places_in_order(["distilled", "native", 8, "fitted", 2, "untrained", 2])
    assert places == ["untrained", "fitted", 2, 8, "native", "distilled"]
    x = page_drawing._positions(places, float)
    assert x == sorted(x) and min(b - a for a, b in itertools.pairwise(x)) >= 36


def test_a_control_is_never_the_answer_on_simulated_brains():
    def record(labels, value):
        return {"model": f"granularity_world_{labels}_s1", "benchmark": "World.IT-rsa", "status": "ok", "value": value,
                "raw": value, "interval": [value - 0.01, value + 0.01], "simulated": True}  # fmt: skip

    said = answer.simulated(curves.by_scale([record("own_k8", 0.4), record("native", 0.3), record("random_k8", 0.9)]))
    assert "8 classes" in said and "0.40" in said and "random" not in said and "0.90" not in said
