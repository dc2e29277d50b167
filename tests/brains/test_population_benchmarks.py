"""RSA and encoding where every session has images of its own: by the book, on known truths, and against leaks."""

import numpy as np
import pytest
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
from candidates import Given

from brainscore_granularity import rsa, stats
from brainscore_granularity.brains.benchmark import RSABenchmark
from brainscore_granularity.brains.cross_validation import of_representations
from brainscore_granularity.brains.encoding_benchmark import EncodingBenchmark
from brainscore_granularity.brains.population_benchmark import of_array
from brainscore_granularity.brains.population_rsa import PopulationRSA
from brainscore_granularity.brains.populations import Population, Populations, populations
from brainscore_granularity.brains.repeat_ceiling import of_units
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.brains.targets import from_responses
from brainscore_granularity.datasets.stimuli import from_pixels
from brainscore_granularity.rsa import encoding
from brainscore_granularity.stats.resampling import resamples

FEATURES = 12


def truth(ids) -> np.ndarray:
    """(images, features) what images show, known by their ids."""
    return np.stack([np.random.default_rng(int(name.split("_")[1])).normal(size=FEATURES) for name in ids])


def session(name, monkey, first, images=40, units=15, noise=1.0, repeats=0):
    """Responses that are linear in what images show, and noise; images are numbered from ``first``."""
    ids = [f"v4_{k:04d}" for k in range(first, first + images)]
    pixels = np.stack(
        [np.random.default_rng(k).integers(0, 255, (8, 8, 3), np.uint8) for k in range(first, first + images)]
    )
    rng = np.random.default_rng(int(name))
    signal = truth(ids) @ rng.normal(size=(FEATURES, units)) / np.sqrt(FEATURES)
    shown = np.tile(np.arange(images), max(repeats, 1))
    assembly = NeuroidAssembly(
        signal[shown] + noise * rng.normal(size=(len(shown), units)),
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.array(ids)[shown]),
            "repetition": ("presentation", np.arange(len(shown))),
            "neuroid_id": ("neuroid", [f"{name}_{u}" for u in range(units)]),
            "subject": ("neuroid", [monkey] * units),
            "session": ("neuroid", [name] * units),
        },
    )
    assembly.attrs.update(
        identifier=f"V4.{name}", repeats=repeats > 1, stimulus_set=from_pixels(f"V4.{name}", ids, pixels)
    )
    return assembly


def benchmark(kind, *sessions):
    return kind("V4-test", 1, "V4", lambda: populations("V4", list(sessions)), None, "")


def mixed():
    """One session of one monkey and two of another, of which one has repeats."""
    return session("101", "A", 0), session("202", "B", 100), session("303", "B", 200, repeats=6)


def near_truth(ids, noise=1.0) -> np.ndarray:
    """What a model sees: the truth, and something of its own."""
    own = [np.random.default_rng([7, int(name.split("_")[1])]).normal(size=FEATURES) for name in ids]
    return truth(ids) + noise * np.stack(own)


def ids_of(assembly):
    return assembly.attrs["stimulus_set"]["stimulus_id"].values


def test_rsa_is_a_mean_over_sessions_and_then_over_monkeys():
    sessions = mixed()
    score = benchmark(PopulationRSA, *sessions)(Given(near_truth))
    expected = []
    for one in sessions:
        mean = np.stack([one.values[one["stimulus_id"].values == name].mean(axis=0) for name in ids_of(one)])
        expected.append(rsa.compare(rsa.rdm(near_truth(ids_of(one))), rsa.rdm(mean)))
    assert list(score.attrs["population_scores"].values()) == pytest.approx(expected, abs=1e-9)
    assert score.attrs["subject_scores"] == pytest.approx({"A": expected[0], "B": np.mean(expected[1:])}, abs=1e-9)
    assert float(score.attrs["raw"]) == pytest.approx((expected[0] + np.mean(expected[1:])) / 2, abs=1e-9)
    assert score.attrs["n_stimuli"] == 120 and score.attrs["data"] == "V4.101, V4.202, V4.303"
    assert score.attrs["interval"][0] < float(score) < score.attrs["interval"][1]


def test_of_one_session_it_is_rsa_as_ever():
    one = session("101", "A", 0)
    ours, plain = benchmark(PopulationRSA, one), RSABenchmark("plain", 1, "V4", lambda: from_responses(one), None, "")
    score, expected = ours(Given(near_truth)), plain(Given(near_truth))
    assert float(score.attrs["raw"]) == pytest.approx(float(expected.attrs["raw"]), abs=1e-12)
    np.testing.assert_allclose(score.attrs["resampled"] * float(ours.ceiling), expected.attrs["resampled"], atol=1e-9)


def test_ridge_by_the_book():
    """scikit-learn's RidgeCV, a fold and a unit at a time, on the same penalties."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    sessions = mixed()
    tested = benchmark(EncodingBenchmark, *sessions)
    expected = []
    for which, one in enumerate(sessions):
        x, y = near_truth(ids_of(one)), tested.members[which].responses
        x, fold, r = (x - x.mean(axis=0)) / x.std(axis=0), tested._folds[which], []
        for k in range(encoding.FOLDS):
            fit = fold != k
            penalties = encoding.penalties(x[fit] @ x[fit].T)
            for u in range(y.shape[1]):
                model = linear_model.RidgeCV(penalties).fit(x[fit], y[fit, u])
                r.append(np.corrcoef(model.predict(x[~fit]), y[~fit, u])[0, 1])
        expected.append(np.mean(r))
    score = tested(Given(near_truth))
    assert list(score.attrs["population_scores"].values()) == pytest.approx(expected, abs=1e-6)
    assert float(score) == pytest.approx((expected[0] + np.mean(expected[1:])) / 2, abs=1e-6)


def test_where_some_sessions_have_no_repeats_the_ceiling_of_ridge_is_not_known():
    tested = benchmark(EncodingBenchmark, *mixed())
    score = tested(Given(near_truth))
    assert tested.ceiling.attrs["kind"] == "unknown" and float(score) == float(score.attrs["raw"])
    raw, share = score.attrs["population_scores"]["303"], tested.members[2].signal
    assert list(score.attrs["normalised"]) == ["303"]
    assert raw / np.sqrt(share.max()) < score.attrs["normalised"]["303"] < raw / np.sqrt(share.min())


def test_the_true_model_predicts_all_that_repeats_allow_and_noise_nothing():
    with_repeats = session("404", "A", 0, images=300, repeats=4)
    tested = benchmark(EncodingBenchmark, with_repeats)
    score = tested(Given(truth))
    assert tested.ceiling.attrs["kind"] == "repeats"
    assert float(score) == pytest.approx(1, abs=0.03)
    assert float(np.sqrt(tested.members[0].signal).mean()) < 0.95
    nothing = tested(Given(lambda ids: near_truth(ids, 1e6)))
    assert abs(float(nothing)) < 0.1 and nothing.attrs["interval"][0] < 0 < nothing.attrs["interval"][1]


def test_units_of_little_signal_do_not_count():
    dull = session("404", "A", 0, images=100, units=30, repeats=4)
    dull.values[:, :12] = np.random.default_rng(0).normal(size=(400, 12))
    assert benchmark(EncodingBenchmark, dull)(Given(truth)).attrs["n_neuroids"] == {"404": 18}


@pytest.mark.parametrize("kind", [PopulationRSA, EncodingBenchmark])
def test_an_image_of_two_sessions_is_not_counted_twice(kind):
    """The same session given twice says no more about a model than once."""
    once, again = session("101", "A", 0), session("101", "A", 0)
    shared, alone = benchmark(kind, once, again), benchmark(kind, once)
    assert len(shared.stimulus_set) == 40 == len(set(shared.order)) and len(shared.members) == 2
    counts = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=50)
    parts = [one.represent(of_array(near_truth(one.order)), one.members[0], "x") for one in (shared, alone)]
    twice, single = shared._resampled([[parts[0], parts[0]]], counts), alone._resampled([[parts[1]]], counts)
    np.testing.assert_allclose(twice, single, atol=1e-12)


@pytest.mark.parametrize("kind", [PopulationRSA, EncodingBenchmark])
def test_images_that_chose_the_layer_are_refused_or_left_out(kind):
    tested = benchmark(kind, *mixed())
    model = Given(near_truth)
    model.selection_shown = {"V4": sorted(frozenset().union(*tested.shows[:40]))}  # all of the first monkey's
    with pytest.raises(SelectionLeak, match="40 of the 120"):
        tested(model)
    tested.shared = "leave out"
    score = tested(model)
    assert score.attrs["left_out"] == 40 and list(score.attrs["population_scores"]) == ["202", "303"]
    alone = benchmark(kind, *mixed()[1:])(Given(near_truth))
    assert float(score.attrs["raw"]) == pytest.approx(float(alone.attrs["raw"]), abs=1e-9)


def test_ceilings_say_what_they_are_from():
    tested = benchmark(PopulationRSA, *mixed())
    ceiling = tested.ceiling
    known = ceiling.attrs["populations"]
    assert {name: kind for name, (kind, *_) in known.items()} == {"101": "units", "202": "units", "303": "repeats"}
    assert ceiling.attrs["kind"] == "repeats and units"
    assert float(ceiling) == pytest.approx((known["101"][2] + (known["202"][2] + known["303"][2]) / 2) / 2)
    assert 0 < ceiling.attrs["lower"] < ceiling.attrs["upper"] < 1


def test_halves_of_units_predict_the_rdm_of_a_large_population():
    """The ceiling of units is what the RDM of the whole population from which they were drawn reaches."""
    rng, units = np.random.default_rng(0), 30
    signal = rng.normal(size=(60, FEATURES))
    whole = rsa.rdm(signal @ rng.normal(size=(FEATURES, 20_000)) + rng.normal(size=(60, 20_000)))
    reached, bounds = [], []
    for _ in range(20):
        own = signal @ rng.normal(size=(FEATURES, units)) + rng.normal(size=(60, units))
        reached.append(rsa.compare(whole, rsa.rdm(own)))
        bounds.append(of_units(own)[1])
    assert np.mean(bounds) == pytest.approx(np.mean(reached), abs=0.02)


@pytest.mark.parametrize("kind", [PopulationRSA, EncodingBenchmark])
def test_layers_are_compared_and_cross_validated(kind):
    tested = benchmark(kind, *mixed())
    layers = {
        "noise": represented(tested, lambda ids: near_truth(ids, 1e6)),
        "good": represented(tested, near_truth),
    }
    p = tested.corrected_p(list(layers.values()), 99)
    assert p[1] == 0.01 < p[0]
    found = of_representations(tested, layers, splits=10)
    assert found.best == "good" and found.chosen["good"] > 0.9
    assert found.found.low < found.found.value < found.found.high


def represented(tested, respond):
    return [tested.represent(of_array(respond(tested.order[one.rows])), one, "layer") for one in tested.members]


def test_permuted_predictions_score_as_predictions_of_permuted_images():
    tested = benchmark(EncodingBenchmark, session("101", "A", 0, images=50))
    (predicted,) = represented(tested, near_truth)
    null = tested.permuted_scores([predicted], 0, 2000)[:, 0]
    assert abs(null.mean()) < 4 * null.std() / np.sqrt(2000)
    rng, fold, by_hand = np.random.default_rng(1), tested._folds[0], []
    for _ in range(300):
        order = np.arange(50)
        for k in range(encoding.FOLDS):
            order[fold == k] = rng.permutation(order[fold == k])
        by_hand.append(tested.population_score(predicted[order], 0))
    assert np.std(by_hand) == pytest.approx(null.std(), rel=0.2)


def test_features_that_tell_nothing_are_refused():
    tested = benchmark(EncodingBenchmark, session("101", "A", 0))
    with pytest.raises(rsa.DegenerateFeatures, match="all 40 images have the same features"):
        tested(Given(lambda ids: np.ones((len(ids), 5))))
    broken = near_truth(tested.order)
    broken[3, 2] = np.nan
    with pytest.raises(rsa.DegenerateFeatures, match="1 of 40 images have NaN"):
        tested(Given(lambda ids: np.stack([broken[list(tested.order).index(name)] for name in ids])))


def test_sessions_with_too_few_units_are_left_out():
    few = session("101", "A", 0, units=9)
    assert [one.name for one in populations("V4", [few, session("202", "B", 100)]).members] == ["202"]
    with pytest.raises(ValueError, match="V4.101: expected a subject with at least 10 units"):
        populations("V4", [few])


def test_a_part_keeps_what_belongs_together():
    whole: Populations = populations("V4", list(mixed()))
    assert whole.of(np.arange(5, 120, 3)).members == []  # 13 images of each are too few
    many = whole.of(np.arange(10, 120))
    for one, before in zip(many.members, whole.members, strict=True):
        ids, old = many.stimulus_set["stimulus_id"].values, whole.stimulus_set["stimulus_id"].values
        known = dict(zip(old[before.rows], before.responses, strict=True))
        np.testing.assert_array_equal(one.responses, [known[name] for name in ids[one.rows]])
    assert many.units == whole.units


@pytest.mark.slow
def test_the_interval_of_encoding_holds_for_other_images_and_units():
    """Of worlds with a known answer it holds the answer in 95% or somewhat more, never far more."""
    found = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        signal, images, units = rng.normal(size=(100, 40)) * np.linspace(2, 0.2, 40), 100, 20
        weighted = signal @ (rng.normal(size=(40, units)) * rng.gamma(2, size=units))
        shown = [row + weighted.std(axis=0) * rng.normal(size=(4, units)) for row in weighted]
        stimuli = StimulusSet({"stimulus_id": [f"v4_{k}" for k in range(images)]})
        one = Populations([Population("a", "a", np.arange(images), shown, True)], stimuli, "world")
        tested = EncodingBenchmark("V4-test", 1, "V4", lambda one=one: one, None, "")
        layer = signal + rng.normal(size=signal.shape) * np.linspace(2, 0.2, 40)
        predicted = [tested.represent(of_array(layer), one.members[0], "layer")]
        drawn = tested.spread(predicted, resamples(images, 400, None))
        found.append((tested.layer_scores(predicted)[0], *stats.interval(drawn), drawn.std()))
    value, low, high, error = np.array(found).T
    assert np.mean((low < value.mean()) & (value.mean() < high)) >= 0.94
    assert value.std() < error.mean() < 1.6 * value.std()
