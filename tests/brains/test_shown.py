"""A layer that was chosen on a picture is not scored on it, whatever the picture is called."""

import json
import shutil
from types import SimpleNamespace

import fake_brains
import fake_things
import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model
from PIL import Image

from brainscore_granularity.brains import commitment, concepts, selection, shown
from brainscore_granularity.brains.shown import SelectionLeak, identities, unshared_rows
from brainscore_granularity.datasets.prepare.things import concepts as things
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODEL = "granularity_world_own_k2_s1"
N = 40


@pytest.fixture
def committed(tmp_path, home, monkeypatch):
    """The owners' files of THINGS, small; a model whose behavioural layer was chosen on a fifth of the concepts."""
    monkeypatch.setattr(fake_things, "CONCEPTS", [f"concept{(7 * i) % N:02d}" for i in range(N)])
    fake_things.write_things(tmp_path / "owner")
    things.prepare(tmp_path / "owner", say=lambda line: None)
    selection.benchmarks.cache_clear()
    shipped = checkpoint_of(MODEL)
    checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    _, path = commitment.recommit(MODEL, ["Hebart2023"])
    yield path.with_suffix(".scores.json")
    selection.benchmarks.cache_clear()


def test_both_benchmarks_of_the_same_things_pictures_are_refused_and_other_concepts_pass(committed, monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)
    model, tested = load_model(MODEL), load_benchmark("Hebart2023.concept-rsa")
    assert tested(model).attrs["n_stimuli"] == 32  # chosen on the other fifth
    whole = load_benchmark("Hebart2023.triplet")
    assert set(map(str, whole.order)).isdisjoint(model.selection_stimuli["behavior"])  # by their ids nothing is shared
    with pytest.raises(SelectionLeak, match="chosen on 8 of the 40 stimuli of Hebart2023.triplet"):
        whole(model)
    again = load_benchmark("Hebart2023.concept-rsa")
    again._load = lambda: concepts.targets(concepts.SELECTION)
    with pytest.raises(SelectionLeak, match="of Hebart2023.concept-rsa"):
        again(model)


def test_shared_concepts_can_be_left_out_instead(committed, monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.odd_one_out.N_BOOTSTRAP", 20)
    benchmark, model = load_benchmark("Hebart2023.triplet"), load_model(MODEL)
    benchmark.shared = "leave out"
    score, (chosen, _) = benchmark(model), things.concept_split(N)
    assert score.attrs["left_out"] == 8
    assert score.attrs["n_triplets"] == np.sum(~np.isin(fake_things.choices(), chosen).any(axis=1)) > 0
    assert len(benchmark.triplets) == 40  # the benchmark itself is as it was
    monkeypatch.setattr(shown, "MIN_LEFT", 0.9)
    with pytest.raises(SelectionLeak, match="only 32 of 40 rows would be left"):
        benchmark(model)


def test_records_that_have_ids_only_still_guard_by_them(committed):
    record = json.loads(committed.read_text())
    assert any(name.startswith("pixels:") for name in record["shown"]["Hebart2023"])
    del record["shown"]
    committed.write_text(json.dumps(record))
    model = load_model(MODEL)
    again = load_benchmark("Hebart2023.concept-rsa")
    again._load = lambda: concepts.targets(concepts.SELECTION)
    with pytest.raises(SelectionLeak, match="Hebart2023.concept-rsa"):
        again(model)


def chosen_on(stimuli, **settings):
    """A model that knows what its layer for IT was chosen on."""
    names = frozenset().union(*identities(stimuli, stimuli["stimulus_id"].values, **settings))
    return SimpleNamespace(identifier="model", selection_shown={"IT": sorted(names)})


def showing(stimuli, **settings):
    order = stimuli["stimulus_id"].values
    shows = identities(stimuli, order, **settings)
    return SimpleNamespace(identifier="b", region="IT", order=order, shows=shows, groups=None, shared="refuse")


def test_neither_a_new_name_nor_another_format_helps_and_other_pictures_pass(tmp_path):
    stimuli = fake_brains.stimulus_set(tmp_path, "chosen", ["a", "b", "c"])
    renamed = fake_brains.stimulus_set(tmp_path, "scored", [0, 1, 2])
    assert unshared_rows(chosen_on(stimuli), showing(renamed)) is None
    shutil.copyfile(stimuli.get_stimulus("b"), renamed.get_stimulus(1))
    with pytest.raises(SelectionLeak, match="chosen on 1 of the 3 stimuli of b, such as 1"):
        unshared_rows(chosen_on(stimuli), showing(renamed))
    other = tmp_path / "b.bmp"
    with Image.open(stimuli.get_stimulus("b")) as image:
        image.convert("RGB").save(other)
    renamed.stimulus_paths = {**renamed.stimulus_paths, 1: other}
    with pytest.raises(SelectionLeak, match="chosen on 1 of the 3"):
        unshared_rows(chosen_on(stimuli), showing(renamed))


def test_a_declared_picture_is_the_same_on_any_background(tmp_path):
    """As the 92 images of Kriegeskorte (grey) and of Cichy (white)."""
    grey = fake_brains.stimulus_set(tmp_path, "grey", ["k1", "k2"], picture=["kriegeskorte92_01", "kriegeskorte92_02"])
    white = fake_brains.stimulus_set(tmp_path, "white", ["c1", "c2"], picture=["kriegeskorte92_02", None])
    with pytest.raises(SelectionLeak, match="chosen on 1 of the 2 stimuli of b, such as c1"):
        unshared_rows(chosen_on(grey), showing(white))
    assert unshared_rows(chosen_on(grey), showing(white.drop(columns="picture"))) is None


def test_a_concept_is_shared_by_its_pictures_where_the_score_is_about_concepts(tmp_path):
    stimuli = fake_brains.stimulus_set(tmp_path, "chosen", ["dog_01b"], concept=["dog"])
    other = fake_brains.stimulus_set(tmp_path, "scored", [7], unique_id=["dog"])
    assert unshared_rows(chosen_on(stimuli), showing(other)) is None
    with pytest.raises(SelectionLeak):
        unshared_rows(chosen_on(stimuli, concepts=True), showing(other, concepts=True))


def test_images_of_one_collection_are_known_by_its_numbers(tmp_path):
    """Brain-Score's and a local build of NSD may hold one picture in two sizes."""
    from brainscore_granularity.datasets import measured

    assert measured.NSD.pictures == measured.TRIPLE_N.pictures == "nsd"
    assert measured.TVSD.pictures == measured.THINGS_FMRI.pictures == "things"
    small = shown.with_pictures(fake_brains.stimulus_set(tmp_path, "one", ["nsd_00001"]), "nsd")
    large = shown.with_pictures(fake_brains.stimulus_set(tmp_path, "two", ["nsd_00001"]), "nsd")
    Image.new("RGB", (9, 9)).save(large.get_stimulus("nsd_00001"))
    with pytest.raises(SelectionLeak):
        unshared_rows(chosen_on(small), showing(large))
    assert shown.with_pictures(small, None) is small
