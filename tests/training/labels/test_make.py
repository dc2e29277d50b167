from types import SimpleNamespace

import numpy as np
import pytest
from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import make as label_run
from brainscore_granularity.training.labels import rule as labels
from brainscore_granularity.training.loop import loop

from brainscore_granularity import networks
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world

IDENTIFIER = "granularity_world_native_s7"


@pytest.fixture(scope="module")
def images():
    """The world's images, which need no download, named by class."""
    drawn = world.draw(4, seed=51)
    names = [f"c{fine:02}/{i}" for i, fine in enumerate(drawn.fine)]
    return SimpleNamespace(pixels=drawn.pixels, names=names, fingerprint="world-51")


@pytest.fixture
def store(tmp_path):
    network = networks.build("mini", 64, seed=7)
    checkpoints.save(tmp_path / "store", IDENTIFIER, network.state_dict(), {"network": "mini", "classes": 64})
    return tmp_path / "store"


def test_from_images_to_tables_and_components(images, store, tmp_path):
    said = []
    settings = dict(ladder=(2, 8), checkpoint=IDENTIFIER, store=store, precision="single", say=said.append)
    paths = label_run.make("own", images, tmp_path / "labels", extremes=2, **settings)
    assert [path.name for path in paths] == ["own_k2.csv", "own_k8.csv"]
    two, eight = (label_files.read(path, images.names) for path in paths)
    assert (two.k, eight.k) == (2, 8) and np.array_equal(eight.labels // 4, two.labels)
    assert eight.info["weights"] == checkpoints.read(store, IDENTIFIER).sha256 and eight.info["rule"] == "pca"

    features = labels.unit_length(loop.features(networks.build("mini", 64, seed=7), images.pixels))
    pca, medians, info = label_files.read_pca(tmp_path / "labels" / "own_pca.safetensors")
    scores = pca.scores(features)
    assert np.array_equal(labels.nested_labels(scores, (8,), medians)[8], eight.labels)
    assert info["encoder"] == f"{IDENTIFIER}.relu5"
    text = "\n".join(said)
    assert f"low:  {images.names[scores[:, 0].argmin()]}, " in text
    assert f"high: {images.names[scores[:, 0].argmax()]}, " in text
    assert "component 3 (" in text and "component 4" not in text
    assert "own_k2.csv: 2 classes of 128 to 128 images (median 128), entropy 1.00 of 1.00 bits" in text

    before = [path.read_bytes() for path in paths]
    again = label_run.make("own", images, tmp_path / "labels", extremes=0, **settings)
    assert [path.read_bytes() for path in again] == before


def test_controls(images, store, tmp_path):
    quiet = dict(say=lambda line: None)
    (table,) = label_run.make("random", images, tmp_path, ladder=(4,), seed=3, **quiet)
    random = label_files.read(table, images.names)
    assert table.name == "random_k4_s3.csv" and set(np.bincount(random.labels)) == {64}
    (shuffled,) = label_run.make("permuted", images, tmp_path, tables=[table], seed=1, **quiet)
    dealt = label_files.read(shuffled, images.names)
    assert np.array_equal(np.bincount(dealt.labels), np.bincount(random.labels)) and dealt.info["of"] == table.name
    assert not np.array_equal(dealt.labels, random.labels)

    lines = [f"root half{c // 32}\nhalf{c // 32} c{c:02}" for c in range(64)]
    (tmp_path / "is_a.txt").write_text("\n".join(lines))
    (merged,) = label_run.make("wordnet", images, tmp_path, is_a=tmp_path / "is_a.txt", depth=1, **quiet)
    found = label_files.read(merged, images.names)
    assert found.labels.tolist() == [int(name[1:3]) // 32 for name in images.names]
    assert found.info["classes"] == ["half0", "half1"]


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        (
            "imagenet",
            {},
            "unknown label source 'imagenet'; known: alexnet, vit, clip, dino, lite0, own, minor, "
            "pixels, untrainedpcs, distilled, merged, wordnet, random, permuted",
        ),
        ("wordnet", {"depth": 2}, "labels from wordnet need is_a"),
        ("own", {}, "labels from own need checkpoint"),
        ("merged", {"ladder": (2,)}, "labels from merged need seed"),
        ("untrainedpcs", {"seed": 1}, "labels from untrainedpcs need network"),
        ("pixels", {"seed": 1}, "labels from pixels do not use seed"),
        ("random", {"seed": 1, "depth": 2}, "labels from random do not use depth; they use seed"),
        ("clip", {"seed": 1}, "labels from clip do not use seed; they use batch_size, device, precision, weights"),
        ("random", {"seed": 1, "batch_size": 8}, "do not use batch_size"),
        ("permuted", {"seed": 1, "tables": []}, "labels from permuted need tables"),
        ("permuted", {"seed": 1, "tables": ["x"], "precison": "half"}, "do not use precison"),
    ],
)
def test_settings_that_are_missing_or_unused_are_errors(images, tmp_path, source, settings, message):
    with pytest.raises(ValueError, match=message):
        label_run.make(source, images, tmp_path / "labels", **settings)
    assert not (tmp_path / "labels").exists()


def test_a_number_of_classes_that_is_no_power_of_two_is_refused_before_anything_is_written(images, store, tmp_path):
    settings = dict(checkpoint=IDENTIFIER, store=store, say=lambda line: None)
    with pytest.raises(ValueError, match="power of two .* got 6"):
        label_run.make("own", images, tmp_path / "labels", ladder=(2, 6), **settings)
    assert not (tmp_path / "labels").exists()
