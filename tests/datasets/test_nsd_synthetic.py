import shutil
from pathlib import Path

import fake_nsd as fake
import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.stats import zscore

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.files import MissingFiles
from brainscore_granularity.datasets.prepare.nsd import synthetic as nsd_synthetic
from brainscore_granularity.datasets.prepare.nsd.files import REGIONS, Subject

HEIGHT, WIDTH = 70, 134  # the owner's are 714 x 1360
CLASSES = ("Noise", "Natural scenes", "Single words")
WORD = 100  # number (from 1) of an image that is blank but for a word at its side


def order() -> np.ndarray:
    """(744,) images 1 to 284 in the owner's repetitions: 236 twice, 32 four times, 8 eight times, 8 ten times."""
    times = np.random.default_rng(5).permutation(np.repeat([2, 4, 8, 10], [236, 32, 8, 8]))
    return np.random.default_rng(6).permutation(np.repeat(np.arange(1, 285), times))


def responses(subject: int) -> np.ndarray:
    """(X, Y, Z, 744) int16; images are known by 100,000 + their number."""
    return fake.responses(subject, 1, 100_000 + order(), noise=0.5)


def image(number: int) -> np.ndarray:
    """A grey that says which, a bright corner of the central square, and something at the side."""
    pixels = np.full((HEIGHT, WIDTH, 3), number, np.uint8)
    pixels[30:40, 5:30] = 255
    if number != WORD:
        pixels[0, (WIDTH - HEIGHT) // 2] = 255
    return pixels


def write_betas(folder: Path, subject: int, suffix: str) -> None:
    stored = responses(subject)
    stored[fake.DEAD[subject]] = 0
    fake.write_betas(Subject(folder, subject).betas / nsd_synthetic.BETAS, "betas_nsdsynthetic", stored, suffix)


def write(folder: Path, subjects=(1, 2)) -> None:
    experiment = folder / "nsddata" / "experiments" / "nsdsynthetic"
    experiment.mkdir(parents=True)
    savemat(experiment / "nsdsynthetic_expdesign.mat", {"masterordering": order()[None]})
    rows = np.arange(1, 285)[::-1]  # found by number, whatever the order
    pd.DataFrame(
        {
            "Image number": rows,
            "Image": [f"image_{n}" for n in rows],
            "Image subclass number": rows % 71,
            "Image subclass": [f"sub_{n % 71}" for n in rows],
            "Image class number": rows % 3,
            "Image class": [CLASSES[n % 3] for n in rows],
        }
    ).to_csv(experiment / "nsdsyntheticimageinformation.csv", index=False)
    stimuli = folder / "nsddata_stimuli" / "stimuli" / "nsdsynthetic"
    stimuli.mkdir(parents=True)
    with h5py.File(stimuli / "nsdsynthetic_stimuli.hdf5", "w") as file:
        file["imgBrick"] = np.stack([image(number) for number in range(1, 221)])
    for subject in subjects:
        write_betas(folder, subject, ".hdf5")
        fake.write_rois(folder, subject)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("owner")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(owner, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(home))
        made = nsd_synthetic.prepare(owner)
    assert made == list(store.identifiers("nsd-synthetic"))
    return home


@pytest.fixture
def inside(prepared, monkeypatch):
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(prepared))


@pytest.mark.parametrize("region", ["early", "ventral"])
def test_responses_by_the_book(inside, region):
    assembly = store.load(f"Allen2022_fmri_synthetic_local.{region}.test").squeeze("time_bin")
    numbers = assembly["image_number"].values
    assert np.array_equal(numbers, np.arange(1, 221))
    for subject in (1, 2):
        own = assembly.sel(neuroid=assembly["subject"] == f"subj{subject:02d}")
        voxels = np.stack([own[f"voxel_{axis}"].values for axis in "xyz"], axis=1)
        atlas, labels = REGIONS[region]
        mask = np.isin(fake.roi(subject, atlas), labels)
        mask[fake.DEAD[subject]] = False
        assert np.array_equal(voxels, np.argwhere(mask))
        for column in range(0, len(voxels), 5):
            z = zscore(responses(subject)[tuple(voxels[column])] / 300.0)  # over all trials, the colour images too
            expected = [z[order() == number].mean() for number in numbers]
            assert np.allclose(own.values[:, column], expected, atol=1e-5)
    assert np.array_equal(assembly["repetitions"].values, np.bincount(order())[1:221])


def test_reliable_voxels_have_a_ceiling(inside):
    """Known answer: the noise has a standard deviation of .5, the signal that of the voxel's tuning."""
    assembly = store.load("Allen2022_fmri_synthetic_local.early.test")
    own = assembly.sel(neuroid=assembly["subject"] == "subj01")
    tuning = np.random.default_rng(1).normal(size=(*fake.SHAPES[1], 6))
    voxels = tuple(own[f"voxel_{axis}"].values for axis in "xyz")
    signal = (tuning[voxels] ** 2).sum(axis=-1)
    share = signal / (signal + 0.25 * np.mean(1 / own["repetitions"].values))
    assert np.abs(own["nc_testset"].values / 100 - share).max() < 0.08
    assert np.corrcoef(own["reliability"].values, share)[0, 1] > 0.5


def test_images_are_mapped_and_cut(inside):
    stimuli = store.load("Allen2022_fmri_synthetic_local.early.test").attrs["stimulus_set"]
    for number in (1, 57, WORD, 220):
        row = stimuli[stimuli["image_number"] == number].iloc[0]
        pixels = np.asarray(Image.open(stimuli.get_stimulus(row["stimulus_id"])))
        expected = np.full((HEIGHT, HEIGHT, 3), int(np.sqrt(number / 255) * 255), np.uint8)
        if number != WORD:
            expected[0, 0] = 255
        assert np.array_equal(pixels, expected)
        assert row["image"] == f"image_{number}" and row["class"] == CLASSES[number % 3]
        assert row["subclass"] == f"sub_{number % 71}"
    assert stimuli[stimuli["blank"]]["image_number"].tolist() == [WORD]


def test_both_formats_agree_and_the_table_is_optional(owner, prepared, inside, tmp_path, monkeypatch):
    expected = store.load("Allen2022_fmri_synthetic_local.ventral.test")
    copy, home = tmp_path / "owner", tmp_path / "home"
    shutil.copytree(owner, copy)
    for path in [*copy.rglob("betas_nsdsynthetic.hdf5"), *copy.rglob("*information.csv")]:
        path.unlink()
    for subject in (1, 2):
        write_betas(copy, subject, ".nii.gz")
    shutil.copytree(prepared / "data" / nsd_synthetic.IMAGES, home / "data" / nsd_synthetic.IMAGES)
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(home))
    nsd_synthetic.prepare(copy, regions=("ventral",))
    found = store.load("Allen2022_fmri_synthetic_local.ventral.test")
    assert np.array_equal(found.values, expected.values)
    assert np.array_equal(found["neuroid_id"].values, expected["neuroid_id"].values)
    assert "class" not in found.attrs["stimulus_set"]
    assert store.state("Allen2022_fmri_synthetic_local.early.test")[0] == "missing"


def test_what_is_missing_or_wrong_is_named(owner, home, tmp_path):
    with pytest.raises(MissingFiles, match="nsdsynthetic_expdesign.mat.*naturalscenesdataset.org"):
        nsd_synthetic.prepare(tmp_path)
    with pytest.raises(MissingFiles, match="subj05.*betas_nsdsynthetic.hdf5 or .*betas_nsdsynthetic.nii.gz"):
        nsd_synthetic.prepare(owner, subjects=(5,))
    with pytest.raises(ValueError, match="no 'V1'; .* early, ventral"):
        nsd_synthetic.prepare(owner, regions=("V1",))
    design = owner / "nsddata" / "experiments" / "nsdsynthetic" / "nsdsynthetic_expdesign.mat"
    content = design.read_bytes()
    savemat(design, {"masterordering": order()[None] - 1})
    with pytest.raises(ValueError, match="744 trials from 1 to 284, got 744 from 0 to 283"):
        nsd_synthetic.prepare(owner)
    design.write_bytes(content)
