import csv

import fake_things
import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from plugin_data import registered

from brainscore_granularity.datasets import things
from brainscore_granularity.download import DataMissing
from brainscore_granularity.paths import sha256_of

DATA = "Hebart2023_concepts"
NAMES = [name for i, concept in enumerate(fake_things.CONCEPTS) for name in fake_things.image_names(concept, 1 + i % 3)]


@pytest.fixture
def folder(home, tmp_path, monkeypatch):
    """folder(names, ...) is one with images of these names, which the plugin then reads."""

    def write(names=NAMES, **settings):
        sums = fake_things.write_concepts(tmp_path / "named", fake_things.jpegs(names), **settings)
        for name, sha256 in sums.items():
            monkeypatch.setitem(things.SHA256, name, sha256)
        monkeypatch.setenv(things.FOLDER_VARIABLE, str(tmp_path / "named"))
        return tmp_path / "named"

    return write


def test_all_that_is_there_is_registered():
    assert registered("hebart2023_concepts") == registered("hebart2023_concepts", "stimulus_set_registry") == [DATA]


@pytest.mark.parametrize("archive", [True, False])
def test_rows_follow_the_owners_order_with_all_images_of_a_concept(folder, archive):
    folder(archive=archive)
    assembly, stimuli = load_dataset(DATA), load_stimulus_set(DATA)
    assert assembly["stimulus_id"].values.tolist() == stimuli["stimulus_id"].tolist() == NAMES
    for concept, values in zip(assembly["concept"].values, assembly.values[:, :, 0], strict=True):
        assert np.array_equal(values, fake_things.embedding()[fake_things.CONCEPTS.index(concept)].astype(np.float32))
    images = fake_things.jpegs(NAMES)
    assert all(stimuli.get_stimulus(name).read_bytes() == images[f"{name}.jpg"] for name in NAMES)
    assert assembly.attrs["missing_concepts"] == "" and assembly.attrs["n_concepts"] == 10
    assert stimuli.identifier == assembly.attrs["stimulus_set_identifier"]
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)
    assert things.status() == "ready (BRAINSCORE_GRANULARITY_THINGS), images of 10 of 10 concepts"


def test_concepts_without_images_are_named(folder):
    folder([name for name in NAMES if not name.startswith(("camera_lens", "dog"))], table=False)
    assembly = load_dataset(DATA)
    assert assembly.attrs["missing_concepts"] == "camera_lens dog"
    assert set(assembly["concept_index"].values) == set(range(10)) - {2, 6}
    assert things.status().endswith("images of 8 of 10 concepts")


def test_a_damaged_image_is_named(folder):
    root = folder(archive=False)
    (root / "images" / "dog_01b.jpg").write_bytes(b"cut short")
    with pytest.raises(DataMissing, match="dog_01b.jpg: expected SHA-256 .* as in concepts.tsv"):
        load_dataset(DATA)


def test_a_table_in_the_order_of_the_alphabet_is_refused(folder):
    root = folder()
    rows = (root / "concepts.tsv").read_text().splitlines()
    place = {concept: str(i) for i, concept in enumerate(sorted(fake_things.CONCEPTS))}
    other = [rows[0]] + ["\t".join([place[row.split("\t")[1]], *row.split("\t")[1:]]) for row in rows[1:]]
    (root / "concepts.tsv").write_text("\n".join(other) + "\n")
    with pytest.raises(ValueError, match="expected rows in the order of unique_id.txt, where .* is"):
        load_dataset(DATA)


@pytest.mark.parametrize("name", ["unique_id.txt", "spose_embedding_66d_sorted.txt"])
def test_other_files_than_the_owners_are_refused(folder, name):
    path = folder() / name
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    with pytest.raises(DataMissing, match=f"{name}: expected SHA-256 .*osf.io/f5rn6"):
        load_dataset(DATA)


def test_images_of_unknown_concepts_are_refused(folder):
    folder([*NAMES, "unicorn_01b"][1:], table=False)
    with pytest.raises(ValueError, match="expected images of the concepts of unique_id.txt, got unicorn_01b.jpg"):
        load_dataset(DATA)


def test_what_is_not_there_says_how(folder, monkeypatch):
    root = folder()
    (root / "images.zip").write_bytes((root / "images.zip").read_bytes()[:99])
    with pytest.raises(DataMissing, match="images.zip is damaged or cut short"):
        load_dataset(DATA)
    (root / "images.zip").unlink()
    with pytest.raises(DataMissing, match="there is no images.zip.*osf.io/jum2f"):
        load_dataset(DATA)
    assert things.status().startswith("cannot be read") and "no images.zip" in things.status()
    monkeypatch.delenv(things.FOLDER_VARIABLE)
    with pytest.raises(DataMissing, match="set BRAINSCORE_GRANULARITY_THINGS to a folder.*Hebart et al."):
        load_dataset(DATA)


def test_the_real_files(things_concepts, home):
    """1,824 of 1,854 concepts; each row of the embedding is that which the table of the folder says."""
    assembly = load_dataset(DATA)
    with open(things_concepts / "concepts.tsv") as file:
        table = {row["image"]: row for row in csv.DictReader(file, delimiter="\t")}
    owners = np.loadtxt(things_concepts / "spose_embedding_66d_sorted.txt")
    rows = [int(table[f"{name}.jpg"]["row"]) for name in assembly["stimulus_id"].values]
    assert assembly.shape == (1824, 66, 1) and np.allclose(assembly.values[:, :, 0], owners[rows], atol=1e-6)
    alphabet = {name: i for i, name in enumerate(sorted(row["unique_id"] for row in table.values()))}
    wrong = [alphabet[table[f"{name}.jpg"]["unique_id"]] for name in assembly["stimulus_id"].values]
    assert not np.allclose(assembly.values[:, :, 0], owners[wrong], atol=0.1)
    missing = assembly.attrs["missing_concepts"].split()
    assert len(missing) == 30 and missing[:3] == ["baton2", "baton3", "baton4"] and "jukebox" in missing
    stimuli = assembly.attrs["stimulus_set"]
    for name in assembly["stimulus_id"].values[::200]:
        assert sha256_of(stimuli.get_stimulus(name)).startswith(table[f"{name}.jpg"]["sha256_16"])
