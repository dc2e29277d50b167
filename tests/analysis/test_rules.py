"""Learning rules against brains: planted answers, the size at which images are shown, and the command."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from brainscore_granularity import networks, rsa
from brainscore_granularity.analysis.measures import resolution
from brainscore_granularity.analysis.measures import rules as r
from brainscore_granularity.analysis.questions import rules as question
from brainscore_granularity.cli import main as cli

SEEDS = (1, 2, 3)
RULES = ("untrained", "fitted", "good", "idle")


@pytest.fixture(scope="module")
def planted():
    """A rule that brings networks near to the brain, one that changes nothing, and the networks that both began as.

    Those with the statistics that they were made with are farther from the brain for no reason of learning.
    """
    rng = np.random.default_rng(0)
    brain = rng.normal(size=(40, 60))
    start = {seed: 0.3 * brain + rng.normal(size=brain.shape) for seed in SEEDS}
    rdms = {
        "untrained": {seed: rsa.rdm(x + rng.normal(size=x.shape)) for seed, x in start.items()},
        "fitted": {seed: rsa.rdm(x) for seed, x in start.items()},
        "good": {seed: rsa.rdm(x + 0.7 * brain) for seed, x in start.items()},
        "idle": {seed: rsa.rdm(x) for seed, x in start.items()},
        "pixels": {None: rsa.rdm(rng.normal(size=brain.shape))},
    }
    return rdms, np.stack([rsa.rdm(brain + rng.normal(size=brain.shape)) for _ in range(4)])


def test_contrasts_find_what_a_rule_did_and_nothing_where_it_did_nothing(planted):
    rdms, subjects = planted
    table = r.corrected(r.contrasts(rdms, subjects, RULES, resamples=200)).set_index(["a", "b"])
    assert list(table.index) == [
        ("good", "fitted"), ("idle", "fitted"), ("fitted", "pixels"),
        ("fitted", "untrained"), ("good", "untrained"), ("idle", "untrained"), ("untrained", "pixels"),
        ("good", "idle"), ("good", "pixels"), ("idle", "pixels"),
    ]  # fmt: skip
    good, idle = table.loc[("good", "fitted")], table.loc[("idle", "fitted")]
    each = [
        np.mean([rsa.compare(rdms["good"][s], own) - rsa.compare(rdms["fitted"][s], own) for own in subjects])
        for s in SEEDS
    ]
    assert good["difference"] == pytest.approx(np.mean(each))
    assert good["sd_seeds"] == pytest.approx(np.std(each, ddof=1))
    assert good["certain"] and good["seeds_above"] == good["seeds"] == 3 and good["low"] > 0 and good["p_seeds"] < 0.05
    assert abs(idle["difference"]) < 1e-12 and not idle["certain"] and idle["p"] == 1
    # Against the other baseline the idle rule would seem to have learned what only the statistics gave.
    assert table.loc[("idle", "untrained"), "difference"] == table.loc[("fitted", "untrained"), "difference"] > 0.02
    assert (table["q"] >= table["p"]).all() and ("pixels", "good") not in table.index


def test_only_networks_of_one_seed_are_paired(planted):
    rdms, subjects = planted
    fewer = {**rdms, "good": {2: rdms["good"][2], 9: rdms["good"][1]}}
    row = r.contrasts(fewer, subjects, RULES, resamples=20).set_index(["a", "b"])
    assert row.loc[("good", "fitted"), "seeds"] == 1 and row.loc[("good", "pixels"), "seeds"] == 2
    expected = [rsa.compare(rdms["good"][2], s) - rsa.compare(rdms["fitted"][2], s) for s in subjects]
    assert row.loc[("good", "fitted"), "difference"] == pytest.approx(np.mean(expected))


def test_the_summary_is_the_mean_over_seeds_and_subjects_and_partial_scores_take_the_control_out(planted):
    rdms, subjects = planted
    named = dict(zip("abcd", subjects, strict=True))
    control = rdms["good"][1]
    table = r.per_subject(rdms, named, {"pixels": control})
    assert len(table) == 4 * (3 + 3 + 3 + 3 + 1)
    row = table.query("rule == 'good' and seed == 2 and subject == 'b'").iloc[0]
    assert row["rsa"] == pytest.approx(rsa.compare(rdms["good"][2], subjects[1]))
    assert row["partial pixels"] == pytest.approx(rsa.compare(rdms["good"][2], subjects[1], control=control))
    assert np.isnan(table.query("rule == 'good' and seed == 1")["partial pixels"]).all()  # nothing is left
    found = r.summary(rdms, subjects, table, resamples=99).set_index("rule")
    assert found.loc["good", "rsa"] == pytest.approx(table.query("rule == 'good'")["rsa"].mean())
    assert found.loc["good", "p"] == 0.01 and found.loc["pixels", "p"] > 0.05 and found.loc["pixels", "seeds"] == 1
    means = table.query("rule == 'good'").groupby("seed")["rsa"].mean()
    assert found.loc["good", "sd_seeds"] == pytest.approx(means.std(ddof=1))


def test_labels_are_permuted_and_not_entries(planted):
    """Two RDMs of few clusters each: shuffled entries would call a chance likeness certain."""
    rng = np.random.default_rng(3)
    p = []
    for _ in range(40):
        a, b = (rsa.rdm(np.eye(3)[rng.integers(0, 3, 24)] @ rng.normal(size=(3, 20))
                        + 0.1 * rng.normal(size=(24, 20))) for _ in range(2))  # fmt: skip
        p.append(r.label_permutation([a], b[None], 99))
    assert np.mean(np.array(p) <= 0.05) <= 0.15 and min(p) >= 0.01
    rdms, subjects = planted
    assert r.label_permutation(list(rdms["good"].values()), subjects, 99) == 0.01


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [Path(folder, f"{i}.png") for i in range(8)]
    for path in paths:
        small = Image.fromarray(rng.integers(0, 256, (7, 7, 3), dtype=np.uint8))
        small.resize((70, 70), Image.Resampling.BICUBIC).save(path)
    return paths


@pytest.mark.parametrize("layer", ["conv1", "conv3", "relu3", "fc1"])
def test_at_the_networks_own_size_the_sweep_gives_its_own_rdm(pictures, layer, monkeypatch):
    network = networks.build("rules_cnn", 10, seed=1).eval()
    inputs = resolution._images(pictures, 32)
    with torch.no_grad():
        expected = rsa.rdm(network.features(inputs, layer).flatten(1).numpy())
    assert np.allclose(resolution.rdm(network, layer, pictures, 32), expected, atol=1e-5)
    monkeypatch.setattr(resolution, "AT_ONCE", 3000)
    assert np.allclose(resolution.rdm(network, layer, pictures, 32), expected, atol=1e-5)


@pytest.mark.parametrize("layer", ["conv1", "fc1"])
def test_larger_images_are_seen_larger(pictures, layer):
    network = networks.build("rules_cnn", 10, seed=1).eval()
    small, large = (resolution.rdm(network, layer, pictures, size) for size in (32, 96))
    assert rsa.compare(small, large) < 0.999
    with pytest.raises(ValueError, match="no layer 'conv9'; it has conv1, bn1"):
        resolution.rdm(network, "conv9", pictures, 32)


def test_rules_are_read_off_recipes():
    recipe = {"rule": "stdp", "labels": "native", "seed": 4}
    assert question.rule_of({"recipe": recipe, "classes": 10}) == ("stdp", 4)
    assert question.rule_of({"recipe": {**recipe, "labels": "own"}, "classes": 2}) == ("stdp own K=2", 4)
    assert question.rule_of({"recipe": {"labels": "native", "seed": 1}, "classes": 10}) == ("backprop", 1)
    assert question.rule_of({"initial_seed": 3, "classes": 10}) == ("untrained", 3)
    assert question.rule_of({"initial_seed": 3, "classes": 10, "statistics": "a"}) == ("fitted", 3)
    drawn = {**recipe, "rule": "backprop", "labels": "fitted"}
    assert question.rule_of({"recipe": drawn, "classes": 64}) == ("fitted", 4)


@pytest.mark.slow
def test_the_command_compares_rules_on_the_world(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(resolution, "SIZES", (32, 48))
    untrained, fitted, trained = (f"learningrule_{rule}_s1" for rule in ("untrained", "fitted", "backprop"))
    asked = ["analyze", "rules", "--benchmarks", "World.IT-rsa", "--results", str(tmp_path), "--resamples", "20",
             "--layers", "conv3", "fc1"]  # fmt: skip
    for few in ([untrained, trained], [untrained, fitted]):
        with pytest.raises(SystemExit):
            cli.main([*asked, "--models", *few])
        assert "the untrained ones of the same seeds that have fitted statistics" in capsys.readouterr().err
    cli.main([*asked, "--models", untrained, fitted, trained])
    folder = tmp_path / "analyses" / "rules"
    record = json.loads((folder / "analysis.json").read_text())
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in record["tables"]}
    assert record["simulated"] and "World.IT-rsa: fitted" in record["answer"]
    assert {figure["file"] for figure in record["figures"]} >= {"scores.svg", "filters.pdf", "training.svg"}
    summary = tables["summary"].set_index("rule")
    assert set(summary.index) == {"untrained", "fitted", "backprop", "pixels", "luminance", "gabor"}
    assert (summary["layer"] == "fc1").all() and summary["ceiling_lower"].between(0, 1).all()
    scores, swept = tables["scores"].query("rule == 'backprop'"), tables["resolution"]
    assert scores["subject"].nunique() > 1 and scores["rsa"].mean() == pytest.approx(summary.loc["backprop", "rsa"])
    own = swept.query("rule == 'backprop' and pixels == 32")["rsa"].item()
    assert own == pytest.approx(summary.loc["backprop", "rsa"], abs=1e-3)
    assert tables["training"].query("rule == 'backprop'")["accuracy"].iloc[-1] == pytest.approx(0.735)
    assert set(tables["layers"]["quantity"]) == {"displacement", "angle", "active", "mean"}
