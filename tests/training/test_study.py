"""The study's jobs: their order, and their commands on a few pictures."""

import numpy as np
import pytest
from brainscore_granularity.training import study
from PIL import Image

from brainscore_granularity.weights import checkpoints, identifiers


def test_every_job_comes_after_those_that_it_needs_and_makes_a_thing_of_its_own(tmp_path):
    made = set()
    for job in study.jobs(tmp_path / "data.noun"):
        assert set(job.needs) <= made and job.makes not in made, job
        made.add(job.makes)
    networks = {identifiers.parse(job.makes) for job in study.jobs() if job.is_network}
    seeds = {(n.labels, n.k): sum((m.labels, m.k) == (n.labels, n.k) for m in networks) for n in networks}
    assert all(seeds["lite0", k] == 3 for k in study.LADDER) and all(seeds["merged", k] == 3 for k in study.ENDS)
    assert seeds["native", None] == 4  # with the one that labels are cut from


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(140):
        place = tmp_path / "images" / "train" / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(place / f"{i}.png")
    return tmp_path / "images"


@pytest.mark.slow
def test_what_is_done_is_not_done_again_and_what_cannot_be_done_is_named(pictures, home, capfd):
    """Two classes cannot be merged into eight: those networks are named, and the others trained."""
    wanted = ("native_s0", "native_s1", "merged_k64_s1", "granularity_tiny_merged_k8_s1")
    jobs = [job for job in study.jobs() if job.makes.endswith(wanted)]
    merged = [job.makes for job in jobs if "merged" in job.makes]
    assert merged[0] == "merged_k64_s1" and study.run(pictures, jobs, workers=2) == merged
    assert "merged_k64_s1 failed; see" in capfd.readouterr().err
    found = checkpoints.read(checkpoints.default_store(), "granularity_tiny_native_s1")
    assert found.info["recipe"]["epochs"] == 6 and len(found.info["metrics"]["train_loss"]) == 6
    before = found.weights.stat().st_mtime_ns
    assert study.run(pictures, [job for job in jobs if "native" in job.makes]) == []
    assert found.weights.stat().st_mtime_ns == before


def test_a_network_of_another_setting_is_not_the_studys(home):
    checkpoints.save(checkpoints.default_store(), "granularity_tiny_native_s1", {}, {"recipe": {"epochs": 3}})
    (job,) = [job for job in study.jobs() if job.makes == "granularity_tiny_native_s1"]
    assert not study.is_done(job)
