import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from PIL import Image
from v4_session import write_session

from brainscore_granularity.brains import selection
from brainscore_granularity.brains.commitment import choose
from brainscore_granularity.brains.cowley2023 import on_sessions
from brainscore_granularity.brains.population_benchmark import of_array
from brainscore_granularity.datasets import cowley2023


@pytest.mark.parametrize("kind", ["rsa", "ridge"])
def test_what_is_known_without_the_data(kind):
    benchmark = load_benchmark(f"Cowley2023.V4-{kind}")
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == ("V4", "V4", None)
    assert benchmark.bibtex.startswith("@article{cowley2023compact") and benchmark.summary == "4 sessions, 2 monkeys"


def test_other_sessions_have_another_name():
    assert on_sessions("rsa", ("201025", "211022")).identifier == "Cowley2023.V4-rsa-201025+211022"
    assert on_sessions("ridge", ("211022",)).summary == "1 session, 1 monkey"


@pytest.mark.parametrize("kind", ["rsa", "ridge"])
def test_stimuli_and_populations(cowley_v4, kind):
    benchmark = load_benchmark(f"Cowley2023.V4-{kind}")
    assert len(benchmark.stimulus_set) == 4240 and benchmark.populations.weights.tolist() == [
        1 / 2,
        1 / 6,
        1 / 6,
        1 / 6,
    ]
    assert benchmark.populations.units == {"190923": 33, "201025": 89, "210225": 55, "210325": 50}
    assert_stimulus_identifier_is_cacheable(benchmark.stimulus_set.identifier)


@pytest.mark.slow
def test_known_noise_ceiling_from_repeats(cowley_v4):
    """.644 to .885, by other random halves of the repeats: with 100 halves these have an error of .001."""
    ceiling = on_sessions("rsa", ("210325",)).ceiling
    assert ceiling.attrs["kind"] == "repeats"
    assert (ceiling.attrs["lower"], ceiling.attrs["upper"]) == pytest.approx((0.644, 0.885), abs=0.003)


@pytest.mark.slow
def test_noise_ceilings(cowley_v4):
    """Of sessions without repeats from halves of the units, which 33 units estimate less well than 89."""
    ceiling = load_benchmark("Cowley2023.V4-rsa").ceiling
    uppers = {name: upper for name, (_, _, upper) in ceiling.attrs["populations"].items()}
    assert uppers == pytest.approx({"190923": 0.604, "201025": 0.804, "210225": 0.538, "210325": 0.886}, abs=5e-4)
    assert float(ceiling) == pytest.approx(0.673, abs=5e-4)
    ridge = load_benchmark("Cowley2023.V4-ridge").ceiling
    assert ridge.attrs["kind"] == "unknown" and float(ridge) == 1


def raw_score(benchmark, order) -> float:
    """Of a simple model that sees means of 8 x 8 blocks of the images, in the order that is given."""
    stimuli, (population,) = benchmark.stimulus_set, benchmark.members
    images = [Image.open(stimuli.get_stimulus(stimulus)).resize((8, 8)) for stimulus in order]
    features = np.stack([np.asarray(image, np.float32).ravel() for image in images])
    return benchmark.layer_scores([benchmark.represent(of_array(features), population, "blocks")])[0]


SLOW = [("ridge", "190923"), ("ridge", "201025"), ("ridge", "210225"), ("rsa", "190923")]


@pytest.mark.parametrize(
    ("kind", "session"),
    [("ridge", "210325"), ("rsa", "210325"), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in SLOW)],
)
def test_a_wrong_order_of_the_images_scores_nothing(cowley_v4, kind, session):
    benchmark = on_sessions(kind, (session,))
    order = benchmark.order
    as_text = np.argsort([str(k) for k in range(1, len(order) + 1)])  # image1, image10, image100, ...
    lowest, highest = {"rsa": (0.04, 0.02), "ridge": (0.15, 0.06)}[kind]
    assert raw_score(benchmark, order) > lowest
    for wrong in (order[as_text], np.roll(order, 1), order[::-1]):
        assert abs(raw_score(benchmark, wrong)) < highest


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "value", "raw"), [("rsa", 0.1358, 0.1203), ("ridge", 0.3089, 0.3089)])
def test_reference_score_of_pixels(cowley_v4, kind, value, raw):
    score = on_sessions(kind, ("210325",))(load_model("pixels"))
    assert float(score) == pytest.approx(value, abs=0.003) and float(score.attrs["raw"]) == pytest.approx(
        raw, abs=0.003
    )


def test_layers_are_chosen_on_other_sessions_where_they_are_here(cowley_v4, tmp_path, monkeypatch):
    (own,) = selection.SELECTIONS["Cowley2023"]()
    assert [one.name for one in own.members] == ["190923"] and own.region == "V4"
    monkeypatch.setattr(cowley2023, "sessions_here", lambda: ["190923", "211022"])
    (other,) = selection.SELECTIONS["Cowley2023"]()
    assert other.summary == "1 session, 1 monkey"


def test_images_of_the_sessions_that_score_choose_no_layer(tmp_path, monkeypatch):
    """Session 210322 shows 600 of the 640 images of 210325."""
    responses = np.random.default_rng(0).normal(size=(12, 50))
    write_session(tmp_path, "210322", responses, images=range(50))
    write_session(tmp_path, "210325", np.repeat(responses[:, :30, None], 2, axis=2), images=range(20, 50), raw=True)
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cowley2023, "SESSIONS", ("210325",))
    monkeypatch.setattr(cowley2023, "PINNED", {})
    scored = set(cowley2023.stimulus_set("210325")["stimulus_id"])
    (chooses,) = selection.SELECTIONS["Cowley2023"]()
    assert len(chooses.order) == 20 and not scored & set(chooses.order)
    write_session(tmp_path, "210322", responses[:, :30], images=range(20, 50))
    cowley2023._unpacked.cache_clear()
    (nothing_left,) = selection.SELECTIONS["Cowley2023"]()
    with pytest.raises(ValueError, match="hardly an image that 210325 do not show"):
        assert nothing_left.populations


@pytest.mark.slow
def test_a_layer_chosen_on_one_monkey_is_scored_on_the_other(cowley_v4):
    model = load_model("granularity_tiny_own_k8_s1")
    layers = ["conv3", "relu6"]
    choice = choose(model, ["Cowley2023"], layers)
    assert choice["layers"] == {"V4": "conv3"} and list(choice["subjects"]["V4"]) == ["WE"]
    model.selection_shown = {"V4": choice["shown"]["Cowley2023"]}
    benchmark = load_benchmark("Cowley2023.V4-ridge")
    with pytest.raises(ValueError, match="1200 of the 4240 stimuli"):
        benchmark(model)
    benchmark.shared = "leave out"
    score = benchmark(model)
    assert list(score.attrs["subject_scores"]) == ["PE"] and score.attrs["left_out"] == 1200
    assert float(score) == pytest.approx(0.493, abs=0.003)
