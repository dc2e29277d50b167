"""The package's positive and negative control: the study must find the answer that was put into the brains."""

import numpy as np
import pytest
from brainscore_granularity.training.loop import loop
from brainscore_granularity.training.recipe import Recipe
from brainscore_vision import load_benchmark

from brainscore_granularity.brains.model import from_checkpoint
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world

pytestmark = pytest.mark.slow
LEVELS = (2, 8, 64)
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """{benchmark: {K: Score of each seed}} of networks trained on the world's own taxonomy."""
    store = tmp_path_factory.mktemp("store")
    training = world.draw(64, seed=1)
    benchmarks = {name: load_benchmark(f"{name}.IT-rsa") for name in ("World", "World_fine", "World_null")}
    scores = {name: {k: [] for k in LEVELS} for name in benchmarks}
    for k in LEVELS:
        for seed in SEEDS:
            recipe = Recipe("mini", "taxonomy", k, seed, epochs=6)
            network, _ = loop.train(recipe, training.pixels, world.taxonomy(training.fine, k))
            info = {"network": "mini", "classes": k}
            saved = checkpoints.save(store, f"granularity_world_taxonomy_k{k}_s{seed}", network.state_dict(), info)
            model = from_checkpoint(saved, {"IT": network.readout})
            for name, benchmark in benchmarks.items():
                scores[name][k].append(benchmark(model))
    return scores


@pytest.mark.parametrize(("brain", "peak"), [("World", 2), ("World_fine", 64)])
def test_alignment_peaks_at_the_end_that_dominates_the_brain(scores, brain, peak):
    values = {k: [score.item() for score in scores[brain][k]] for k in LEVELS}
    print(f"\n{brain}: " + ", ".join(f"K = {k}: {v[0]:.3f} {v[1]:.3f}" for k, v in values.items()))
    spread = max(np.ptp(v) for v in values.values())
    for k in set(LEVELS) - {peak}:
        assert min(values[peak]) > max(values[k]) + spread
        low = min(score.attrs["interval"][0] for score in scores[brain][peak])
        assert low > max(score.attrs["interval"][1] for score in scores[brain][k])


def test_nothing_aligns_with_the_null_brain(scores):
    for k in LEVELS:
        for score in scores["World_null"][k]:
            low, high = score.attrs["interval"]
            assert low < 0 < high and high - low < 0.1
