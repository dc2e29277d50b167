import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr, zscore

# rank-pooled noise ceilings, lower and upper, computed independently
CEILINGS = {
    "Cichy2014_fmri.EVC-rsa": (0.247, 0.399),
    "Cichy2014_fmri.IT-rsa": (0.459, 0.549),
    "Cichy2014_meg.early-rsa": (0.653, 0.705),
    "Cichy2014_meg.late-rsa": (0.353, 0.473),
    "Cichy2016_fmri.EVC-rsa": (0.132, 0.327),
    "Cichy2016_fmri.IT-rsa": (0.049, 0.283),
    "Cichy2016_meg.early-rsa": (0.488, 0.569),
    "Cichy2016_meg.late-rsa": (0.348, 0.468),
}


@pytest.mark.parametrize(("identifier", "known"), CEILINGS.items())
def test_known_noise_ceilings(cichy, identifier, known):
    ceiling = load_benchmark(identifier).ceiling
    assert ceiling.attrs["rank_pool"] == pytest.approx(known, abs=5e-4)
    assert ceiling.item() == ceiling.attrs["upper"] < ceiling.attrs["rank_pool"][1]  # the pool is ranked anew
    assert ceiling.item() == pytest.approx(known[1], abs=0.015)


@pytest.mark.parametrize("identifier", CEILINGS)
def test_what_is_recorded_and_shown(cichy, identifier):
    benchmark = load_benchmark(identifier)
    early = identifier.endswith(("EVC-rsa", "early-rsa"))
    assert benchmark.region == benchmark.parent == ("V1" if early else "IT") and not benchmark.simulated
    n = 92 if "2014" in identifier else 118
    assert benchmark.status() == "ready" and benchmark.summary == f"{n} images, 15 people"
    assert benchmark.found() == f"{n} images, 15 subjects" and benchmark.visual_degrees is None
    assert_stimulus_identifier_is_cacheable(benchmark.stimulus_set.identifier)


@pytest.mark.slow
@pytest.mark.parametrize("identifier", ["Cichy2014_fmri.EVC-rsa", "Cichy2016_meg.late-rsa"])
def test_the_score_of_pixels_tells_both_scalings(cichy, identifier, monkeypatch):
    """The reference is computed here from the files of the images."""
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)
    benchmark = load_benchmark(identifier)
    score = benchmark(load_model("pixels"))
    assert score.attrs["layer"] == "pixels" and score.attrs["data"] == identifier.removesuffix("-rsa")
    scalings = score.attrs["scalings"]
    assert list(scalings) == ["none", "z-score"] and scalings["z-score"] == pytest.approx(float(score.attrs["raw"]))
    paths = [benchmark.stimulus_set.get_stimulus(name) for name in benchmark.order]
    pixels = np.stack([np.asarray(Image.open(path).resize((64, 64)), float).ravel() for path in paths])
    people = [rdm[np.triu_indices(len(rdm), 1)] for rdm in benchmark.subject_rdms]
    varies = pixels.std(axis=0) > 0
    for name, features in (("none", pixels), ("z-score", zscore(pixels[:, varies]))):
        expected = np.mean([spearmanr(pdist(features, "correlation"), own)[0] for own in people])
        assert scalings[name] == pytest.approx(expected, abs=0.01)
    assert abs(scalings["none"] - scalings["z-score"]) > 0.02
