"""92 and 118 object images with RDMs of human fMRI and MEG, of 15 people each (Cichy et al. 2014, 2016).

The rows of fMRI are in the order of the images' numbers. Those of MEG are sorted by the category folder of the image,
then by its name: `sorted_rows` is that order, and `by_number` undoes it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import DataAssembly
from scipy.io import loadmat

from .assembly import of_rdms
from .cichy_files import SHA256
from .kriegeskorte2008 import stimulus_ids as kriegeskorte_ids
from .pinned import Pinned
from .stimuli import from_files

FOLDER_VARIABLE = "BRAINSCORE_GRANULARITY_CICHY"
COMMIT = "e85445971b40d081a1f2824e6a194e834d5e1907"
REPOSITORY = f"https://raw.githubusercontent.com/dnn-hvs/Investigate-RDMs/{COMMIT}"
N_IMAGES = {"Cichy2014": 92, "Cichy2016": 118}
N_SUBJECTS = 15
# target -> (file, with the number of images; variable in it)
RDMS = {
    "fmri.EVC": ("target_fmri_{n}.mat", "EVC_RDMs"),
    "fmri.IT": ("target_fmri_{n}.mat", "IT_RDMs"),
    "meg.early": ("rearranged_meg_{n}.mat", "MEG_RDMs_early"),
    "meg.late": ("rearranged_meg_{n}.mat", "MEG_RDMs_late"),
}
CATEGORIES = {
    "Cichy2014": (
        "objects and scenes", "fruits and vegetables", "animal faces", "animals", "monkey faces", "humans", "faces",
        "body parts",
    ),
    "Cichy2016": ("animals", "balls", "chairs", "food", "machines", "music", "objects", "transport"),
}  # fmt: skip
TERMS = (
    "No licence is stated: research use; cite Cichy et al. 2014, 2016 and, for this form of the data, 2019 (Algonauts)."
)


def _published(name: str) -> str:
    """Path of a file in the repository."""
    folders = {"target": "src/target_rdms/", "rearranged": "src/rearranged_rdms/"}
    return folders.get(name.partition("_")[0], "") + name


def _files(data: str, size: str) -> Pinned:
    n = N_IMAGES[data]
    own = [name for name in SHA256 if f"/{n}images/" in name or name.endswith(f"_{n}.mat")]
    return Pinned(
        title=f"{data} ({n} images)",
        folder="cichy",
        variable=FOLDER_VARIABLE,
        origin="github.com/dnn-hvs/Investigate-RDMs",
        terms=TERMS,
        size=size,
        files={name: (f"{REPOSITORY}/{_published(name)}", SHA256[name]) for name in own},
    )


FILES = {"Cichy2014": _files("Cichy2014", "4 MB"), "Cichy2016": _files("Cichy2016", "8 MB")}


def state(data: str, target: str) -> str:
    """Whether the data are on this computer, for `granularity benchmarks`."""
    if target.startswith("fmri") and find_spec("h5py") is None:
        return f"needs h5py, which `pip install h5py` installs; then {FILES[data].state()}"
    return FILES[data].state()


@lru_cache
def stimulus_set(data: str):
    """The images of "Cichy2014" (92, on white) or "Cichy2016" (118 photographs), by number, with their categories."""
    files, names = FILES[data], sorted(_sorted_images(data), key=_number)
    paths = {f"{data.lower()}_{_number(name):03d}": files.path(name) for name in names}
    content = hashlib.sha256("".join(files.files[name][1] for name in names).encode()).hexdigest()
    columns = {"category": [CATEGORIES[data][_folder(name) - 1] for name in names]}
    if data == "Cichy2014":  # the same objects in the same order, there on grey
        columns["picture"] = kriegeskorte_ids()
    return from_files(data, files.root(), paths, content, **columns)


def rdms(data: str, target: str) -> DataAssembly:
    """RDMs, subject x stimulus x other_stimulus; those of MEG are means over the time points of a window."""
    file, variable = RDMS[target]
    path, n = FILES[data].path(file.format(n=N_IMAGES[data])), N_IMAGES[data]
    values = by_number(loadmat(path)[variable], data) if target.startswith("meg") else _hdf5(path, variable)
    if values.shape != (N_SUBJECTS, n, n):
        raise ValueError(f"{path}, {variable}: expected ({N_SUBJECTS}, {n}, {n}), got {values.shape}")
    # whether the 15 of fMRI are those of MEG, in this order, is not said
    subjects = [f"{target.partition('.')[0]}_{i:02d}" for i in range(1, N_SUBJECTS + 1)]
    return of_rdms(f"{data}_{target}", values, subjects, stimulus_set(data))


def sorted_rows(data: str) -> np.ndarray:
    """(n,) image, counted from 0, that each row of the sorted RDMs is of.

    >>> sorted_rows("Cichy2016")[:3].tolist()  # the folder of animals begins with images 10, 11 and 16
    [9, 10, 15]
    """
    return np.array([_number(name) - 1 for name in _sorted_images(data)])


def by_number(sorted_rdms: np.ndarray, data: str) -> np.ndarray:
    """Sorted RDMs (..., n, n) with their rows in the order of the images' numbers."""
    place = np.argsort(sorted_rows(data))
    return sorted_rdms[..., place[:, None], place]


def _sorted_images(data: str) -> list[str]:
    images = [name for name in FILES[data].files if name.endswith(".jpg")]
    return sorted(images, key=lambda name: (_folder(name), name))


def _folder(image: str) -> int:
    """Number of the category: CategorisedData/92images/1/image_01.jpg is in 1."""
    return int(image.split("/")[2])


def _number(image: str) -> int:
    """Number of the image, from 1."""
    return int(image.rpartition("_")[2].removesuffix(".jpg"))


def _hdf5(path, variable: str) -> np.ndarray:
    """A variable of a MATLAB 7.3 file, whose dimensions are reversed there."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"{path.name} is a MATLAB 7.3 file and needs h5py: pip install h5py, or 'brainscore_granularity[prepare]'"
        ) from error
    with h5py.File(path) as file:
        return file[variable][()].T
