"""RSA on the concepts of THINGS, also where some have no images: on the real files and on small ones."""

import functools

import brainscore_vision
import fake_things
import numpy as np
import pytest
from brainscore_vision import load_benchmark, load_model
from brainscore_vision.model_helpers.activations.pytorch import PytorchWrapper, torchvision_preprocess
from candidates import IDENTIFIER, Given, current
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from brainscore_granularity import runner
from brainscore_granularity.brains import catalogue, commitment, concepts, layers, selection
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.datasets import things
from brainscore_granularity.datasets.prepare.things import concepts as prepare
from brainscore_granularity.download import DataMissing
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

BENCHMARK, NETWORK = "Hebart2023.concept-rsa", "granularity_tiny_own_k8_s1"
KNOWN = {  # relu5 and relu6 of networks, measured with other code, images resized bicubically
    "untrained": (0.050, 0.057),
    "own_k2": (0.251, 0.255),
    "own_k4": (0.265, 0.255),
    "own_k8": (0.227, 0.226),
    "own_k64": (0.225, 0.226),
    "native": (0.229, 0.271),
}


@pytest.fixture
def part(home, tmp_path, monkeypatch):
    """part(missing concepts) names a small folder without images of these."""

    def write(missing):
        names = [f"{name}_01b" for name in fake_things.CONCEPTS if name not in missing]
        sums = fake_things.write_concepts(tmp_path / f"without{len(missing)}", fake_things.jpegs(names))
        for name, sha256 in sums.items():
            monkeypatch.setitem(things.SHA256, name, sha256)
        monkeypatch.setenv(things.FOLDER_VARIABLE, str(tmp_path / f"without{len(missing)}"))

    return write


def bicubic(paths):
    """Images of 64 pixels; Brain-Score's own preprocessing resizes bilinearly."""
    scaled = [Image.open(path).convert("RGB").resize((64, 64), Image.BICUBIC) for path in paths]
    return np.concatenate([torchvision_preprocess()(image) for image in scaled])


@functools.cache
def every_concept():
    return concepts.rsa_on("every concept", concepts.ALL)


@pytest.mark.slow
@pytest.mark.parametrize("network", KNOWN)
def test_networks_score_as_known(things_concepts, network):
    """On all 1,824 concepts, which may score where no data chose the layers."""
    model, benchmark = load_model(f"granularity_tiny_{network}_s1"), every_concept()
    model.activations_model = PytorchWrapper(model.activations_model._model, bicubic, identifier=network)
    rdms = layers.compared(model, [benchmark], ["relu5", "relu6"])[benchmark]
    found = [benchmark.layer_scores(rdm)[0] for rdm in rdms.values()]
    assert found == pytest.approx(KNOWN[network], abs=0.001)


@pytest.mark.slow
def test_a_score_says_what_is_missing(things_concepts, tmp_path):
    (row,) = runner.score_grid([NETWORK], [BENCHMARK], tmp_path).to_dict("records")
    assert row["status"] == "ok" and row["raw"] == pytest.approx(0.2145, abs=0.002) and row["n_stimuli"] == 1459
    (file,) = tmp_path.rglob(f"{NETWORK}.json")
    assert '"camera2"' in file.read_text() and '"baton2"' in file.read_text()


@pytest.mark.slow
def test_real_concepts_by_the_book(things_concepts, candidate_plugin, monkeypatch):
    """The 80% of the public code, in the owners' order, with scipy alone."""
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 10)
    order = (things_concepts / "unique_id.txt").read_text().split()
    owners = np.loadtxt(things_concepts / "spose_embedding_66d_sorted.txt")
    noise = np.random.default_rng(0).normal(size=(1854, 66))
    answers = {name: owners[i] + noise[i] for i, name in enumerate(order)}
    current["model"] = Given(lambda ids: np.stack([answers[str(i).rsplit("_", 1)[0]] for i in ids]))
    score = brainscore_vision.score(IDENTIFIER, BENCHMARK)
    tested = np.sort(np.random.RandomState(42).permutation(1854)[370:])
    tested = [i for i in tested if order[i] not in score.attrs["missing"]]
    assert len(tested) == 1459 == score.attrs["n_stimuli"] and len(score.attrs["missing"]) == 25
    target = pdist(owners[tested], "correlation")
    expected = spearmanr(pdist((owners + noise)[tested], "correlation"), target)[0]
    assert score.item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_layers_chosen_on_a_fifth_of_the_real_concepts_score_on_the_rest(things_concepts, home, monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 10)
    shipped = checkpoint_of(NETWORK)
    checkpoints.save(checkpoints.default_store(), NETWORK, shipped.state_dict(), shipped.info)
    selection.benchmarks.cache_clear()
    try:
        choice, _ = commitment.recommit(NETWORK, ["Hebart2023"], ["relu4", "relu5", "relu6"])
        (chosen,) = selection.benchmarks("Hebart2023")
    finally:
        selection.benchmarks.cache_clear()
    assert (len(chosen.order), len(chosen.targets.missing)) == (365, 5)
    scores = choice["scores"]["behavior"]
    assert choice["layers"]["behavior"] == max(scores, key=scores.get) and set(scores) == {"relu4", "relu5", "relu6"}
    model = load_model(NETWORK)
    score = load_benchmark(BENCHMARK)(model)
    assert score.attrs["n_stimuli"] == 1459 and score.attrs["layer"] == choice["layers"]["behavior"]
    with pytest.raises(SelectionLeak, match="chosen on 365 of the 1824 stimuli"):
        every_concept()(model)


def test_the_split_does_not_depend_on_what_is_missing(part):
    part([])
    whole = {split: concepts.targets(split).names for split in (concepts.SELECTION, concepts.TEST, concepts.ALL)}
    assert [len(names) for names in whole.values()] == [2, 8, 10]
    part(["camera1", "dog"])
    for split, names in whole.items():
        targets = concepts.targets(split)
        assert targets.names == [name for name in names if name not in ("camera1", "dog")]
        assert targets.missing == [name for name in names if name in ("camera1", "dog")]
        rows = [fake_things.CONCEPTS.index(name) for name in targets.names]
        if len(rows) > 2:
            expected = pdist(fake_things.embedding()[rows], "correlation")
            assert targets.rdms[0][np.triu_indices(len(rows), 1)] == pytest.approx(expected, abs=1e-6)


def test_too_few_concepts_are_refused_by_name(part):
    part(["aardvark", "altar", "camera_lens", "camera1", "camera2", "chest1"])
    with pytest.raises(DataMissing, match="images of only . of the 8 concepts for test.*none of aardvark"):
        concepts.targets(concepts.TEST)


def test_the_state_says_how_much_is_there(part):
    part(["dog"])
    assert catalogue.benchmark_state(BENCHMARK).startswith(
        "ready (BRAINSCORE_GRANULARITY_THINGS), images of 9 of 10 concepts; measured"
    )
    assert "7 of 8 concepts (7 images)" in catalogue.benchmark_state(BENCHMARK, ceilings=True)


def test_the_state_of_a_local_build_says_it_too(home, tmp_path, monkeypatch):
    monkeypatch.delenv(things.FOLDER_VARIABLE, raising=False)
    assert concepts.status() == "needs `granularity data prepare things --from DIR`"
    fake_things.write_things(tmp_path / "owner")
    prepare.prepare(tmp_path / "owner", say=lambda line: None)
    assert concepts.status() == "ready (Hebart2023_local.spose)" and concepts.targets(concepts.ALL).missing == []
    for path in (tmp_path / "owner" / "object_images" / "dog").iterdir():
        path.unlink()
    prepare.prepare(tmp_path / "owner", say=lambda line: None)
    assert concepts.status() == "ready (Hebart2023_local.spose), images of 9 of 10 concepts"
    assert concepts.targets(concepts.ALL).missing == ["dog"]


def test_layers_chosen_on_a_fifth_are_refused_on_all_and_scored_on_the_rest(part, monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)
    part([])
    chosen = concepts.rsa_on("selection", concepts.SELECTION)
    model = Given(lambda ids: np.random.default_rng(0).normal(size=(len(ids), 20)))
    model.selection_shown = {"behavior": sorted(frozenset().union(*chosen.shows))}
    assert any(name.startswith("concept:") for name in model.selection_shown["behavior"])
    with pytest.raises(SelectionLeak, match="chosen on 2 of the 10 stimuli"):
        concepts.rsa_on("all", concepts.ALL)(model)
    assert concepts.rsa_on("test", concepts.TEST)(model).attrs["n_stimuli"] == 8
