import json
import math

import numpy as np
import pytest

from brainscore_granularity.runner import results

RECORD = {
    "model": "granularity_world_own_k8_s2",
    "benchmark": "World.IT-rsa",
    "status": "ok",
    "value": 0.5,
    "raw": 0.4,
    "interval": (0.4, 0.6),
    "ceiling": {"lower": 0.7, "upper": 0.8},
    "simulated": True,
}


def test_round_trip(tmp_path):
    path = results.write(tmp_path, RECORD)
    assert path == tmp_path / "World.IT-rsa" / "granularity_world_own_k8_s2.json"
    assert results.read(tmp_path, RECORD["model"], RECORD["benchmark"])["interval"] == [0.4, 0.6]
    assert results.read(tmp_path, "other", RECORD["benchmark"]) is None


def test_numpy_numbers_are_written_and_nan_becomes_null(tmp_path):
    path = results.write(tmp_path, {**RECORD, "value": np.float32(0.25), "error": math.nan, "n_stimuli": np.int64(3)})
    record = json.loads(path.read_text())
    assert (record["value"], record["error"], record["n_stimuli"]) == (0.25, None, 3)


def test_table_reads_the_granularity_off_the_id(tmp_path):
    results.write(tmp_path, RECORD)
    results.write(tmp_path, {"model": "alexnet", "benchmark": "World.IT-rsa", "status": "failed", "reason": "no"})
    table = results.table(results.read_all(tmp_path)).set_index("model")
    ours = table.loc["granularity_world_own_k8_s2"]
    assert (ours["family"], ours["labels"], ours["k"], ours["seed"]) == ("granularity_world", "own", 8, 2)
    assert (ours["ceiling_upper"], ours["interval_low"], ours["value"]) == (0.8, 0.4, 0.5)
    assert table.loc["alexnet", "reason"] == "no" and math.isnan(table.loc["alexnet", "value"])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("granularity_imagenet_clip_k16_s3", ("granularity_imagenet", "clip", 16, 3)),
        ("granularity_tiny_lite0_k8_s1", ("granularity_tiny", "lite0", 8, 1)),
        ("granularity_tiny_untrainedpcs_k64_s2", ("granularity_tiny", "untrainedpcs", 64, 2)),
        ("granularity_tiny_distilled_s1", ("granularity_tiny", "distilled", None, 1)),
        ("granularity_tiny_native_s1", ("granularity_tiny", "native", None, 1)),
        ("granularity_world_untrained_s2", ("granularity_world", "untrained", None, 2)),
        ("resnet50-julios", ("resnet50-julios", None, None, None)),
    ],
)
def test_ids(model, expected):
    assert tuple(results.describe(model).values()) == expected


@pytest.mark.parametrize("damage", ["", '{"model": "a"', "[1, 2]", '{"model": "m"}'])
def test_a_damaged_file_is_named_kept_aside_and_missing(tmp_path, damage):
    path = results.write(tmp_path, RECORD)
    path.write_text(damage)
    lines = []
    assert results.read(tmp_path, RECORD["model"], RECORD["benchmark"], lines.append) is None
    assert str(path) in lines[0] and not path.exists()
    assert path.with_name(path.name + ".damaged").read_text() == damage
    assert results.read_all(tmp_path) == []


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = results.write(tmp_path, RECORD)
    before = path.read_text()

    def no_space(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError):
        results.write(tmp_path, {**RECORD, "value": 0.9})
    assert path.read_text() == before and list(path.parent.iterdir()) == [path]


def test_a_missing_folder_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="granularity demo"):
        results.read_all(tmp_path / "nothing")
