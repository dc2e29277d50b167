import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brainscore_granularity import plugins
from brainscore_granularity.analysis import label_axes, study, thumbnails
from brainscore_granularity.analysis.measures import pcs
from brainscore_granularity.cli import main as cli

MODELS = [f"granularity_world_{kind}_s1" for kind in ("own_k2", "own_k4", "untrained")]


def test_the_images_at_both_ends_are_those_farthest_out():
    scores = np.array([[3.0, 0], [1, 5], [2, -5], [-4, 1]])
    found = pcs.extremes(scores, list("abcd"), ["x", "y", "x", "y"], count=2)
    picked = found.groupby(["component", "end"], sort=False)["image"].apply(list)
    assert picked[1, "low"] == ["d", "b"] and picked[1, "high"] == ["a", "c"]
    assert picked[2, "low"] == ["c", "a"] and picked[2, "high"] == ["b", "d"]
    with pytest.raises(ValueError, match="3 images at each end of 4 in all; ask for at most 2"):
        pcs.extremes(scores, list("abcd"), count=3)


def test_the_plane_holds_an_axis_in_it_and_not_one_across_it():
    rng = np.random.default_rng(0)
    plane, across = rng.normal(size=(300, 2)), rng.normal(size=300)
    inside = plane @ [0.6, -2.0] + 9
    value, low, high, chance = pcs.held(inside, plane, resamples=100)
    assert value == pytest.approx(1) and low == pytest.approx(1) and chance < 0.02
    half = pcs.held(plane[:, 0] + across, plane, resamples=200)
    assert half[1] < 0.5 < half[2] and half[1] < half[0] < half[2]
    direct = np.linalg.lstsq(np.c_[plane, np.ones(300)], plane[:, 0] + across, rcond=None)[1][0]
    assert half[0] == pytest.approx(1 - direct / ((plane[:, 0] + across - (plane[:, 0] + across).mean()) ** 2).sum())


def test_labels_of_the_ends_are_those_over_represented_there():
    scores = np.arange(20.0)[:, None]
    labels = ["rare"] * 2 + ["common"] * 16 + ["top"] * 2
    assert pcs.common(scores, labels, share=0.15) == [(["rare", "common"], ["top", "common"])]


def test_a_mosaic_holds_every_image_in_its_place_and_few_colours(tmp_path):
    files = []
    for i, colour in enumerate(["red", "lime", "blue", "white"]):
        Image.new("RGB", (50, 40), colour).save(tmp_path / f"{i}.png")
        files.append(tmp_path / f"{i}.png")
    found = thumbnails.mosaic([files[:2], files[2:]], side=8, colours=6)
    assert found.shape == (18, 18, 3)
    assert found[2, 2].tolist() == [255, 0, 0] and found[2, 14].tolist() == [0, 255, 0]
    assert found[14, 2].tolist() == [0, 0, 255] and len(np.unique(found.reshape(-1, 3), axis=0)) <= 6


@pytest.fixture
def world():
    return study.Study(MODELS, benchmarks=["World.IT-rsa"], layers=["relu5"])


def test_the_shipped_components_cut_the_classes_that_a_network_was_taught(world):
    from brainscore_granularity.training.loop import loop

    from brainscore_granularity.weights.find import checkpoint_of

    (axes,) = label_axes.of(world)
    assert axes.encoder == "granularity_world_native_s0.relu5" and axes.scores.shape == (256, 6)
    assert (axes.classes(4) // 2 == axes.classes(2)).all() and set(axes.classes(4)) == {0, 1, 2, 3}
    for model, k in zip(MODELS[:2], (2, 4), strict=True):
        network = checkpoint_of(model).network()
        size = network.image_size, network.image_size
        pixels = np.stack([np.asarray(Image.open(p).convert("RGB").resize(size)) for p in world.images.paths])
        assert loop.accuracy(network, pixels, axes.classes(k)) > 0.75


@pytest.mark.slow
def test_on_the_world_taught_axes_are_the_largest_of_the_network(tmp_path):
    cli.main(["analyze", "pcs", "--models", *MODELS, "--benchmarks", "World.IT-rsa", "--layers", "relu5", "--results",
              str(tmp_path), "--resamples", "50"])  # fmt: skip
    folder = tmp_path / "analyses" / "pcs"
    record = json.loads((folder / "analysis.json").read_text())
    held = pd.read_csv(folder / "held.csv").set_index(["model", "component"])
    assert held.loc[(MODELS[0], 1), "low"] > 0.6 > held.loc[(MODELS[0], 2), "high"]  # K = 2 was taught the first only
    assert held.loc[(MODELS[1], 2), "low"] > 0.5 and held.loc[(MODELS[2], 1), "high"] < 0.4
    assert (held["chance"] < 0.05).all() and "PC1 of granularity_world_native_s0.relu5" in record["answer"]
    assert all((folder / figure["file"]).stat().st_size < 200_000 for figure in record["figures"])


def moved(monkeypatch, tmp_path, *names):
    """The world's plugin without some of its folders."""
    theirs = plugins.plugin_directory("models")
    for folder in ("granularity_world",):
        shutil.copytree(theirs / folder, tmp_path / folder, ignore=shutil.ignore_patterns(*names))
    monkeypatch.setattr("brainscore_granularity.weights.find.plugin_of", lambda model: tmp_path / "granularity_world")


@pytest.mark.parametrize(
    "gone, message",
    [
        (("labels",), "are neither .* nor .*; make them .* `granularity labels --source own`"),
        (("granularity_world_native_s0*",), "granularity_world_native_s0, whose features made the classes"),
    ],
)
def test_axes_that_cannot_be_reached_say_what_is_missing(gone, message, world, monkeypatch, tmp_path):
    moved(monkeypatch, tmp_path, *gone)
    with pytest.raises(label_axes.NoAxes, match=message):
        label_axes.of(world)


def test_components_of_other_weights_are_refused(world, monkeypatch, tmp_path):
    from brainscore_granularity.training.labels import files as label_files

    moved(monkeypatch, tmp_path)
    (file,) = tmp_path.glob("granularity_world/labels/*/own_pca.safetensors")
    pca, medians, info = label_files.read_pca(file)
    label_files.write_pca(file, pca, medians, {**info, "weights": "f" * 64})
    with pytest.raises(label_axes.NoAxes, match="belongs to weights ffffffffffff of granularity_world_native_s0.relu5"):
        label_axes.of(world)


def test_networks_without_such_classes_are_refused():
    with pytest.raises(label_axes.NoAxes, match="cut along principal components"):
        label_axes.of(study.Study(MODELS[2:], benchmarks=["World.IT-rsa"]))
