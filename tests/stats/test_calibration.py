"""A small version of `make calibrate`: rates on simulated worlds of known truth, with fixed seeds.

Bounds are two standard errors of what a correct procedure reaches, three where several rates are checked.
"""

import os

import numpy as np
import pytest

from bench import calibrate_layers, calibrate_scores, calibrate_triplets
from bench.worlds import Worlds


@pytest.mark.slow
def test_permutation_false_positives():
    rate = np.mean([calibrate_scores.permutation(seed) for seed in range(400)])
    assert rate == pytest.approx(0.05, abs=0.022)


@pytest.mark.slow
def test_best_layer_false_positives():
    rate = np.mean([calibrate_scores.best_layer(seed) for seed in range(200)])
    assert rate == pytest.approx(0.05, abs=0.031)


@pytest.mark.slow
def test_intervals_cover_and_the_raw_subsample_does_not(monkeypatch):
    value = calibrate_scores.truth(calibrate_scores.score, 10)
    monkeypatch.setattr(calibrate_scores, "truth", lambda function, draws: value)
    answers = [calibrate_scores.interval(seed, n=300) for seed in range(100)]
    rates = {name: np.mean([a[name] for a in answers]) for name in answers[0]}
    raw = rates.pop("raw 90%")
    assert raw == pytest.approx(0.5, abs=0.1)  # a third as wide as it should be
    for rate in rates.values():
        assert rate == pytest.approx(0.95, abs=0.044)


def test_ceiling_contains_the_truth():
    assert all(calibrate_scores.ceiling(seed, pool=40) for seed in range(30))


@pytest.mark.slow
def test_intervals_of_triplets_cover(monkeypatch):
    """Sparse and dense, every size of effect, and differences from what scores keep."""
    value = calibrate_triplets.truth(100_000, 4)
    monkeypatch.setattr(calibrate_triplets, "truth", lambda: value)
    for images, triplets in ((60, 1500), (1800, 2000)):
        answers = [calibrate_triplets.odd_one_out(seed, images, triplets) for seed in range(100)]
        for name in answers[0]:
            assert np.mean([a[name] for a in answers]) == pytest.approx(0.95, abs=0.051), (images, name)


@pytest.mark.slow
@pytest.mark.parametrize(("measure", "images", "kind"), [("RDMs", 40, "not tied"), ("odd-one-out", 60, "tied")])
def test_layers_that_are_chosen_are_covered_and_equal_models_are_equal(measure, images, kind):
    found = [calibrate_layers.judged(seed, measure, images, kind) for seed in range(40)]
    for layers in (7, 14):
        own = [answer[layers] for answer in found]
        assert calibrate_layers.covered(own) >= 87.5
        assert np.mean([answer[3] for answer in own]) <= 0.125 and np.mean([answer[4] for answer in own]) <= 0.125


def test_worlds_are_counted_by_what_is_asked(capsys):
    worlds = Worlds(10, workers=1)
    assert worlds(_is_even) == {"": 50.0} and worlds(_both, of=[1, 2, 4, 6]) == {"even": 75.0, "never": 0.0}
    assert worlds.times(0.3).worlds == 3 and worlds.times(0.01).worlds == 1
    assert "_is_even: 10/10" in capsys.readouterr().err


def _is_even(world: int) -> bool:
    return world % 2 == 0


def _both(world: int) -> dict[str, bool]:
    return {"even": _is_even(world), "never": False}


def test_only_a_section_is_written_anew(tmp_path, monkeypatch):
    """The rest of the page stays to the letter, whichever section it is."""
    from bench import calibrate

    page = tmp_path / "page.md"
    page.write_text("# Calibration\n\n## Scores\n\nold\n\n## Choosing a layer\n\nkept\n\n## Odd-one-out\n\nkept, too\n")
    monkeypatch.setitem(calibrate.SECTIONS, "scores", lambda worlds: f"## Scores\n\n{worlds.worlds} worlds\n")
    monkeypatch.setattr("sys.argv", ["calibrate", "--only", "scores", "--worlds", "7", "--output", str(page)])
    calibrate.main()
    assert page.read_text() == (
        "# Calibration\n\n## Scores\n\n7 worlds\n\n## Choosing a layer\n\nkept\n\n## Odd-one-out\n\nkept, too\n"
    )


@pytest.mark.parametrize("module", ["worlds", "calibration_page", "calibrate_layers"])
def test_examples_of_the_program(module):
    import doctest
    import importlib

    result = doctest.testmod(importlib.import_module(f"bench.{module}"))
    assert result.attempted > 0 and result.failed == 0


def test_worlds_are_judged_with_one_thread_and_the_caller_keeps_its_own_setting(monkeypatch):
    """A setting that stayed would make later processes compute with one thread where this one has several."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert Worlds(2, workers=1).answers(os.getenv, of=["OMP_NUM_THREADS"] * 2) == ["1", "1"]
    assert "OMP_NUM_THREADS" not in os.environ
