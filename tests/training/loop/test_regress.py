"""A network that regresses a source's component scores: its targets on disk, its loss, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from brainscore_granularity.training import plan
from brainscore_granularity.training.labels import chosen as targets
from brainscore_granularity.training.labels import make as label_run
from brainscore_granularity.training.labels import scores as label_scores
from brainscore_granularity.training.labels import sources as label_sources
from brainscore_granularity.training.labels.features import Encoder
from brainscore_granularity.training.labels.files import LabelFileError
from brainscore_granularity.training.loop import loop
from brainscore_granularity.training.recipe import Recipe
from brainscore_granularity.training.recipes import named
from torch import nn

from brainscore_granularity.world import images as world

RNG = np.random.default_rng(0)
NAMES = tuple(f"a/{i}" for i in range(50))
CHANGES = {"objective": "regress", "label_smoothing": 0.0}


class Images(SimpleNamespace):
    def __len__(self):
        return len(self.names)


@pytest.fixture(scope="module")
def images():
    found = world.draw(6, seed=53)
    names = tuple(f"c{fine:02}/{i}" for i, fine in enumerate(found.fine))
    return Images(pixels=found.pixels, names=names, classes=(), labels=found.fine, fingerprint="world-53" * 2)


@pytest.fixture
def mean_colours(images, home, monkeypatch):
    """Scores that a network can learn, made through the command: components of the mean colour of quarters."""
    side = images.pixels.shape[1]
    pooled = Encoder("lite0", nn.AvgPool2d(side // 2), side, "none")
    monkeypatch.setattr(label_sources, "pretrained", lambda source, weights: pooled)
    settings = dict(ladder=(8,), precision="single", say=lambda line: None)
    (path,) = label_run.make("distilled", images, targets.folder(images), **settings)
    return path


def test_scores_are_standardised_component_scores_of_the_source(images, mean_colours):
    scores, info = label_scores.read(mean_colours, images.names)
    assert scores.shape == (len(images), 3) and scores.dtype == np.float32
    assert np.allclose(scores.mean(axis=0), 0, atol=1e-5) and np.allclose(scores.std(axis=0), 1, atol=1e-5)
    assert np.allclose(np.corrcoef(scores.T), np.eye(3), atol=1e-4)  # components are uncorrelated
    assert (info["rule"], info["encoder"]) == ("scores", "lite0")


def test_held_out_scores_take_the_mean_and_deviation_of_the_training_images():
    scores, more = RNG.normal(5, 2, (100, 3)), RNG.normal(7, 2, (20, 3))
    found = label_scores.standardised(more, scores)
    assert np.allclose(found * scores.std(axis=0) + scores.mean(axis=0), more, atol=1e-5)
    with pytest.raises(ValueError, match="component 2 is the same for all images"):
        label_scores.standardised(np.array([[1.0, 2], [3, 2]]))


@pytest.mark.slow
def test_a_network_learns_the_scores_better_than_their_mean(images, mean_colours):
    (rung,) = plan.rungs(images, None, "world", {**CHANGES, "epochs": 6, "batch_size": 64},
                         labels=("distilled",), k=(8,), seeds=(1,))  # fmt: skip
    assert rung.name == "granularity_world_distilled_s1" and rung.recipe.k == 3
    network, metrics = loop.train(rung.recipe, images.pixels, rung.labels)
    found = loop.features(network, images.pixels, "head")
    error = ((found - rung.labels) ** 2).mean()
    assert error < 0.6 * rung.labels.var() and metrics["train_loss"][-1] < metrics["train_loss"][0]


def test_the_loss_is_the_mean_squared_error(images):
    recipe = named("world", labels="distilled", k=3, seed=1, **CHANGES)
    from brainscore_granularity.training.loop.regress import Regress

    network, wanted = nn.Linear(4, 3), torch.randn(5, 3)
    inputs = torch.randn(5, 4)
    expected = ((network(inputs) - wanted) ** 2).mean()
    assert torch.allclose(Regress(recipe, network)(network, [inputs], wanted), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.zeros((50, 2), np.float32),
            r"expected real numbers of shape \(50, 3\) \(images, k\), got float32 \(50, 2\)",
        ),
        (np.zeros((50, 3), np.int64), "got int64"),
        (np.full((50, 3), np.nan), "50 of 50 images have targets that are NaN or infinite"),
    ],
)
def test_targets_that_cannot_be_regressed(labels, message):
    with pytest.raises(ValueError, match=message):
        loop.check_labels(labels, 50, Recipe("mini", "distilled", 3, seed=1, **CHANGES))


def test_classes_are_not_regressed_and_scores_are_not_classified(images, mean_colours):
    for source, objective in (("distilled", "classify"), ("native", "regress"), ("random", "regress")):
        smoothing = 0.0 if objective == "regress" else 0.1
        recipe = named("world", k=8, objective=objective, label_smoothing=smoothing)
        with pytest.raises(ValueError, match=f"labels {source} with objective {objective}: scores are regressed"):
            targets.training(source, 8, images, recipe)
    with pytest.raises(ValueError, match="objective regress has no classes: set label_smoothing 0, got 0.1"):
        named("world", k=3, objective="regress")


def test_scores_of_other_images_or_a_damaged_file_are_refused(images, mean_colours, tmp_path):
    with pytest.raises(LabelFileError, match="write it again with `granularity labels --source distilled`"):
        label_scores.read(mean_colours, images.names[::-1])
    mean_colours.write_bytes(mean_colours.read_bytes()[:100])
    with pytest.raises(LabelFileError, match="is not a file of component scores"):
        label_scores.read(mean_colours, images.names)
    with pytest.raises(LabelFileError, match="expected finite scores"):
        label_scores.write(tmp_path / "s.safetensors", NAMES, np.full((50, 2), np.inf), {})


def test_without_scores_the_error_says_how_to_make_them(images, home):
    with pytest.raises(ValueError, match="Make them with `granularity labels --source distilled`"):
        targets.training("distilled", None, images, named("world", k=3, **CHANGES))
