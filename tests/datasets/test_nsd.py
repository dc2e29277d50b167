"""NSD from files in the owner's formats, with planted responses, to builds that a benchmark can use."""

import hashlib
import os
import shutil
import signal as signals
import subprocess
import sys
from pathlib import Path

import fake_nsd as fake
import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.stats import zscore

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.files import MissingFiles
from brainscore_granularity.datasets.prepare.nsd import build as nsd
from brainscore_granularity.datasets.prepare.nsd import design as nsd_design
from brainscore_granularity.datasets.prepare.nsd import plan as nsd_plan
from brainscore_granularity.datasets.prepare.nsd.files import REGIONS

FOLDERS = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "makers")]
N_TRAIN = 60  # fewer than there are, so that some trials of every session are of no use but for its mean and spread


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """Two subjects' files, HDF5."""
    folder = tmp_path_factory.mktemp("owner")
    fake.write(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(owner, tmp_path_factory):
    """A home with everything made from them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(home))
        nsd.prepare(owner, train_images=N_TRAIN)
    return home


@pytest.fixture(scope="module")
def two_regions(owner, tmp_path_factory):
    """What an undisturbed run on two regions writes."""
    home = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(home))
        nsd.prepare(owner, regions=("V1", "PPA"))
    return contents(home)


@pytest.fixture
def inside(prepared, monkeypatch):
    """That home as the current one."""
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(prepared))
    return prepared


def expected_responses(subject: int, voxel: tuple, nsd_ids, noise=0.5) -> np.ndarray:
    """By the book, one voxel: all stored values of both sessions, z-scored within each, averaged over trials."""
    content, values, shown = fake.design(), [], []
    for session in fake.SESSIONS:
        ids = fake.shown(content, subject, session)
        values.append(zscore(fake.responses(subject, session, ids, noise)[voxel] / 300.0))
        shown.append(ids)
    values, shown = np.concatenate(values), np.concatenate(shown)
    return np.array([values[shown == nsd_id].mean() for nsd_id in nsd_ids])


def of_subject(assembly, subject: int):
    """(voxels (n, 3), responses (presentations, n))."""
    own = assembly.sel(neuroid=assembly["subject"] == f"subj{subject:02d}").squeeze("time_bin")
    return np.stack([own[f"voxel_{axis}"].values for axis in "xyz"], axis=1), own.values


@pytest.mark.slow
@pytest.mark.parametrize("build", ["V1.test", "PPA.test", "V4.train.subj01", "ventral.train.subj02"])
def test_responses_are_z_scored_within_sessions_and_averaged(inside, build):
    assembly = store.load(f"Allen2022_fmri_local.{build}")
    for subject in {int(name[-2:]) for name in assembly["subject"].values}:
        voxels, found = of_subject(assembly, subject)
        for column in range(0, len(voxels), 7):
            expected = expected_responses(subject, tuple(voxels[column]), assembly["nsd_id"].values)
            assert np.allclose(found[:, column], expected, atol=1e-5)


@pytest.mark.slow
def test_planted_tuning_comes_back_at_its_voxel_and_image(home, tmp_path):
    fake.write(tmp_path / "owner", subjects=(1,), noise=0)
    nsd.prepare(tmp_path / "owner", regions=("early",))
    assembly = store.load("Allen2022_fmri_local.early.test")
    voxels, found = of_subject(assembly, 1)
    planted = fake.signal(1, assembly["nsd_id"].values)[tuple(voxels.T)]
    similarity = np.corrcoef(found.T, planted)[: len(voxels), len(voxels) :]
    assert (np.diag(similarity) > 0.995).all()
    assert (np.abs(similarity).argmax(axis=1) == np.arange(len(voxels))).all()


@pytest.mark.parametrize("region", REGIONS)
def test_regions_have_the_voxels_of_their_labels(inside, region):
    atlas, labels = REGIONS[region]
    assembly = store.load(f"Allen2022_fmri_local.{region}.test")
    dropped = 0
    for subject in (1, 2):
        mask = np.isin(fake.roi(subject, atlas), labels)
        dropped += mask[fake.DEAD[subject]]
        mask[fake.DEAD[subject]] = False
        assert np.array_equal(of_subject(assembly, subject)[0], np.argwhere(mask))
    assert assembly.attrs["dropped_voxels"] == dropped and set(assembly["region"].values) == {region}
    assert np.isfinite(assembly.values).all() and len(set(assembly["neuroid_id"].values)) == assembly.sizes["neuroid"]


def test_a_subject_without_the_label_is_left_out(inside):
    assert set(store.load("Allen2022_fmri_local.PPA.test")["subject"].values) == {"subj01"}
    assert store.state("Allen2022_fmri_local.PPA.train.subj02")[0] == "missing"
    assert set(store.load("Allen2022_fmri_local.FFA.test")["subject"].values) == {"subj01", "subj02"}


def test_images_of_each_split(inside):
    content = fake.design()
    test = store.load("Allen2022_fmri_local.V2.test")
    shared = set(content["sharedix"].ravel() - 1)  # the owner counts from 1
    assert set(test["nsd_id"].values) < shared and len(test) == fake.N_SHARED_THRICE
    assert set(test["nsd_id"].values) == set(content["subjectim"][4, : fake.N_SHARED_THRICE] - 1)
    seen = set()
    for subject in (1, 2):
        train = store.load(f"Allen2022_fmri_local.V2.train.subj{subject:02d}")
        own = set(train["nsd_id"].values)
        assert len(own) == N_TRAIN and not own & shared and not own & seen
        assert own <= set(content["subjectim"][subject - 1] - 1) and (train["repetitions"] == 3).all()
        mine = test.sel(neuroid=test["subject"] == f"subj{subject:02d}")
        for name in ("neuroid_id", "nc_testset", "reliability", "voxel_x", "voxel_y", "voxel_z"):
            assert np.array_equal(train[name].values, mine[name].values)
        seen |= own


def test_image_files_are_those_of_the_ids(inside):
    for build in ("V1.test", "V1.train.subj02"):
        stimuli = store.load(f"Allen2022_fmri_local.{build}").attrs["stimulus_set"]
        for stimulus, nsd_id in list(zip(stimuli["stimulus_id"], stimuli["nsd_id"], strict=True))[::23]:
            assert stimulus == f"nsd_{nsd_id:05d}"
            assert np.array_equal(np.asarray(Image.open(stimuli.get_stimulus(stimulus))), fake.image(nsd_id))


def test_noise_ceiling_and_reliability(inside):
    assembly = store.load("Allen2022_fmri_local.early.test")
    voxels, _ = of_subject(assembly, 1)
    ratio = np.nan_to_num(fake.ncsnr(1)[tuple(voxels.T)].astype(float))
    found = assembly["nc_testset"].values[: len(voxels)]
    assert np.allclose(found, 100 * ratio**2 / (ratio**2 + 1 / 3), atol=1e-3)
    assert (found[(voxels[:, :2] == 0).all(axis=1)] == 0).all()
    reliability = assembly["reliability"].values
    assert (reliability > 0.5).all() and (reliability <= 1).all()


@pytest.mark.slow
def test_both_formats_give_equal_files(two_regions, home, tmp_path):
    fake.write(tmp_path / "owner", suffix=".nii.gz")
    nsd.prepare(tmp_path / "owner", regions=("V1", "PPA"))
    assert contents(home) == two_regions


def contents(home: Path) -> dict[str, str]:
    """SHA-256 of every file but the records, which hold the time."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "prepared.json")
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("moment", ["images", "sessions", "between sessions", "builds"])
def test_killed_and_run_again_gives_equal_files(forked, owner, two_regions, home, monkeypatch, moment):
    function, calls = {
        "images": ("images.write_png", 40),
        "sessions": ("betas.standardise", 3),
        "between sessions": ("extraction.write_atomically", 2),
        "builds": ("assemblies.write_netcdf", 3),
    }[moment]
    script = f"""
import os, sys
from pathlib import Path
from brainscore_granularity.datasets.prepare import assemblies, images
from brainscore_granularity.datasets.prepare.nsd import betas, extraction
from brainscore_granularity.datasets.prepare.nsd import build as nsd
module, name = {function.split(".")[0]}, {function.split(".")[1]!r}
original, left = getattr(module, name), [{calls}]
def killed(*arguments, **settings):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), {int(signals.SIGKILL)})
    return original(*arguments, **settings)
setattr(module, name, killed)
nsd.prepare(Path({str(owner)!r}), regions=("V1", "PPA"))
"""
    killed = forked.run(script)
    assert killed.returncode == -signals.SIGKILL, killed.stderr
    read = {path: path.stat().st_ino for path in home.rglob("*.npz")}
    assert len(read) == {"images": 0, "sessions": 2, "between sessions": 1, "builds": 4}[moment]
    found = {}
    monkeypatch.setattr(nsd.shutil, "rmtree", lambda *_, **__: found.update((p, p.stat().st_ino) for p in read))
    nsd.prepare(owner, regions=("V1", "PPA"))
    assert found == read  # what had been read was not read again
    monkeypatch.undo()
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(home))
    for path in [*home.rglob("prepared.json")][:1]:
        path.unlink()
    nsd.prepare(owner, regions=("V1", "PPA"))
    assert contents(home) == two_regions


@pytest.mark.slow
def test_a_second_run_makes_only_what_is_new(owner, home):
    def records():
        return {path.parent.name: path.stat().st_mtime_ns for path in home.rglob("prepared.json")}

    nsd.prepare(owner, subjects=(1,), regions=("V1",))
    first = records()
    nsd.prepare(owner, subjects=(1,), regions=("V1", "V2"))
    assert first.items() < records().items() and "Allen2022_fmri_local.V2.test" in records()
    nsd.prepare(owner, regions=("V1",))  # another subject: the joint build changes
    assert records()["Allen2022_fmri_local.V1.test"] != first["Allen2022_fmri_local.V1.test"]
    assert set(store.load("Allen2022_fmri_local.V1.test")["subject"].values) == {"subj01", "subj02"}
    image = store.image_folder("Allen2022_fmri_images") / "nsd_02482.png"
    image.write_bytes(image.read_bytes()[:99])
    nsd.prepare(owner, regions=("V1",))
    assert store.state("Allen2022_fmri_local.V1.test")[0] == "ready"


@pytest.mark.slow
def test_changed_betas_are_read_again(owner, home, tmp_path):
    copy = tmp_path / "owner"
    shutil.copytree(owner, copy)
    nsd.prepare(copy, subjects=(1,), regions=("V4",))
    before = store.load("Allen2022_fmri_local.V4.test").values
    session = nsd_plan.Subject(copy, 1).session(2)[0]
    with h5py.File(session, "r+") as file:
        file["betas"][...] = file["betas"][...][::-1]
    os.utime(session, ns=(1, 1))
    nsd.prepare(copy, subjects=(1,), regions=("V4",))
    assert np.abs(store.load("Allen2022_fmri_local.V4.test").values - before).max() > 0.1


def test_what_was_read_is_on_record(owner, inside):
    record = store.source_of("Allen2022_fmri_local.V3.test")
    assert [subject["subject"] for subject in record["subjects"]] == ["subj01", "subj02"]
    session = record["subjects"][0]["sessions"][1]
    path = nsd_plan.Subject(owner, 1).session(2)[0]
    assert session["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and session["file"] == path.name
    assert len(session["read_sha256"]) == 64


@pytest.mark.slow
def test_partial_data(owner, home, tmp_path, capsys):
    """One session, one map of regions, one subject: it says what it used, or what would be enough."""
    copy = tmp_path / "owner"
    shutil.copytree(owner, copy)
    for path in nsd_plan.Subject(copy, 1).session(2) + nsd_plan.Subject(copy, 2).session(1):
        path.unlink(missing_ok=True)
    for path in copy.rglob("*floc*"):
        path.unlink()
    with pytest.raises(
        ValueError, match="only 0 shared images were shown 3 times.* --repeats 1 and 0 with --repeats 2$"
    ):
        nsd.prepare(copy)
    made = nsd.prepare(copy, repeats=1)
    assert not any("FFA" in identifier or "PPA" in identifier for identifier in made)
    said = capsys.readouterr().out
    assert "subj01: 1 of 40 sessions" in said and "subj02: 1 of 40 sessions" in said
    test = store.load("Allen2022_fmri_local.V1.test")
    assert test["repetitions"].values.min() == 1 and len(test) > 200
    design = nsd_design.read(copy / "nsddata" / "experiments" / "nsd" / "nsd_expdesign.mat")
    train = store.load("Allen2022_fmri_local.V1.train.subj02")
    assert np.array_equal(train["repetitions"].values, design.presentations(2, [2])[train["nsd_id"].values])
    with pytest.raises(MissingFiles, match="floc-places"):
        nsd.prepare(copy, regions=("PPA",), repeats=1)


def test_most_shown_images_are_drawn_first():
    order = np.r_[np.repeat(1000 + np.arange(40), 3), np.repeat(1040 + np.arange(50), 2), 1090 + np.arange(530)]
    images = np.arange(10_000)[None]
    design = nsd_design.Design(images[:, np.resize(order, 1500)], np.arange(1000))
    chosen = design.train_images(1, [1], 60, seed=0)
    assert np.array_equal(np.sort(chosen), chosen) and len(set(chosen)) == 60
    assert set(range(1000, 1040)) <= set(chosen) <= set(range(1000, 1090))
    assert not np.array_equal(chosen, design.train_images(1, [1], 60, seed=1))
    assert np.array_equal(chosen, design.train_images(1, [1], 60, seed=0))


def test_missing_files_are_listed_with_the_licence(tmp_path, home):
    with pytest.raises(MissingFiles) as caught:
        nsd.prepare(tmp_path, subjects=(7,))
    for part in (
        "nsd_expdesign.mat",
        "nsd_stimuli.hdf5",
        "betas_session01.hdf5 or",
        "subj07",
        "prf-visualrois",
        "naturalscenesdataset.org",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("suffix", [".hdf5", ".nii.gz"])
@pytest.mark.parametrize("damage", ["truncated", "transposed", "scaled", "nothing inside"])
def test_damaged_betas_are_named(home, owner, tmp_path, suffix, damage):
    copy = tmp_path / "owner"
    shutil.copytree(owner, copy)
    subject = nsd_plan.Subject(copy, 1)
    (path,) = (path for path in subject.session(2) if path.name.endswith(suffix))
    stored = fake.responses(1, 2, fake.shown(fake.design(), 1, 2), 0.5)
    stored = {"transposed": stored.transpose(2, 1, 0, 3), "scaled": stored / 300}.get(damage, stored)
    subject.session(2)[0].unlink()
    fake.write_betas(path.parent, "betas_session02", stored, suffix)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "nothing inside":
        path.write_bytes(b"")
    message = "expected int16 betas of shape" if damage in ("transposed", "scaled") else "cannot be read"
    with pytest.raises((OSError, ValueError), match=f"betas_session02{suffix}.*{message}"):
        nsd.prepare(copy, subjects=(1,))


def test_wrong_designs_are_refused(home, owner, tmp_path):
    from scipy.io import savemat

    path = tmp_path / "nsd_expdesign.mat"
    good = fake.design()
    for wrong, message in (
        ({"masterordering": good["masterordering"] - 1}, "masterordering from 1 to 10000, got 0"),
        ({"subjectim": good["subjectim"] + 1}, "subjectim from 1 to 73000"),
        ({"sharedix": good["sharedix"] % 73_000 + 1}, "not in subjectim of every subject"),
    ):
        savemat(path, good | wrong)
        with pytest.raises(ValueError, match=message):
            nsd_design.read(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subjects": (9,)}, "no subject 9"),
        ({"regions": ("V9",)}, "no region 'V9'.* ventral"),
        ({"repeats": 4}, "1 to 3"),
        ({"train_images": 3}, "at least 10 train images"),
    ],
)
def test_unknown_settings_list_the_valid_ones(owner, home, settings, message):
    with pytest.raises(ValueError, match=message):
        nsd.prepare(owner, **settings)


@pytest.mark.slow
def test_memory_stays_far_below_one_session(owner, tmp_path):
    """A brain of 252,000 voxels is 378 MB a session as an array; reading 3,000 of them must not take that."""
    script = f"""
import os, resource, sys
sys.path[:0] = {FOLDERS!r}
from pathlib import Path
from test_nsd import write_large
from brainscore_granularity.datasets.prepare.nsd import build as nsd
nsd.prepare(Path({str(owner)!r}), subjects=(1,), regions=("V1",))
write_large(Path({str(tmp_path)!r}, "large"), Path({str(owner)!r}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
nsd.prepare(Path({str(tmp_path)!r}, "large"), subjects=(1,), regions=("V1",))
print("grown", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    environment = os.environ | {"BRAINSCORE_GRANULARITY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "ignore", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert int(result.stdout.rpartition("grown ")[2]) < 100_000  # kB; tens of thousands as a rule


def write_large(folder: Path, owner: Path) -> None:
    """One subject with a brain of real size; only the voxels of V1 have data on disk."""
    shutil.copytree(owner / "nsddata" / "experiments", folder / "nsddata" / "experiments")
    shutil.copytree(owner / "nsddata_stimuli", folder / "nsddata_stimuli")
    rng, subject, shape = np.random.default_rng(0), nsd_plan.Subject(folder, 1), (60, 70, 60)
    labels = np.zeros(shape, np.int16)
    labels[20:40, 30:40, 10:25] = 1
    fake.write_nifti(subject.roi_path("prf-visualrois"), labels)
    fake.write_nifti(subject.ncsnr, np.ones(shape, np.float32))
    for session in fake.SESSIONS:
        with h5py.File(subject.session(session)[0], "w") as file:
            betas = file.create_dataset("betas", (750, *shape[::-1]), np.int16, chunks=(750, 1, 1, 1))
            for k in range(10, 25):
                betas[:, k, 30:40, 20:40] = rng.normal(0, 600, (750, 10, 20)).astype(np.int16)


class Latents:
    """A model that knows what the simulated brains are tuned to, or ``shuffled``, nothing."""

    identifier = "latents"

    def __init__(self, shuffled=False):
        self.shuffled = shuffled

    def visual_degrees(self):
        return 8.4

    def start_recording(self, region, time_bins):
        pass

    def look_at(self, stimuli, number_of_trials=1):
        from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly

        latents = np.array([np.random.default_rng(int(i)).normal(size=6) for i in stimuli["nsd_id"]])
        if self.shuffled:
            latents = np.random.default_rng(0).permutation(latents)
        return NeuroidAssembly(
            latents,
            dims=["presentation", "neuroid"],
            coords={
                "stimulus_id": ("presentation", stimuli["stimulus_id"].values),
                "nsd_id": ("presentation", stimuli["nsd_id"].values),
                "neuroid_id": ("neuroid", np.arange(6)),
                "layer": ("neuroid", ["latents"] * 6),
            },
        )


@pytest.mark.slow
def test_a_benchmark_runs_on_the_local_build(inside):
    from brainscore_vision import load_model

    from brainscore_granularity.brains.benchmark import RSABenchmark
    from brainscore_granularity.brains.targets import from_responses

    benchmark = RSABenchmark(
        identifier="local",
        version=1,
        region="V1",
        load=lambda: from_responses(store.load("Allen2022_fmri_local.V1.test")),
        visual_degrees=8.4,
        bibtex="",
    )
    score = benchmark(Latents())
    assert score > 0.8 and score.attrs["n_stimuli"] == fake.N_SHARED_THRICE
    assert set(score.attrs["subject_scores"]) == {"subj01", "subj02"}
    assert abs(benchmark(Latents(shuffled=True))) < 0.15
    assert abs(benchmark(load_model("pixels"))) < 0.25  # the colour of an image says nothing about its responses


@pytest.mark.slow
def test_command_line(owner, home, capsys):
    from brainscore_granularity.cli.main import main

    main(["data", "prepare", "nsd", "--from", str(owner), "--subjects", "2", "1", "--regions", "V2", "--to", str(home)])
    assert "3 builds ready" in capsys.readouterr().out
    (home / "data" / "Allen2022_fmri_local.V2.test" / "prepared.json").unlink()
    main(["data", "status"])
    said = capsys.readouterr().out
    assert "2 ready, 1 incomplete of 81" in said and "granularity data prepare nsd --from DIR` again" in said
    assert "naturalscenesdataset.org" in said and str(home) in said
    with pytest.raises(SystemExit) as caught:
        main(["data", "prepare", "nsd", "--from", str(home / "nowhere")])
    assert caught.value.code == 1 and "no folder" in capsys.readouterr().err
