"""From a folder of images to a ladder of checkpoints, with the three commands of docs/training.md."""

import json
import shutil

import numpy as np
import pytest
import tyro
from brainscore_granularity.training import plan
from PIL import Image

from brainscore_granularity.cli import main as cli
from brainscore_granularity.cli import train as training_run
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world


def run(*arguments):
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return exit_.code or 0
    return 0


@pytest.fixture
def folder(tmp_path):
    """Drawn images of the 8 basic classes, as a user would have photographs."""
    drawn = world.draw(5, seed=41)
    for i, (pixels, basic) in enumerate(zip(drawn.pixels, drawn.basic, strict=True)):
        path = tmp_path / "images" / "train" / world.BASIC_NAMES[basic] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "images"


@pytest.mark.slow
def test_train_then_labels_then_ladder(folder, home, capsys):
    common = ("--recipe", "world", "--data", folder)
    assert run("train", *common, "--labels", "native", "--epochs", 1, "--batch-size", 64) == 0
    native = checkpoints.read(home / "checkpoints", "granularity_world_native_s1")
    assert native.info["classes"] == 8 and native.info["data"]["number"] == 320 and native.info["simulated"] is False

    source = ("--source", "own", "--checkpoint", "granularity_world_native_s1", "--k", 2, 4)
    assert run("labels", *common, *source) == 0
    out = capsys.readouterr().out
    assert "own_k2.csv: 2 classes of 160 to 160 images" in out and "component 1" in out

    settings = ("--labels", "own", "random", "--k", 2, 4, "--epochs", 1, "--batch-size", 64)
    assert run("ladder", *common, *settings) == 0
    for name, k in (("own_k2", 2), ("own_k4", 4), ("random_k2", 2), ("random_k4", 4)):
        saved = checkpoints.read(home / "checkpoints", f"granularity_world_{name}_s1")
        assert saved.info["classes"] == k and saved.is_intact()
        assert np.isfinite(saved.info["metrics"]["train_loss"]).all()
    assert len({json.loads(p.read_text())["sha256"] for p in (home / "checkpoints").glob("*.json")}) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels", "own", "--k", 2], "Make them with `granularity labels`"),
        (["--labels", "random", "--k", 3], "power of two"),
        (["--recipe", "imagenett"], "unknown recipe 'imagenett'; known: adversarial, dino, imagenet"),
        (["--momentum", 0.9], "it belongs to optimizer sgd"),
        (["--network", "resnet19"], "unknown network 'resnet19'"),
    ],
)
def test_bad_settings_are_one_clear_line(folder, home, capsys, arguments, message):
    recipe = () if "--recipe" in arguments else ("--recipe", "world")
    assert run("train", *recipe, "--data", folder, *arguments) == 1
    said = capsys.readouterr().err.splitlines()
    assert message in said[-1] and said[-1].startswith("error: ")
    assert not list((home / "checkpoints").glob("*.json"))


def test_a_folder_without_images_is_named(tmp_path, home, capsys):
    (tmp_path / "nothing").mkdir()
    assert run("train", "--recipe", "world", "--data", tmp_path / "nothing") == 1
    assert str(tmp_path / "nothing") in capsys.readouterr().err


def command(*words):
    verbs = {"train": training_run.train, "ladder": training_run.ladder}
    tyro.extras.subcommand_cli_from_dict(verbs, args=[str(word) for word in words])


@pytest.mark.slow
def test_train_and_ladder_from_the_command_line_on_real_images(real_data, home, capsys):
    data = ["--data", real_data / "tiny_imagenet", "--images-per-class", 2, "--batch-size", 64, "--epochs", 1]
    data += ["--validation", "none"]
    command("ladder", "--network", "mini", "--labels", "random", "native", "--k", 2, 8, "--seeds", 1, 2, *data)
    store = checkpoints.default_store()
    made = sorted(p.stem for p in store.glob("*.json"))
    assert made == sorted(
        [f"granularity_tiny_random_k{k}_s{s}" for k in (2, 8) for s in (1, 2)]
        + [f"granularity_tiny_native_s{s}" for s in (1, 2)]
    )
    in_ladder = checkpoints.read(store, "granularity_tiny_random_k8_s2")
    kept = in_ladder.info
    assert kept["data"]["number"] == 400 and kept["recipe"]["batch_size"] == 64 and len(kept["run_id"]) == 16
    assert kept["code"] == plan.code_version() and kept["metrics"]["train_loss"]

    shutil.rmtree(home / "runs")
    command("train", "--network", "mini", "--labels", "random", "--k", 8, "--seed", 2, *data)
    alone = checkpoints.read(store, "granularity_tiny_random_k8_s2")
    assert alone.sha256 == in_ladder.sha256
    assert "granularity_tiny_random_k8_s2, loss" in capsys.readouterr().out

    for words, message in [
        (["--labels", "clip", "--k", 8], "no labels clip_k8.csv .*there: nothing yet"),
        (["--labels", "random", "--k", 6], "power of two"),
        (["--labels", "random"], "number of classes: --k 8"),
        (["--recipe", "huge"], "unknown recipe 'huge'"),
        (["--momentum", 0.9], "momentum = 0.9 would not be used"),
        (["--to", home / "runs" / alone.info["run_id"]], "another run"),
    ]:
        with pytest.raises(ValueError, match=message):
            command("train", "--network", "mini", *data, *words)
    with pytest.raises(SystemExit):
        command("train", *data, "--learning-rat", 3)
