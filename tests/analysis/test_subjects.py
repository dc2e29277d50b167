"""Which benchmarks a study can take its brains from."""

import pytest

from brainscore_granularity.analysis import subjects


def test_benchmarks_that_compare_rdms_of_features_as_they_are():
    assert subjects.load("World.IT-rsa").identifier == "World.IT-rsa"
    with pytest.raises(ValueError, match="World.triplet does not compare RDMs"):
        subjects.load("World.triplet")
    with pytest.raises(ValueError, match=r"Cichy2014_fmri.IT-rsa scales the features of models \(z-score\)"):
        subjects.load("Cichy2014_fmri.IT-rsa")
