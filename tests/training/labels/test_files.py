import json

import numpy as np
import pytest
from brainscore_granularity.training.labels import files as label_files
from brainscore_granularity.training.labels import rule as labels

NAMES = [f"n0{c}/image {i}, {c}.JPEG" for c in range(4) for i in range(5)]  # commas and spaces are allowed in names
LABELS = np.repeat([2, 0, 3, 1], 5)


def lines(path):
    return path.read_text().splitlines()


def test_a_table_comes_back_in_the_order_of_the_data_set(tmp_path):
    path = tmp_path / "labels.csv"
    label_files.write(path, NAMES, LABELS, {"source": "clip", "rule": "pca"})
    table = label_files.read(path, NAMES[::-1])
    assert np.array_equal(table.labels, LABELS[::-1]) and table.k == 4 and table.labels.dtype == np.int64
    assert table.info["source"] == "clip" and table.info["images"] == 20
    assert lines(path)[:2] == ["image,label", '"n00/image 0, 0.JPEG",2']


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "labels.parquet"
    label_files.write(path, NAMES, LABELS, {"source": "clip"})
    assert np.array_equal(label_files.read(path, NAMES).labels, LABELS)
    path.write_bytes(path.read_bytes()[:100])
    path.with_name("labels.parquet.json").unlink()
    with pytest.raises(label_files.LabelFileError, match="not a table with columns image and label"):
        label_files.read(path, NAMES)


def test_without_pyarrow_parquet_is_an_error_that_names_the_way_out(tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(label_files.LabelFileError, match="pip install pyarrow.*; .csv needs nothing"):
            label_files.write(tmp_path / "labels.parquet", NAMES, LABELS, {})
        assert not list(tmp_path.iterdir())
    else:
        pytest.skip("pyarrow is installed")


def test_a_table_of_the_users_own_needs_no_json(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("image,label\r\na,0\r\nb,1\r\nc,2\r\n")
    table = label_files.read(path, ["c", "a", "b"])
    assert table.labels.tolist() == [2, 0, 1] and (table.k, table.info) == (3, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-3], r"no label for 3 of 20 images \(first: n03/image 2, 3.JPEG, n03/image 3"),
        (
            lambda rows: [*rows, "stranger,1", "other,0"],
            r"labels 2 images that the data set lacks \(first: stranger, ot",
        ),
        (lambda rows: [*rows, rows[1]], r"names 1 images twice \(first: n00/image 0, 0.JPEG\)"),
        (lambda rows: ["name,class", *rows[1:]], "expected a first line `image,label`, got 'name,class'"),
        (lambda rows: [*rows[:3], "a;b", *rows[3:]], "line 4: expected `image,integer`, got 'a;b'"),
        (lambda rows: [*rows[:3], "a,cat", *rows[3:]], "line 4: expected `image,integer`, got 'a,cat'"),
        (
            lambda rows: [row.replace('JPEG",3', 'JPEG",7') for row in rows],
            "4 of 8 classes have no image .first: class 3",
        ),
        (lambda rows: [row.replace('JPEG",3', 'JPEG",-3') for row in rows], "must be 0 or more, found -3"),
        (lambda rows: [], "expected a first line `image,label`, got ''"),
    ],
)
def test_bad_tables_are_named_with_the_first_faults(tmp_path, change, message):
    path = tmp_path / "labels.csv"
    label_files.write(path, NAMES, LABELS, {})
    path.with_name("labels.csv.json").unlink()
    path.write_text("\n".join(change(lines(path))))
    with pytest.raises(label_files.LabelFileError, match=message):
        label_files.read(path, NAMES)


def test_a_table_that_was_changed_after_it_was_written_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    label_files.write(path, NAMES, LABELS, {})
    path.write_text(path.read_text().replace(",2\n", ",1\n", 1))
    with pytest.raises(
        label_files.LabelFileError, match="not the file that labels.csv.json describes: .* delete the JSON"
    ):
        label_files.read(path, NAMES)
    path.with_name("labels.csv.json").write_text("{")
    with pytest.raises(label_files.LabelFileError, match="labels.csv.json is damaged"):
        label_files.read(path, NAMES)


def test_labels_that_cannot_be_written(tmp_path):
    path = tmp_path / "labels.csv"
    for labels_, info, message in [
        (np.arange(20) % 3, {"rule": "pca"}, "principal components; .* power of two .* got 3"),
        (LABELS, {"k": 5}, "1 of 5 classes have no image .first: class 4"),
        (LABELS, {"k": 3}, r"must lie in 0..2, found 3"),
        (LABELS[:-1], {}, "expected 20 integer labels"),
        (LABELS / 2, {}, "expected 20 integer labels, got float64"),
    ]:
        with pytest.raises(label_files.LabelFileError, match=message):
            label_files.write(path, NAMES, labels_, info)
    with pytest.raises(label_files.LabelFileError, match="1 images are named twice"):
        label_files.write(path, [*NAMES[:-1], NAMES[0]], LABELS, {})
    with pytest.raises(label_files.LabelFileError, match="end in .csv or .parquet"):
        label_files.write(tmp_path / "labels.txt", NAMES, LABELS, {})
    assert not list(tmp_path.iterdir())
    label_files.write(path, NAMES, np.arange(20) % 3, {"rule": "wordnet"})  # other rules may have any number of classes


def test_a_pca_label_file_with_a_wrong_number_of_classes_is_refused_on_reading(tmp_path):
    path = tmp_path / "labels.csv"
    label_files.write(path, NAMES, np.arange(20) % 3, {"rule": "wordnet"})
    side = path.with_name("labels.csv.json")
    side.write_text(json.dumps({**json.loads(side.read_text()), "rule": "pca"}))
    with pytest.raises(label_files.LabelFileError, match="power of two .* got 3"):
        label_files.read(path, NAMES)


def test_principal_components_come_back_bit_for_bit(tmp_path):
    features = np.random.default_rng(0).normal(size=(50, 9))
    pca = labels.fit_pca(lambda: [features], 3)
    medians = np.median(pca.scores(features), axis=0)
    label_files.write_pca(tmp_path / "pca.safetensors", pca, medians, {"source": "own"})
    again, cut, info = label_files.read_pca(tmp_path / "pca.safetensors")
    assert np.array_equal(again.scores(features), pca.scores(features)) and np.array_equal(cut, medians)
    assert info == {"source": "own"} and np.array_equal(again.variances, pca.variances)
    (tmp_path / "pca.safetensors").write_bytes(b"not this")
    with pytest.raises(label_files.LabelFileError, match="not a file of principal components"):
        label_files.read_pca(tmp_path / "pca.safetensors")


def test_class_sizes():
    assert label_files.class_sizes(LABELS, 4) == {
        "classes": 4,
        "images": 20,
        "smallest": 5,
        "median": 5.0,
        "largest": 5,
        "entropy_bits": 2.0,
    }
    skewed = label_files.class_sizes(np.repeat([0, 1], [3, 1]), 3)
    assert (skewed["smallest"], skewed["median"], skewed["largest"]) == (0, 1.0, 3)
    assert skewed["entropy_bits"] == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
