import numpy as np
import pytest
from brainscore_core.benchmarks import score_benchmark
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.benchmark_helpers.validate_error import assert_valid_uncertainty
from brainscore_vision.model_interface import BrainModel

from brainscore_granularity import rsa, stats
from brainscore_granularity.datasets.assembly import average_repeats, in_order
from brainscore_granularity.world import assemblies, brains

RSA = ["World.V1-rsa", "World.IT-rsa", "World_fine.IT-rsa", "World_null.IT-rsa"]
TRIPLETS = ["World.triplet", "World_fine.triplet", "World_null.triplet"]


class Given(BrainModel):
    """A model whose responses are given: features in the order of the stimulus set."""

    identifier = "given"

    def __init__(self, features, shuffle=False):
        self.features, self.shuffle = features, shuffle
        self.behavior_model = type("", (), {"mapping": {BrainModel.Task.odd_one_out: self}})()
        self.activations_model, self.readout = self.respond, ["given"]

    def visual_degrees(self):
        return 8

    def start_recording(self, region, time_bins):
        self.region = region

    def look_at(self, stimuli, number_of_trials=1):
        return self.respond(stimuli)

    def respond(self, stimuli, layers=None):
        order = np.random.default_rng(0).permutation(len(stimuli)) if self.shuffle else np.arange(len(stimuli))
        return NeuroidAssembly(
            self.features[order],
            dims=["presentation", "neuroid"],
            coords={
                "stimulus_id": ("presentation", stimuli["stimulus_id"].values[order]),
                "fine": ("presentation", stimuli["fine"].values[order]),
                "neuroid_id": ("neuroid", np.arange(self.features.shape[1])),
                "layer": ("neuroid", ["given"] * self.features.shape[1]),
            },
        )


def truth(identifier):
    """Responses with the true geometry of a World benchmark."""
    data, _, kind = identifier.replace("-rsa", "").partition(".")
    brain = brains.BRAINS[data.partition("_")[2] or "coarse"]
    images = assemblies.image_set("World")
    if kind == "triplet":
        return brains.latent(images, brain, 101)
    return brains.expected_geometry(brains.signal(images, brain, kind, 101))


@pytest.mark.slow
@pytest.mark.parametrize("identifier", RSA)
def test_true_geometry_reaches_the_ceiling_and_permuted_images_nothing(identifier):
    benchmark = load_benchmark(identifier)
    features = truth(identifier)
    perfect = score_benchmark(benchmark, Given(features))
    lower, upper = benchmark.ceiling.attrs["lower"], benchmark.ceiling.attrs["upper"]
    assert lower / upper - 0.05 < perfect.item() <= 1
    permuted = benchmark(Given(np.random.default_rng(1).permutation(features)))
    assert permuted.attrs["interval"][0] < 0 < permuted.attrs["interval"][1]


@pytest.mark.parametrize("identifier", RSA)
def test_mean_of_the_subjects_scores_one(identifier):
    """The upper ceiling is reached by the rank-averaged RDM of the subjects themselves, so 1 can be attained."""
    from scipy.stats import rankdata

    benchmark = load_benchmark(identifier)
    mean = np.zeros_like(benchmark.subject_rdms[0])
    for rdm in benchmark.subject_rdms:
        mean[np.triu_indices(len(rdm), 1)] += rankdata(rsa.upper(rdm))
    assert benchmark.compare(mean + mean.T).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("identifier", TRIPLETS)
def test_triplets_true_geometry_scores_one_and_permuted_images_zero(identifier):
    benchmark = load_benchmark(identifier)
    benchmark.measure = "dot"  # how the simulated observer compares
    perfect = benchmark(Given(truth(identifier)))
    assert perfect.attrs["interval"][0] < 1 < perfect.attrs["interval"][1]
    permuted = benchmark(Given(np.random.default_rng(1).permutation(truth(identifier))))
    assert permuted.attrs["interval"][0] < 0 < permuted.attrs["interval"][1]


@pytest.mark.parametrize("identifier", TRIPLETS)
def test_constant_representation_is_refused_on_triplets(identifier):
    """Brain-Score's own odd-one-out gives it 1.0, because ties resolve to the third image, the right one."""
    for features in (np.ones((256, 10)), np.arange(256.0)[:, None], np.zeros((256, 0))):
        with pytest.raises(rsa.DegenerateFeatures, match="in layer 'given"):
            load_benchmark(identifier)(Given(features))


@pytest.mark.parametrize("identifier", RSA + TRIPLETS)
def test_nan_is_refused_with_the_image_named(identifier):
    features = np.random.default_rng(0).normal(size=(256, 10))
    features[7, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        load_benchmark(identifier)(Given(features))


@pytest.mark.parametrize("identifier", RSA)
def test_a_dead_layer_is_refused(identifier):
    with pytest.raises(rsa.DegenerateFeatures, match="given"):
        load_benchmark(identifier)(Given(np.zeros((256, 10))))


@pytest.mark.parametrize("identifier", ["World.IT-rsa", "World.triplet"])
def test_order_of_the_responses_does_not_matter(identifier):
    benchmark = load_benchmark(identifier)
    features = np.random.default_rng(2).normal(size=(256, 30))
    assert benchmark(Given(features)).item() == benchmark(Given(features, shuffle=True)).item()


@pytest.mark.parametrize("identifier", RSA + TRIPLETS)
def test_score_carries_all_that_is_promised(identifier):
    benchmark = load_benchmark(identifier)
    score = benchmark(Given(np.random.default_rng(2).normal(size=(256, 30))))
    assert_valid_uncertainty(score)
    attrs = score.attrs
    assert attrs["simulated"] is True and attrs["n_stimuli"] == 256
    assert attrs["interval"][0] < score.item() < attrs["interval"][1]
    assert attrs["ceiling"].attrs["lower"] <= attrs["ceiling"].attrs["upper"] == attrs["ceiling"].item()
    span = attrs["ceiling"].item() - attrs["chance"]
    assert score.item() == pytest.approx((float(attrs["raw"]) - attrs["chance"]) / span)
    if identifier in RSA:
        assert len(attrs["subject_scores"]) == 4
        assert np.mean(list(attrs["subject_scores"].values())) == pytest.approx(float(attrs["raw"]))


def test_benchmarks_describe_themselves():
    for identifier in RSA + TRIPLETS:
        benchmark = load_benchmark(identifier)
        assert benchmark.identifier == identifier and benchmark.version == 2 + (identifier in TRIPLETS)
        assert "url = " in benchmark.bibtex and benchmark.parent


@pytest.mark.slow
def test_brain_scores_own_model_can_be_scored():
    model = load_model("pixels")
    assert -0.1 < load_benchmark("World.V1-rsa")(model).item() < 0.1  # raw pixels are not Gabor energy
    assert load_benchmark("World.triplet")(model).attrs["n_triplets"] == 4000


def test_a_model_without_a_behavioural_readout_is_told_so():
    model = Given(np.ones((256, 3)))
    del model.behavior_model
    with pytest.raises(TypeError, match="given has no behavioural readout"):
        load_benchmark("World.triplet")(model)


@pytest.mark.slow
def test_our_models_run_on_brain_scores_rsa_benchmark():
    from brainscore_vision.benchmark_helpers.neural_common import RSABenchmark

    assembly = assemblies.neural("World", "coarse", "IT")
    means = average_repeats(assembly)
    with_time = NeuroidAssembly(
        means.values[:, :, None],
        dims=["presentation", "neuroid", "time_bin"],
        coords={
            "stimulus_id": ("presentation", means["stimulus_id"].values),
            "image": ("presentation", np.arange(len(means))),
            **{name: ("neuroid", assembly[name].values) for name in ("neuroid_id", "subject", "region")},
            "time_bin_start": ("time_bin", [70]),
            "time_bin_end": ("time_bin", [170]),
        },
    )
    static = with_time.squeeze("time_bin")
    static.attrs["stimulus_set"] = assembly.attrs["stimulus_set"]
    theirs = RSABenchmark("Test.IT-rdm", 1, static, "IT", 8, 1, "")
    model = load_model("granularity_world_own_k2_s1")
    ours = load_benchmark("World.IT-rsa")
    assert theirs(model).attrs["raw"].item() == pytest.approx(float(ours(model).attrs["raw"]), abs=1e-4)


def test_repeats_are_averaged_per_stimulus():
    values = np.arange(12.0).reshape(6, 2)
    assembly = NeuroidAssembly(
        values,
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", ["b", "a", "b", "a", "b", "a"]),
            "repetition": ("presentation", [0, 0, 1, 1, 2, 2]),
            "neuroid_id": ("neuroid", [0, 1]),
            "subject": ("neuroid", ["s", "s"]),
        },
    )
    assert np.array_equal(in_order(average_repeats(assembly), ["a", "b"]), [values[1::2].mean(0), values[::2].mean(0)])


def test_a_missing_response_is_named():
    assembly = average_repeats(assemblies.neural("World", "coarse", "IT"))
    with pytest.raises(ValueError, match=r"1 missing \(first: nowhere\)"):
        in_order(assembly, [*assembly["stimulus_id"].values, "nowhere"])


def test_errors_of_triplets_are_those_of_other_images_and_of_paired_models():
    """From sums over shared images, not by resampling triplets: the spread over independent image sets, of a score and
    of the difference of two models that is known from what their scores keep."""
    rng, design = np.random.default_rng(0), load_benchmark("World.triplet").overlaps
    values, differences, errors, paired = [], [], [], []
    for _ in range(40):
        good = rng.random((2, 256)) < 0.6  # a triplet is answered rightly if most of its images are "good"
        both = rng.random(4000) < 0.5
        one, other = ((both | (of[design.rows].sum(axis=1) > 1)).astype(float) for of in good)
        values.append(one.mean()), differences.append(one.mean() - other.mean())
        errors.append(stats.triplet_mean(one, design).error)
        kept = [np.stack(design.resampled(x, 400)) for x in (one, other)]
        paired.append(np.sqrt(stats.paired_variance(*kept)))
    assert 0.75 < np.mean(errors) / np.std(values) < 1.33
    assert 0.75 < np.mean(paired) / np.std(differences) < 1.33
