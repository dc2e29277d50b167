import shutil
import zipfile

import numpy as np
import pytest
from brainscore_vision import load_dataset, load_stimulus_set
from brainscore_vision.benchmark_helpers.cache_contract import assert_stimulus_identifier_is_cacheable
from PIL import Image
from plugin_data import registered
from v4_session import write_session

from brainscore_granularity.datasets import cowley2023, pinned
from brainscore_granularity.download import DataMissing

# session -> monkey, units, images, presentations; from the owners' table
FORM = {
    "190923": ("WE", 33, 1200, 1200),
    "201025": ("PE", 89, 1200, 1200),
    "210225": ("PE", 55, 1200, 1200),
    "210325": ("PE", 50, 640, 4840),  # 36 images x 6 repeats, 261 x 7, 294 x 8, 45 x 9, 4 x 10
}


def test_all_sessions_are_registered():
    names = [f"Cowley2023.{session}" for session in FORM]
    assert registered("cowley2023") == names
    assert registered("cowley2023", "stimulus_set_registry") == ["Cowley2023", *names]
    assert tuple(FORM) == cowley2023.SESSIONS


@pytest.mark.parametrize("session", FORM)
def test_responses(cowley_v4, session):
    monkey, units, images, presentations = FORM[session]
    assembly = load_dataset(f"Cowley2023.{session}")
    assert assembly.dims == ("presentation", "neuroid") and assembly.shape == (presentations, units)
    assert np.isfinite(assembly.values).all() and (assembly.values >= 0).all()
    assert set(assembly["subject"].values) == {monkey} and set(assembly["session"].values) == {session}
    assert set(assembly["region"].values) == {"V4"} and len(set(assembly["neuroid_id"].values)) == units
    assert len(set(assembly["stimulus_id"].values)) == images
    assert assembly.attrs["repeats"] == (session == "210325")


def test_repeats_average_to_the_owners_means(cowley_v4):
    assembly = load_dataset("Cowley2023.210325")
    means = np.load(cowley_v4 / "responses_repeat_averaged" / "responses_210325.npy")
    order = assembly.attrs["stimulus_set"]["stimulus_id"].values
    ids = assembly["stimulus_id"].values
    for image in (0, 1, 317, 639):
        own = assembly.values[ids == order[image]]
        assert 6 <= len(own) <= 10
        np.testing.assert_allclose(own.mean(axis=0), means[:, image], atol=1e-12)


def test_images_of_four_sessions_are_different_ones(cowley_v4):
    stimuli = load_stimulus_set("Cowley2023")
    assert len(stimuli) == 4240 == stimuli["stimulus_id"].nunique()
    assert all(stimuli.get_stimulus(name).is_file() for name in stimuli["stimulus_id"])
    assert Image.open(stimuli.get_stimulus(stimuli["stimulus_id"][4000])).size == (112, 112)
    assert_stimulus_identifier_is_cacheable(stimuli.identifier)
    assert_stimulus_identifier_is_cacheable(load_stimulus_set("Cowley2023.190923").identifier)


def edges(assembly) -> np.ndarray:
    """Mean contrast between neighbouring pixels of each image, in the order of the responses."""
    found, stimuli = [], assembly.attrs["stimulus_set"]
    for stimulus in stimuli["stimulus_id"]:
        grey = np.asarray(Image.open(stimuli.get_stimulus(stimulus)).convert("L"), float)
        found.append(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
    return np.array(found)


def best_unit(statistic: np.ndarray, responses: np.ndarray) -> float:
    """Highest correlation of any unit with a statistic of the images, whatever its sign."""
    return max(abs(np.corrcoef(statistic, unit)[0, 1]) for unit in responses)


@pytest.mark.parametrize("session", FORM)
def test_images_are_in_the_order_of_the_responses(cowley_v4, session):
    """V4 answers to edges: some unit's mean response correlates with them by .37 to .46; in another order by chance."""
    statistic = edges(load_dataset(f"Cowley2023.{session}"))
    responses = np.load(cowley_v4 / "responses_repeat_averaged" / f"responses_{session}.npy")
    assert best_unit(statistic, responses) > 0.35
    as_text = np.argsort([str(k) for k in range(1, len(statistic) + 1)])  # image1, image10, image100, ...
    shuffled = np.random.default_rng(0).permutation(len(statistic))
    for wrong in (statistic[::-1], np.roll(statistic, 1), statistic[as_text], statistic[shuffled]):
        assert best_unit(wrong, responses) < 0.15


@pytest.fixture
def scrambled(cowley_v4, tmp_path, monkeypatch):
    """A folder with a session 190924 that has the images and responses of 190923 in an archive like some of the others:
    entries in the order of a disk, in a folder, each with a hidden one."""
    with zipfile.ZipFile(cowley_v4 / "images" / "images_190923.zip") as theirs:
        files = {name: theirs.read(name) for name in theirs.namelist() if name.endswith(".jpg")}
    for folder in ("images", "responses_repeat_averaged", "responses_raw"):
        (tmp_path / folder).mkdir()
    with zipfile.ZipFile(tmp_path / "images" / "images_190924.zip", "w") as archive:
        archive.writestr("images_190924/", "")
        for k in np.random.default_rng(0).permutation(len(files)):
            archive.writestr(f"__MACOSX/images_190924/._image{k + 1:04d}.jpg", b"\x00\x05\x16\x07")
            archive.writestr(f"images_190924/image{k + 1:04d}.jpg", files[f"images_190923/image{k + 1:04d}.jpg"])
    name = "responses_repeat_averaged/responses_{}.npy"
    shutil.copy(cowley_v4 / name.format("190923"), tmp_path / name.format("190924"))
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def test_the_order_of_an_archive_does_not_matter(scrambled):
    assert cowley2023.sessions_here() == ["190924"]
    assembly = cowley2023.assembly("190924")
    names = zipfile.ZipFile(scrambled / "images" / "images_190924.zip").namelist()
    assert names[2] != "images_190924/image0001.jpg"
    assert best_unit(edges(assembly), assembly.values.T) > 0.35


def test_an_image_has_one_id_in_all_sessions_that_show_it(scrambled, cowley_v4, monkeypatch):
    other = cowley2023.stimulus_set("190924")
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(cowley_v4))
    assert other["stimulus_id"].tolist() == cowley2023.stimulus_set("190923")["stimulus_id"].tolist()


def test_an_image_that_a_session_shows_twice_is_one_stimulus(tmp_path, monkeypatch):
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    write_session(tmp_path, "210401", np.arange(6.0).reshape(2, 3), images=[5, 7, 5])
    assembly = cowley2023.assembly("210401")
    first, second = assembly.attrs["stimulus_set"]["stimulus_id"]
    assert assembly["stimulus_id"].values.tolist() == [first, second, first] and not assembly.attrs["repeats"]


def test_fewer_repeats_of_an_image_are_no_responses(tmp_path, monkeypatch):
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    counts = np.arange(12.0).reshape(2, 2, 3)
    counts[:, 1, 2] = np.nan
    write_session(tmp_path, "210401", counts, images=[1, 2], raw=True)
    assembly = cowley2023.assembly("210401")
    assert assembly.values[:, 0].tolist() == [0, 1, 2, 3, 4] and assembly.attrs["repeats"]
    assert cowley2023.animal("210401") == "PE"


def test_files_that_do_not_belong_together_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    write_session(tmp_path, "210401", np.zeros((2, 3)), images=[1, 2])
    with pytest.raises(DataMissing, match="210401: 2 images and responses to 3"):
        cowley2023.assembly("210401")
    with zipfile.ZipFile(tmp_path / "images" / "images_210401.zip", "a") as archive:
        archive.writestr("image0004.jpg", b"")
    cowley2023._unpacked.cache_clear()
    with pytest.raises(DataMissing, match="expected image0001.jpg, image0002.jpg"):
        cowley2023.assembly("210401")


def test_what_is_missing_or_damaged_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(cowley2023.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataMissing, match="no images/images_201025.zip.*github.com/cowleygroup.*GPL-3"):
        load_dataset("Cowley2023.201025")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "images_201025.zip").write_bytes(b"half of it")
    with pytest.raises(DataMissing, match="expected SHA-256 3abb6367"):
        load_dataset("Cowley2023.201025")
    monkeypatch.delenv(cowley2023.FOLDER_VARIABLE)
    with pytest.raises(DataMissing, match="images_211022.zip is not fetched"):
        cowley2023.assembly("211022")
    with pytest.raises(ValueError, match="expected a day such as 190923"):
        cowley2023.animal("Monday")


def test_files_are_fetched_from_one_commit_and_the_licence_is_said_before(monkeypatch, home, capsys, cowley_v4):
    asked = []

    def fetch(url, to, sha256, advice):
        asked.append(url)
        assert "GPL-3" in capsys.readouterr().err and to.is_relative_to(home)
        return cowley_v4 / url.partition("data_V4_responses/")[2]

    monkeypatch.delenv(cowley2023.FOLDER_VARIABLE)
    monkeypatch.setattr(pinned, "fetch", fetch)
    assert load_dataset("Cowley2023.190923").shape == (1200, 33)
    assert set(asked) == {
        "https://raw.githubusercontent.com/cowleygroup/V4_compact_models/f4552ad9d34a466ebc66658f72a08a8e5038f1cf/"
        f"data_V4_responses/{name}"
        for name in ("images/images_190923.zip", "responses_repeat_averaged/responses_190923.npy")
    }
