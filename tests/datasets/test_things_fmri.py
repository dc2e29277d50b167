import hashlib
import signal
import tracemalloc
from functools import cache

import fake_things as fake
import h5py
import numpy as np
import pandas as pd
import pytest

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.registry import DATASETS
from brainscore_granularity.datasets.prepare.things import fmri as things_fmri
from brainscore_granularity.datasets.prepare.things import fmri_tables as things_fmri_tables

IT = ("glasser-TE1p", "glasser-PHA3")
ROWS = {  # of the table of voxels, in its order
    "V1": [3, 4, 499, 500],
    "V2": [10, 1206],
    "V4": [11, 12, 13],
    "LOC": [600, 601, 700, 701],
    "IT": [600, 900, 901, 1000],
}
IDENTIFIERS = [f"Hebart2023_fmri_local.{region}.{split}" for region in ROWS for split in things_fmri.SPLITS]


def write(folder, **options):
    fake.write_images(folder / "object_images", fake.FMRI_TRAIN + fake.FMRI_TEST)
    fake.write_fmri(folder / "betas_csv", **options)
    return folder


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "owner")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things_fmri")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(folder / "home"))
        builds = things_fmri.prepare(write(folder / "owner"))
    return folder, builds


@pytest.fixture
def prepared(made_once, monkeypatch):
    """The owners' folder, prepared into a home that tests must not change, and the identifiers that were made."""
    folder, builds = made_once
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(folder / "home"))
    return folder / "owner", builds


@cache
def expected(subject, row):
    """z-scored responses of a voxel as a table of trials, computed by pandas."""
    trials = fake.fmri_trials(subject)
    values = pd.Series(fake.fmri_responses(subject)[row])
    groups = values.groupby(trials["session"])
    return trials.assign(value=(values - groups.transform("mean")) / groups.transform("std", ddof=0))


@pytest.mark.slow
@pytest.mark.parametrize("table_format", ["fixed", "table"])
def test_every_value_is_of_the_right_voxel_image_and_repetition(home, tmp_path, table_format):
    things_fmri.prepare(write(tmp_path / "owner", table_format=table_format))
    for region, rows in ROWS.items():
        builds = {split: store.load(f"Hebart2023_fmri_local.{region}.{split}") for split in things_fmri.SPLITS}
        for split, assembly in builds.items():
            assert assembly["subject"].values.tolist() == [s for s in ("01", "02", "03") for _ in rows]
            assert assembly["voxel_id"].values.tolist() == [row + 5 for row in rows] * 3
            assert set(assembly["region"].values) == {region}
            names = fake.FMRI_TEST if split == "test" else fake.FMRI_TRAIN
            assert set(assembly["stimulus_id"].values) <= set(names)
            for i, (subject, voxel) in enumerate(
                zip(assembly["subject"].values, assembly["voxel_id"].values, strict=True)
            ):
                trials = expected(int(subject), voxel - 5)
                planted = [
                    trials.loc[trials["stimulus"] == f"{name}.jpg", "value"].to_numpy()[repetition]
                    for name, repetition in zip(
                        assembly["stimulus_id"].values, assembly["repetition"].values, strict=True
                    )
                ]
                assert np.allclose(assembly.values[:, i, 0], planted, atol=1e-5)


@pytest.mark.slow
def test_splits(prepared):
    source, builds = prepared
    assert builds == IDENTIFIERS == list(DATASETS["things-fmri"].identifiers)
    train, test, concepts = (store.load(f"Hebart2023_fmri_local.V1.{split}") for split in things_fmri.SPLITS)
    assert train["stimulus_id"].values.tolist() == sorted(fake.FMRI_TRAIN)
    assert (train["repetition"].values == 0).all()
    assert test["stimulus_id"].values.tolist() == [name for name in sorted(fake.FMRI_TEST) for _ in range(4)]
    assert test["repetition"].values.tolist() == [0, 1, 2, 3] * 3
    assert concepts["stimulus_id"].values.tolist() == ["camera1_01b", "camera_lens_01b", "chest1_01b", "dog_01b"]
    assert concepts["object_name"].values.tolist() == ["camera1", "camera_lens", "chest1", "dog"]
    rows = [train["stimulus_id"].values.tolist().index(name) for name in concepts["stimulus_id"].values]
    assert np.array_equal(concepts.values, train.values[rows])
    sets = {split.attrs["stimulus_set_identifier"] for split in (train, test, concepts)}
    assert len(sets) == 3
    path = train.attrs["stimulus_set"].get_stimulus("dog_02s")
    assert path == source / "object_images" / "dog" / "dog_02s.jpg"


@pytest.mark.slow
def test_neuroids_are_the_same_in_all_splits_and_unique(prepared):
    for region in ROWS:
        train, *others = (store.load(f"Hebart2023_fmri_local.{region}.{split}") for split in things_fmri.SPLITS)
        assert len(set(train["neuroid_id"].values)) == train.sizes["neuroid"]
        for other in others:
            assert other.indexes["neuroid"].equals(train.indexes["neuroid"])


def test_regions(prepared):
    """IT is Brain-Score's nine areas and not the owners' column IT; LOC is the localiser's and not LO1 and LO2."""
    assembly = store.load("Hebart2023_fmri_local.IT.test")
    assert assembly["roi"].values.tolist() == ["glasser-TE1p", "glasser-TE1p", "glasser-PHA3", "glasser-PHA3"] * 3
    assert store.load("Hebart2023_fmri_local.LOC.test")["roi"].values.tolist() == ["lLOC", "lLOC", "lLOC", "rLOC"] * 3
    assert set(store.load("Hebart2023_fmri_local.V4.test")["roi"].values) == {"hV4"}


def test_regions_and_columns_are_brainscores():
    from importlib.util import find_spec, module_from_spec, spec_from_file_location
    from pathlib import Path

    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    path = folder / "data" / "hebart2023_fmri" / "data_packaging" / "package_hebart2023fmri.py"
    if not path.is_file():
        pytest.skip(f"this Brain-Score does not ship {path.name}")
    spec = spec_from_file_location("package_hebart2023fmri", path)
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    for region, columns in script.ROIS.items():
        assert list(things_fmri_tables.REGIONS[region]) == columns
    assert list(things_fmri_tables.ABOUT_VOXELS) == script.METADATA_COLUMNS
    assert set(things_fmri_tables.REGIONS) == set(script.ROIS) | {"LOC"} == set(ROWS)


def test_what_the_owners_say_of_voxels(prepared):
    assembly = store.load("Hebart2023_fmri_local.V2.train")
    table = fake.fmri_voxels(1)
    for name in things_fmri_tables.ABOUT_VOXELS:
        assert np.allclose(assembly[name].values, table[name].to_numpy()[ROWS["V2"] * 3])


@pytest.mark.slow
def test_reliability_of_planted_signal_and_noise(home, tmp_path):
    """V1 answers each image alike every time, V2 is noise; split halves are of the test images."""

    def responses(subject):
        values = fake.fmri_responses(subject)
        names = fake.fmri_trials(subject)["stimulus"]
        code = {name: i for i, name in enumerate(sorted(set(names)))}
        values[ROWS["V1"]] = [code[name] for name in names] + 0.01 * values[ROWS["V1"]]
        return values

    things_fmri.prepare(write(tmp_path / "owner", subjects=(1,), responses=responses))
    assert (store.load("Hebart2023_fmri_local.V1.test")["reliability"].values > 0.95).all()
    for region in ("V1", "V2", "IT"):
        assembly = store.load(f"Hebart2023_fmri_local.{region}.test")
        halves = [assembly.values.reshape(3, 4, -1)[:, half::2].mean(axis=1) for half in (0, 1)]
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(halves[0].T, halves[1].T, strict=True)]
        assert np.allclose(assembly["reliability"].values, [2 * x / (1 + x) for x in r], rtol=1e-3)


def test_one_subject_is_enough_and_said(home, source):
    (source / "betas_csv" / "sub-01_ResponseData.h5").unlink()
    (source / "betas_csv" / "sub-03_VoxelMetadata.csv").unlink()
    said = []
    things_fmri.prepare(source, say=said.append)
    assert "prepared from sub-02 alone" in said[0] and "sub-01_ResponseData.h5, sub-03_VoxelMetadata.csv" in said[0]
    assembly = store.load("Hebart2023_fmri_local.V1.train")
    assert set(assembly["subject"].values) == {"02"} and assembly.sizes["neuroid"] == 4
    record = store.source_of("Hebart2023_fmri_local.V1.train")
    assert record["subjects"] == ["02"] and [file["file"] for file in record["inputs"]["files"]["02"]] == [
        "sub-02_ResponseData.h5", "sub-02_StimulusMetadata.csv", "sub-02_VoxelMetadata.csv",
    ]  # fmt: skip
    rows = sorted({row for rows in ROWS.values() for row in rows})
    read = hashlib.sha256(np.ascontiguousarray(fake.fmri_responses(2)[rows]).tobytes()).hexdigest()
    assert record["sha256_of_responses_read"] == {"02": read}


def test_voxels_that_cannot_be_scaled_are_dropped_and_counted(home, tmp_path):
    """One with NaN in a trial, one that is constant in a single session."""

    def responses(subject):
        values = fake.fmri_responses(subject)
        values[499, 3] = np.nan
        values[10, np.flatnonzero(fake.fmri_trials(subject)["session"] == 2)] = 1.25
        return values

    said = []
    things_fmri.prepare(write(tmp_path / "owner", subjects=(1, 2), responses=responses), say=said.append)
    assert store.load("Hebart2023_fmri_local.V1.test")["voxel_id"].values.tolist() == [8, 9, 505] * 2
    assert store.load("Hebart2023_fmri_local.V2.test")["voxel_id"].values.tolist() == [1211] * 2
    assert sum("2 voxels have NaN, or do not vary" in line for line in said) == 2
    source = store.source_of("Hebart2023_fmri_local.V4.test")
    assert source["dropped_voxels_of_all_regions"] == {"01": 2, "02": 2}


@pytest.mark.parametrize("changed", [False, True])
def test_killed_run_does_not_read_a_finished_subject_again(forked, home, source, monkeypatch, made_once, changed):
    """SIGKILL while the second subject is read; in between, the owners may have repaired the first one's file."""
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from brainscore_granularity.datasets.prepare.things import fmri as things_fmri\n"
        "from brainscore_granularity.datasets.prepare.things import fmri_tables as things_fmri_tables\n"
        "read = things_fmri_tables.read_responses\n"
        "def killed(path, *rest):\n"
        "    if 'sub-02' in path.name: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return read(path, *rest)\n"
        "things_fmri_tables.read_responses = killed\n"
        f"things_fmri.prepare(Path({str(source)!r}))\n"
    )
    killed = forked.run(program)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not any(store.state(name)[0] == "ready" for name in IDENTIFIERS)
    if changed:
        fake.write_fmri(source / "betas_csv", subjects=(1,), responses=lambda subject: 2 * fake.fmri_responses(subject))
    read, seen = things_fmri_tables.read_responses, []
    monkeypatch.setattr(
        things_fmri_tables, "read_responses", lambda path, *rest: seen.append(path.name) or read(path, *rest)
    )
    things_fmri.prepare(source)
    assert seen == ["sub-01_ResponseData.h5"] * changed + ["sub-02_ResponseData.h5", "sub-03_ResponseData.h5"]
    assert all(store.state(name)[0] == "ready" for name in IDENTIFIERS)
    if not changed:  # the same files as without an interruption
        for name in IDENTIFIERS:
            whole = made_once[0] / "home" / "data" / name / f"assy_{name}.nc"
            assert (store.root() / name / whole.name).read_bytes() == whole.read_bytes()
    assert not [path for path in store.root().iterdir() if path.name.startswith(".")]
    things_fmri.prepare(source)
    assert len(seen) == 2 + changed


@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_truncated_responses_are_named_and_nothing_is_made_of_them(home, source, share):
    path = source / "betas_csv" / "sub-02_ResponseData.h5"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(OSError, match=f"{path} cannot be read") as error:
        things_fmri.prepare(source)
    assert len(str(error.value)) < 500 and not any(store.state(name)[0] == "ready" for name in IDENTIFIERS)


@pytest.mark.parametrize("name", ["StimulusMetadata", "VoxelMetadata"])
def test_tables_that_are_cut_short_are_noticed(home, source, name):
    path = source / "betas_csv" / f"sub-02_{name}.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(ValueError, match="sub-02.*(expected|cut short)"):
        things_fmri.prepare(source)


def test_voxels_in_another_order_are_refused(home, source):
    path = source / "betas_csv" / "sub-01_VoxelMetadata.csv"
    pd.read_csv(path).iloc[::-1].to_csv(path, index=False)
    with pytest.raises(ValueError, match="sub-01_ResponseData.h5: expected the voxels of the voxel table"):
        things_fmri.prepare(source)


def test_missing_files_say_what_and_where_from(home, tmp_path):
    with pytest.raises(FileNotFoundError, match="sub-01_ResponseData.h5.*licence.*figshare"):
        things_fmri.prepare(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:(?s).*performance may suffer")
def test_columns_are_read_by_their_numbers_whatever_their_order(home, source, tmp_path):
    things_fmri.prepare(source)
    before = store.load("Hebart2023_fmri_local.V1.train").values
    path = source / "betas_csv" / "sub-01_ResponseData.h5"
    table = pd.read_hdf(path)
    names = [*np.random.default_rng(0).permutation(table.columns[1:]).tolist(), "voxel_id"]
    table[names].to_hdf(path, key="other", mode="w")
    things_fmri.prepare(source)
    assert np.array_equal(store.load("Hebart2023_fmri_local.V1.train").values, before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:(?s).*performance may suffer")
def test_memory_stays_far_below_the_table(home, tmp_path):
    """40,000 voxels x 800 trials would be 256 MB; only pieces of it and the voxels of the regions are held."""
    n_voxels, n_trials = 40_000, 800
    path = tmp_path / "sub-01_ResponseData.h5"
    small = pd.DataFrame(np.zeros((2, n_trials)))
    small.insert(0, "voxel_id", [0, 1])
    small.to_hdf(path, key="ResponseData")
    with h5py.File(path, "a") as file:  # the same table with more rows, of which few are on the disk
        group = file["ResponseData"]
        large = {"axis1": np.arange(n_voxels), "block0_values": None, "block1_values": np.arange(n_voxels)[:, None]}
        for name, values in large.items():
            attributes = dict(group[name].attrs)
            del group[name]
            shape = (n_voxels, n_trials) if values is None else values.shape
            data = group.create_dataset(name, shape, "<f8" if values is None else "<i8", data=values)
            data.attrs.update(attributes)
        rows = np.arange(0, n_voxels, 400)
        for row in rows:
            group["block0_values"][row] = np.random.default_rng(row).normal(size=n_trials)
    voxels = pd.DataFrame({"voxel_id": rows, "place": rows})
    trials = pd.DataFrame({"session": np.arange(n_trials) % 2})
    tracemalloc.start()
    values, usable, _ = things_fmri_tables.read_responses(path, voxels, n_voxels, trials)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert usable.all() and np.allclose(values.std(axis=1), 1, atol=1e-5) and peak < 40e6
    first = np.random.default_rng(rows[-1]).normal(size=n_trials)[::2]
    assert np.allclose(values[-1, ::2], (first - first.mean()) / first.std(), atol=1e-5)


def test_trials_that_brainscore_ships_the_table_of():
    """The real table of one subject: 720 concepts x 12 images once, 100 images in each of 12 sessions."""
    from importlib.util import find_spec
    from pathlib import Path

    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    path = folder / "data" / "hebart2023_fmri" / "data_packaging" / "sub-01_StimulusMetadata.csv"
    if not path.is_file():
        pytest.skip(f"this Brain-Score does not ship {path.name}")
    trials = {"01": things_fmri_tables.read_trials(path)}
    images = {split: things_fmri_tables.images_of(trials, split) for split in things_fmri.SPLITS}
    assert {split: len(names) for split, names in images.items()} == {"train": 8640, "test": 100, "concepts720": 720}
    from brainscore_granularity.datasets.prepare.things import images as things_images

    for split, names in images.items():
        order, repeats = things_fmri_tables.trials_of(trials["01"], things_images.table(names))
        assert repeats == (12 if split == "test" else 1) and len(order) == repeats * len(names)
        shown = trials["01"]["stimulus"].to_numpy()[order].reshape(-1, repeats)
        assert all(f"{row[0].rsplit('_', 1)[0]}/{row[0]}" == name for row, name in zip(shown, names, strict=True))
        sessions = trials["01"]["session"].to_numpy()[order].reshape(-1, repeats)
        assert (np.diff(sessions, axis=1) == 1).all()


@pytest.mark.slow
def test_rsa_benchmark_scores_the_builds(home, tmp_path, monkeypatch):
    """A model with the geometry that was planted in V1 comes near the ceiling; with its images permuted it does not."""
    from given_model import Given

    from brainscore_granularity.brains import targets
    from brainscore_granularity.brains.benchmark import RSABenchmark
    from brainscore_granularity.brains.targets import from_responses

    monkeypatch.setattr(targets, "MIN_NEUROIDS", 2)  # the small files have few voxels
    images = sorted({f"{name}.jpg" for name in fake.FMRI_TRAIN + fake.FMRI_TEST})
    geometry = dict(zip(images, np.random.default_rng(0).normal(size=(len(images), 4)), strict=True))

    def responses(subject):
        values = fake.fmri_responses(subject)
        signal = np.array([geometry[name] for name in fake.fmri_trials(subject)["stimulus"]]).T
        values[ROWS["V1"]] = signal + 0.05 * np.random.default_rng(subject).normal(size=signal.shape)
        return values

    things_fmri.prepare(write(tmp_path / "owner", responses=responses))
    identifier = "Hebart2023_fmri_local.V1.train"
    benchmark = RSABenchmark("fake.V1-rsa", 1, "V1", lambda: from_responses(store.load(identifier)), 10, bibtex="")
    stimuli = store.load(identifier).attrs["stimulus_set"]["stimulus_id"]
    truth = np.array([geometry[f"{name}.jpg"] for name in stimuli])
    score = benchmark(Given(truth))
    assert score.item() > 0.8 and score.attrs["n_stimuli"] == len(fake.FMRI_TRAIN)
    assert list(score.attrs["subject_scores"]) == ["01", "02", "03"]
    assert benchmark(Given(np.random.default_rng(1).permutation(truth))).item() < 0.4
