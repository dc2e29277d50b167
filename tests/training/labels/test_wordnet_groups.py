"""Exactly K groups of classes along a taxonomy, and WordNet's own file as the taxonomy."""

import math
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from brainscore_granularity.training.labels import wordnet

# root -> living (animal -> 3 animals, plant -> 2 plants), thing (tool -> hammer; car)
IS_A = {
    **{"animal": ("living",), "plant": ("living",), "living": ("root",), "thing": ("root",), "tool": ("thing",)},
    **{"cat": ("animal",), "dog": ("animal",), "newt": ("animal",), "oak": ("plant",), "rose": ("plant",)},
    **{"hammer": ("tool",), "car": ("thing",)},
}
CLASSES = ["cat", "dog", "newt", "oak", "rose", "hammer", "car"]
NOUNS = """  1 This software and database is being provided to you, the LICENSEE, by
  2 Princeton University under the following license.
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | that which is
00000002 03 n 02 animal 0 beast 0 003 @ 00000001 n 0000 ~ 00000003 n 0000 + 00000009 v 0101 | alive | it moves
00000003 05 n 01 cat 0 002 @ 00000002 n 0000 #m 00000001 n 0000 | it purrs
00000004 05 n 01 Tom 0 001 @i 00000003 n 0000 | a cat
"""


def entropy(groups):
    counts = Counter(groups.values()).values()
    return -sum(n / len(groups) * math.log(n / len(groups)) for n in counts)


def test_groups_are_branches_less_the_branches_cut_off_from_them():
    assert wordnet.even_groups(CLASSES, IS_A, 2) == {
        **dict.fromkeys(["cat", "dog", "newt"], 0), **dict.fromkeys(["oak", "rose", "hammer", "car"], 1)
    }  # fmt: skip
    three = wordnet.even_groups(CLASSES, IS_A, 3)
    assert {frozenset(c for c in CLASSES if three[c] == g) for g in range(3)} == {
        frozenset({"cat", "dog", "newt"}), frozenset({"oak", "rose"}), frozenset({"hammer", "car"})
    }  # fmt: skip


def test_two_groups_are_the_most_even_that_any_branch_gives():
    branches = {node for c in CLASSES for node in wordnet.ancestry(c, IS_A)}
    cuts = [{c: int(node in wordnet.ancestry(c, IS_A)) for c in CLASSES} for node in branches]
    assert entropy(wordnet.even_groups(CLASSES, IS_A, 2)) == pytest.approx(max(map(entropy, cuts)))


def test_groups_are_as_many_as_asked_and_nested():
    found = {k: wordnet.even_groups(CLASSES, IS_A, k) for k in range(2, 8)}
    for k, groups in found.items():
        assert sorted(set(groups.values())) == list(range(k))
        for a, b in combinations(CLASSES, 2):
            assert k == 7 or found[k][a] == found[k][b] or found[k + 1][a] != found[k + 1][b]
    assert wordnet.even_groups(CLASSES[::-1], IS_A, 3) == found[3]


@pytest.mark.parametrize("k", [1, 8])
def test_numbers_of_groups_that_cannot_be(k):
    with pytest.raises(ValueError, match=f"7 classes can be merged into 2 to 7 groups, got {k}"):
        wordnet.even_groups(CLASSES, IS_A, k)
    with pytest.raises(ValueError, match="1 of 1 classes are not in the taxonomy"):
        wordnet.even_groups(["unicorn"], IS_A, 2)


def test_a_class_that_is_an_ancestor_of_another_stays_apart():
    assert len(set(wordnet.even_groups(["animal", "cat"], IS_A, 2).values())) == 2


def test_the_nouns_of_wordnet_are_a_taxonomy(tmp_path):
    (tmp_path / "data.noun").write_text(NOUNS)
    expected = {"n00000002": ("n00000001",), "n00000003": ("n00000002",), "n00000004": ("n00000003",)}
    assert wordnet.read_is_a(tmp_path / "data.noun") == expected
    (tmp_path / "data.noun").write_text(NOUNS + "00000005 05 n zz\n")
    with pytest.raises(ValueError, match="line 7 of the nouns is not a synset of WordNet: '00000005 05 n zz'"):
        wordnet.read_is_a(tmp_path / "data.noun")


def test_tiny_imagenet_along_the_real_taxonomy(real_data):
    """Needs WordNet 3.0 (wordnet-base on Debian): its offsets are ImageNet's ids."""
    nouns = Path("/usr/share/wordnet/data.noun")
    if not nouns.exists():
        pytest.skip(f"no WordNet at {nouns}")
    lines = (real_data / "tiny_imagenet" / "classes.tsv").read_text().splitlines()[1:]
    names = dict(line.split("\t") for line in lines)
    parents = wordnet.read_is_a(nouns)
    two = wordnet.even_groups(names, parents, 2)
    artefact = {wnid for wnid in names if "n00021939" in wordnet.ancestry(wnid, parents)}  # artifact
    assert {wnid for wnid in names if two[wnid] == two[min(artefact)]} == artefact and len(artefact) == 118
    for k in (8, 64):
        sizes = Counter(wordnet.even_groups(names, parents, k).values())
        assert len(sizes) == k and max(sizes.values()) < 5 * 200 / k
