"""Dynamics, selectivity, usefulness, matched accuracy, objectives and agreement where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.analysis.measures import agreement, dynamics, matched, objectives, selectivity, usefulness

STEPS = np.array([0, 1, 3, 10, 30, 100, 300, 1000])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def turning(rng, images=40):
    """Features that turn into the brain's between steps 10 and 100."""
    brain, noise = rng.normal(size=(2, images, 60))
    share = np.clip(np.log(STEPS.clip(1) / 10) / np.log(10), 0, 1)
    rdms = np.stack([rsa.rdm(s * brain + (1 - s) * noise) for s in share])
    return rdms, np.stack([rsa.rdm(brain + 0.5 * rng.normal(size=brain.shape)) for _ in range(3)])


@pytest.mark.slow
def test_dynamics_finds_the_planted_turning_point(rng):
    rdms, subjects = turning(rng)
    found = dynamics.course(STEPS, rdms, subjects, resamples=200, permutations=99)
    assert 10 < found.half < 100 and 10 <= found.low <= found.half <= found.high <= 100 and found.unreached == 0
    assert found.table["p"].iloc[-1] == 0.01 and found.table["p"].iloc[0] > 0.05
    assert found.table["value"].iloc[-1] == pytest.approx(np.mean([rsa.compare(rdms[-1], s) for s in subjects]))
    assert (found.table["low"] <= found.table["high"]).all()


def test_half_time_is_exact_between_checkpoints_and_undefined_without_a_gain():
    assert dynamics.half_time([0, np.e - 1, np.e**2 - 1], [0, 0, 1]) == pytest.approx(np.exp(1.5) - 1)
    assert dynamics.half_time([0, 10], [0.4, 0.6], of="final") == 0
    assert np.isnan(dynamics.half_time([0, 10, 20], [0.4, 0.9, 0.4]))


@pytest.mark.parametrize("steps", [[0], [0, 5, 5], [3, 1, 2], [-1, 0, 1]])
def test_steps_that_do_not_rise_are_named(steps):
    with pytest.raises(ValueError, match="rising steps"):
        dynamics.half_time(steps, np.zeros(len(steps)))


def test_components_shared_with_native_are_found_whatever_the_rest(rng):
    shared = rng.normal(size=(50, 2)) * 20
    a, b = (np.hstack([shared, rng.normal(size=(50, 30))]) for _ in range(2))
    rotation = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    found = dynamics.against(a @ rotation, b, (2, 20)).set_index("components")["value"]
    assert found[2] > 0.98 and found[20] < found[2]
    pd.testing.assert_frame_equal(dynamics.against(a @ rotation, b), dynamics.against(a, b), atol=1e-9)
    with pytest.raises(ValueError, match="give 32 principal components here, not 40"):
        dynamics.against(a, b, (40,))


def test_selectivity_of_hand_made_units():
    labels = np.repeat([0, 1, 2], 4)
    units = np.stack([labels == 1, np.ones(12), np.where(labels == 2, 3, 1), np.zeros(12)], axis=1).astype(float)
    found = selectivity.class_selectivity(units, labels)
    np.testing.assert_allclose(found, [1, 0, 0.5, np.nan])
    assert selectivity.measures(units, labels)["dead"] == 0.25
    np.testing.assert_allclose(selectivity.hoyer(np.array([[1, 1, 1, 1], [0, 0, 5, 0], [0, 0, 0, 0]])), [0, 1, np.nan])


@pytest.mark.parametrize("d", [1, 2, 5])
def test_two_nearest_neighbours_return_the_dimension_of_a_subspace(rng, d):
    x = rng.uniform(size=(2000, d)) @ rng.normal(size=(d, 30))
    assert selectivity.dimension(x) == pytest.approx(d, rel=0.1)
    assert selectivity.dimension(np.vstack([x, x])) == pytest.approx(selectivity.dimension(x))


def test_selectivity_has_a_null_that_class_structure_beats_and_noise_does_not(rng):
    labels = np.repeat(np.arange(4), 25)
    noise = rng.exponential(size=(100, 20))
    tuned = noise + 5 * (labels[:, None] == rng.integers(0, 4, 20))
    for x, significant in ((tuned, True), (noise, False)):
        row = selectivity.table(x, labels, resamples=60).set_index("measure").loc["selectivity"]
        assert (row["p"] < 0.05) == significant
        assert row["low"] <= row["value"] <= row["high"]


def test_pathologies_are_named_and_healthy_layers_are_not(rng):
    labels, healthy = np.arange(50) % 5, rng.exponential(size=(50, 10))
    assert selectivity.pathologies(selectivity.measures(healthy, labels)) == []
    sick = np.hstack([healthy, np.zeros((50, 12))])
    sick[:, 0] *= 100
    found = " ".join(selectivity.pathologies(selectivity.measures(sick, labels), "relu6"))
    assert "55% of the units are dead" in found and "one unit holds" in found and found.startswith("relu6")
    assert selectivity.measures(np.zeros((9, 3)), np.arange(9) % 2)["dead"] == 1


def test_layers_before_the_relu_are_a_named_error(rng):
    with pytest.raises(selectivity.NotRectified, match="conv3 has negative activations"):
        selectivity.table(rng.normal(size=(20, 4)), np.arange(20) % 2, "conv3")


def test_intervals_hold_the_value_where_classes_have_few_images():
    rng = np.random.default_rng(4)
    x = np.maximum(rng.normal(size=(500, 30)), 0)
    found = selectivity.table(x, np.arange(500) % 100, resamples=40, nulls=2)
    assert (found["low"] < found["value"])[found["measure"] != "dead"].all()
    assert (found["value"] < found["high"])[found["measure"] != "dead"].all()


def test_usefulness_finds_separable_classes_and_nothing_in_noise(rng):
    labels = np.repeat(np.arange(5), 30)
    centres = rng.normal(size=(5, 12))
    good = usefulness.table(centres[labels] + 0.1 * rng.normal(size=(150, 12)), labels, episodes=10)
    assert (good["accuracy"] > 0.95).all() and (good["null"] < 0.4).all()
    noise = usefulness.table(rng.normal(size=(150, 12)), labels, episodes=10)
    assert (noise["accuracy"] < 0.35).all() and (noise["chance"] == 0.2).all()


def test_more_shots_are_better_and_too_many_are_named(rng):
    labels = np.repeat(np.arange(10), 25)
    x = 0.8 * rng.normal(size=(10, 8))[labels] + rng.normal(size=(250, 8))
    one, twenty = (usefulness.few_shot(x, labels, k, 20).mean() for k in (1, 20))
    assert twenty > one + 0.1
    with pytest.raises(ValueError, match="at least 26 images each.*smallest of 25"):
        usefulness.few_shot(x, labels, 25)


def test_alignment_that_only_follows_accuracy_does_not_differ_at_equal_accuracy(rng):
    accuracy = np.linspace(0, 1, 11)
    noise = 0.01 * rng.normal(size=(400, 1))
    fast = matched.Track(accuracy, 0.5 * accuracy, 0.5 * accuracy + noise)
    slow = matched.Track(accuracy / 2, 0.25 * accuracy, 0.25 * accuracy + noise)
    better = matched.Track(accuracy / 2, 0.25 * accuracy + 0.1, 0.25 * accuracy + 0.1 + noise)
    found = matched.table({"fast": fast, "slow": slow, "better": better}, "fast", [0.5]).set_index("model")
    assert found.loc["slow", "difference"] == pytest.approx(0, abs=1e-12)
    assert found.loc["better", "difference"] == pytest.approx(0.1) and found.loc["better", "q"] < 0.05
    assert matched.common_level({"fast": fast, "slow": slow}) == 0.5


def test_a_level_that_is_not_reached_is_said_and_not_extrapolated():
    track = matched.Track(np.array([0.1, 0.3]), np.array([0.0, 1.0]), np.zeros((5, 2)))
    assert matched.at_accuracy(track.accuracy, track.alignment, 0.2) == pytest.approx(0.5)
    other = track._replace(accuracy=np.array([0.1, 0.2]))
    row = matched.table({"a": track, "b": other}, "a", [0.25]).set_index("model").loc["b"]
    assert not row["reached"] and np.isnan(row["value"]) and np.isnan(row["p"])
    with pytest.raises(ValueError, match="no network 'c'"):
        matched.table({"a": track}, "c")


@pytest.mark.slow
def test_objectives_find_the_planted_gain_and_no_other(rng):
    brain, noise = rng.normal(size=(2, 60, 50))
    subjects = np.stack([rsa.rdm(brain + 0.5 * rng.normal(size=brain.shape)) for _ in range(4)])
    fine = rsa.rdm(0.3 * brain + noise)
    rdms = {"fine": fine, "coarse": rsa.rdm(brain + noise), "same": fine, "gain": rsa.rdm(brain + 0.3 * noise)}
    found = objectives.table(rdms, subjects, ("fine", "coarse"), resamples=200, permutations=99).set_index("objective")
    assert found.loc["gain", "against fine"] > 0.2 and found.loc["gain", "q against fine"] < 0.05
    assert found.loc["gain", "q against coarse"] < 0.05
    assert found.loc["same", "against fine"] == 0 and found.loc["same", "q against fine"] == 1
    assert np.isnan(found.loc["fine", "against fine"])
    with pytest.raises(ValueError, match="no plain to compare with"):
        objectives.table(rdms, subjects, ("plain",))


def scored(rng, slopes, seeds=(1, 2, 3), noise=0.01):
    rows = []
    for scale, slope in slopes.items():
        for subject in range(5):
            own = 0.05 * rng.normal()
            for seed in seeds:
                for k in (2, 4, 8, 16, 32, 64):
                    score = 0.3 * (1 + own + slope * (np.log2(k) - 3.5)) + 0.3 * noise * rng.normal()
                    rows.append({"scale": scale, "subject": f"s{subject}", "seed": seed, "k": k, "score": score})
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_agreement_recovers_planted_slopes_and_tells_whether_they_differ(rng):
    same = agreement.agreement(scored(rng, {"behaviour": 0.1, "fMRI": 0.1, "spiking": 0.1}))
    assert ((same.slopes["low"] - 0.005 < 0.1) & (0.1 < same.slopes["high"] + 0.005)).all()
    assert same.p_differ > 0.01 and (same.pairs["correlation"] > 0.9).all() and (same.pairs["p"] < 0.05).all()
    assert same.warnings == []
    other = agreement.agreement(scored(rng, {"behaviour": 0.1, "fMRI": -0.1}))
    assert other.p_differ < 1e-6 and other.pairs["correlation"].iloc[0] < -0.9
    np.testing.assert_allclose(other.slopes["slope"], [0.1, -0.1], atol=0.01)


def test_agreement_says_what_one_seed_and_one_subject_leave_open(rng):
    data = scored(rng, {"behaviour": 0.1, "spiking": 0.1}, seeds=(1,))
    found = agreement.agreement(data[(data["scale"] == "behaviour") | (data["subject"] == "s0")])
    assert any("one seed only" in w for w in found.warnings) and any(
        "spiking has one subject" in w for w in found.warnings
    )
    with pytest.raises(ValueError, match="3 numbers of classes"):
        agreement.agreement(data[data["k"] <= 4])
