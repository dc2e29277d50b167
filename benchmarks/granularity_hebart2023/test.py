import numpy as np
import pytest
from brainscore_vision import benchmark_registry, load_benchmark, load_dataset
from candidates import Given
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from small_data import respond

from brainscore_granularity.brains import concepts

TRIPLET, CONCEPT = "Hebart2023.triplet", "Hebart2023.concept-rsa"


@pytest.mark.parametrize("identifier", [TRIPLET, CONCEPT])
def test_registry_and_what_is_known_without_the_data(identifier):
    benchmark = load_benchmark(identifier)
    assert identifier in benchmark_registry and benchmark.identifier == identifier
    assert (benchmark.region, benchmark.parent, benchmark.visual_degrees) == ("behavior", "behavior_vision", 8)
    assert benchmark.bibtex.startswith("@article{hebart2023things")


def test_choices_by_the_book(small_data):
    """The odd one is the image outside the most similar pair, by cosine; .6767 is what people agree with themselves."""
    small_data("Hebart2023")
    data = load_dataset("Hebart2023")
    triplets = np.stack([data[f"image_{i}"].values for i in (1, 2, 3)], axis=1)
    unit = respond(range(30))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    others = [(1, 2), (0, 2), (0, 1)]  # the pair that remains without the first, second, third
    pairs = np.stack([(unit[triplets[:, a]] * unit[triplets[:, b]]).sum(axis=1) for a, b in others], axis=1)
    score = load_benchmark(TRIPLET)(Given(respond))
    accuracy = (pairs.argmax(axis=1) == 2).mean()
    assert float(score.attrs["raw"]) == pytest.approx(accuracy, abs=1e-12)
    assert score.item() == pytest.approx((accuracy - 1 / 3) / (0.6767 - 1 / 3), abs=1e-12)


def test_a_constant_model_is_refused_on_choices(small_data):
    """Brain-Score's own choices would give every tie to the third image, which is always the right one."""
    small_data("Hebart2023")
    with pytest.raises(ValueError, match="constant features"):
        load_benchmark(TRIPLET)(Given(lambda ids: np.ones((len(ids), 12))))


def test_concepts_by_the_book(small_data):
    """A model's features are averaged over the images of a concept, and compared with the embedding."""
    small_data("Hebart2023_local")
    benchmark, data = load_benchmark(CONCEPT), load_dataset(concepts.SPOSE)
    names, ids = data["concept"].values, data["stimulus_id"].values
    scored = set(benchmark.stimulus_set["concept"])

    def of_images(ids):
        return respond([str(i).rsplit("_", 1)[0] for i in ids]) + respond(ids)

    features = np.stack([of_images(ids[names == name]).mean(axis=0) for name in sorted(scored)])
    embedding = np.stack([data.values[names == name, :, 0].mean(axis=0) for name in sorted(scored)])
    expected = spearmanr(pdist(features, "correlation"), pdist(embedding, "correlation"))[0]
    score = benchmark(Given(of_images))
    assert score.item() == pytest.approx(expected, abs=1e-6) and 0.2 < expected < 0.9
    assert score.attrs["ceiling"].attrs["kind"] == "unknown"


def test_concepts_follow_the_owners_order_and_selection_concepts_do_not_score(small_data):
    small_data("Hebart2023_local")
    chosen, tested = (concepts.targets(split) for split in (concepts.SELECTION, concepts.TEST))
    shown = [set(targets.stimulus_set["concept"]) for targets in (chosen, tested)]
    assert not shown[0] & shown[1] and len(shown[0]) == 12 and len(shown[1]) == 48
    names = tested.stimulus_set.drop_duplicates("concept")["concept"].tolist()
    assert names != sorted(names)
    assert tested.groups.tolist() == np.repeat(range(48), 3).tolist()


def test_the_owners_choices(measured_benchmark):
    benchmark = measured_benchmark(TRIPLET)
    assert benchmark.triplets.shape == (453_642, 3) and len(benchmark.stimulus_set) == 1854
