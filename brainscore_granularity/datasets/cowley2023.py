"""Spike counts of macaque V4 to images of 112 pixels, session by session, from the files of Cowley et al. (2023).

Each session is one day's units and images. Four were checked against values known for them; they are fetched and
verified by SHA-256. The others work too where their files lie in the folder that ``FOLDER_VARIABLE`` names.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet

from brainscore_granularity.download import DataMissing

from .pinned import Pinned
from .stimuli import from_bytes, joined

FOLDER_VARIABLE = "BRAINSCORE_GRANULARITY_COWLEY"
COMMIT = "f4552ad9d34a466ebc66658f72a08a8e5038f1cf"
REPOSITORY = f"https://raw.githubusercontent.com/cowleygroup/V4_compact_models/{COMMIT}/data_V4_responses"
TERMS = "Licence: GPL-3. Cite Cowley, Stan, Pillow & Smith (2023), doi.org/10.1101/2023.11.22.568315"
IMAGES, AVERAGES, REPEATS = (
    "images/images_{}.zip",
    "responses_repeat_averaged/responses_{}.npy",
    "responses_raw/responses_{}.npy",
)
# SHA-256 of the files of the sessions that the registered data sets are made of.
PINNED = {
    IMAGES.format("190923"): "e99a4df1c7476bdc4d565ff4408bc421976ecc3a22c41af6bfd0cfbddb508c0c",
    IMAGES.format("201025"): "3abb63679107665eab7220bdeaf7863832a1df943bf3d7792501f5082a55b2e8",
    IMAGES.format("210225"): "79bfb1066949a7f7bbd3c632ab420c2230b966b80cade76593d8745aea49b7f6",
    IMAGES.format("210325"): "992774eca3508a2ad01accb1a31f5f3e3d90248c49f4eec314f2a915a263e454",
    REPEATS.format("210325"): "4008dbbf31a47d9b1b8d8da609f4a7a3433c7071f0e45c611c220b217dd75b76",
    AVERAGES.format("190923"): "741672d36541ce39930c8a3b5bd1cfd33c187aa47b1549c9c5569bc21aa97a28",
    AVERAGES.format("201025"): "f729f3dc0d29aa38bd380c0da9e39aba916f9e2580949929b65d1714e7217a8a",
    AVERAGES.format("210225"): "853f196247504fa2526b507f56ee5237711ed166f295f7cb23ec5441a7bf789b",
}
SESSIONS = ("190923", "201025", "210225", "210325")
# Animals and first days, from the owners' table: an animal's sessions lie between its first day and the next animal's.
FIRST_DAYS = {"WE": "190923", "PE": "201016", "RA": "210620"}


def files() -> Pinned:
    """The files of the registered sessions."""
    addresses = {name: (f"{REPOSITORY}/{name}", sha256) for name, sha256 in PINNED.items()}
    origin = "github.com/cowleygroup/V4_compact_models, data_V4_responses"
    return Pinned("Cowley2023", "cowley2023", FOLDER_VARIABLE, origin, TERMS, "18 MB", addresses)


def state() -> str:
    """Whether the files are on this computer, for `granularity benchmarks`."""
    return files().state()


def animal(session: str) -> str:
    """Which monkey was recorded in a session.

    >>> animal("190923"), animal("210325"), animal("211022")
    ('WE', 'PE', 'RA')
    """
    if not re.fullmatch(r"\d{6}", session) or session < FIRST_DAYS["WE"]:
        raise ValueError(f"session: expected a day such as 190923, got {session!r}")
    return max((first, name) for name, first in FIRST_DAYS.items() if first <= session)[1]


def sessions_here() -> list[str]:
    """Sessions in the folder that ``FOLDER_VARIABLE`` names; of a file without its partner nothing is said."""
    folder = _folder()
    found = folder.glob(IMAGES.format("*")) if folder else ()
    names = sorted(path.stem.removeprefix("images_") for path in found)
    return [name for name in names if any((folder / kind.format(name)).is_file() for kind in (AVERAGES, REPEATS))]


def stimulus_set(session: str) -> StimulusSet:
    """The images of a session in the order of its responses, an image that was shown twice once.

    An image has the same id in every session that shows it: it is made of the content of its file.
    """
    files = _images(session)
    once = dict(zip(_ids(files), files, strict=True))
    return from_bytes(f"Cowley2023.{session}", list(once), list(once.values()), ".jpg")


def stimulus_sets(sessions: tuple[str, ...] = SESSIONS) -> StimulusSet:
    """The images of several sessions, one that several of them show once."""
    return joined("Cowley2023", [stimulus_set(session) for session in sessions])


def assembly(session: str) -> NeuroidAssembly:
    """Spike counts (presentation x neuroid): every repeat where the owners' repeats are used, else their means.

    The attribute ``repeats`` says which. Means are those over the repeats of an image; of the four registered sessions,
    210325 has repeats.
    """
    ids, counts = _ids(_images(session)), _counts(session)
    units, images, repeats = counts.shape
    if len(ids) != images:
        raise DataMissing(f"session {session}: {len(ids)} images and responses to {images}: files of two versions?")
    shown = ~np.isnan(counts).all(axis=0)  # (images, repeats)
    image, repeat = np.nonzero(shown)
    found = NeuroidAssembly(
        counts[:, image, repeat].T,
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.asarray(ids)[image]),
            "repetition": ("presentation", repeat),
            "neuroid_id": ("neuroid", [f"{session}_unit{unit:03d}" for unit in range(units)]),
            "subject": ("neuroid", [animal(session)] * units),
            "session": ("neuroid", [session] * units),
            "region": ("neuroid", ["V4"] * units),
        },
    )
    stimuli = stimulus_set(session)
    found.attrs.update(identifier=f"Cowley2023.{session}", repeats=repeats > 1)
    found.attrs.update(stimulus_set=stimuli, stimulus_set_identifier=stimuli.identifier)
    return found


def in_order(names: list[str]) -> list[str]:
    """The images among the entries of an archive, in the order of the responses: by name, whatever the archive's.

    Some archives hold a second, hidden entry for each image, and some hold them in the order of a folder on disk.

    >>> in_order(["image0002.jpg", "__MACOSX/._image0001.jpg", "image0001.jpg", "images_190923/"])
    ['image0001.jpg', 'image0002.jpg']
    """
    images = [name for name in names if re.fullmatch(r"image\d+\.jpg", Path(name).name) and "__MACOSX" not in name]
    return sorted(images, key=lambda name: Path(name).name)


def _images(session: str) -> list[bytes]:
    return _unpacked(_path(IMAGES.format(session)))


@lru_cache(maxsize=8)
def _unpacked(archive: Path) -> list[bytes]:
    with zipfile.ZipFile(archive) as opened:
        names = in_order(opened.namelist())
        if [Path(name).stem for name in names] != [f"image{k:04d}" for k in range(1, len(names) + 1)]:
            raise DataMissing(f"{archive}: expected image0001.jpg, image0002.jpg and so on, got {', '.join(names[:3])}")
        return [opened.read(name) for name in names]


def _ids(files: list[bytes]) -> list[str]:
    return [f"v4_{hashlib.sha256(file).hexdigest()[:16]}" for file in files]


def _counts(session: str) -> np.ndarray:
    """(units, images, repeats), NaN where an image had fewer; one "repeat" where only the means are used."""
    repeats, averages = REPEATS.format(session), AVERAGES.format(session)
    if repeats in PINNED or (session not in SESSIONS and _folder() and (_folder() / repeats).is_file()):
        return np.load(_path(repeats))
    return np.load(_path(averages))[:, :, None]


def _folder() -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else None


def _path(name: str) -> Path:
    known, folder = files(), _folder()
    if name in known.files:
        return known.path(name)
    if folder is None:
        raise DataMissing(
            f"{name} is not fetched: sessions besides {', '.join(SESSIONS)} are read from a folder. {known.advice}"
        )
    if not (folder / name).is_file():
        raise DataMissing(f"{FOLDER_VARIABLE} is {folder}, where there is no {name}. {known.advice}")
    return folder / name
