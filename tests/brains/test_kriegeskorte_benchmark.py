"""Kriegeskorte2008 as a user meets it: through brainscore_vision.score, on the real files."""

import functools
import re
import shutil

import brainscore_vision
import numpy as np
import pandas as pd
import pytest
import requests
from brainscore_vision import load_benchmark
from brainscore_vision.benchmark_helpers.validate_error import assert_valid_uncertainty
from candidates import IDENTIFIER, Given, current
from served import Served

from brainscore_granularity import runner
from brainscore_granularity.brains import layers
from brainscore_granularity.datasets import kriegeskorte2008
from brainscore_granularity.download import DataMissing, fetch
from brainscore_granularity.paths import sha256_of
from brainscore_granularity.runner import results

TARGETS = ["hIT", "mIT", "judgment"]


@pytest.fixture(scope="module")
def alexnet():
    """Untrained AlexNet, as in the known values, its last convolution after the non-linearity committed to IT."""
    import torch
    import torchvision
    from brainscore_vision.model_helpers.activations.pytorch import (
        PytorchWrapper,
        disable_activation_caching,
        load_preprocess_images,
    )
    from brainscore_vision.model_helpers.brain_transformation import ModelCommitment

    torch.manual_seed(0)
    network = torchvision.models.alexnet(weights=None).eval()
    preprocessing = functools.partial(load_preprocess_images, image_size=224)
    wrapper = disable_activation_caching(PytorchWrapper(network, preprocessing, identifier="untrained"))
    names = ["features.0", "features.1", "features.10", "features.11"]
    return ModelCommitment(IDENTIFIER, wrapper, names, region_layer_map={"IT": "features.11"}, visual_degrees=8)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "expected"), [("hIT", 0.124), ("mIT", 0.212)])
def test_untrained_alexnet(kriegeskorte92, candidate_plugin, alexnet, target, expected):
    current["model"] = alexnet
    score = brainscore_vision.score(IDENTIFIER, f"Kriegeskorte2008.{target}-rsa")
    assert score.attrs["mean_rdm_score"] == pytest.approx(expected, abs=0.005)
    assert score.attrs["layer"] == "features.11" and score.attrs["simulated"] is False
    assert_valid_uncertainty(score)
    if target == "mIT":  # one RDM: the mean is the RDM
        assert score.item() == pytest.approx(expected, abs=0.005)


@pytest.mark.slow
def test_every_layer_with_a_corrected_p(kriegeskorte92, alexnet):
    frame = layers.table(alexnet, load_benchmark("Kriegeskorte2008.mIT-rsa"), n=199).set_index("layer")
    assert frame.loc["features.11", "raw"] == pytest.approx(0.212, abs=0.005)
    assert frame["committed"].tolist() == [False, False, False, True] and (frame["p"] <= 0.05).all()
    assert "pooled" in frame


@pytest.mark.parametrize("target", TARGETS)
def test_any_field_of_view_sees_the_whole_image(kriegeskorte92, target):
    shown = [load_benchmark(f"Kriegeskorte2008.{target}-rsa").shown_to(Given(None, degrees)) for degrees in (2, 8, 30)]
    assert all(stimuli.stimulus_paths == shown[0].stimulus_paths for stimuli in shown)


@pytest.mark.parametrize("target", TARGETS)
def test_degenerate_models_are_refused_and_permuted_ones_score_nothing(kriegeskorte92, target):
    benchmark = load_benchmark(f"Kriegeskorte2008.{target}-rsa")
    rng = np.random.default_rng(0)
    low, high = benchmark(Given(lambda ids: rng.normal(size=(len(ids), 50)))).attrs["interval"]
    assert low < 0.05 and high > -0.05
    for fill, match in ((1.0, "constant features"), (np.nan, "NaN")):
        with pytest.raises(ValueError, match=match):
            benchmark(Given(lambda ids, fill=fill: np.full((len(ids), 50), fill)))
    with pytest.raises(ValueError, match="1 of 92 images have constant features"):
        benchmark(Given(lambda ids: rng.normal(size=(len(ids), 50)) * (np.array(ids) != "kriegeskorte92_07")[:, None]))


@pytest.mark.parametrize("target", ["hIT", "judgment"])
def test_the_pooled_rdm_scores_one(kriegeskorte92, target):
    from scipy.stats import rankdata

    benchmark = load_benchmark(f"Kriegeskorte2008.{target}-rsa")
    upper = np.triu_indices(92, 1)
    mean = np.zeros((92, 92))
    mean[upper] = sum(rankdata(rdm[upper]) for rdm in benchmark.subject_rdms)
    assert benchmark.compare(mean + mean.T).item() == pytest.approx(1, abs=1e-9)


def test_an_unknown_ceiling_stays_unknown_in_the_results(kriegeskorte92, tmp_path, capsys):
    [row] = runner.score_grid(["pixels"], ["Kriegeskorte2008.mIT-rsa"], tmp_path).to_dict("records")
    assert row["status"] == "ok" and row["value"] == row["raw"] and not row["simulated"]
    assert pd.isna(row["ceiling_lower"]) and pd.isna(row["ceiling_upper"])
    [record] = results.read_all(tmp_path)
    assert record["ceiling"] == {"lower": None, "upper": None, "kind": "unknown"}
    assert record["data"] == "Kriegeskorte2008.mIT" and record["mean_rdm_score"] == pytest.approx(record["raw"])


def test_a_damaged_file_is_refused(kriegeskorte92, tmp_path, monkeypatch):
    for name in kriegeskorte2008.FILES.files:
        shutil.copyfile(kriegeskorte92 / name, tmp_path / name)
    content = bytearray((tmp_path / "92_brainRDMs.mat").read_bytes())
    content[1000] ^= 1
    (tmp_path / "92_brainRDMs.mat").write_bytes(content)
    monkeypatch.setenv(kriegeskorte2008.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataMissing, match="92_brainRDMs.mat: expected SHA-256 1743f90a.*damaged"):
        kriegeskorte2008.rdms("hIT")
    assert kriegeskorte2008.FILES.state() == "ready"  # by name only: content is checked when it is read
    (tmp_path / "92_brainRDMs.mat").unlink()
    assert "downloadable" in kriegeskorte2008.FILES.state()
    with pytest.raises(DataMissing, match="there is no 92_brainRDMs.mat"):
        kriegeskorte2008.rdms("hIT")


@pytest.fixture
def served(monkeypatch):
    """Content by address instead of the network; and the addresses that were asked for."""
    contents, asked = {}, []

    def get(url, **settings):
        asked.append(url)
        if url not in contents:
            raise requests.ConnectionError("no route to host")
        return Served(contents[url], 7)

    monkeypatch.setattr(requests, "get", get)
    return contents, asked


@pytest.mark.slow
def test_files_are_downloaded_once_and_checked(kriegeskorte92, home, served, monkeypatch, capsys):
    contents, asked = served
    monkeypatch.delenv(kriegeskorte2008.FOLDER_VARIABLE)
    assert "downloadable" in kriegeskorte2008.FILES.state()
    for name, (url, sha256) in kriegeskorte2008.FILES.files.items():
        contents[url] = (kriegeskorte92 / name).read_bytes()
        assert re.search(rf"/rsagroup/rsatoolbox/[0-9a-f]{{40}}/demos/92imageData/{name}$", url)
        assert sha256 == sha256_of(kriegeskorte92 / name)
    kriegeskorte2008.stimulus_set.cache_clear()
    for _ in range(2):
        assert [kriegeskorte2008.rdms(target).shape for target in TARGETS] == [(4, 92, 92), (1, 92, 92), (16, 92, 92)]
    assert sorted(asked) == sorted(contents) and kriegeskorte2008.FILES.state() == "ready"
    assert capsys.readouterr().err.count("MIT licence; cite Kriegeskorte et al. 2008") == 1  # before the first file
    kriegeskorte2008.stimulus_set.cache_clear()


def test_without_a_network_the_mend_is_named(home, served, monkeypatch):
    monkeypatch.delenv(kriegeskorte2008.FOLDER_VARIABLE, raising=False)
    with pytest.raises(DataMissing, match="92_behavRDMs.mat.*MIT licence.*BRAINSCORE_GRANULARITY_KRIEGESKORTE92"):
        kriegeskorte2008.rdms("judgment")


@pytest.mark.parametrize("content", [b"another file", b"partly LINEGONE and more"])
def test_what_is_wrong_or_cut_short_is_not_kept(tmp_path, served, content):
    served[0]["http://x/file"] = content
    with pytest.raises(DataMissing, match="fix it"):
        fetch("http://x/file", tmp_path / "data" / "file", "0" * 64, "fix it")
    assert not list((tmp_path / "data").iterdir())
