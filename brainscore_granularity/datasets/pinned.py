"""Files of public repositories at commits that never change: found in a folder that the user names, or fetched once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainscore_granularity.download import DataMissing, fetch
from brainscore_granularity.paths import home, sha256_of
from brainscore_granularity.progress import say

LISTED = 4  # files that a message names


@dataclass(frozen=True)
class Pinned:
    """The files of one data set, each checked by SHA-256 whenever it is read.

    title : name of the data set.
    folder : its name below ``data`` in the package's home, where fetched files are kept.
    variable : environment variable of a folder with the files in the same layout; nothing is fetched if it is set.
    origin : where the files are published.
    terms : licence, and what to cite; said before the first file is fetched, and in every error.
    size : of all files, such as "5 MB".
    files : {path in the folder: (address, SHA-256)}.
    """

    title: str
    folder: str
    variable: str
    origin: str
    terms: str
    size: str
    files: Mapping[str, tuple[str, str]]

    def root(self) -> Path:
        """Folder of the files on this computer, whether they are there or not."""
        return Path(os.environ.get(self.variable) or home() / "data" / self.folder)

    def state(self) -> str:
        """Whether the files are on this computer, by their names: content is checked when it is read."""
        missing = not all((self.root() / name).is_file() for name in self.files)
        return f"downloadable ({self.size}, once)" if missing else "ready"

    def path(self, name: str) -> Path:
        """One file, fetched if no folder was named and it is not here, and checked."""
        (url, sha256), root = self.files[name], self.root()
        path = root / name
        if not os.environ.get(self.variable):
            if not any((root / other).is_file() for other in self.files):
                say(f"{self.title}: {self.size} from {self.origin}, kept in {root}. {self.terms}")
            return fetch(url, path, sha256, self.advice)
        if not path.is_file():
            raise DataMissing(f"{self.variable} is {root}, where there is no {name}. {self.advice}")
        if (found := sha256_of(path)) != sha256:
            raise DataMissing(f"{path}: expected SHA-256 {sha256}, got {found}: a wrong or damaged file. {self.advice}")
        return path

    @property
    def advice(self) -> str:
        """What to do where the files cannot be fetched."""
        listed = ", ".join(list(self.files)[:LISTED])
        more = f" and {len(self.files) - LISTED} more" if len(self.files) > LISTED else ""
        return (
            f"{self.title} needs {listed}{more} from {self.origin}. {self.terms} Download them on a computer with "
            f"network access and set {self.variable} to their folder."
        )
