import doctest

import fake_things as fake
import numpy as np
import pytest

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.registry import DATASETS
from brainscore_granularity.datasets.prepare.things import choices
from brainscore_granularity.datasets.prepare.things import concepts as things
from brainscore_granularity.datasets.prepare.things import images as things_images

SPOSE, TRIPLET = "Hebart2023_local.spose", "Hebart2023_local.triplet"


@pytest.fixture
def source(tmp_path):
    fake.write_things(tmp_path / "owner")
    return tmp_path / "owner"


def test_documented_examples():
    assert doctest.testmod(things).failed == 0


def test_rows_follow_the_owners_order_of_concepts_not_the_sorted_one(home, source):
    assert sorted(fake.CONCEPTS) != fake.CONCEPTS
    assert things.prepare(source) == [SPOSE, TRIPLET] == list(DATASETS["things"].identifiers)
    assembly = store.load(SPOSE)
    for concept, index, values in zip(
        assembly["concept"].values, assembly["concept_index"].values, assembly.values[:, :, 0], strict=True
    ):
        assert fake.CONCEPTS[index] == concept
        assert np.array_equal(values, fake.embedding()[fake.CONCEPTS.index(concept)].astype(np.float32))
    assert list(dict.fromkeys(assembly["concept"].values)) == fake.CONCEPTS


def test_every_image_is_there_with_its_concept(home, source):
    things.prepare(source)
    assembly = store.load(SPOSE)
    stimuli = assembly.attrs["stimulus_set"]
    expected = [name for i, concept in enumerate(fake.CONCEPTS) for name in fake.image_names(concept, 2 + i % 2)]
    assert stimuli["stimulus_id"].tolist() == expected == assembly["stimulus_id"].values.tolist()
    for name, concept in zip(stimuli["stimulus_id"], stimuli["concept"], strict=True):
        assert stimuli.get_stimulus(name) == source / "object_images" / concept / f"{name}.jpg"


def test_means_over_images_of_a_concept_give_the_embedding(home, source):
    things.prepare(source)
    assembly = store.load(SPOSE)
    index = assembly["concept_index"].values
    means = np.stack([assembly.values[index == i, :, 0].mean(axis=0) for i in range(len(fake.CONCEPTS))])
    assert np.allclose(means, fake.embedding(), atol=1e-6)


def test_triplets_are_in_brainscores_format(home, source):
    things.prepare(source)
    assembly = store.load(TRIPLET)
    rows = np.stack([assembly[f"image_{i}"].values for i in (1, 2, 3)], axis=1)
    assert assembly.dims == ("presentation",) and np.array_equal(rows, fake.choices())
    assert np.array_equal(assembly.values, rows[:, 2]) and np.array_equal(assembly["stimulus_id"].values, rows[:, 2])
    assert assembly["triplet_id"].values.tolist() == [f"triplet_{i}" for i in range(len(rows))]
    stimuli = assembly.attrs["stimulus_set"]
    assert stimuli["stimulus_id"].tolist() == list(range(len(fake.CONCEPTS))) == stimuli.index.tolist()
    assert stimuli["concept"].tolist() == fake.CONCEPTS
    assert [stimuli.get_stimulus(i).stem for i in range(len(stimuli))] == [f"{c}_01b" for c in fake.CONCEPTS]


def test_the_owners_table_gives_the_same_choices(home, source):
    """From 1 instead of 0, the odd one anywhere, with rows of the test sets in between."""
    (source / "triplet_dataset" / "validationset.txt").unlink()
    fake.write_choice_table(source / "triplet_dataset" / choices.TRIPLET_TABLE)
    said = []
    things.prepare(source, say=said.append)
    assembly = store.load(TRIPLET)
    assert np.array_equal(np.stack([assembly[f"image_{i}"].values for i in (1, 2, 3)], axis=1), fake.choices())
    assert any(choices.TRIPLET_TABLE in line for line in said)


def test_a_sample_of_the_table_is_the_same_every_time(source):
    path = source / "triplet_dataset" / choices.TRIPLET_TABLE
    fake.write_choice_table(path)
    sample = choices.read_triplet_table(path, len(fake.CONCEPTS), n=15)
    assert np.array_equal(sample, choices.read_triplet_table(path, len(fake.CONCEPTS), n=15))
    rows = {tuple(row) for row in fake.choices()}
    assert len(sample) == 15 and {tuple(row) for row in sample} <= rows


def test_without_triplets_the_embedding_is_prepared_and_the_rest_said(home, source):
    (source / "triplet_dataset" / "validationset.txt").unlink()
    said = []
    assert things.prepare(source, say=said.append) == [SPOSE]
    assert any(TRIPLET in line and "validationset.txt" in line for line in said)


def test_concept_split_is_that_of_the_published_code():
    select, score = things.concept_split(1854)
    permuted = np.random.RandomState(42).permutation(1854)
    assert set(select) == set(permuted[:370]) and len(score) == 1484
    assert sorted([*select, *score]) == list(range(1854))
    again = things.concept_split(1854)
    assert np.array_equal(select, again[0]) and np.array_equal(score, again[1])
    assert not np.array_equal(select, things.concept_split(1854, seed=43)[0])


def test_rsa_with_the_embedding_itself_is_one(home, source):
    from brainscore_granularity import rsa
    from brainscore_granularity.brains.benchmark import RSABenchmark
    from brainscore_granularity.brains.targets import from_responses

    things.prepare(source)
    benchmark = RSABenchmark("fake.spose-rsa", 1, "IT", lambda: from_responses(store.load(SPOSE)), 8, bibtex="")
    stimuli = store.load(SPOSE).attrs["stimulus_set"]
    features = fake.embedding()[stimuli["concept_index"]]
    assert benchmark.layer_scores(rsa.rdm(features))[0] == pytest.approx(1, abs=0.01)  # ties break in float32
    permuted = np.random.default_rng(0).permutation(features)
    assert abs(benchmark.layer_scores(rsa.rdm(permuted))[0]) < 0.3


def test_odd_one_out_of_planted_features(home, source):
    from given_model import Given

    from brainscore_granularity.brains.odd_one_out import OddOneOutBenchmark

    things.prepare(source)
    benchmark = OddOneOutBenchmark("fake.triplet", 1, lambda: store.load(TRIPLET), 1.0, 8, bibtex="")
    planted = benchmark(Given(fake.embedding()))
    assert 0 <= planted.attrs["raw"] <= 1 and planted.attrs["error"] > 0
    with pytest.raises(ValueError, match="10 of 10 images have constant features"):
        benchmark(Given(np.ones((len(fake.CONCEPTS), 4))))
    assert np.array_equal(benchmark.triplets, fake.choices())


def test_missing_files_say_what_and_where_from(home, tmp_path, source):
    with pytest.raises(FileNotFoundError, match="unique_id.txt, spose_embedding_66d_sorted.txt.*osf.io/f5rn6"):
        things.prepare(tmp_path / "nothing")
    (source / "object_images").rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match="images.*aardvark.*osf.io/jum2f.*--images"):
        things.prepare(source)
    things.prepare(source, images=tmp_path / "elsewhere")
    assert store.state(SPOSE)[0] == "ready"


def test_images_are_found_again_by_other_data_sets(home, source, tmp_path):
    things.prepare(source)
    found = things_images.folder("dog/dog_01b.jpg", tmp_path / "other")
    assert found == source / "object_images"


def without_images(source, concepts):
    for concept in concepts:
        for path in (source / "object_images" / concept).iterdir():
            path.unlink()


def test_a_part_of_the_concepts_is_prepared_and_the_others_are_named(home, source):
    without_images(source, ["aardvark", "camera1"])
    said = []
    assert things.prepare(source, say=said.append) == [SPOSE, TRIPLET]
    assert "no images of 2 of 10 concepts: aardvark, camera1; prepared without them" in said
    assembly, choices_left = store.load(SPOSE), store.load(TRIPLET)
    assert assembly.attrs["n_concepts"] == 10 and assembly.attrs["missing_concepts"] == "aardvark camera1"
    source_of = store.source_of(SPOSE)
    assert (source_of["concepts"], source_of["of_concepts"]) == (8, 10)
    for index, concept in zip(assembly["concept_index"].values, assembly["concept"].values, strict=True):
        assert fake.CONCEPTS[index] == concept != "camera1"  # numbers stay those of the owners
    kept = np.stack([choices_left[f"image_{i}"].values for i in (1, 2, 3)], axis=1)
    assert np.array_equal(kept, [row for row in fake.choices() if not {0, 3} & set(row)]) and 0 < len(kept) < 40


def test_fewer_than_half_of_the_concepts_are_too_few(home, source):
    without_images(source, [name for name in fake.CONCEPTS if name not in ("dog", "wig", "altar", "camera2")])
    with pytest.raises(FileNotFoundError, match="images of 6 of 10 concepts: aardvark, camera_lens, .*at least half"):
        things.prepare(source)


def test_concepts_in_the_order_of_the_alphabet_are_refused(things_concepts, tmp_path):
    """Twenty rows of the embedding would then belong to other concepts."""
    names = (things_concepts / "unique_id.txt").read_text().split()
    (tmp_path / "unique_id.txt").write_text("\n".join(sorted(names)))
    with pytest.raises(ValueError, match="owners' order of concepts, as in the embedding, got the alphabet"):
        things.read_concepts(tmp_path / "unique_id.txt")


def test_hidden_files_and_images_of_other_concepts_are_no_images(home, source):
    folder = source / "object_images" / "dog"
    (folder / "._dog_01b.jpg").write_bytes(b"resource fork")
    (folder / "wig_01b.jpg").write_bytes((folder / "dog_01b.jpg").read_bytes())
    things.prepare(source)
    names = store.load(SPOSE)["stimulus_id"].values.tolist()
    assert len(set(names)) == len(names) and "._dog_01b" not in names


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [
        ("data/spose_embedding_66d_sorted.txt", 0.5, "cut short"),
        ("variables/unique_id.txt", 0.5, "expected . rows of finite numbers"),
        ("triplet_dataset/validationset.txt", 0.99, "cut short|expected"),
    ],
)
def test_truncated_file_is_named(home, source, name, cut, message):
    path = source / name
    content = path.read_bytes().rstrip()
    path.write_bytes(content[: int(len(content) * cut)].rstrip(b"0123456789"))
    with pytest.raises(ValueError, match=message) as error:
        things.prepare(source)
    assert path.name in str(error.value)


def test_the_full_number_of_triplets_is_asked_for(tmp_path):
    rows = np.stack([np.arange(100), np.arange(100) + 1, np.arange(100) + 2], axis=1)
    np.savetxt(tmp_path / "validationset.txt", rows, fmt="%d")
    with pytest.raises(ValueError, match="expected 453642 lines, got 100"):
        choices.read_triplets(tmp_path / "validationset.txt", 1854)


@pytest.mark.parametrize("row", ["0 1 10", "-1 2 3", "4 4 5"])
def test_triplets_that_cannot_be_are_refused(tmp_path, row):
    path = tmp_path / "validationset.txt"
    path.write_text(f"0 1 2\n{row}\n")
    with pytest.raises(ValueError, match="validationset.txt: expected three"):
        choices.read_triplets(path, 10)


def test_two_different_files_of_one_name_are_refused(home, source):
    (source / "unique_id.txt").write_text("something\nelse\n")
    with pytest.raises(ValueError, match="different files unique_id.txt"):
        things.prepare(source)


def test_what_is_there_is_not_made_again_until_something_changes(home, source):
    things.prepare(source)
    record = store.root() / SPOSE / "prepared.json"
    before = record.stat().st_mtime_ns
    things.prepare(source)
    assert record.stat().st_mtime_ns == before
    np.savetxt(source / "data" / "spose_embedding_66d_sorted.txt", fake.embedding() + 1, delimiter=" ")
    things.prepare(source)
    assert store.load(SPOSE).values.min() >= 1
