import os

import numpy as np
import pytest
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
from brainscore_vision.benchmark_helpers import screen as theirs
from PIL import Image

from brainscore_granularity.brains.screen import place_on_screen


@pytest.fixture
def stimuli(tmp_path):
    """Three images of one base name, shown several times each, in colour, grey and with transparency."""
    paths = {}
    for k, mode in enumerate(("RGB", "L", "RGBA")):
        path = tmp_path / str(k) / "image.png"
        path.parent.mkdir()
        pixels = np.random.default_rng(k).integers(0, 255, (90, 90, 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path)
        paths[f"stimulus{k}"] = path
    shown = StimulusSet({"stimulus_id": [f"stimulus{k % 3}" for k in range(12)]})
    shown.stimulus_paths, shown.identifier = paths, "three"
    return shown


def pixels(stimuli, stimulus):
    return np.asarray(Image.open(stimuli.get_stimulus(stimulus)).convert("RGB"))


@pytest.mark.parametrize("target", [8, 18, 25])
def test_each_image_is_what_brain_score_makes_of_it_alone(stimuli, target, home, tmp_path):
    ours = place_on_screen(stimuli, target, 18)
    for stimulus in stimuli.stimulus_paths:
        one = StimulusSet({"stimulus_id": [stimulus]})
        one.stimulus_paths, one.identifier = {stimulus: stimuli.stimulus_paths[stimulus]}, f"{stimulus}-{tmp_path.name}"
        expected = theirs.place_on_screen(one, target_visual_degrees=target, source_visual_degrees=18)
        assert np.array_equal(pixels(ours, stimulus), pixels(expected, stimulus))


def test_an_image_is_converted_once_and_no_two_share_a_file(stimuli, home, monkeypatch):
    converted = []
    original = theirs.ImageConverter.apply_ratio
    monkeypatch.setattr(
        theirs.ImageConverter, "apply_ratio", lambda *args, **kw: converted.append(1) or original(*args, **kw)
    )
    first = place_on_screen(stimuli, 8, 18)
    assert len(converted) == 3 and len(set(first.stimulus_paths.values())) == 3
    again = place_on_screen(stimuli, 8, 18)
    assert len(converted) == 3 and again.stimulus_paths == first.stimulus_paths
    assert again.identifier == first.identifier and first.identifier.startswith("three--target8.00--source18.00")
    assert list(first["stimulus_id"]) == list(stimuli["stimulus_id"])


def test_changed_images_are_converted_anew_under_another_name(stimuli, home):
    before = place_on_screen(stimuli, 8, 18)
    path = stimuli.stimulus_paths["stimulus0"]
    Image.new("RGB", (90, 90), "red").save(path)
    os.utime(path, ns=(1, 1))
    after = place_on_screen(stimuli, 8, 18)
    assert after.identifier != before.identifier and (pixels(after, "stimulus0") == [255, 0, 0]).all()


def test_an_interrupted_conversion_leaves_nothing_that_looks_complete(stimuli, home, monkeypatch):
    original, calls = theirs.ImageConverter.apply_ratio, []

    def stop(*args, **kw):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args, **kw)

    with monkeypatch.context() as patch:
        patch.setattr(theirs.ImageConverter, "apply_ratio", stop)
        with pytest.raises(KeyboardInterrupt):
            place_on_screen(stimuli, 8, 18)
    assert not list((home / "screen").iterdir())
    assert place_on_screen(stimuli, 8, 18).get_stimulus("stimulus2").is_file()


@pytest.mark.parametrize("source", [None, 8])
def test_images_that_fit_are_left_alone(stimuli, source):
    assert place_on_screen(stimuli, 8, source) is stimuli
