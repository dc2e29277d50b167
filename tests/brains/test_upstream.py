"""Our -rsa benchmarks and Brain-Score's own -rdm ones: the same raw score on the same images and neuroids."""

import numpy as np
import pytest
from brainscore_vision import data_registry, load_benchmark
from candidates import Given
from small_data import respond

from bench.upstream import whole


@pytest.mark.parametrize("region", ["V1", "IT"])
def test_the_raw_score_of_every_animal_is_that_of_brain_score(small_data, monkeypatch, region):
    small_data("Li2026")
    (complete,) = whole(data_registry["Li2026"]())
    monkeypatch.setitem(data_registry, "Li2026", lambda: complete)
    monkeypatch.setenv("RESULTCACHING_DISABLE", "1")
    theirs, ours = (load_benchmark(f"Li2026.{region}-{kind}") for kind in ("rdm", "rsa"))
    score, own = theirs(Given(respond)), ours(Given(respond))
    by_animal = dict(zip(np.unique(theirs._assembly["subject"].values), score.attrs["raw"].attrs["subject_scores"],
                         strict=True))  # fmt: skip
    assert set(by_animal) - set(own.attrs["subject_scores"]) == {"M5"}  # too few units for ours
    for animal, value in own.attrs["subject_scores"].items():
        assert value == pytest.approx(by_animal[animal], abs=1e-9)
    assert own.attrs["ceiling"].attrs["upper"] <= 1 and own.attrs["error"] > 0 and "error" not in score.attrs


def test_a_missing_value_is_nan_there_and_a_dropped_neuroid_here(small_data, monkeypatch):
    small_data("Li2026")
    monkeypatch.setenv("RESULTCACHING_DISABLE", "1")
    theirs, ours = (load_benchmark(f"Li2026.IT-{kind}")(Given(respond)) for kind in ("rdm", "rsa"))
    assert np.isnan(float(theirs)) and 0 < float(ours) <= 1
