import numpy as np
import pytest

from brainscore_granularity import rsa, stats
from brainscore_granularity.brains.gabor import gabor_energy
from brainscore_granularity.rsa import triplets
from brainscore_granularity.world import assemblies, brains
from brainscore_granularity.world import images as world

SEED = 101


@pytest.fixture(scope="module")
def images():
    return world.draw(3, seed=21)


@pytest.mark.parametrize("name", ["coarse", "fine", "null"])
@pytest.mark.parametrize("region", ["V1", "IT"])
def test_true_ceiling_lies_between_the_estimated_bounds(images, name, region):
    brain = brains.BRAINS[name]
    shared = brains.signal(images, brain, region, SEED)
    measured = np.stack([rsa.rdm(brains.responses(shared, s).mean(axis=0)) for s in range(brains.N_SUBJECTS)])
    lower, upper = stats.noise_ceiling(measured)
    truth = brains.true_ceiling(images, brain, region, SEED, n_subjects=40)
    assert lower < truth < upper


def test_no_model_exceeds_the_upper_ceiling(images):
    """Not the true geometry, nor a taxonomy, whose ties can suit Spearman better than true small differences."""
    shared = brains.signal(images, brains.BRAINS["coarse"], "IT", SEED)
    measured = np.stack([rsa.rdm(brains.responses(shared, s).mean(axis=0)) for s in range(brains.N_SUBJECTS)])
    _, upper = stats.noise_ceiling(measured)
    models = [rsa.rdm(brains.expected_geometry(shared))]
    for k in (2, 8, 64):
        classes = world.taxonomy(images.fine, k)
        models.append((classes[:, None] != classes[None]).astype(float))
    scores = [np.mean([rsa.compare(model, rdm) for rdm in measured]) for model in models]
    assert max(scores) < upper
    assert min(scores[0], scores[1]) > 0.8 * upper  # the truth and its dominating level come close


def test_each_brain_is_dominated_by_its_level(images):
    def fit(name, classes):
        geometry = rsa.rdm(brains.expected_geometry(brains.signal(images, brains.BRAINS[name], "IT", SEED)))
        return rsa.compare(geometry, (classes[:, None] != classes[None]).astype(float))

    assert fit("coarse", images.superordinate) > 3 * abs(fit("coarse", images.fine))
    assert fit("fine", images.texture) > 0.3 > fit("fine", images.superordinate)
    assert abs(fit("null", images.superordinate)) < 0.02


def test_v1_follows_the_pixels_and_it_does_not(images):
    energy = gabor_energy(images.pixels)
    energy = rsa.rdm(energy - energy.mean(axis=0))
    v1, it = (
        rsa.rdm(brains.expected_geometry(brains.signal(images, brains.BRAINS["coarse"], region, SEED)))
        for region in ("V1", "IT")
    )
    assert rsa.compare(energy, v1) > 0.7
    assert abs(rsa.compare(energy, it)) < 0.1


def test_choices_follow_the_softmax(images):
    """An observer with the true geometry reaches the ceiling within its standard error, and a random one a third."""
    brain = brains.BRAINS["coarse"]
    rows, ceiling = brains.odd_one_out(images, brain, SEED, n_triplets=4000)
    true = triplets.accuracy(triplets.similarity(brains.latent(images, brain, SEED), "dot"), rows, 2)
    assert abs(true - ceiling) < 3 * np.sqrt(ceiling * (1 - ceiling) / 4000)
    noise = np.random.default_rng(0).normal(size=(len(images.fine), 20))
    assert abs(triplets.accuracy(triplets.similarity(noise, "dot"), rows, 2) - 1 / 3) < 0.03


def test_assembly_is_in_brain_scores_format():
    assembly = assemblies.neural("World", "coarse", "IT")
    stimuli = assembly.attrs["stimulus_set"]
    assert assembly.dims == ("presentation", "neuroid")
    assert assembly.shape == (256 * brains.N_REPEATS, brains.N_SUBJECTS * brains.N_VOXELS)
    assert list(assembly["stimulus_id"].values[: brains.N_REPEATS]) == [stimuli["stimulus_id"][0]] * brains.N_REPEATS
    assert len(set(assembly["neuroid_id"].values)) == assembly.sizes["neuroid"]
    assert all(stimuli.get_stimulus(i).is_file() for i in stimuli["stimulus_id"])
    assert stimuli.identifier == assembly.attrs["stimulus_set_identifier"]
    assert assembly.attrs["simulated"]


def test_selection_shares_neither_images_nor_subjects_with_scoring():
    score, select = (assemblies.neural(name, "coarse", "IT") for name in ("World", "World_selection"))
    assert not set(score["subject"].values) & set(select["subject"].values)
    pixels = {image.tobytes() for image in assemblies.image_set("World").pixels}
    assert not pixels & {image.tobytes() for image in assemblies.image_set("World_selection").pixels}


def test_choices_put_the_odd_one_third():
    choices = assemblies.choices("World", "coarse")
    assert np.array_equal(choices.values, choices["image_3"].values)
    assert 1 / 3 < choices.attrs["ceiling"] <= 1
