"""Every benchmark on measured data, through brainscore_vision.score, on small data of the same form."""

import brainscore_vision
import fake_brains
import numpy as np
import pytest
import small_data
from brainscore_vision import data_registry, load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from brainscore_vision.benchmark_helpers.validate_error import assert_valid_uncertainty
from candidates import IDENTIFIER, Given, current
from pybtex.database import parse_string

from brainscore_granularity import plugins
from brainscore_granularity.brains import catalogue
from brainscore_granularity.download import DataMissing

ELSEWHERE = ("World", "Kriegeskorte", "Cichy", "Cowley")  # tested on themselves
BENCHMARKS = [name for name in catalogue.ours("benchmarks") if not name.startswith(ELSEWHERE)]
ONE_OF_EACH = [*{name.partition(".")[0]: name for name in BENCHMARKS}.values(), "Hebart2023.triplet"]
EACH = [name if name in ONE_OF_EACH else pytest.param(name, marks=pytest.mark.slow) for name in BENCHMARKS]
RIDGE = [name for name in BENCHMARKS if name.endswith("-ridge")]
STATED = [name for name in RIDGE if name.startswith("Allen2022")]  # the noise is known from what the data set states
RSA = [name for name in BENCHMARKS if name.endswith("-rsa")]
FMRI = [name for name in RSA if "fmri" in name]
N_SUBJECTS = {
    "Allen2022_fmri": 8, "Allen2022_fmri_synthetic": 8, "Hebart2023_fmri": 3, "Papale2025": 2, "Li2026": 4,
    "Zerbe2026_fmri": 5,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory):
    """Brain-Score's data sets and the local builds, small, under their real names."""
    folder = tmp_path_factory.mktemp("fakes")
    with pytest.MonkeyPatch.context() as patch:
        small_data.install(patch, folder)
        yield folder


pytestmark = pytest.mark.usefixtures("candidate_plugin")


def score(benchmark, respond, **settings):
    current["model"] = Given(respond, **settings)
    return brainscore_vision.score(IDENTIFIER, benchmark)


def truth(ids):
    """The geometry of the fakes: of concepts for THINGS images in the concept benchmark."""
    names = [str(i).rsplit("_", 1)[0] if str(i).startswith("concept") else i for i in ids]
    return fake_brains.seen_by(fake_brains.latent(names), np.random.default_rng(1), 40)


def permuted(ids):
    """The right responses to the wrong images."""
    wrong = {
        stimulus: other
        for stimulus, other in zip(sorted(ids), np.random.default_rng(0).permutation(sorted(ids)), strict=True)
    }
    return truth([wrong[stimulus] for stimulus in ids])


@pytest.mark.parametrize("benchmark", EACH)
def test_the_true_geometry_scores_one(benchmark):
    result = score(benchmark, truth)
    if benchmark in STATED:  # of these fakes it is not true
        result = result * np.sqrt(fake_brains.CUT["nc_testset"][0] / 100)
        assert 0.9 < result.item() <= 1
        return
    ceiling = result.attrs["ceiling"].attrs
    assert ceiling["kind"] in ("subjects", "repeats", "choices", "unknown")
    if ceiling["kind"] == "subjects":
        assert ceiling["lower"] / ceiling["upper"] - 0.02 < result.item() <= 1
    else:
        assert result.item() == pytest.approx(1, abs=0.03)
    low, high = result.attrs["interval"]
    assert low - 0.02 < 1 < high + 0.05


@pytest.mark.parametrize("benchmark", EACH)
def test_permuted_images_score_nothing(benchmark):
    low, high = score(benchmark, permuted).attrs["interval"]
    assert low < 0.03 and high > -0.03


@pytest.mark.parametrize("benchmark", EACH)
def test_a_constant_model_is_refused_with_the_layer_named(benchmark):
    with pytest.raises(
        ValueError, match="all 30 images have the same features" if benchmark in RIDGE else "constant features"
    ):
        score(benchmark, lambda ids: np.ones((len(ids), 12)))
    one_value_a_unit = np.random.default_rng(0).normal(size=12)
    with pytest.raises(ValueError, match="constant"):
        score(benchmark, lambda ids: np.tile(one_value_a_unit, (len(ids), 1)))


@pytest.mark.parametrize("benchmark", EACH)
def test_nan_is_refused(benchmark):
    def respond(ids):
        features = truth(ids)
        features[len(ids) // 2, 3] = np.nan
        return features

    with pytest.raises(ValueError, match="NaN"):
        score(benchmark, respond)


@pytest.mark.parametrize("benchmark", [name for name in BENCHMARKS if name not in RIDGE])  # which can predict from it
def test_a_layer_that_is_dead_for_one_image_is_refused(benchmark):
    def respond(ids):
        features = truth(ids)
        dead = "concept07" if "concept" in benchmark else str(min(ids))  # a concept is dead if all its images are
        features[[str(stimulus).startswith(dead) for stimulus in ids]] = 0
        return features

    with pytest.raises(ValueError, match="1 of .* images have constant features"):
        score(benchmark, respond)


@pytest.mark.parametrize("benchmark", EACH)
def test_score_carries_all_that_is_promised(benchmark):
    result = score(benchmark, lambda ids: truth(ids) + np.random.default_rng(5).normal(size=(len(ids), 40)))
    assert_valid_uncertainty(result)
    attrs = result.attrs
    family = benchmark.partition(".")[0]
    assert attrs["simulated"] is False and attrs["data"] and attrs["interval"][0] < result.item() < attrs["interval"][1]
    assert result.item() == pytest.approx(
        (float(attrs["raw"]) - attrs["chance"]) / (attrs["ceiling"].item() - attrs["chance"])
    )
    assert set(current["model"].recorded) <= {"V1", "V2", "V4", "IT"}
    assert len(attrs["subject_scores"]) == N_SUBJECTS.get(family, 0 if benchmark.endswith("triplet") else 1)
    assert attrs["n_stimuli"] == (48 if "concept" in benchmark else fake_brains.N_IMAGES)
    if benchmark in FMRI:
        assert set(attrs["partial"]) == {"pixels", "luminance", "luminance and pixels"}
        assert all(abs(value - float(attrs["raw"])) < 0.1 for value in attrs["partial"].values())  # random pixels


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", ONE_OF_EACH)
def test_brain_scores_pixels_can_be_scored(benchmark, monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)
    result = load_benchmark(benchmark)(load_model("pixels"))
    assert -0.5 < result.item() < 0.5 and result.attrs["layer"] == "pixels"


@pytest.mark.parametrize("benchmark", EACH)
def test_stimuli_are_unique_and_their_name_keeps_the_cache_contract(benchmark):
    stimuli = load_benchmark(benchmark).stimulus_set
    assert stimuli["stimulus_id"].is_unique
    if "local" in stimuli.identifier:  # Brain-Score's own names are Brain-Score's to keep
        assert_stimulus_identifier_is_cacheable(stimuli.identifier)


@pytest.mark.parametrize("benchmark", EACH)
def test_benchmarks_describe_themselves(benchmark):
    loaded = load_benchmark(benchmark)
    assert (
        loaded.identifier == benchmark
        and loaded.version == (2 if "triplet" in benchmark else 1)
        and loaded.parent
        and loaded.summary
    )
    assert loaded.bibtex.count("url = ") == len(parse_string(loaded.bibtex, "bibtex").entries) >= 3


def test_data_that_cannot_be_had_are_named_with_the_remedy(monkeypatch):
    def unreachable():
        raise OSError("Could not connect to the endpoint URL")

    for name in ("Allen2022_fmri_test", "Li2026"):
        monkeypatch.setitem(data_registry, name, unreachable)
    for benchmark in ("Allen2022_fmri.V2-rsa", "Li2026.V2-rsa"):
        with pytest.raises(DataMissing) as error:
            score(benchmark, truth)
        said = str(error.value)
        assert "Could not connect" in said and "BRAINIO_HOME" in said and ("licence" in said or "terms" in said)
    with pytest.raises(DataMissing, match="granularity data prepare nsd --from DIR.*BRAINSCORE_GRANULARITY_HOME"):
        score("Allen2022_fmri.V2-rsa", truth)


def test_a_local_build_stands_in_where_brain_scores_store_cannot_be_reached(monkeypatch, data):
    name = "Allen2022_fmri_local.V4.test"
    fake_brains.save_local(data, name, "Allen2022_fmri_local.test", small_data.NSD_IDS, small_data.NSD_SUBJECTS)
    assert score("Allen2022_fmri.V4-rsa", truth).attrs["data"] == "Allen2022_fMRI_test.V4"
    monkeypatch.setitem(data_registry, "Allen2022_fmri_test", lambda: 1 / 0)
    assert score("Allen2022_fmri.V4-rsa", truth).attrs["data"] == "Allen2022_fmri_local.V4.test"
    assert "ready (Allen2022_fmri_local.V4.test)" in catalogue.benchmark_state("Allen2022_fmri.V4-rsa")


def test_the_docs_name_every_benchmark_and_no_other():
    import re

    text = (plugins.plugin_directory("benchmarks").parent / "docs" / "benchmarks.md").read_text()
    table = text.partition("\n\n**How far")[0]
    assert set(re.findall(r"`(\w+\.[\w-]+)`", table)) - {
        "brainscore_vision.load_benchmark",
        "brainscore_vision.score",
    } == set(catalogue.ours("benchmarks"))


def test_state_of_the_data_is_known_without_loading_them():
    state = catalogue.benchmark_state("Allen2022_fmri.ventral-rsa", ceilings=True)
    assert state.startswith("ready (Allen2022_fmri_local.ventral.test)")
    assert "30 images, 8 subjects, records IT, noise ceiling 0." in state and "(subjects)" in state
    assert "48 concepts (144 images)" in catalogue.benchmark_state("Hebart2023.concept-rsa", ceilings=True)
