"""Merged classes, minor components, pixels and untrained networks as sources: from images to tables."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from brainscore_granularity.training.labels import chosen as targets
from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import make as label_run
from brainscore_granularity.training.labels import merged as label_merged
from brainscore_granularity.training.labels import rule as labels
from brainscore_granularity.training.labels import sources as label_sources
from brainscore_granularity.training.labels.features import Encoder
from brainscore_granularity.training.loop import fitted, loop
from brainscore_granularity.training.recipe import Recipe
from torch import nn

from brainscore_granularity import networks
from brainscore_granularity.world import images as world

QUIET = dict(extremes=0, say=lambda line: None)
RECIPE = Recipe("mini", "minor", 8, seed=1)
CLASSES = [f"c{i:03}" for i in range(200)]


def drawn(per_class, seed):
    found = world.draw(per_class, seed=seed)
    names = tuple(f"c{fine:02}/{i}" for i, fine in enumerate(found.fine))
    classes = tuple(sorted({name.split("/")[0] for name in names}))
    numbers = np.array([classes.index(name.split("/")[0]) for name in names])
    return Images(pixels=found.pixels, names=names, classes=classes, labels=numbers, fingerprint=f"world-{seed}")


class Images(SimpleNamespace):
    def __len__(self):
        return len(self.names)


@pytest.fixture(scope="module")
def images():
    return drawn(4, seed=51)


@pytest.fixture(scope="module")
def others():
    return drawn(1, seed=52)


@pytest.fixture
def small(images, monkeypatch):
    """A small network of random weights in the place of lite0."""
    side = images.pixels.shape[1]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * side * side, 24), nn.ReLU()).eval()
    monkeypatch.setattr(label_sources, "pretrained", lambda source, weights: Encoder(source, network, side, "random"))
    return network


@pytest.mark.parametrize("k", [2, 8, 64])
def test_groups_are_even_arbitrary_and_nested(k):
    groups = label_merged.merge(CLASSES, k, seed=1)
    sizes = np.bincount(list(groups.values()))
    assert len(sizes) == k and sizes.max() - sizes.min() <= 1
    finer = label_merged.merge(CLASSES, 2 * k, seed=1)
    assert all(groups[name] == finer[name] // 2 for name in CLASSES)
    assert groups == label_merged.merge(CLASSES[::-1], k, seed=1) != label_merged.merge(CLASSES, k, seed=2)
    assert abs(np.corrcoef([groups[name] for name in CLASSES], np.arange(200))[0, 1]) < 0.25


@pytest.mark.parametrize("k", [1, 201])
def test_groups_that_cannot_be(k):
    with pytest.raises(ValueError, match=f"2 to 200 groups, got {k}"):
        label_merged.merge(CLASSES, k, seed=1)


def test_merged_labels_are_a_function_of_the_class_also_of_held_out_images(images, others, home):
    folder, beside = targets.folder(images), targets.folder(others)
    settings = dict(ladder=(2, 8), seed=5, held_out=others, held_out_folder=beside, **QUIET)
    two, eight = label_run.make("merged", images, folder, **settings)
    assert [two.name, eight.name] == ["merged_k2_s5.csv", "merged_k8_s5.csv"]
    recipe = Recipe("mini", "merged", 8, seed=5)
    aim = targets.training("merged_k8_s5", None, images, recipe)
    assert (aim.short, aim.k) == ("merged", 8)
    assert len(set(zip(images.labels.tolist(), aim.labels.tolist(), strict=True))) == 64  # one label a class
    assert np.array_equal(aim.labels // 4, targets.training("merged_k2_s5", None, images, recipe).labels)
    group = dict(zip(images.labels.tolist(), aim.labels.tolist(), strict=True))
    held_out = targets.held_out(aim, images, others, recipe)
    assert held_out.labels.tolist() == [group[n] for n in others.labels.tolist()]


def test_held_out_labels_of_another_deal_are_not_used(images, others, home, capsys):
    folder, beside = targets.folder(images), targets.folder(others)
    label_run.make("merged", images, folder, ladder=(8,), seed=5, held_out=others, held_out_folder=beside, **QUIET)
    label_run.make("merged", images, folder, ladder=(8,), seed=6, **QUIET)
    (beside / "merged_k8_s5.csv").rename(beside / "merged_k8_s6.csv")
    (beside / "merged_k8_s5.csv.json").rename(beside / "merged_k8_s6.csv.json")
    recipe = Recipe("mini", "merged", 8, seed=6)
    assert targets.held_out(targets.training("merged_k8_s6", None, images, recipe), images, others, recipe) is None
    assert "no validation for merged_k8_s6" in capsys.readouterr().err


def recomputed(features, columns):
    """Bits by a singular value decomposition of unit-length rows."""
    features = features.reshape(len(features), -1).astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    u, s, vt = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    scores = (u * s * np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)]))[:, columns]
    return scores, scores > np.median(scores, axis=0)


@torch.no_grad()
def test_minor_labels_are_cut_along_components_from_the_seventh(images, others, small, home):
    folder, beside = targets.folder(images), targets.folder(others)
    settings = dict(ladder=(2, 8), precision="single", say=lambda line: None)
    said = []
    held_out = dict(held_out=others, held_out_folder=beside)
    label_run.make("minor", images, folder, **{**settings, "say": said.append}, extremes=1, **held_out)
    features, of_others = (small(loop.normalise(torch.from_numpy(i.pixels))).numpy() for i in (images, others))
    scores, bits = recomputed(features, slice(6, 9))
    aim = targets.training("minor_k8", None, images, RECIPE)
    assert np.array_equal(aim.labels, bits[:, :3] @ [4, 2, 1])
    assert np.array_equal(targets.training("minor_k2", None, images, RECIPE).labels, bits[:, 0])
    assert any(line.startswith("component 7 (") for line in said) and not any("component 6" in line for line in said)

    pca, medians, info = label_files.read_pca(folder / "minor_pca.safetensors")
    assert info["first_component"] == 7 and np.allclose(medians, np.median(scores, axis=0)[:3], atol=1e-5)
    expected = labels.nested_labels(pca.scores(labels.unit_length(of_others)), (8,), medians)[8]
    assert np.array_equal(targets.held_out(aim, images, others, RECIPE).labels, expected)
    assert (folder / "lite0_features" / "spool.json").exists()  # extracted once for lite0, minor and distilled
    label_run.make("lite0", images, folder, **settings, extremes=0)
    _, leading = recomputed(features, slice(0, 3))
    assert np.array_equal(targets.training("lite0_k8", None, images, RECIPE).labels, leading[:, :3] @ [4, 2, 1])


@pytest.mark.slow
def test_pixel_labels_are_components_of_the_image_as_networks_see_it(images, tmp_path):
    (table,) = label_run.make("pixels", images, tmp_path, ladder=(4,), precision="single", **QUIET)
    seen = loop.normalise(torch.from_numpy(images.pixels))
    if images.pixels.shape[1] != 32:
        seen = nn.functional.interpolate(torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float() / 255, (32, 32),
                                         mode="bicubic", antialias=True).clamp(0, 1)  # fmt: skip
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (networks.IMAGENET_MEAN, networks.IMAGENET_STD))
        seen = (seen - mean) / std
    _, bits = recomputed(seen.numpy(), slice(0, 2))
    assert np.array_equal(label_files.read(table, images.names).labels, bits @ [2, 1])


def test_untrained_components_are_of_the_fitted_network_of_the_seed(images, tmp_path):
    settings = dict(ladder=(4,), network="mini", precision="single", **QUIET)
    (table,) = label_run.make("untrainedpcs", images, tmp_path, seed=3, **settings)
    assert table.name == "untrainedpcs_k4_s3.csv"
    network = fitted.fit_statistics(networks.build("mini", 2, seed=3), images.pixels)
    _, bits = recomputed(loop.features(network, images.pixels), slice(0, 2))
    assert np.array_equal(label_files.read(table, images.names).labels, bits @ [2, 1])
    (other,) = label_run.make("untrainedpcs", images, tmp_path, seed=4, **settings)
    assert other.read_bytes() != table.read_bytes()


def test_fitted_statistics_are_those_of_the_images_and_nothing_else_changes(images):
    pixels = images.pixels[:100]
    before = networks.build("mini", 2, seed=3)
    network = fitted.fit_statistics(networks.build("mini", 2, seed=3), pixels)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name]) != ("running" in name or "tracked" in name), name
    assert not network.training and all(m.momentum == 0.1 for m in network.modules() if isinstance(m, nn.BatchNorm2d))

    # In one batch, evaluation gives what training mode gives, but for n / (n - 1) in the variance.
    inputs = loop.normalise(torch.from_numpy(pixels))
    with torch.no_grad():
        expected = before.train()(inputs)
        assert torch.allclose(network(inputs), expected, atol=0.02 * float(expected.std()))
        assert not torch.allclose(networks.build("mini", 2, seed=3).eval()(inputs), expected, atol=0.02)


def test_statistics_of_a_single_image_are_refused(images):
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        fitted.fit_statistics(networks.build("mini", 2, seed=3), images.pixels[:1])
