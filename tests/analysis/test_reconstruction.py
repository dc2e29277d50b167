import json

import numpy as np
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.analysis.measures.reconstruction import compare, verdict
from brainscore_granularity.cli import main as cli
from brainscore_granularity.rsa.components import Products, components

MODELS = ["granularity_world_own_k2_s1", "granularity_world_native_s1"]


def planted(low_rank: bool):
    """A brain of four dimensions; a fine model that has them under noise, either as its top components or below."""
    rng = np.random.default_rng(0)
    brain, noise = rng.normal(size=(60, 4)), rng.normal(size=(60, 40))
    into_features = np.linalg.qr(rng.normal(size=(300, 44)))[0]
    weights = np.r_[np.full(4, 3.0 if low_rank else 0.5), np.full(40, 1.0)]
    fine = (np.c_[brain, noise] * weights) @ into_features.T
    subjects = np.stack([rsa.rdm(brain @ into_features[:, :4].T + 0.05 * rng.normal(size=(60, 300))) for _ in range(4)])
    coarse = rsa.rdm(brain @ into_features[:, :4].T + 0.02 * rng.normal(size=(60, 300)))
    products = Products.of(fine)
    found = components(products)
    scores = found.scores(products, np.arange(60))
    rebuilt = {m: found.reconstructed_rdm(scores, m, 300) for m in (2, 4, 8, 40)}
    return products, coarse, rebuilt, subjects


def test_a_low_rank_benefit_is_found():
    """Cut to the brain's four dimensions, the fine model is better than a coarse one that is the whole fine model."""
    products, _, rebuilt, subjects = planted(low_rank=True)
    table = compare({"like fine": products.rdm()}, rebuilt, subjects, resamples=200)
    assert verdict(table) == "refuted"
    assert table.set_index("kept").loc[4, "high"] < 0 and table["rebuilt"].idxmax() == 1


def test_its_absence_is_found():
    """Where the brain's dimensions are not the fine model's top components, no cut reaches the coarse model."""
    _, coarse, rebuilt, subjects = planted(low_rank=False)
    table = compare({"coarse": coarse}, rebuilt, subjects, resamples=200)
    assert verdict(table) == "supported" and (table["low"] > 0).all()


def test_a_model_against_itself_is_undecided():
    products, _, _, subjects = planted(low_rank=True)
    table = compare({"same": products.rdm()}, {40: products.rdm()}, subjects, resamples=50)
    assert table["difference"].iloc[0] == pytest.approx(0) and verdict(table) == "undecided"


@pytest.mark.slow
def test_on_the_world_it_reports_every_pair(tmp_path):
    cli.main(["analyze", "reconstruction", "--models", *MODELS, "--benchmarks", "World.IT-rsa", "--results",
              str(tmp_path), "--resamples", "50", "--components", "5"])  # fmt: skip
    record = json.loads((tmp_path / "analyses" / "reconstruction" / "analysis.json").read_text())
    assert record["simulated"] and MODELS[0] in record["answer"]
    assert "fitted on the images that are scored" in record["warnings"][0]


@pytest.mark.slow
def test_without_brains_or_a_native_model_it_says_what_is_missing(tmp_path, capsys):
    for models, images, message in (
        (MODELS, ["--images", "World"], "add --benchmarks"),
        (MODELS[:1], ["--benchmarks", "World.IT-rsa"], "one of native classes"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["analyze", "reconstruction", "--models", *models, *images, "--results", str(tmp_path)])
        assert message in capsys.readouterr().err
