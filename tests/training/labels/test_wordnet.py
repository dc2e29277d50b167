import pytest
from brainscore_granularity.training.labels import sources as label_sources
from brainscore_granularity.training.labels import wordnet

#              entity
#          animal    thing
#        dog  cat   tool  toy     a toy dog is a toy and a dog
#      pug         hammer  toydog
IS_A = """entity animal
entity thing
animal dog
animal cat
dog pug
thing tool

thing toy
tool hammer
dog toydog
toy toydog
"""


@pytest.fixture
def taxonomy(tmp_path):
    path = tmp_path / "wordnet.is_a.txt"
    path.write_text(IS_A)
    return path


def test_classes_are_merged_at_a_depth(taxonomy):
    names = [f"{wnid}/{i}.JPEG" for wnid in ("pug", "cat", "hammer") for i in range(2)]
    for depth, classes, expected in [
        (1, ("animal", "thing"), [0, 0, 0, 0, 1, 1]),
        (2, ("cat", "dog", "tool"), [1, 1, 0, 0, 2, 2]),
        (3, ("cat", "hammer", "pug"), [2, 2, 0, 0, 1, 1]),  # a cat is at depth 2 and stays itself
        (9, ("cat", "hammer", "pug"), [2, 2, 0, 0, 1, 1]),
    ]:
        labels, found = label_sources.from_wordnet(names, taxonomy, depth)
        assert found == classes and labels.tolist() == expected


def test_deeper_classes_are_nested_in_higher_ones(taxonomy):
    parents = wordnet.read_is_a(taxonomy)
    leaves = ("pug", "cat", "hammer", "toydog", "toy")
    for depth in range(4):
        high, low = (wordnet.merged_classes(leaves, parents, d) for d in (depth, depth + 1))
        for a in leaves:
            assert all(high[a] == high[b] for b in leaves if low[a] == low[b])


def test_several_parents_are_settled_whatever_the_order_of_the_file(taxonomy, tmp_path):
    parents = wordnet.read_is_a(taxonomy)
    assert wordnet.ancestry("toydog", parents) == ["entity", "animal", "dog", "toydog"]
    turned = tmp_path / "turned.txt"
    turned.write_text("\n".join(reversed(IS_A.splitlines())))
    assert wordnet.read_is_a(turned) == parents
    short = {**parents, "toydog": ("dog", "entity")}
    assert wordnet.ancestry("toydog", short) == ["entity", "toydog"]  # the shortest way comes first


def test_several_roots_are_classes_of_depth_zero():
    parents = {"a": ("x",), "b": ("y",)}
    assert wordnet.merged_classes(["a", "b"], parents, 0) == {"a": "x", "b": "y"}


def test_bad_taxonomies_and_questions(taxonomy, tmp_path):
    parents = wordnet.read_is_a(taxonomy)
    with pytest.raises(ValueError, match=r"2 of 3 classes are not in the taxonomy \(first: n01, n02\)"):
        wordnet.merged_classes(["n01", "n02", "pug"], parents, 1)
    with pytest.raises(ValueError, match=r"at depth 0 all classes are one \(entity\); choose a larger depth"):
        wordnet.wordnet_labels(["pug", "cat"], parents, 0)
    with pytest.raises(ValueError, match="0 or more, got -1"):
        wordnet.merged_classes(["pug"], parents, -1)
    with pytest.raises(ValueError, match="in a circle above a"):
        wordnet.ancestry("a", {"a": ("b",), "b": ("a",)})
    (tmp_path / "bad.txt").write_text("a b\na b c\n")
    with pytest.raises(ValueError, match="bad.txt, line 2: expected two WordNet ids"):
        wordnet.read_is_a(tmp_path / "bad.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ValueError, match="has no line"):
        wordnet.read_is_a(tmp_path / "empty.txt")
