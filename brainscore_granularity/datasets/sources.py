"""Where the data of a benchmark come from: Brain-Score's store, or a local build by `granularity data prepare`."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscore_granularity.download import DataMissing

from .prepare import store

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One region of one data set.

    brainscore : identifier of Brain-Score's data set, which is tried first; None if it does not have this region.
    file : name of the file of that data set in Brain-Score's cache; if it exists, the data are on this computer.
    local : identifier of the local build, used if Brain-Score's data cannot be loaded; None: there is none.
    region : value of the neuroids' coordinate region to which Brain-Score's data are restricted; None: all.
    licence : licence of the data, named in the error if they are missing.
    """

    brainscore: str | None = None
    file: str | None = None
    local: str | None = None
    region: str | None = None
    licence: str = ""

    def load(self):
        """The assembly, with the attributes identifier and stimulus_set."""
        from brainscore_vision import load_dataset

        if self.brainscore:
            try:
                return self._of_region(load_dataset(self.brainscore))
            except DataMissing:
                raise
            except Exception as error:  # boto, botocore, zipfile, ...: Brain-Score does not document the types
                if self._local_state() != "ready":
                    raise DataMissing(self._how_to_get(error)) from error
                _logger.warning(f"{self.brainscore} cannot be loaded from Brain-Score; using {self.local}")
        return load_dataset(self.local)

    def status(self) -> str:
        """One line that says whether the data are on this computer, without reading them."""
        if self._is_cached():
            return f"ready ({self.brainscore})"
        local = self._local_state()
        if local == "ready":
            return f"ready ({self.local})"
        prepare = f"`{store.dataset_of(self.local).command}`" if self.local else ""
        if local == "damaged":
            return f"damaged: run {prepare} again"
        if self.brainscore:
            return "downloadable from Brain-Score's store" + (f", or {prepare}" if prepare else "")
        return f"needs {prepare}"

    def _local_state(self) -> str:
        return store.state(self.local)[0] if self.local else "missing"

    def _is_cached(self) -> bool:
        if not self.file:
            return False
        return any(brainio_home().glob(f"*/{self.file}"))

    def _of_region(self, assembly):
        identifier, stimuli = assembly.attrs.get("identifier", self.brainscore), assembly.attrs["stimulus_set"]
        if self.region is not None:
            chosen = np.flatnonzero(assembly["region"].values == self.region)
            if not len(chosen):
                known = ", ".join(sorted(set(assembly["region"].values)))
                raise DataMissing(f"{self.brainscore} has no region {self.region}; it has {known}")
            assembly = assembly.isel(neuroid=chosen)
            identifier = f"{identifier}.{self.region}"
        assembly.attrs["identifier"], assembly.attrs["stimulus_set"] = identifier, stimuli
        return assembly

    def _how_to_get(self, error: Exception) -> str:
        reason = " ".join(str(error).split())
        reason = reason if len(reason) < 160 else reason[:157] + "..."
        message = (
            f"{self.brainscore} ({self.licence}) is not on this computer and cannot be loaded from Brain-Score's store "
            f"({type(error).__name__}: {reason}). Load it once with network access: it is kept in "
            f"{brainio_home()}; set BRAINIO_HOME to use another folder"
        )
        return message + (f". Or use a local build: {store.how_to_get(self.local)}" if self.local else ".")


def stimuli_of(pattern: str):
    """The stimulus set that local builds share, taken from the first ready build that matches a shell pattern."""
    from fnmatch import fnmatch

    known = [name for dataset in store.DATASETS for name in store.identifiers(dataset) if fnmatch(name, pattern)]
    ready = [name for name in known if store.state(name)[0] == "ready"]
    return store.load((ready or known)[0]).attrs["stimulus_set"]


def brainio_home() -> Path:
    """Where Brain-Score keeps the data that it downloaded."""
    return Path(os.environ.get("BRAINIO_HOME") or "~/.brainio").expanduser()
