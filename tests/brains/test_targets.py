import fake_brains
import numpy as np
import pytest

from brainscore_granularity import rsa, stats
from brainscore_granularity.brains import controls, targets


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("targets")


def noisy_repeats(rng, noise, repeats=30, images=60, subjects=2):
    """Responses whose true geometry is known, and the RDM of that geometry."""
    ids = [f"image_{i}" for i in range(images)]
    points = rng.normal(size=(images, fake_brains.LATENT))
    values = np.concatenate([fake_brains.seen_by(points, rng) for _ in range(subjects)], axis=1)
    values = np.repeat(values, repeats, axis=0) + noise * rng.normal(size=(images * repeats, values.shape[1]))
    neuroid = {"subject": np.repeat(["F", "N"][:subjects], fake_brains.GOOD), "neuroid_id": range(values.shape[1])}
    presentation = {"stimulus_id": np.repeat(ids, repeats), "repetition": np.tile(range(repeats), images)}
    stimuli = fake_brains.StimulusSet({"stimulus_id": ids})
    stimuli.identifier = "repeats"
    truth = rsa.rdm(fake_brains.seen_by(points, rng))
    return fake_brains.assembly(values, presentation, neuroid, stimuli, "repeats"), truth


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.3, 0.9, 2.0])
def test_ceiling_from_repeats_is_what_the_true_model_scores(noise):
    """Over many data sets, the true geometry scores the upper bound, and more than the lower.

    A noise of 0.9 gives single trials a reliability of .3, where electrodes are cut; 2.0 one of .08.
    """
    rng, values, lowers = np.random.default_rng(0), [], []
    for _ in range(8):
        assembly, truth = noisy_repeats(rng, noise)
        made = targets.from_responses(assembly, ceiling="repeats")
        ceiling = made.ceiling()
        score = np.mean([rsa.compare(truth, rdm) for rdm in made.rdms])
        values.append(score / ceiling.attrs["upper"])
        lowers.append(score - ceiling.attrs["lower"])
    assert np.mean(values) == pytest.approx(1, abs=0.03)
    assert min(lowers) > 0


def test_ceiling_from_repeats_needs_repeats():
    assembly, _ = noisy_repeats(np.random.default_rng(0), 1, repeats=1)
    with pytest.raises(ValueError, match=r"at least twice, got 1 of image_0 \(60 of 60 stimuli have fewer than 2\)"):
        targets.from_responses(assembly, ceiling="repeats").ceiling()


def padded(assembly, shown):
    """The first ``shown[i]`` presentations of stimulus i; the others NaN, as files hold them."""
    out = assembly.copy()
    names = list(dict.fromkeys(assembly["stimulus_id"].values))
    n = np.array([shown[names.index(stimulus)] for stimulus in assembly["stimulus_id"].values])
    out.values[assembly["repetition"].values >= n] = np.nan
    out.attrs = assembly.attrs
    return out


def test_padding_that_leaves_a_stimulus_alone_is_named():
    assembly, _ = noisy_repeats(np.random.default_rng(0), 1, repeats=4)
    shown = np.full(60, 3)
    shown[7] = 1
    with pytest.raises(ValueError, match="at least twice, got 1 of image_7; .*NaN throughout are not counted"):
        targets.from_responses(padded(assembly, shown), ceiling="repeats").ceiling()


@pytest.mark.parametrize("n", [4, 7])
def test_equal_repeats_are_split_as_ever(n):
    """The definition, one line a step: the same permutation for all stimuli, Spearman-Brown by n / half."""
    assembly, _ = noisy_repeats(np.random.default_rng(1), 1, repeats=n, subjects=1)
    whole, rng, half = assembly.values.reshape(60, n, -1).swapaxes(0, 1), np.random.default_rng(0), n // 2
    r = []
    for _ in range(100):
        order = rng.permutation(n)
        one, other = whole[order[:half]].mean(axis=0), whole[order[half : 2 * half]].mean(axis=0)
        r.append(rsa.compare(rsa.rdm(one), rsa.rdm(other)))
    bounds = targets.from_responses(assembly, ceiling="repeats").ceiling().attrs
    assert bounds["lower"] == pytest.approx(np.mean(r), abs=1e-12)
    assert bounds["upper"] == pytest.approx(np.sqrt(stats.spearman_brown(np.mean(r), n / half)), abs=1e-12)


@pytest.mark.slow
def test_ceiling_of_unequal_repeats_is_what_the_true_model_scores():
    """Two to 20 repeats: the bound from the two that all have would be far too low."""
    rng, values, common = np.random.default_rng(0), [], []
    for _ in range(8):
        assembly, truth = noisy_repeats(rng, 1.2, repeats=20)
        shown = np.append(rng.choice([10, 16, 19, 20], size=58), [2, 2])
        made = targets.from_responses(padded(assembly, shown), ceiling="repeats")
        score = np.mean([rsa.compare(truth, rdm) for rdm in made.rdms])
        values.append(score / made.ceiling().attrs["upper"])
        two = targets.from_responses(padded(assembly, np.full(60, 2)), ceiling="repeats").ceiling()
        common.append(score / two.attrs["upper"])
    assert np.mean(values) == pytest.approx(1, abs=0.03) and np.mean(common) > 1.1


def test_a_presentation_may_be_missing_in_one_subject_alone():
    """Each subject has repeats of its own: padding of one costs the other nothing."""
    assembly, _ = noisy_repeats(np.random.default_rng(2), 0.5, repeats=6)
    mine = assembly["subject"].values == "F"
    half = assembly.copy()
    half.values[np.ix_(assembly["repetition"].values >= 4, mine)] = np.nan
    half.attrs = assembly.attrs
    made, whole = (targets.from_responses(a, ceiling="repeats") for a in (half, assembly))
    assert made.neuroids == whole.neuroids and np.array_equal(made.rdms[1], whole.rdms[1])
    four = assembly.isel(presentation=assembly["repetition"].values < 4, neuroid=mine)
    four.attrs = assembly.attrs
    assert np.array_equal(made.rdms[0], targets.from_responses(four, ceiling="repeats").rdms[0])


@pytest.mark.slow
def test_ceiling_of_real_ragged_repeats(real_data):
    """Macaque V4, 6 to 10 repeats: known values from all repeats; the six that all images have give .610-.870."""
    path = real_data / "cowley_v4" / "responses_raw" / "responses_210325.npy"
    if not path.is_file():
        pytest.skip(f"no {path}")
    raw = np.load(path)  # (units, images, repeats)
    units, images, repeats = raw.shape
    ids = [f"image_{i}" for i in range(images)]
    stimuli = fake_brains.StimulusSet({"stimulus_id": ids})
    stimuli.identifier = "210325"
    assembly = fake_brains.assembly(
        raw.transpose(1, 2, 0).reshape(images * repeats, units),
        {"stimulus_id": np.repeat(ids, repeats), "repetition": np.tile(range(repeats), images)},
        {"subject": ["PE"] * units, "neuroid_id": range(units)},
        stimuli,
        "210325",
    )
    bounds = targets.from_responses(assembly, ceiling="repeats").ceiling().attrs
    assert bounds["lower"] == pytest.approx(0.644, abs=0.003)
    assert bounds["upper"] == pytest.approx(0.885, abs=0.003)


def test_one_subject_has_no_ceiling_and_says_so(folder):
    assembly = fake_brains.allen(folder, "test")
    one = assembly.isel(neuroid=np.flatnonzero(assembly["subject"].values == "subj03"))
    one.attrs = assembly.attrs
    ceiling = targets.from_responses(one, keep=("nc_testset", 30)).ceiling()
    assert ceiling.item() == 1 and ceiling.attrs["kind"] == "unknown" and np.isnan(ceiling.attrs["lower"])


def test_no_reliable_neuroid_is_an_error_that_names_the_cut(folder):
    with pytest.raises(ValueError, match="at least 10 neuroids, got none after dropping NaN and nc_testset <= 99"):
        targets.from_responses(fake_brains.allen(folder, "test"), keep=("nc_testset", 99))
    with pytest.raises(ValueError, match="expected the neuroid coordinate reliability"):
        targets.from_responses(fake_brains.allen(folder, "test"), keep=("reliability", 0.3))


def test_a_drawn_part_of_the_stimuli_is_the_same_each_time(folder):
    assembly = fake_brains.allen(folder, "train")
    whole = targets.from_responses(assembly, keep=("nc_testset", 30))
    part, again = (targets.from_responses(assembly, keep=("nc_testset", 30), n_stimuli=12) for _ in range(2))
    ids = list(part.stimulus_set["stimulus_id"])
    rows = [list(whole.stimulus_set["stimulus_id"]).index(stimulus) for stimulus in ids]
    assert len(ids) == 12 and ids == list(again.stimulus_set["stimulus_id"])
    assert np.allclose(part.rdms, whole.rdms[:, rows][:, :, rows], atol=1e-6)
    assert part.stimulus_set.identifier.partition("--")[0] == whole.stimulus_set.identifier


def test_stimuli_shown_again_count_once(folder):
    """Brain-Score's own stimulus sets list some stimuli twice, as for triplets."""
    assembly = fake_brains.allen(folder, "test")
    stimuli = assembly.attrs["stimulus_set"]
    twice = fake_brains.StimulusSet(stimuli.iloc[np.tile(np.arange(len(stimuli)), 2)])
    twice.stimulus_paths, twice.identifier = stimuli.stimulus_paths, stimuli.identifier
    again = assembly.copy()
    again.attrs = assembly.attrs | {"stimulus_set": twice}
    made, expected = (targets.from_responses(a, keep=("nc_testset", 30)) for a in (again, assembly))
    assert np.array_equal(made.rdms, expected.rdms) and len(made.stimulus_set) == len(stimuli)


def test_rdms_in_another_order_than_the_stimuli_are_refused(kriegeskorte92):
    from brainscore_vision import load_dataset

    assembly = load_dataset("Kriegeskorte2008.hIT")
    shuffled = assembly.isel(stimulus=slice(None, None, -1))
    shuffled.attrs = assembly.attrs
    with pytest.raises(ValueError, match="differ from the stimulus set"):
        targets.from_rdms(shuffled)


def test_a_model_of_pixels_has_nothing_left_without_them(folder):
    stimuli = fake_brains.stimulus_set(folder, "pixels", [f"p{i}" for i in range(25)])
    given = controls.control_rdms(stimuli)
    assert set(given) == {"pixels", "luminance"}
    rng = np.random.default_rng(0)
    brain = rsa.rdm(rng.normal(size=(25, 30)))
    scores = controls.partial_scores(given["pixels"], brain[None], given)
    assert np.isnan(scores["pixels"]) and np.isnan(scores["luminance and pixels"]) and abs(scores["luminance"]) < 0.5
    shared = given["luminance"] + 0.1 * given["luminance"].max() * rsa.rdm(rng.normal(size=(25, 30)))
    assert rsa.compare(shared, given["luminance"]) > 0.9
    assert abs(controls.partial_scores(brain, shared[None], given)["luminance"]) < 0.3


def test_a_control_that_is_not_defined_is_left_out(tmp_path):
    from PIL import Image

    paths = {}
    for k in range(4):
        paths[f"grey{k}"] = tmp_path / f"{k}.png"
        Image.new("RGB", (8, 8), (k, k, k)).save(paths[f"grey{k}"])
    stimuli = fake_brains.StimulusSet({"stimulus_id": list(paths)})
    stimuli.stimulus_paths = paths
    assert set(controls.control_rdms(stimuli)) == {"luminance"}
