import shutil

import fake_nsd as fake
import fake_nsd_synthetic as synthetic
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.stats import zscore

from brainscore_granularity.datasets.prepare import store
from brainscore_granularity.datasets.prepare.files import MissingFiles
from brainscore_granularity.datasets.prepare.nsd import synthetic as nsd_synthetic
from brainscore_granularity.datasets.prepare.nsd.files import REGIONS


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("owner")
    synthetic.write(folder)
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


@pytest.mark.slow
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
            stored = synthetic.responses(subject)[tuple(voxels[column])]
            z = zscore(stored / 300.0)  # over all trials, the colour images too
            expected = [z[synthetic.order() == number].mean() for number in numbers]
            assert np.allclose(own.values[:, column], expected, atol=1e-5)
    assert np.array_equal(assembly["repetitions"].values, np.bincount(synthetic.order())[1:221])


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
    for number in (1, 57, synthetic.WORD, 220):
        row = stimuli[stimuli["image_number"] == number].iloc[0]
        pixels = np.asarray(Image.open(stimuli.get_stimulus(row["stimulus_id"])))
        expected = np.full((synthetic.HEIGHT, synthetic.HEIGHT, 3), int(np.sqrt(number / 255) * 255), np.uint8)
        if number != synthetic.WORD:
            expected[0, 0] = 255
        assert np.array_equal(pixels, expected)
        assert row["image"] == f"image_{number}" and row["class"] == synthetic.CLASSES[number % 3]
        assert row["subclass"] == f"sub_{number % 71}"
    assert stimuli[stimuli["blank"]]["image_number"].tolist() == [synthetic.WORD]


def test_both_formats_agree_and_the_table_is_optional(owner, prepared, inside, tmp_path, monkeypatch):
    expected = store.load("Allen2022_fmri_synthetic_local.ventral.test")
    copy, home = tmp_path / "owner", tmp_path / "home"
    shutil.copytree(owner, copy)
    for path in [*copy.rglob("betas_nsdsynthetic.hdf5"), *copy.rglob("*information.csv")]:
        path.unlink()
    for subject in (1, 2):
        synthetic.write_betas(copy, subject, ".nii.gz")
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
    savemat(design, {"masterordering": synthetic.order()[None] - 1})
    with pytest.raises(ValueError, match="744 trials from 1 to 284, got 744 from 0 to 283"):
        nsd_synthetic.prepare(owner)
    design.write_bytes(content)
