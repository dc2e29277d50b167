"""Human and macaque on the same images: planted answers, nulls, and the intervals' coverage."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from brainscore_granularity import rsa
from brainscore_granularity.analysis.base import NotApplicable
from brainscore_granularity.analysis.measures import species as s
from brainscore_granularity.analysis.questions import species as question
from brainscore_granularity.cli import main as cli

IMAGES, LATENT, UNITS = 60, 8, 50
KINDS = {"shared": (1, 0, 0), "human": (0, 1, 0), "macaque": (0, 0, 1), "human both": (1, 1, 0), "neither": (0, 0, 0)}


@pytest.fixture(scope="module")
def planted():
    """RDMs of networks {name: RDM}, four people and one macaque population; the species share one latent space."""
    rng = np.random.default_rng(1)
    seen = [rng.normal(size=(IMAGES, LATENT)) @ rng.normal(size=(LATENT, UNITS)) for _ in range(4)]

    def rdm(weights, noise):
        parts = sum(w * x for w, x in zip(weights, seen, strict=False))
        return rsa.rdm(parts + noise * rng.normal(size=(IMAGES, UNITS)))

    people = np.stack([rdm((1, 1, 0), 3) for _ in range(4)])
    macaque = rdm((1, 0, 1), 1)[None]
    return {name: rdm(weights, 1.0) for name, weights in KINDS.items()}, people, macaque


def networks(planted, mixes):
    models = planted[0]
    return np.stack([a * models["shared"] + b * models["human"] + c * models["macaque"] for a, b, c in mixes])


def test_each_kind_of_network_is_recognised(planted):
    models, people, macaque = planted
    stack = np.stack(list(models.values()))
    of_human = dict(zip(models, s.partials(stack, people, s.pooled(macaque), 200), strict=True))
    of_macaque = dict(zip(models, s.partials(stack, macaque, s.pooled(people), 200), strict=True))
    assert of_human["human"]["low"] > 0 and of_macaque["human"]["high"] < 0.05
    assert of_macaque["macaque"]["low"] > 0 and of_human["macaque"]["high"] < 0.05
    assert of_human["human both"]["partial"] > of_human["shared"]["partial"] > 0 < of_macaque["shared"]["partial"]
    for found in (of_human, of_macaque):
        assert found["neither"]["low"] < 0 < found["neither"]["high"] and found["neither"]["p"] > 0.05
    lower, upper = s.partial_ceiling(people, s.pooled(macaque))
    assert lower < upper and all(row["partial"] < upper for row in of_human.values())
    assert np.isnan(s.partial_ceiling(macaque, s.pooled(people))).all()


def test_partial_scores_are_those_of_compare_and_do_not_depend_on_the_scale_of_an_rdm(planted):
    models, people, macaque = planted
    stack = np.stack(list(models.values()))
    found = s.partials(stack, people, macaque[0], 20)
    for row, model in zip(found, stack, strict=True):
        direct = np.mean([rsa.compare(model, person, control=macaque[0]) for person in people])
        assert row["partial"] == pytest.approx(direct, abs=1e-10)
        assert row["rsa"] == pytest.approx(np.mean([rsa.compare(model, person) for person in people]), abs=1e-10)
    assert s.partials(stack**3, people, macaque[0] ** 2, 20)[0]["partial"] == pytest.approx(found[0]["partial"])


def test_a_control_that_is_only_partly_shared_leaves_what_gone_at_says():
    """Three RDMs with one common part and known shares of it: gone_at is the control's share."""
    rng, n = np.random.default_rng(0), 300
    common, *own = (rng.normal(size=(n, n)) for _ in range(4))

    def rdm(share, x):
        upper = np.triu(np.sqrt(share) * common + np.sqrt(1 - share) * x, 1)
        return upper + upper.T

    model, one, other = (rdm(share, x) for share, x in zip((0.5, 0.6, 0.3), own, strict=True))
    (row,) = s.partials(model[None], one[None], other, 20)
    assert row["low"] > 0 and row["gone_at"] == pytest.approx(0.3, abs=0.02)


def test_one_order_and_opposite_orders_are_found_and_unrelated_ones_are_not(planted):
    _, people, macaque = planted
    share = np.linspace(0, 1, 10)
    noise = np.random.default_rng(5).normal(size=(10, IMAGES, UNITS))
    alone = np.stack([rsa.rdm(x) for x in noise])
    shared = networks(planted, [(a, 0, 0) for a in share]) + (1 - share)[:, None, None] * alone
    same = s.orders(shared, people, macaque, n=200)
    assert all(row["across_low"] > 0.3 and row["value"] > 0.7 and row["people"] > 0.5 for row in same)
    assert np.isnan(same[0]["monkeys"])
    opposite = s.orders(networks(planted, [(0, b, 1 - b) for b in share]), people, macaque, n=200)
    assert all(row["across_high"] < 0 and row["both_high"] < 0 for row in opposite)
    for row in s.orders(alone, people, macaque, n=200):  # networks of noise
        assert row["across_low"] < 0 < row["across_high"]


def test_statistics_and_intervals_are_the_published_ones(planted):
    _, people, macaque = planted
    rng = np.random.default_rng(2)
    models = np.stack([rsa.rdm(x) for x in rng.normal(size=(9, IMAGES, 20))])
    human, other = ([np.mean([rsa.compare(m, r) for r in of]) for m in models] for of in (people, macaque))
    rho, tau = s.orders(models, people, macaque, n=50)
    assert rho["value"] == pytest.approx(spearmanr(human, other)[0])
    assert tau["value"] == pytest.approx(kendalltau(human, other)[0])
    z = np.arctanh(rho["value"]) + np.array([-1, 1]) * 1.959964 * np.sqrt((1 + rho["value"] ** 2 / 2) / 6)
    assert (rho["networks_low"], rho["networks_high"]) == pytest.approx(np.tanh(z), abs=1e-6)


def test_seeds_of_one_network_count_once_and_few_networks_are_refused(planted):
    _, people, macaque = planted
    rng = np.random.default_rng(3)
    models = np.stack([rsa.rdm(x) for x in rng.normal(size=(7, IMAGES, 20))])
    names = [f"n{i}" for i in range(7)]
    twice = s.orders(np.concatenate([models, models]), people, macaque, names * 2, n=20)
    once = s.orders(models, people, macaque, names, n=20)
    assert twice[0] == pytest.approx(once[0], nan_ok=True)
    with pytest.raises(ValueError, match="at least 6 networks that differ in more than their seed, got 5"):
        s.orders(models, people, macaque, ["a", "b", "c", "d", "e", "a", "a"])


@pytest.mark.slow
def test_intervals_of_simulated_species_hold_what_they_promise():
    """30 worlds; a 95% interval that is right misses more than 5 of 30 once in 300 runs."""
    from bench.species import World, covered

    world = World(1.0, 0.4)
    found = [covered(world, seed, 100) for seed in range(30)]
    share = {what: np.mean([each[what] for each in found]) for what in found[0]}
    for what in ("spearman images", "spearman both", "kendall images", "kendall both", "spearman across",
                 "kendall across", "partial", "direct"):  # fmt: skip
        assert share[what] >= 25 / 30, (what, share[what])
    assert share["spearman both width"] < 0.8  # not because they are useless


WORLD = [f"granularity_world_own_k{k}_s1" for k in (2, 4, 8, 16, 64)]
MODELS = [*WORLD, "granularity_world_native_s1", "granularity_world_untrained_s1"]


@pytest.mark.slow
def test_the_command_answers_on_the_92_images(kriegeskorte92, tmp_path, capsys):
    asked = ["--models", *MODELS, "scaling_resnet18_w1of16_untrained_s1", "--results", str(tmp_path)]
    pair = ["--benchmarks", "Kriegeskorte2008.*"]
    cli.main(["analyze", "species", *asked, *pair, "--resamples", "20"])  # networks of two architectures
    record = json.loads((tmp_path / "analyses" / "species" / "analysis.json").read_text())
    tables = {name: pd.read_csv(tmp_path / "analyses" / "species" / f"{name}.csv") for name in record["tables"]}
    direct, partial = tables["direct"].iloc[0], tables["partial"]
    assert direct["mean_rdm"] == pytest.approx(0.439, abs=5e-4)
    assert direct["human_lower"] < direct["human_upper"] and np.isnan(direct["macaque_lower"])
    assert len(partial) == 2 * 8 and set(partial["species"]) == {"human", "macaque"}
    assert "macaque ceiling unknown" in record["answer"] and "different halves of the images" in record["answer"]
    left = "left out, without a benchmark of the other species and region: Kriegeskorte2008.judgment-rsa"
    assert left in record["warnings"]
    with pytest.raises(SystemExit):
        cli.main(["analyze", "species", *asked, "--benchmarks", "Kriegeskorte2008.hIT-rsa"])
    assert "needs a human (fMRI or MEG) and a macaque (spiking) benchmark of one region" in capsys.readouterr().err


@pytest.fixture
def study():
    """Two simulated brains under the names of measured ones."""
    from brainscore_granularity.analysis.settings import Settings
    from brainscore_granularity.analysis.study import Study

    made = Study(MODELS, benchmarks=["World.IT-rsa", "World_fine.IT-rsa"], settings=Settings(resamples=20))
    made.brains = [
        replace(brain, name=name)
        for brain, name in zip(made.brains, ("Allen2022_fmri.IT-rsa", "Papale2025.IT-rsa"), strict=True)
    ]
    return made


@pytest.mark.slow
def test_several_monkeys_have_a_ceiling_and_regions_are_not_mixed(study):
    found = question.run(study)
    direct = found.tables["direct"].iloc[0]
    assert direct["macaque_subjects"] == 4 and direct["macaque_lower"] < direct["macaque_upper"]
    assert found.tables["orders"]["monkeys"].between(-1, 1).all()
    figure, caption = question.draw(found)["species"]
    assert len(figure.axes) == 2 and "A mark is a network" in caption
    study.brains = [study.brains[0], replace(study.brains[1], region="V4")]
    with pytest.raises(NotApplicable, match="of one region on the same images"):
        question.run(study)


def test_few_networks_are_not_applicable(study):
    study.models = MODELS[:5]
    with pytest.raises(NotApplicable, match="at least 6 networks that differ in more than their seed, got 5"):
        question.run(study)


@pytest.mark.slow
def test_a_collapsed_network_is_left_out_and_named(study, monkeypatch):
    from brainscore_granularity.rsa import DegenerateFeatures

    whole = study.products

    def products(model, layer):
        if model == MODELS[0]:
            raise DegenerateFeatures(f"{model} {layer}: the same for all images")
        return whole(model, layer)

    monkeypatch.setattr(study, "products", products)
    found = question.run(study)
    assert set(found.tables["partial"]["model"]) == set(MODELS[1:])
    assert any(note.startswith(f"left out: {MODELS[0]}") for note in found.warnings)
    assert question.committed(study)[MODELS[0]] == [study.committed(MODELS[0], "IT")]


def test_an_order_of_equal_scores_is_undefined():
    assert np.isnan(s.spearman(np.zeros((1, 4)), np.arange(4.0)[None])).all()
