import json

import numpy as np
import pandas as pd
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.analysis.measures import geometry
from brainscore_granularity.cli import main as cli

MODELS = [f"granularity_world_{kind}_s{seed}" for kind in ("own_k2", "native") for seed in (1, 2)]


def gram(x):
    return x @ x.T


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def direct_cka(x, y):
    """Centred kernel alignment from features, and unbiased HSIC from its definition with all matrices written out."""
    k, other = (gram(each) - np.diag(np.diag(gram(each))) for each in (x, y))
    n, ones = len(k), np.ones(len(k))

    def hsic(a, b):
        return (
            np.trace(a @ b)
            + (ones @ a @ ones) * (ones @ b @ ones) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (ones @ a @ b @ ones)
        ) / (n * (n - 3))

    return hsic(k, other) / np.sqrt(hsic(k, k) * hsic(other, other))


def test_cka_is_that_of_its_definition_on_all_images_and_on_subsamples(rng):
    x, y = rng.normal(size=(30, 8)), rng.normal(size=(30, 50))
    y[:, :8] += 2 * x
    kept = np.zeros((2, 30))
    kept[0, :20] = kept[1, 5:29] = 1
    assert geometry.cka(gram(x), gram(y))[0] == pytest.approx(direct_cka(x, y))
    expected = [direct_cka(x[row > 0], y[row > 0]) for row in kept]
    assert np.allclose(geometry.cka(gram(x), gram(y), kept), expected)


def test_rotation_scale_and_shift_are_no_distance_and_noise_is_unrelated_however_wide(rng):
    x = rng.normal(size=(100, 40))
    rotation = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    assert geometry.cka(gram(x), gram(3 * x @ rotation + 7))[0] == pytest.approx(1)
    wide = [geometry.cka(gram(x), gram(rng.normal(size=(100, 5000))))[0] for _ in range(20)]
    assert abs(np.mean(wide)) < 0.02  # the plain estimate gives about 0.5 here


def test_intervals_hold_the_value_and_rsa_is_the_usual_one(rng):
    x = rng.normal(size=(80, 30))
    near, far = (rsa.rdm(x + s * rng.normal(size=x.shape)) for s in (0.3, 2))
    found = geometry.rsa_with([near, far], rsa.rdm(x), resamples=200)
    assert [each.value for each in found] == pytest.approx(
        [rsa.compare(near, rsa.rdm(x)), rsa.compare(far, rsa.rdm(x))]
    )
    assert all(each.low < each.value < each.high for each in found) and found[0].low > found[1].high
    (alike,) = geometry.cka_with([gram(x + 0.3 * rng.normal(size=x.shape))], gram(x), resamples=100)
    assert 0.5 < alike.low < alike.value < alike.high < 1.01


def test_points_of_a_plane_come_back_and_what_no_plane_holds_is_in_the_stress(rng):
    points = rng.normal(size=(12, 2)) * [3, 1]
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    found = geometry.embed(distances)
    again = np.linalg.norm(found.points[:, None] - found.points, axis=2)
    assert np.allclose(again, distances, atol=1e-3) and found.stress < 1e-3
    assert np.ptp(found.points[:, 0]) > np.ptp(found.points[:, 1])
    assert geometry.embed(1 - np.eye(12)).stress > 0.2  # all equally far apart


def test_sorted_images_are_grouped_by_class_then_by_score():
    order = geometry.by_class(np.array([1, 0, 1, 0]), np.array([2.0, 5, 1, 4]))
    assert order.tolist() == [3, 1, 2, 0]
    shown = geometry.percentiles(np.array([[0, 3, 9], [3, 0, 5], [9, 5, 0]]))
    assert shown.tolist() == [[0, 0, 1], [0, 0, 0.5], [1, 0.5, 0]]


def run(results, *models, images=("--benchmarks", "World.IT-rsa")):
    cli.main(["analyze", "geometry", "--models", *models, *images, "--layers", "relu4", "relu5", "--results",
              str(results), "--resamples", "50"])  # fmt: skip
    folder = results / "analyses" / "geometry"
    record = json.loads((folder / "analysis.json").read_text())
    return record, {name: pd.read_csv(folder / f"{name}.csv") for name in record["tables"]}, folder


@pytest.mark.slow
def test_on_the_world_seeds_are_the_yardstick(tmp_path):
    record, tables, folder = run(tmp_path, *MODELS)
    rows = tables["layerwise"]
    assert set(rows["pair"]) == {"native", "seed"} and "than any two seeds" in record["answer"]
    last = rows[(rows["layer"] == "relu5")].set_index(["model", "pair"])
    assert last.loc[(MODELS[0], "native"), "against"] == MODELS[2]  # of its own seed
    assert last.loc[(MODELS[0], "native"), "rsa"] < last.loc[(MODELS[2], "seed"), "rsa"]
    assert not any("one seed only" in note for note in record["warnings"])
    assert len(tables["map"]) == 4 * 2 + 1 and np.allclose(np.diag(tables["matrix"].iloc[:, 1:]), 1)
    assert all((folder / figure["file"]).stat().st_size < 150_000 for figure in record["figures"])


@pytest.mark.slow
def test_one_seed_says_that_there_is_no_yardstick(tmp_path):
    record, tables, _ = run(tmp_path, *MODELS[::2])
    assert "no distance between seeds" in record["answer"] and set(tables["layerwise"]["pair"]) == {"native"}
    assert any(note.startswith("one seed only") for note in record["warnings"])


def test_a_single_network_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, MODELS[0])
    assert "needs a native network and others, or two seeds" in capsys.readouterr().err
