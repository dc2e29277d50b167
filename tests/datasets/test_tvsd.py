import signal
import tracemalloc
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import fake_things as fake
import h5py
import numpy as np
import pytest

from brainscore_granularity.datasets.prepare import store, tvsd
from brainscore_granularity.datasets.prepare.registry import DATASETS

REGIONS = ("V1", "V4", "IT")
IDENTIFIERS = [f"Papale2025_local.{region}.{split}" for region in REGIONS for split in ("test", "train")]


@pytest.fixture
def source(tmp_path):
    fake.write_images(tmp_path / "owner" / "object_images", fake.TVSD_TRAIN + fake.TVSD_TEST)
    return fake.write_tvsd(tmp_path / "owner")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tvsd")
    fake.write_images(folder / "owner" / "object_images", fake.TVSD_TRAIN + fake.TVSD_TEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(folder / "home"))
        builds = tvsd.prepare(fake.write_tvsd(folder / "owner"))
    return folder, builds


@pytest.fixture
def prepared(made_once, monkeypatch):
    """The owners' folder, prepared into a home that tests must not change, and the identifiers that were made."""
    folder, builds = made_once
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(folder / "home"))
    return folder / "owner", builds


def packaging():
    """Brain-Score's own script that made its Papale2025, an independent reading of the same files."""
    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    path = folder / "data" / "papale2025" / "data_packaging" / "package_papale2025.py"
    if not path.is_file():
        pytest.skip(f"this Brain-Score does not ship {path.name}")
    spec = spec_from_file_location("package_papale2025", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_value_is_of_the_right_electrode_image_and_repeat(prepared):
    assert sorted(prepared[1]) == sorted(IDENTIFIERS) == sorted(DATASETS["tvsd"].identifiers)
    for region in REGIONS:
        test, train = (store.load(f"Papale2025_local.{region}.{split}") for split in ("test", "train"))
        for assembly in (test, train):
            assert assembly.dims == ("presentation", "neuroid", "time_bin") and assembly.dtype == np.float32
            assert set(assembly["region"].values) == {region}
            assert list(dict.fromkeys(assembly["subject"].values)) == ["monkeyF", "monkeyN"]
        for (monkey, electrode), values in zip(
            zip(train["subject"].values, train["electrode"].values, strict=True), train.values[:, :, 0].T, strict=True
        ):
            images = [fake.TVSD_TRAIN.index(name) for name in train["stimulus_id"].values]
            assert np.array_equal(values, [fake.tvsd_train(monkey, image, electrode) for image in images])
        images = [fake.TVSD_TEST.index(name) for name in test["stimulus_id"].values]
        for i in range(0, test.sizes["neuroid"], 37):
            monkey, electrode = test["subject"].values[i], test["electrode"].values[i]
            planted = [
                fake.tvsd_test(monkey, image, repeat, electrode)
                for image, repeat in zip(images, test["repetition"].values, strict=True)
            ]
            assert np.array_equal(test.values[:, i, 0], planted)


def test_areas_of_the_electrodes(prepared):
    """The map of monkey F is not that of monkey N: its V4 lies behind IT."""
    expected = {
        "V1": {"monkeyF": (0, 511), "monkeyN": (0, 511)},
        "V4": {"monkeyF": (832, 1023), "monkeyN": (512, 767)},
        "IT": {"monkeyF": (512, 831), "monkeyN": (768, 1023)},
    }
    for region, monkeys in expected.items():
        assembly = store.load(f"Papale2025_local.{region}.test")
        for monkey, (first, last) in monkeys.items():
            electrodes = assembly["electrode"].values[assembly["subject"].values == monkey]
            assert electrodes.tolist() == list(range(first, last + 1))
        numbers = [int(name[-4:]) for name in assembly["neuroid_id"].values]
        assert numbers == assembly["electrode"].values.tolist()
        assert len(set(assembly["neuroid_id"].values)) == assembly.sizes["neuroid"]


def test_what_is_said_of_the_electrodes(prepared):
    assembly = store.load("Papale2025_local.IT.train")
    electrode = assembly["electrode"].values
    pairs = fake.REPEATS * (fake.REPEATS - 1) // 2
    planted = np.mean([fake.tvsd_reliability(pair, electrode) for pair in range(pairs)], axis=0)
    assert np.allclose(assembly["reliability"].values, planted)
    assert np.allclose(assembly["SNR"].values, electrode + 1)  # the mean of the days 0, 1 and 2
    assert np.allclose(assembly["SNR_max"].values, 2 * electrode)
    assert np.allclose(assembly["oracle"].values, electrode / 4096)


@pytest.mark.parametrize("split", ["train", "test"])
def test_agrees_with_brainscores_packaging(prepared, split):
    import mat73

    (source, _), script = prepared, packaging()
    shown = mat73.loadmat(source / "monkeyF" / "_logs" / "things_imgs.mat")
    stimuli = script.get_stimulus_set(shown, source / "object_images", split)
    reference = script.get_neuroid_assembly(source, stimuli, split, False, 0.3)
    for region in REGIONS:
        ours = store.load(f"Papale2025_local.{region}.{split}")
        theirs = reference.sel(neuroid=reference["region"] == region)
        assert np.array_equal(ours.values, theirs.values.astype(np.float32))
        for name in ("stimulus_id", "stimulus_label", "object_name", "stimulus_label_idx", "repetition", "subject"):
            assert ours[name].values.tolist() == theirs[name].values.tolist(), name
        for name in ("SNR", "SNR_max", "reliability", "oracle"):
            assert np.allclose(ours[name].values, np.ravel(theirs[name].values)), name
        table = ours.attrs["stimulus_set"]
        for name in ("stimulus_id", "label", "object_name", "label_idx"):
            assert table[name].tolist() == stimuli[name].tolist(), name
        for name in table["stimulus_id"]:
            assert table.get_stimulus(name) == stimuli.get_stimulus(name)


def test_area_map_is_brainscores():
    script = packaging()
    for monkey, areas in script.REGION_CHANNELS_MAP.items():
        assert {r: (s.start, s.stop - 1) for r, s in tvsd.AREAS[monkey].items()} == areas


def test_one_monkey_is_enough_and_said(home, source):
    (source / "monkeyN" / "THINGS_normMUA.mat").unlink()
    said = []
    tvsd.prepare(source, say=said.append)
    assert said[0].startswith("prepared from monkeyF alone; not there: ") and "monkeyN/THINGS_normMUA.mat" in said[0]
    assembly = store.load("Papale2025_local.V4.test")
    assert set(assembly["subject"].values) == {"monkeyF"} and assembly.sizes["neuroid"] == 192
    assert store.source_of("Papale2025_local.V4.test")["monkeys"] == ["monkeyF"]


def test_the_second_monkey_that_comes_later_is_added(home, source):
    kept = source / "monkeyN"
    kept.rename(source / "elsewhere")
    tvsd.prepare(source)
    (source / "elsewhere").rename(kept)
    tvsd.prepare(source)
    assert set(store.load("Papale2025_local.V1.test")["subject"].values) == {"monkeyF", "monkeyN"}


def test_what_is_there_is_not_made_again(home, source):
    tvsd.prepare(source)
    records = {name: (store.root() / name / "prepared.json") for name in IDENTIFIERS}
    before = {name: path.stat().st_mtime_ns for name, path in records.items()}
    tvsd.prepare(source)
    assert before == {name: path.stat().st_mtime_ns for name, path in records.items()}
    fake.write_tvsd(source, reliab=np.zeros((1024, 6)))
    tvsd.prepare(source)
    assert (store.load("Papale2025_local.V1.test")["reliability"].values == 0).all()


def test_killed_run_goes_on_where_it_was(forked, home, source):
    """SIGKILL after the first region: its builds stay as they are, the others are made by the next run."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from brainscore_granularity.datasets.prepare import tvsd\n"
        "def say(line):\n"
        "    if line.startswith('Papale2025_local.V4.test'): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"tvsd.prepare(Path({str(source)!r}), say=say)\n"
    )
    killed = forked.run(program)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [store.state(name)[0] for name in IDENTIFIERS] == [
        "ready",
        "ready",
        "ready",
        "missing",
        "missing",
        "missing",
    ]
    first = store.root() / "Papale2025_local.V1.train" / "prepared.json"
    before = first.stat().st_mtime_ns
    tvsd.prepare(source)
    assert all(store.state(name)[0] == "ready" for name in IDENTIFIERS) and first.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["THINGS_normMUA.mat", "_logs/things_imgs.mat"])
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_truncated_file_is_named_and_nothing_is_made_of_it(home, source, name, share):
    path = source / "monkeyF" / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(OSError, match=f"{path} cannot be read"):
        tvsd.prepare(source)
    assert not any(store.state(identifier)[0] == "ready" for identifier in IDENTIFIERS)


def test_missing_files_say_what_and_where_from(home, tmp_path):
    with pytest.raises(FileNotFoundError, match="THINGS_normMUA.mat.*licence.*gin.g-node.org"):
        tvsd.prepare(tmp_path)


def test_missing_images_say_where_from(home, source):
    (source / "object_images").rename(source / "somewhere")
    with pytest.raises(FileNotFoundError, match=r"altar/altar_13b.jpg.*osf.io/jum2f.*--images"):
        tvsd.prepare(source)
    tvsd.prepare(source, images=source / "somewhere")
    assert store.state("Papale2025_local.V1.test")[0] == "ready"
    (source / "somewhere").rename(source / "object_images")
    assert store.state("Papale2025_local.V1.test")[0] == "damaged"
    tvsd.prepare(source)
    path = store.load("Papale2025_local.V1.test").attrs["stimulus_set"].get_stimulus("altar_13b")
    assert path == source / "object_images" / "altar" / "altar_13b.jpg"


def test_monkeys_with_other_images_are_refused(home, source):
    names = [name for name in fake.TVSD_TEST[::-1]]
    paths = [f"{name.rsplit('_', 1)[0]}\\{name}.jpg" for name in names]
    log = source / "monkeyN" / "_logs" / "things_imgs.mat"
    train = [f"{name.rsplit('_', 1)[0]}\\{name}.jpg" for name in fake.TVSD_TRAIN]
    fake.write_matlab(log, {"train_imgs": {"things_path": train}, "test_imgs": {"things_path": paths}})
    with pytest.raises(ValueError, match="monkeyN.*expected the test images of monkeyF"):
        tvsd.prepare(source)


def test_wrong_shape_says_what_was_expected(home, source):
    fake.write_tvsd(source, train_MUA=np.zeros((1024, 3)))
    with pytest.raises(ValueError, match=r"train_MUA: expected 20 x 1024, got 3 x 1024"):
        tvsd.prepare(source)


def test_electrodes_with_nan_are_dropped_from_both_splits_and_named(home, source):
    n = len(fake.TVSD_TRAIN)
    train = np.arange(1024.0)[:, None] + np.zeros((1024, n))
    train[700, 2] = np.nan
    fake.write_tvsd(source, train_MUA=train)
    said = []
    tvsd.prepare(source, say=said.append)
    for split in ("train", "test"):
        assembly = store.load(f"Papale2025_local.IT.{split}")
        assert 700 not in assembly["electrode"].values and assembly.sizes["neuroid"] == 320 + 256 - 1
    assert any("IT: 1 electrodes" in line and "monkeyF_IT_e0700" in line for line in said)
    assert store.source_of("Papale2025_local.IT.test")["dropped_electrodes"] == ["monkeyF_IT_e0700"]


def test_memory_stays_below_one_monkeys_table(home, tmp_path):
    """20,000 training images: the doubles of one monkey would be 164 MB, those of both 328 MB."""
    n = 20_000
    source = fake.write_tvsd(tmp_path / "owner", monkeys=["monkeyF"])
    with h5py.File(source / "monkeyF" / "THINGS_normMUA.mat", "a") as file:
        del file["train_MUA"]
        file.create_dataset("train_MUA", (n, 1024), "<f8", chunks=(64, 64))  # nothing is allocated: all zeros
    tracemalloc.start()
    with h5py.File(source / "monkeyF" / "THINGS_normMUA.mat") as file:
        values = tvsd.read_train(file, n, tvsd.AREAS["monkeyF"]["V4"], "monkeyF V4")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values.shape == (n, 192) and peak < values.nbytes + 40e6


@pytest.mark.slow
def test_images_that_brainscore_ships_the_list_of(home):
    """The real list of images: 22,248 of 1,854 concepts in training, and 100 for testing."""
    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    path = folder / "data" / "papale2025" / "data_packaging" / "things_imgs.mat"
    if not path.is_file():
        pytest.skip(f"this Brain-Score does not ship {path.name}")
    train, test = tvsd.read_images(path, "train"), tvsd.read_images(path, "test")
    assert train[0] == "aardvark/aardvark_01b.jpg" and test[-1] == "wig/wig_13s.jpg"
    assert len(set(train)) == 22_248 and len({name.split("/")[0] for name in train}) == 1_854
    assert len(set(test)) == 100 and not set(train) & set(test)
