"""The order of the world's images tells nothing of what they show."""

import numpy as np
import pytest

from brainscore_granularity import rsa
from brainscore_granularity.rsa import triplets
from brainscore_granularity.world import assemblies, brains


@pytest.mark.parametrize("name", assemblies.IMAGE_SETS)
def test_the_place_in_the_list_scores_chance(name):
    """A model that knows nothing but an image's place chooses at chance, and its RDM is unrelated to the brain's."""
    images, seed = assemblies.image_set(name), assemblies.IMAGE_SETS[name][1]
    place = np.arange(len(images.fine))
    apart = np.abs(place[:, None] - place[None, :])
    for brain in (brains.BRAINS["coarse"], brains.BRAINS["fine"]):
        trials, ceiling = brains.odd_one_out(images, brain, seed)
        error = np.sqrt(2 / 9 / len(trials))
        assert ceiling > 0.5 and abs(triplets.accuracy(-apart, trials, 2) - 1 / 3) < 4 * error
        truth = rsa.rdm(brains.latent(images, brain, seed))
        assert abs(rsa.compare(apart.astype(float), truth)) < 0.03


def test_every_image_is_there_once_and_kept_with_its_class():
    per_class, seed = assemblies.IMAGE_SETS["World"]
    shuffled, drawn = assemblies.image_set("World"), assemblies.world.draw(per_class, seed)
    fine = {pixels.tobytes(): label for pixels, label in zip(drawn.pixels, drawn.fine, strict=True)}
    assert [fine[pixels.tobytes()] for pixels in shuffled.pixels] == shuffled.fine.tolist()
    assert len({pixels.tobytes() for pixels in shuffled.pixels}) == len(drawn.fine) == len(fine)
