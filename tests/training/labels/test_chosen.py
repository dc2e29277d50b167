"""Label sources by name: what random, permuted, own_k8 and the stem of a table resolve to."""

from types import SimpleNamespace

import numpy as np
import pytest
from brainscore_granularity.training.labels import chosen as targets
from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import rule as labels
from brainscore_granularity.training.recipe import Recipe

N = 256
RECIPE = Recipe("mini", "own", 8, seed=1)
RNG = np.random.default_rng(0)


class Images(SimpleNamespace):
    def __len__(self):
        return len(self.names)


@pytest.fixture
def images(home):
    names = tuple(f"c{i % 4}/{i}" for i in range(N))
    return Images(names=names, labels=np.arange(N) % 4, classes=("c0", "c1", "c2", "c3"), fingerprint="f" * 20)


def table(images, stem, k, suffix=".csv"):
    dealt = RNG.permutation(np.arange(N) % k)
    label_files.write(targets.folder(images) / f"{stem}{suffix}", images.names, dealt, {"rule": "random"})
    return dealt


def found(source, k, images):
    return targets.training(source, k, images, RECIPE)


def test_names_of_tables(images):
    own, deep = table(images, "own_k8", 8), table(images, "wordnet_depth3", 5)
    for source, k, short, expected, count in (
        ("own", 8, "own", own, 8),
        ("own_k8", None, "own", own, 8),
        ("own_k8", 8, "own", own, 8),
        ("wordnet_depth3", None, "wordnet_depth3", deep, 5),
        ("native", None, "native", images.labels, 4),
        (str(targets.folder(images) / "own_k8.csv"), None, "own", own, 8),
    ):
        aim = found(source, k, images)
        assert (aim.short, aim.k) == (short, count) and np.array_equal(aim.labels, expected), source
    assert targets.numbers("own", (2, 8), images) == (2, 8)
    for fixed in ("own_k8", "wordnet_depth3", "native", "none", "mine.csv"):
        assert targets.numbers(fixed, (2, 8), images) == (None,)


def test_random_is_dealt_or_read_from_the_only_table(images):
    dealt = found("random", 8, images)
    assert np.array_equal(dealt.labels, labels.random_balanced(N, 8, seed=0)) and dealt.short == "random"
    assert np.array_equal(found("random_k8", None, images).labels, dealt.labels)
    third = table(images, "random_k8_s3", 8)
    for source, k in (("random", 8), ("random_k8", None), ("random_k8_s3", None)):
        aim = found(source, k, images)
        assert aim.short == "random" and np.array_equal(aim.labels, third)
    table(images, "random_k8_s4", 8)
    with pytest.raises(ValueError, match="could be any of random_k8_s3, random_k8_s4"):
        found("random", 8, images)
    assert np.array_equal(found("random_k8_s3", None, images).labels, third)
    assert np.array_equal(found("random", 4, images).labels, labels.random_balanced(N, 4, seed=0))


def test_permuted_is_dealt_from_the_only_table_or_from_the_one_named(images):
    own = table(images, "own_k8", 8)
    expected = labels.permuted(own, seed=0)
    for source, k in (("permuted", 8), ("permuted_k8", None), ("permuted_own", 8), ("permuted_own_k8", None)):
        assert np.array_equal(found(source, k, images).labels, expected), source
    assert found("permuted_k8", None, images).short == "permuted"
    clip = table(images, "clip_k8", 8)
    with pytest.raises(ValueError, match="could be any of clip_k8, own_k8"):
        found("permuted", 8, images)
    assert np.array_equal(found("permuted_clip", 8, images).labels, labels.permuted(clip, seed=0))
    made = table(images, "permuted_own_k8_s1", 8)
    assert np.array_equal(found("permuted", 8, images).labels, made)
    assert np.array_equal(found("permuted_own", 8, images).labels, made)
    assert np.array_equal(found("permuted_own_k8_s1", None, images).labels, made)


def test_of_a_table_in_both_formats_the_csv_is_read(images):
    pytest.importorskip("pyarrow")
    table(images, "own_k8", 8, ".parquet")
    own = table(images, "own_k8", 8)
    assert np.array_equal(found("own", 8, images).labels, own)


@pytest.mark.parametrize(
    ("source", "k", "message"),
    [
        ("own", 4, r"no labels own_k4.csv or .parquet in .*there: own_k8"),
        ("own", None, "own labels need the number of classes"),
        ("random", None, "random labels need the number of classes: --k 8"),
        ("random", 6, "power of two"),
        ("permuted", None, "permuted labels need the number of classes"),
        ("permuted", 4, "no table of 4 classes to permute in .*there: own_k8"),
        ("permuted_clip", 8, "no labels permuted_clip_k8"),
    ],
)
def test_names_that_mean_nothing(images, source, k, message):
    table(images, "own_k8", 8)
    with pytest.raises(ValueError, match=message):
        found(source, k, images)


def test_a_table_of_another_number_of_classes_is_refused(images):
    table(images, "own_k8", 4)
    with pytest.raises(ValueError, match="own_k8.csv has 4 classes, expected 8"):
        found("own", 8, images)
