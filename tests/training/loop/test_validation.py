"""Accuracy on held-out images: the right one, at every epoch, without touching what is trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brainscore_granularity.training.data import inputs
from brainscore_granularity.training.labels import chosen as targets
from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import rule as rules
from brainscore_granularity.training.loop import ladder, loop, state
from brainscore_granularity.training.loop.validation import HeldOut
from brainscore_granularity.training.recipe import Execution, Recipe
from PIL import Image

from brainscore_granularity import networks
from brainscore_granularity.cli import main as cli
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world

CPU = Execution(device="cpu")
RECIPE = Recipe("mini", "taxonomy", 8, seed=1, epochs=3, batch_size=64)


@pytest.fixture(scope="module")
def drawn():
    return world.draw(8, seed=31)


@pytest.fixture(scope="module")
def held_out():
    images = world.draw(3, seed=32)
    return HeldOut(images.pixels, world.taxonomy(images.fine, 8))


def rungs(drawn, held_out=None):
    labels = world.taxonomy(drawn.fine, 8)
    recipes = {
        "plain": RECIPE,
        "half": replace(RECIPE, precision="bfloat16", ema=0.9),
        "auxiliary": replace(RECIPE, objective="auxiliary", auxiliary_k=2, auxiliary_weight=0.5),
    }
    both = np.stack([labels, labels // 4], axis=1)
    return [ladder.Rung(name, r, both if r.auxiliary_k else labels, held_out=held_out) for name, r in recipes.items()]


@pytest.mark.slow
def test_validation_does_not_change_the_weights(held_out):
    drawn = world.draw(2, seed=31)  # two steps an epoch
    without, with_ = (ladder.train(rungs(drawn, h), drawn.pixels, CPU) for h in (None, held_out))
    for name, (network, metrics) in with_.items():
        expected, plain = without[name]
        assert all(
            torch.equal(a, b)
            for a, b in zip(network.state_dict().values(), expected.state_dict().values(), strict=True)
        )
        assert metrics["train_loss"] == plain["train_loss"] and "validation_accuracy" not in plain
        assert len(metrics["validation_accuracy_by_epoch"]) == 3


@pytest.mark.slow
def test_it_is_the_share_of_right_answers_of_the_result(drawn, held_out):
    network, metrics = loop.train(RECIPE, drawn.pixels, world.taxonomy(drawn.fine, 8), held_out=held_out)
    by_epoch = metrics["validation_accuracy_by_epoch"]
    assert metrics["validation_accuracy"] == by_epoch[-1] == loop.accuracy(network, held_out.images, held_out.labels)
    assert by_epoch[-1] > max(by_epoch[0], 1 / 8)
    averaged, metrics = loop.train(
        replace(RECIPE, ema=0.8), drawn.pixels, world.taxonomy(drawn.fine, 8), held_out=held_out
    )
    assert metrics["validation_accuracy"] == loop.accuracy(averaged, held_out.images, held_out.labels)
    untrained, metrics = loop.train(
        replace(RECIPE, epochs=0), drawn.pixels, world.taxonomy(drawn.fine, 8), held_out=held_out
    )
    assert metrics["validation_accuracy"] == loop.accuracy(untrained, held_out.images, held_out.labels)


@pytest.mark.slow
def test_the_accuracies_survive_an_interruption_and_stand_in_the_log(drawn, held_out, tmp_path):
    labels = world.taxonomy(drawn.fine, 8)
    _, whole = loop.train(RECIPE, drawn.pixels, labels, held_out=held_out)

    class Interrupted(Exception):
        pass

    def stop(epoch, loss):
        if epoch == 2:
            raise Interrupted

    eager = Execution("cpu", save_seconds=0.0)
    settings = {"folder": tmp_path, "execution": eager, "held_out": held_out}
    with pytest.raises(Interrupted):
        loop.train(RECIPE, drawn.pixels, labels, on_epoch=stop, **settings)
    _, resumed = loop.train(RECIPE, drawn.pixels, labels, **settings)
    assert resumed == whole
    logged = [r["validation_accuracy"] for r in loop.log.read(tmp_path / "log.csv") if r["validation_accuracy"]]
    assert logged == pytest.approx(whole["validation_accuracy_by_epoch"], rel=1e-5)
    assert state.RunFolder(tmp_path, {"run_id": RECIPE.run_id(""), "recipe": {}}).load()[1]["accuracies"]


def test_a_log_from_before_validation_can_be_gone_on_with(tmp_path):
    (tmp_path / "log.csv").write_text("step,epoch,loss,learning_rate,images_per_second\n10,1,0.5,0.1,100.0\n")
    loop.log.Curve(tmp_path, done=10).add(20, 1, 0.4, 0.1, 100.0, 0.25)
    rows = loop.log.read(tmp_path / "log.csv")
    assert [(r["step"], r["loss"], r["validation_accuracy"]) for r in rows] == [(10, 0.5, None), (20, 0.4, 0.25)]


def save(folder, drawn, names=world.BASIC_NAMES):
    for i, (pixels, basic) in enumerate(zip(drawn.pixels, drawn.basic, strict=True)):
        path = folder / names[basic] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    save(folder / "train", world.draw(3, seed=41))
    save(folder / "val", world.draw(1, seed=42))
    return folder


def run(*arguments):
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return exit_.code or 0
    return 0


@pytest.mark.slow
def test_native_and_principal_component_labels_are_validated_from_the_command_line(photographs, home, capsys):
    common = ("--recipe", "world", "--data", photographs)
    fast = ("--epochs", 2, "--batch-size", 64)
    assert run("train", *common, *fast) == 0
    assert "validation accuracy" in capsys.readouterr().out
    native = checkpoints.read(home / "checkpoints", "granularity_world_native_s1").info["metrics"]
    assert len(native["validation_accuracy_by_epoch"]) == 2

    source = ("--source", "own", "--checkpoint", "granularity_world_native_s1", "--k", 2, 8)
    assert run("labels", *common, *source, "--validation", "none") == 0
    assert run("train", *common, *fast, "--labels", "own_k2") == 0
    assert "no validation for own_k2" in capsys.readouterr().err
    assert run("labels", *common, *source) == 0
    assert "by the same rule for 64 validation images" in capsys.readouterr().out
    assert run("ladder", *common, *fast, "--labels", "own", "random", "--k", 2, 8, "--seeds", 2) == 0
    metrics = {
        name: checkpoints.read(home / "checkpoints", f"granularity_world_{name}_s2").info["metrics"]
        for name in ("own_k2", "own_k8", "random_k2")
    }
    assert "validation_accuracy" not in metrics["random_k2"] and metrics["own_k2"]["validation_accuracy"] > 0.5
    assert len(metrics["own_k8"]["validation_accuracy_by_epoch"]) == 2

    images = inputs.images(photographs, RECIPE, None, 0, "fatal")
    beside = inputs.validation(photographs, images, "auto", "fatal")
    aim = targets.training("own", 8, images, RECIPE)
    found = targets.held_out(aim, images, beside, RECIPE)
    network = networks.build("mini", 8, seed=0)
    network.load_state_dict(checkpoints.read(home / "checkpoints", "granularity_world_native_s1").state_dict())
    pca, medians, _ = label_files.read_pca(targets.folder(images) / "own_pca.safetensors")
    scores = pca.scores(rules.unit_length(loop.features(network, beside.pixels)))
    sure = (np.abs(scores[:, :3] - medians[:3]) > 1e-3).all(axis=1)  # features are stored in half precision
    assert sure.mean() > 0.8
    assert np.array_equal(found.labels[sure], rules.nested_labels(scores, (8,), medians)[8][sure])

    other = replace(aim, info={**aim.info, "weights": "of another network"})
    assert targets.held_out(other, images, beside, RECIPE) is None
    assert targets.held_out(aim, beside, beside, RECIPE) is None  # cut for other training images


@pytest.mark.slow
def test_without_a_validation_split_or_with_none_training_is_the_same(photographs, home, tmp_path):
    fast = ("--recipe", "world", "--epochs", 1, "--batch-size", 64)
    for name, data, choice in (
        ("auto", photographs, "auto"),
        ("switched_off", photographs, "none"),
        ("no_split", photographs / "train", "auto"),
    ):
        words = ("--data", data, "--name", name, "--to", tmp_path / name, "--validation", choice)
        assert run("train", *fast, *words) == 0
    made = {n: checkpoints.read(home / "checkpoints", n) for n in ("auto", "switched_off", "no_split")}
    assert len({c.sha256 for c in made.values()}) == 1
    assert {n for n, c in made.items() if "validation_accuracy" in c.info["metrics"]} == {"auto"}


@pytest.mark.slow
def test_a_validation_split_that_does_not_fit(photographs, home, tmp_path, capsys):
    save(tmp_path / "train", world.draw(2, seed=41))
    save(tmp_path / "test", world.draw(1, seed=42), names=[f"strange{i}" for i in range(8)])
    words = ("train", "--recipe", "world", "--epochs", 1, "--batch-size", 64, "--data", tmp_path)
    assert run(*words) == 0
    assert "no validation: validation images of 8 classes that the training images lack" in capsys.readouterr().err
    assert run(*words, "--validation", "test") == 1
    assert "choose another split" in capsys.readouterr().err
    assert run(*words, "--validation", "val") == 1
    assert "no images of split 'val'" in capsys.readouterr().err
    assert run(*words, "--validation", "train") == 1
    assert "split 'train' is the training split" in capsys.readouterr().err


def test_wrong_lengths_are_refused(drawn):
    with pytest.raises(ValueError, match="one label for each of 512 validation images, got 3"):
        HeldOut(drawn.pixels, np.zeros(3, int))
