"""Brain-Score's own tests of any model plugin, on every network that is shipped whole."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from brainscore_vision.model_helpers import generic_plugin_tests
from PIL import Image

from brainscore_granularity import plugins

COMPLETE = ("granularity_tiny", "granularity_world", "learning_rules")  # of the others, some weights are not shipped
MODELS = [name for name, folder in plugins.registrations("models").items() if folder in COMPLETE]
TESTS = [
    test for name, test in inspect.getmembers(generic_plugin_tests, inspect.isfunction) if name.startswith("test_")
]


@pytest.fixture(scope="module", autouse=True)
def images(tmp_path_factory):
    """The three images of these tests, which Brain-Score keeps in its repository and leaves out of its wheel."""
    folder = tmp_path_factory.mktemp("images")
    for k, name in enumerate(("rgb1.jpg", "rgb2.jpg", "rgb3.png")):
        pixels = np.random.default_rng(k).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    theirs = generic_plugin_tests._make_stimulus_set

    def stimuli():
        made = theirs()
        made.stimulus_paths = {name: folder / Path(path).name for name, path in made.stimulus_paths.items()}
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generic_plugin_tests, "_make_stimulus_set", stimuli)
        yield


def test_brain_scores_tests_are_found():
    assert {"test_identifier", "test_look_at_neural_V1", "test_start_task_or_recording"} <= {t.__name__ for t in TESTS}
    assert len(MODELS) >= 57


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Line Search failed")  # a logistic regression on three images
@pytest.mark.parametrize("identifier", MODELS)
@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_generic(test, identifier):
    test(identifier)
