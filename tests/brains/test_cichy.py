"""Cichy2014 and Cichy2016 as a user meets them: scored by name, and to choose layers on, on the real files."""

import json
import re

import brainscore_vision
import numpy as np
import pytest
import requests
from brainscore_vision import load_benchmark, load_dataset, load_model
from candidates import IDENTIFIER, Given, current
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, spearmanr, zscore
from served import Served

from brainscore_granularity import runner
from brainscore_granularity.brains import commitment, layers, selection
from brainscore_granularity.brains.shown import SelectionLeak
from brainscore_granularity.datasets import cichy as cichy_data
from brainscore_granularity.download import DataMissing
from brainscore_granularity.paths import sha256_of
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODEL = "granularity_world_own_k2_s1"
LAYERS = ["conv1", "relu2", "relu5"]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("brainscore_granularity.brains.benchmark.N_BOOTSTRAP", 20)


@pytest.fixture
def chosen_on(cichy, kriegeskorte92, home):
    """The model with its layers chosen on a selection."""
    shipped = checkpoint_of(MODEL)
    checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    selection.benchmarks.cache_clear()

    def choose(name):
        return commitment.recommit(MODEL, [name], LAYERS)[0], load_model(MODEL)

    yield choose
    selection.benchmarks.cache_clear()


def test_a_model_scores_as_computed_by_hand(cichy, candidate_plugin):
    """Features of unequal units, which z-scoring makes equal, shown in another order than asked."""
    rng = np.random.default_rng(0)
    features = rng.gamma(1, 5, size=300) + rng.gamma(2, size=300) * rng.normal(size=(92, 300))
    current["model"] = Given(lambda ids: features[[int(name[-3:]) - 1 for name in ids]])
    score = brainscore_vision.score(IDENTIFIER, "Cichy2014_fmri.IT-rsa")
    people, upper = load_dataset("Cichy2014_fmri.IT").values, np.triu_indices(92, 1)
    for name, scaled in (("z-score", zscore(features)), ("none", features)):
        expected = [spearmanr(pdist(scaled, "correlation"), person[upper])[0] for person in people]
        assert score.attrs["scalings"][name] == pytest.approx(np.mean(expected), abs=1e-9)
        if name == "z-score":
            assert list(score.attrs["subject_scores"].values()) == pytest.approx(expected, abs=1e-9)
            assert score.item() == pytest.approx(np.mean(expected) / float(score.attrs["ceiling"]), abs=1e-9)


@pytest.mark.parametrize("identifier", ["Cichy2014_meg.late-rsa", "Cichy2016_fmri.IT-rsa"])
def test_the_pooled_rdm_scores_one_and_nothing_does_better(cichy, identifier):
    benchmark = load_benchmark(identifier)
    n = len(benchmark.order)
    upper, pooled = np.triu_indices(n, 1), np.zeros((n, n))
    pooled[upper] = sum(rankdata(rdm[upper]) for rdm in benchmark.subject_rdms)
    assert benchmark.compare(pooled + pooled.T).item() == pytest.approx(1, abs=1e-9)
    assert max(benchmark.compare(rdm).item() for rdm in benchmark.subject_rdms[:3]) < 1


def test_a_results_file_tells_both_scalings(cichy, tmp_path):
    (row,) = runner.score_grid([MODEL], ["Cichy2014_meg.early-rsa"], tmp_path).to_dict("records")
    (file,) = tmp_path.rglob(f"{MODEL}.json")
    record = json.loads(file.read_text())
    assert row["status"] == "ok" and record["n_stimuli"] == 92 and len(record["subject_scores"]) == 15
    assert record["raw"] == pytest.approx(record["scalings"]["z-score"]) and record["region"] == "V1"
    by_hand = load_benchmark("Cichy2014_meg.early-rsa").scaled("none")(load_model(MODEL))
    assert record["scalings"]["none"] == pytest.approx(float(by_hand.attrs["raw"]), abs=1e-6) != record["raw"]


@pytest.mark.slow
def test_layers_are_chosen_on_fmri_and_meg_together(chosen_on):
    choice, model = chosen_on("Cichy2016")
    assert choice["selection"]["V1"] == choice["selection"]["IT"] == "Cichy2016"
    both = {f"{scale}_{i:02d}" for scale in ("fmri", "meg") for i in range(1, 16)}
    assert set(choice["subjects"]["V1"]) == set(choice["subjects"]["IT"]) == both
    tables = layers.tables(
        model, [load_benchmark(f"Cichy2016_{name}-rsa") for name in ("fmri.IT", "meg.late")], LAYERS, 9
    )
    means = sum(table.set_index("layer")["raw"] for table in tables) / 2
    assert choice["scores"]["IT"] == pytest.approx(means.to_dict(), abs=1e-6)
    assert choice["layers"]["IT"] == means.idxmax()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "refused", "scored"), [
    ("Cichy2014", ["Kriegeskorte2008.mIT-rsa", "Cichy2014_fmri.IT-rsa", "Cichy2014_meg.early-rsa"],
     "Cichy2016_meg.late-rsa"),
    ("Cichy2016", ["Cichy2016_fmri.EVC-rsa", "Cichy2016_meg.late-rsa"], "Kriegeskorte2008.mIT-rsa"),
])  # fmt: skip
def test_layers_chosen_on_one_set_are_not_scored_on_the_same_objects(chosen_on, name, refused, scored):
    """The 92 are on white here and on grey in Kriegeskorte2008: no pixel tells that they are the same objects."""
    _, model = chosen_on(name)
    for identifier in refused:
        n = 118 if "2016" in identifier else 92
        with pytest.raises(SelectionLeak, match=f"was chosen on {n} of the {n} stimuli of {identifier}"):
            load_benchmark(identifier)(model)
    assert load_benchmark(scored)(model).attrs["n_stimuli"] == (118 if "2016" in scored else 92)
    everything = load_benchmark(refused[0])
    everything.shared = "leave out"
    with pytest.raises(SelectionLeak, match="only 0 of"):
        everything(model)


def test_files_are_downloaded_once_and_checked(cichy, home, monkeypatch, capsys):
    asked = []
    files = cichy_data.FILES["Cichy2014"]
    contents = {url: (cichy / name).read_bytes() for name, (url, _) in files.files.items()}
    assert all(sha256_of(cichy / name) == sha256 for name, (_, sha256) in files.files.items())
    monkeypatch.setattr(requests, "get", lambda url, **settings: asked.append(url) or Served(contents[url], 1 << 16))
    monkeypatch.delenv(cichy_data.FOLDER_VARIABLE)
    assert files.state() == "downloadable (4 MB, once)"
    cichy_data.stimulus_set.cache_clear()
    for _ in range(2):
        assert [cichy_data.rdms("Cichy2014", target).shape for target in cichy_data.RDMS] == [(15, 92, 92)] * 4
    assert sorted(asked) == sorted(contents) and len(asked) == 94 and files.state() == "ready"
    said = capsys.readouterr().err
    assert said.count("No licence is stated: research use; cite Cichy et al. 2014") == 1
    root = "https://raw.githubusercontent.com/dnn-hvs/Investigate-RDMs/[0-9a-f]{40}/"
    tail = r"(CategorisedData/92images/[1-8]/image_\d\d\.jpg|src/(target|rearranged)_rdms/\w+_92\.mat)"
    assert all(re.fullmatch(root + tail, url) for url in asked)
    cichy_data.stimulus_set.cache_clear()


def test_without_a_network_the_folder_is_named(home, monkeypatch):
    def fail(url, **settings):
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests, "get", fail)
    monkeypatch.delenv(cichy_data.FOLDER_VARIABLE, raising=False)
    cichy_data.stimulus_set.cache_clear()
    with pytest.raises(DataMissing, match="and 90 more from github.com/dnn-hvs.*BRAINSCORE_GRANULARITY_CICHY"):
        cichy_data.rdms("Cichy2014", "meg.late")
