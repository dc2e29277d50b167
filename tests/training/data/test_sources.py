import io
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from brainscore_granularity.training.data import sources
from PIL import Image


def jpeg(value: int, size=(8, 8)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (value % 256, 50, 100)).save(file, "JPEG")
    return file.getvalue()


FILES = {f"{label}/{i}.jpg": jpeg(40 * c + i, (8 + i, 8)) for c, label in enumerate("bac") for i in range(5)}


def in_folder(root, files=FILES, prefix=""):
    for name, content in files.items():
        path = root / (prefix + name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def in_zip(path, files=FILES, prefix="", folders=()):
    with zipfile.ZipFile(path, "w") as archive:
        for name in folders:
            archive.writestr(name, b"")
        for name, content in files.items():
            archive.writestr(prefix + name, content)
    return path


def assert_same(a, b):
    assert (a.names, a.classes, a.fingerprint) == (b.names, b.classes, b.fingerprint)
    assert np.array_equal(a.labels, b.labels) and a.labels.dtype == np.int64
    assert all(a.read(i) == b.read(i) for i in range(len(a)))


def test_the_same_images_are_the_same_source_wherever_they_lie(tmp_path):
    plain = sources.find(in_folder(tmp_path / "plain"))
    assert plain.classes == ("a", "b", "c") and plain.names[:2] == ("a/0.jpg", "a/1.jpg") and len(plain) == 15
    assert plain.labels.tolist() == np.repeat([0, 1, 2], 5).tolist()
    assert all(plain.read(i) == FILES[name] for i, name in enumerate(plain.names))

    assert_same(plain, sources.find(in_folder(tmp_path / "split", prefix="train/")))
    assert_same(plain, sources.find(in_folder(tmp_path / "outer", prefix="some-data-200/train/")))
    assert_same(plain, sources.find(str(in_folder(tmp_path / "wrapped", prefix="some-data-200/"))))
    assert_same(plain, sources.find(in_zip(tmp_path / "one.zip", prefix="train/", folders=("train/", "train/a/"))))
    assert_same(plain, sources.find(in_zip(tmp_path / "bare.zip")))
    halves = dict(list(FILES.items())[::2]), dict(list(FILES.items())[1::2])
    (tmp_path / "zips").mkdir()
    zips = [in_zip(tmp_path / "zips" / f"train_{i}.zip", half, "train/") for i, half in enumerate(halves)]
    in_zip(tmp_path / "zips" / "val.zip", {"a/x.jpg": jpeg(1)}, "val/")
    assert_same(plain, sources.find(zips))
    assert_same(plain, sources.find(zips[::-1]))
    assert_same(plain, sources.find(tmp_path / "zips"))
    assert sources.find(tmp_path / "zips", split="val").names == ("a/x.jpg",)


def test_images_may_lie_deeper_and_other_files_are_passed_over(tmp_path):
    content = jpeg(0)
    files = {"n1/images/n1_0.JPEG": content, "n1/n1_boxes.txt": b"0 0", "n2/images/n2_0.JPEG": content}
    files |= {"n2/.hidden.jpg": content, "readme.jpg": content}
    source = sources.find(in_folder(tmp_path, files, "tiny/train/"))
    assert source.names == ("n1/images/n1_0.JPEG", "n2/images/n2_0.JPEG") and source.classes == ("n1", "n2")


def test_a_class_may_be_called_like_a_split(tmp_path):
    files = {"train/0.png": jpeg(0), "val/0.png": jpeg(1), "bus/0.png": jpeg(2)}
    source = sources.find(in_folder(tmp_path, files, "train/"))
    assert source.classes == ("bus", "train", "val")


def test_names_are_grouped_by_class_even_where_text_order_differs(tmp_path):
    source = sources.find(in_folder(tmp_path, {"a/1.jpg": jpeg(0), "a b/1.jpg": jpeg(1), "a/2.jpg": jpeg(2)}))
    assert source.classes == ("a", "a b") and source.labels.tolist() == [0, 0, 1]


def test_fingerprint_sees_names_and_sizes(tmp_path):
    base = sources.find(in_folder(tmp_path / "a")).fingerprint
    renamed = {name.replace("0.jpg", "9.jpg"): content for name, content in FILES.items()}
    longer = FILES | {"a/0.jpg": FILES["a/0.jpg"] + b"\0"}
    prints = [sources.find(in_folder(tmp_path / str(i), f)).fingerprint for i, f in enumerate((renamed, longer))]
    assert len({base, *prints}) == 3


def test_subsets_are_balanced_nested_and_set_by_the_seed(tmp_path):
    files = {f"{label}/{i}.jpg": b"x" for label in "abc" for i in range(30)}
    folder = in_folder(tmp_path, files)
    subsets = {d: sources.find(folder, images_per_class=d, seed=1) for d in (1, 3, 10, 30)}
    for d, source in subsets.items():
        assert np.bincount(source.labels).tolist() == [d, d, d] and list(source.names) == sorted(source.names)
    names = [set(source.names) for source in subsets.values()]
    assert names[0] < names[1] < names[2] < names[3] == set(files)
    assert set(sources.find(folder, images_per_class=10, seed=2).names) != names[2]
    assert sources.find(folder, images_per_class=10, seed=1).fingerprint == subsets[10].fingerprint
    # The choice does not depend on the other classes.
    for name in [name for name in files if name.startswith("b/")]:
        (folder / name).unlink()
    (folder / "b").rmdir()
    alone = sources.find(folder, images_per_class=10, seed=1)
    assert set(alone.names) == {name for name in names[2] if not name.startswith("b/")}


def test_subsets_are_fair_draws():
    """Over many seeds every image is chosen equally often."""
    keys = [("a", f"{i}.jpg") for i in range(20)]
    chosen = [key for seed in range(2000) for key in sources._subset(keys, 5, seed)]
    counts = np.array([chosen.count(key) for key in keys])
    assert counts.sum() == 10_000
    assert (((counts - 500) ** 2) / 500).sum() < 45  # chi-square with 19 degrees of freedom: p = 0.0007


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "test"}, r"no images of split 'test'.*splits there: train, val"),
        ({"images_per_class": 4}, r"expected 4 images per class, but 1 classes have fewer: b \(2\). Ask for at most 2"),
        ({"images_per_class": 0}, "must be 1 or more, got 0"),
    ],
)
def test_what_is_not_there_is_said(tmp_path, arguments, message):
    in_folder(tmp_path, {f"a/{i}.jpg": b"" for i in range(5)} | {f"b/{i}.jpg": b"" for i in range(2)}, "train/")
    in_folder(tmp_path, {"a/0.jpg": b""}, "val/")
    with pytest.raises(sources.SourceError, match=message):
        sources.find(tmp_path, **arguments)


def test_a_class_without_images_is_an_error_in_folders_and_zips(tmp_path):
    folder = in_folder(tmp_path / "folder", prefix="train/")
    (folder / "train" / "empty").mkdir()
    archive = in_zip(tmp_path / "x.zip", prefix="train/", folders=("train/", "train/empty/"))
    for path in (folder, archive):
        with pytest.raises(sources.SourceError, match="1 classes have no image: empty"):
            sources.find(path)


def test_images_without_splits_are_not_taken_for_a_held_out_split(tmp_path):
    with pytest.raises(sources.SourceError, match=r"splits there: train \(no split folders\)"):
        sources.find(in_folder(tmp_path / "data"), split="val")
    assert len(sources.find(in_folder(tmp_path / "val"), split="val")) == 15


def test_bad_paths_say_what_to_give(tmp_path):
    with pytest.raises(sources.SourceError, match="does not exist; give a folder of images, a zip"):
        sources.find(tmp_path / "nowhere")
    with pytest.raises(sources.SourceError, match="no image files there. Expected <split>/<class>/<file>"):
        sources.find(tmp_path)
    (tmp_path / "cut.zip").write_bytes(in_zip(tmp_path / "whole.zip").read_bytes()[:900])
    with pytest.raises(sources.SourceError, match="cut.zip is neither a folder nor an intact zip"):
        sources.find(tmp_path / "cut.zip")
    with pytest.raises(sources.SourceError, match="lies both in .*whole.zip and in .*again.zip"):
        sources.find([tmp_path / "whole.zip", in_zip(tmp_path / "again.zip", {"a/0.jpg": b""})])


_source = None


def _sizes(rows):
    return [len(_source.read(i)) for i in rows]


def _receive(pickled):
    global _source
    _source = pickle.loads(pickled)


def test_many_processes_read_one_zip(tmp_path):
    files = {f"{'abc'[i % 3]}/{i}.jpg": bytes([i % 251]) * (1000 + i) for i in range(600)}
    source = sources.find(in_zip(tmp_path / "x.zip", files))
    source.read(0)  # the parent has the zip open when it forks
    assert pickle.loads(pickle.dumps(source)).read(7) == source.read(7)
    rows = np.array_split(np.arange(600), 40)
    with ProcessPoolExecutor(3, get_context("fork"), _receive, (pickle.dumps(source),)) as pool:
        found = np.concatenate(list(pool.map(_sizes, rows)))
    assert found.tolist() == [len(files[name]) for name in source.names]


@pytest.mark.slow
def test_real_zips(real_data):
    tiny = sources.find(real_data / "tiny_imagenet")
    held_out = sources.find(real_data / "tiny_imagenet", split="val")
    assert len(tiny) == 60_000 and np.bincount(tiny.labels).tolist() == [300] * 200
    assert len(held_out) == 10_000 and held_out.classes == tiny.classes
    assert tiny.names[0] == "n01443537/n01443537_0.JPEG"
    with Image.open(io.BytesIO(tiny.read(59_999))) as image:
        assert image.size == (64, 64)
    few = [sources.find(real_data / "tiny_imagenet", images_per_class=d) for d in (1, 10, 300)]
    assert [len(source) for source in few] == [200, 2000, 60_000]
    assert set(few[0].names) < set(few[1].names) < set(few[2].names)

    cifar = sources.find(real_data / "cifar10")
    assert len(cifar) == 8000 and len(cifar.classes) == 10 and np.bincount(cifar.labels).tolist() == [800] * 10
    assert len(sources.find(real_data / "cifar10", split="test")) == 2000
    with pytest.raises(sources.SourceError, match="splits there: test, train"):
        sources.find(real_data / "cifar10", split="val")
