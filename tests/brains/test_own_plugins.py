"""Models whose plugin builds them by itself, without a checkpoint of ours."""

import candidates
import numpy as np
import pytest

from brainscore_granularity import plugins, runner
from brainscore_granularity.brains import catalogue
from brainscore_granularity.runner import results
from brainscore_granularity.weights import find

NAME, BENCHMARK = candidates.IDENTIFIER, "World.IT-rsa"


@pytest.fixture
def changed(candidate_plugin):
    """Adds a file to the plugin, for this test."""
    more = find.plugin_of(NAME) / "layers.json"
    yield lambda: more.write_text("{}")
    more.unlink(missing_ok=True)


def test_a_model_is_known_by_the_files_of_its_plugin(changed):
    assert not find.is_stored(NAME)
    assert catalogue.model_state(NAME) == ("ready, built by its plugin", None)
    known, layers = find.commitment_of(NAME)
    assert layers is None and find.commitment_of(NAME)[0] == known
    changed()
    assert find.commitment_of(NAME)[0] != known


@pytest.mark.slow
def test_its_score_is_stale_once_the_plugin_has_changed(changed, tmp_path):
    candidates.current["model"] = candidates.Given(
        lambda ids: np.stack([np.random.default_rng(int(i[-4:])).normal(size=8) for i in ids])
    )

    def score():
        runner.score_grid([NAME], [BENCHMARK], tmp_path)
        return results.read(tmp_path, NAME, BENCHMARK)

    first, again = score(), score()
    assert first["status"] == "ok" and again["started"] == first["started"]
    changed()
    assert score()["fingerprint"]["checkpoint"] != first["fingerprint"]["checkpoint"]


def test_all_shipped_models_are_made_of_checkpoints():
    assert all(map(find.is_stored, plugins.registrations("models")))
