import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.analysis import base, images, kept, models, study
from brainscore_granularity.analysis.measures.spectrum import participation_ratio, power_law
from brainscore_granularity.cli import main as cli
from brainscore_granularity.rsa.components import Products, components

MODELS = ["granularity_world_own_k2_s1", "granularity_world_native_s1"]


def features(n=60, p=200, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p)) * np.arange(1, p + 1) ** -0.5 + 2


def run(*arguments):
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return exit_.code or 0
    return 0


def test_products_give_the_rdm_of_the_features():
    x = features()
    assert np.allclose(Products.of(x).rdm(), rsa.rdm(x), atol=1e-10)


def test_components_are_those_of_a_singular_value_decomposition():
    x, rows = features(), np.arange(40)
    found = components(Products.of(x), rows)
    mean = x[rows].mean(axis=0)
    _, singular, directions = np.linalg.svd(x[rows] - mean, full_matrices=False)
    assert np.allclose(found.values, singular[:39] ** 2 / 39)
    scores = found.scores(Products.of(x), np.arange(60))
    expected = (x - mean) @ directions[:39].T
    assert np.allclose(np.abs(scores), np.abs(expected), atol=1e-8)
    rebuilt = mean + expected[:, :5] @ directions[:5]
    assert np.allclose(found.reconstructed_rdm(scores, 5, 200), rsa.rdm(rebuilt), atol=1e-10)


def test_a_rotation_of_the_features_changes_nothing():
    x = features()
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(200, 200)))[0]
    one, other = (components(Products.of(each)) for each in (x, x @ rotation))
    assert np.allclose(one.values, other.values)


def test_there_are_no_more_components_than_features_whatever_the_rounding():
    rng = np.random.default_rng(0)
    products = Products.of(np.maximum(rng.normal(size=(300, 20)) + 2, 0))
    rounded = dataclasses.replace(products, gram=products.gram.astype(np.float32))
    assert len(components(rounded).values) == 20
    dead = Products.of(np.hstack([rng.normal(size=(300, 12)), np.zeros((300, 8))]))
    assert len(components(dataclasses.replace(dead, gram=dead.gram.astype(np.float32))).values) == 12


@pytest.mark.parametrize("exponent", [1.0, *(pytest.param(e, marks=pytest.mark.slow) for e in (0.5, 2.0))])
def test_a_planted_power_law_returns_its_exponent(exponent):
    rng = np.random.default_rng(0)
    values = np.arange(1, 101) ** -exponent
    x = rng.normal(size=(2000, 100)) * np.sqrt(values)
    found = components(Products.of(x))
    fit = power_law(found.values, found.scores(Products.of(x), np.arange(2000)), last=50)
    assert fit.exponent == pytest.approx(exponent, abs=0.06) and fit.low < fit.exponent < fit.high
    assert power_law(values).exponent == pytest.approx(exponent)


def test_participation_ratio_counts_equal_dimensions():
    assert participation_ratio(np.ones(7)) == pytest.approx(7)


def test_too_few_components_for_a_law_are_named():
    with pytest.raises(ValueError, match="at least 3 components between ranks 4 and 8, got 5"):
        power_law(np.arange(5, 0, -1))


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    arguments = ["analyze", "spectrum", "--models", *MODELS, "--benchmarks", "World.IT*", "--layers", "relu4", "relu5",
                 "fc5", "conv1", "--results", folder, "--resamples", "50"]  # fmt: skip
    return folder / "analyses" / "spectrum", arguments


@pytest.mark.slow
def test_analyze_writes_tables_figures_and_the_answer_and_a_rerun_repeats_nothing(analysed, capsys):
    folder, arguments = analysed
    assert run(*arguments) == 0
    record = json.loads((folder / "analysis.json").read_text())
    assert record["simulated"] and record["models"] == MODELS and "minus native" in record["answer"]
    assert "SIMULATED" in capsys.readouterr().out
    for name in record["tables"]:
        assert len(pd.read_parquet(folder / f"{name}.parquet")) == len(pd.read_csv(folder / f"{name}.csv"))
    assert {figure["file"].rpartition(".")[2] for figure in record["figures"]} == {"svg", "pdf"}
    before = (folder / "analysis.json").stat().st_mtime_ns
    assert run(*arguments) == 0 and "unchanged" in capsys.readouterr().err
    assert (folder / "analysis.json").stat().st_mtime_ns == before
    (folder / "summary.csv").unlink()
    assert run(*arguments) == 0 and (folder / "summary.csv").exists()


def test_keeping_all_components_gives_the_score_of_the_benchmark(analysed):
    from brainscore_vision import load_benchmark

    folder, arguments = analysed
    assert run(*arguments) == 0
    kept = pd.read_csv(folder / "kept.csv").query("all")
    shared = study.Study(MODELS[:1], benchmarks=["World.IT-rsa"])
    layer = shared.committed(MODELS[0], "IT")
    rdm = rsa.compare  # the definition: mean over subjects
    own = shared.products(MODELS[0], layer).rdm()
    expected = np.mean([rdm(own, each) for each in load_benchmark("World.IT-rsa").subject_rdms])
    assert kept.set_index("model").loc[MODELS[0], "rsa"] == pytest.approx(expected, abs=1e-4)


def test_a_committed_layer_outside_of_those_asked_is_read_too():
    asked, everything = (study.Study(MODELS[:1], benchmarks=["World.IT-rsa"], layers=each) for each in (["conv1"], []))
    layer = asked.committed(MODELS[0], "IT")
    assert layer not in asked.layers
    kept.file(asked.sets, MODELS[0], layer, "gram").unlink(missing_ok=True)
    assert np.array_equal(asked.products(MODELS[0], layer).gram, everything.products(MODELS[0], layer).gram)


def test_a_damaged_digest_is_made_again():
    shared = study.Study(MODELS[:1], benchmarks=["World.IT-rsa"], layers=["relu5"])
    before = shared.products(MODELS[0], "relu5").gram
    file = kept.file(shared.sets, MODELS[0], "relu5", "gram")
    file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(shared.products(MODELS[0], "relu5").gram, before)


@pytest.mark.parametrize(
    "extra, message",
    [
        (["--benchmarks", "World.IT*", "--components", "500"], "500 principal components were asked for"),
        (["--benchmarks", "World.IT*", "--layers", "conv9"], "has no layer 'conv9'; it has conv1"),
        (["--benchmarks", "World.triplet"], "choose benchmarks of ours that end in -rsa"),
        (["--images", "nowhere"], "neither a folder or zip of images nor a stimulus set"),
        ([], "which images"),
    ],
)
def test_bad_input_is_one_clear_line(extra, message, tmp_path, capsys):
    assert run("analyze", "spectrum", "--models", MODELS[0], *extra, "--results", tmp_path) == 1
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_an_unknown_analysis_names_those_there_are(capsys):
    assert run("analyze", "spectrums", "--models", MODELS[0], "--benchmarks", "World.IT*") == 1
    assert "did you mean spectrum?" in capsys.readouterr().err
    assert run("analyze", "--list") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in base.NAMES)


def test_models_of_other_layers_and_mixed_images_are_refused(kriegeskorte92):
    with pytest.raises(models.MissingLayers, match="has no layer"):
        _ = study.Study([MODELS[0], "granularity_tiny_native_s1"], benchmarks=["World.IT-rsa"]).layers
    with pytest.raises(images.MixedImages, match="256 of World.*|92 of"):
        study.Study(MODELS, benchmarks=["World.IT-rsa", "Kriegeskorte2008.hIT-rsa"])
