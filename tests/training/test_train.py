"""Training as a function, on a computer that has neither the command line nor Brain-Score."""

import json
import os
import subprocess
import sys

import pytest
from brainscore_granularity.training.recipe import Execution
from brainscore_granularity.training.train import Common, Networks, ladder
from PIL import Image

from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world

LACKING = ("tyro", "brainscore_vision", "brainscore_core", "xarray")
ALONE = f"""
import sys
sys.modules.update(dict.fromkeys({LACKING}))
import json, pkgutil
from importlib import import_module
from pathlib import Path
from brainscore_granularity import training
for module in pkgutil.walk_packages(training.__path__, training.__name__ + "."):
    import_module(module.name)
from brainscore_granularity.training.train import Common, Networks, ladder

saved = ladder(Common(Path(sys.argv[1]), "world"), Networks(("native",)), {{"epochs": 1, "batch_size": 32}})
sys.stderr.write(json.dumps([[one.identifier, one.sha256] for one in saved]))
"""


@pytest.fixture
def folder(tmp_path):
    drawn = world.draw(1, seed=41)
    for i, (pixels, basic) in enumerate(zip(drawn.pixels, drawn.basic, strict=True)):
        path = tmp_path / "images" / world.BASIC_NAMES[basic] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "images"


@pytest.mark.slow
def test_a_network_comes_out_the_same_where_tyro_and_brain_score_are_missing(folder, home, tmp_path):
    (here,) = ladder(Common(folder, "world"), Networks(), {"epochs": 1, "batch_size": 32, "dropout": None})
    assert here.is_intact() and here.weights.parent == home / "checkpoints"
    assert here.info["classes"] == 8 and here.info["metrics"]["train_loss"]
    environment = {**os.environ, "BRAINSCORE_GRANULARITY_HOME": str(tmp_path / "other")}
    done = subprocess.run([sys.executable, "-c", ALONE, folder], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == [[here.identifier, here.sha256]] and done.stdout == ""


def test_checkpoints_come_in_the_order_labels_k_seeds_under_the_names_asked_for(folder, home):
    networks = Networks(("random", "native"), (2, 4), (1, 2), names=tuple("abcdef"))
    saved = ladder(Common(folder, "world"), networks, {"epochs": 0, "batch_size": 32})
    assert [one.identifier for one in saved] == list("abcdef")
    assert [(one.info["classes"], one.info["recipe"]["seed"]) for one in saved] == [
        (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)
    ]  # fmt: skip
    assert all(checkpoints.read(home / "checkpoints", one.identifier).sha256 == one.sha256 for one in saved)


def test_an_error_in_a_setting_comes_before_any_image_is_read(tmp_path):
    with pytest.raises(ValueError, match="belongs to optimizer sgd"):
        ladder(Common(tmp_path / "nowhere", "world"), Networks(), {"momentum": 0.9})
    with pytest.raises(ValueError, match="give --device cpu or --devices cuda:0, not both"):
        ladder(Common(tmp_path / "nowhere"), Networks(devices=("cuda:0",)), execution=Execution(device="cpu"))


def test_a_run_begun_by_other_code_goes_on_and_its_checkpoint_names_both(folder, home):
    (first,) = ladder(Common(folder, "world"), Networks(), {"epochs": 1, "batch_size": 32})
    (about,) = home.glob("runs/*/run.json")
    about.write_text(json.dumps({**json.loads(about.read_text()), "code": "older"}))
    (again,) = ladder(Common(folder, "world"), Networks(), {"epochs": 1, "batch_size": 32})
    assert "code_at_start" not in first.info and again.info["code_at_start"] == "older"
    assert again.info["code"] == first.info["code"] and again.sha256 == first.sha256
