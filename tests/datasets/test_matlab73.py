import h5py
import mat73
import numpy as np
import pytest
from fake_things import write_matlab

from brainscore_granularity.datasets.prepare import matlab73

VARIABLES = {
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "column": np.arange(5.0)[:, None],
    "shown": {"names": ["aardvark\\aardvark_01b.jpg", "", "Käse", "象.jpg"]},
}


@pytest.fixture
def path(tmp_path):
    write_matlab(tmp_path / "some.mat", VARIABLES)
    return tmp_path / "some.mat"


def test_agrees_with_mat73(path):
    reference = mat73.loadmat(path)
    with matlab73.opened(path) as file:
        assert np.array_equal(matlab73.variable(file, "cube", (4, 3, 2))[()].T, reference["cube"])
        texts = matlab73.strings(file["shown"]["names"])
        assert texts == ["aardvark\\aardvark_01b.jpg", "", "Käse", "象.jpg"]
        assert texts == [text or "" for text in reference["shown"]["names"]]


def test_file_of_the_owners_that_brainscore_ships():
    """things_imgs.mat of the TVSD, as MATLAB wrote it."""
    from importlib.util import find_spec
    from pathlib import Path

    folder = Path(find_spec("brainscore_vision").submodule_search_locations[0])
    path = folder / "data" / "papale2025" / "data_packaging" / "things_imgs.mat"
    if not path.is_file():
        pytest.skip(f"this Brain-Score does not ship {path.name}")
    with matlab73.opened(path) as file:
        names = matlab73.strings(file["test_imgs"]["things_path"])
        classes = matlab73.strings(file["test_imgs"]["class"])
    assert len(names) == 100 and names[0] == "alligator\\alligator_14n.jpg" and names[-1] == "wig\\wig_13s.jpg"
    assert classes == [name.split("\\")[0] for name in names]


def test_wrong_names_and_shapes_say_what_is_there(path):
    with matlab73.opened(path) as file:
        with pytest.raises(ValueError, match="expected a variable train_MUA, got column, cube, shown"):
            matlab73.variable(file, "train_MUA", (None, None))
        with pytest.raises(ValueError, match="cube: expected 2 x 3 x any, got 4 x 3 x 2"):
            matlab73.variable(file, "cube", (2, 3, None))
        with pytest.raises(ValueError, match="column: expected 6 x 1, got 1 x 5"):
            matlab73.vector(file, "column", 6)
        assert matlab73.vector(file, "column", 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("size", [0, 100, 2000])
def test_truncated_file_is_named(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(OSError, match="some.mat cannot be read"), matlab73.opened(path) as file:
        matlab73.variable(file, "cube", (4, 3, 2))[()]


@pytest.mark.parametrize("chunks", [None, (7, 20), (100, 1), (1, 64)])
def test_row_blocks_cover_every_row_once_in_whole_chunks(tmp_path, chunks):
    with h5py.File(tmp_path / "x.mat", "w") as file:
        data = file.create_dataset("x", (100, 64), "f4", chunks=chunks)
        blocks = matlab73.row_blocks(data, bytes_at_once=64 * 4 * 20)
        assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(100))
        assert all(block.start % (data.chunks or (1,))[0] == 0 for block in blocks)
        assert all(block.stop - block.start <= max(20, (chunks or (1,))[0]) for block in blocks)
