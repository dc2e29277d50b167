"""The data sets that can be prepared: their benchmarks, their licence, and how to get them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

NSD_REGIONS = ("V1", "V2", "V3", "V4", "early", "ventral", "FFA", "PPA", "IT")
NSD_SUBJECTS = tuple(range(1, 9))
SYNTHETIC_REGIONS = ("early", "ventral")
THINGS_FMRI_REGIONS = ("V1", "V2", "V4", "LOC", "IT")
TVSD_REGIONS = ("V1", "V4", "IT")


@dataclass(frozen=True)
class Dataset:
    """One data set of one owner; ``module`` holds ``prepare(source: Path, ...)``, which makes its local builds."""

    name: str
    title: str
    module: str
    identifiers: tuple[str, ...]
    """Every local build that the data set can make, in the order of display."""
    serves: str
    """Benchmarks that load them."""
    licence: str
    access: str

    @property
    def command(self) -> str:
        return f"granularity data prepare {self.name} --from DIR"

    def preparation(self):
        """The function ``prepare(source, ...)`` of the command; it returns the identifiers of the builds."""
        return import_module(f"{__package__}.{self.module}").prepare


def nsd_identifiers() -> tuple[str, ...]:
    """All local builds of NSD: a joint one of the shared test images, and one per subject of its own train images."""
    return tuple(
        identifier
        for region in NSD_REGIONS
        for identifier in (
            f"Allen2022_fmri_local.{region}.test",
            *(f"Allen2022_fmri_local.{region}.train.subj{subject:02d}" for subject in NSD_SUBJECTS),
        )
    )


_NSD_ACCESS = (
    "agree to the terms of the Natural Scenes Dataset on naturalscenesdataset.org (a form), then copy the files from "
    "the S3 bucket natural-scenes-dataset, or let `granularity data fetch` fetch those that are needed"
)
DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="nsd",
            title="Natural Scenes Dataset",
            module="nsd.build",
            identifiers=nsd_identifiers(),
            serves=f"Allen2022_fmri.{{{','.join(NSD_REGIONS)}}}-rsa",
            licence="the NSD terms and conditions",
            access=_NSD_ACCESS,
        ),
        Dataset(
            name="nsd-synthetic",
            title="NSD-synthetic",
            module="nsd.synthetic",
            identifiers=tuple(f"Allen2022_fmri_synthetic_local.{region}.test" for region in SYNTHETIC_REGIONS),
            serves=f"Allen2022_fmri_synthetic.{{{','.join(SYNTHETIC_REGIONS)}}}-rsa",
            licence="the NSD terms and conditions",
            access=_NSD_ACCESS,
        ),
        Dataset(
            name="things",
            title="THINGS images and similarity judgements",
            module="things.concepts",
            identifiers=("Hebart2023_local.spose", "Hebart2023_local.triplet"),
            serves="Hebart2023.{concept-rsa,triplet}",
            licence="the terms of the THINGS image database (non-commercial research)",
            access="the images from osf.io/jum2f (with the password beside them), the embedding and the choices from "
            "osf.io/f5rn6",
        ),
        Dataset(
            name="things-fmri",
            title="THINGS-fMRI",
            module="things.fmri",
            identifiers=tuple(
                f"Hebart2023_fmri_local.{region}.{split}"
                for region in THINGS_FMRI_REGIONS
                for split in ("train", "test", "concepts720")
            ),
            serves=f"Hebart2023_fmri.{{{','.join(THINGS_FMRI_REGIONS)}}}-rsa, Hebart2023_fmri.{{V1,V2,LOC,IT}}-720-rsa",
            licence="the licence stated with THINGS-data, and the terms of the THINGS image database",
            access="the single trial responses in table format from doi.org/10.25452/figshare.plus.20492835, the "
            "images from osf.io/jum2f",
        ),
        Dataset(
            name="tvsd",
            title="THINGS ventral stream spiking dataset",
            module="tvsd",
            identifiers=tuple(
                f"Papale2025_local.{region}.{split}" for region in TVSD_REGIONS for split in ("train", "test")
            ),
            serves=f"Papale2025.{{{','.join(TVSD_REGIONS)}}}-rsa",
            licence="the licence stated with the TVSD, and the terms of the THINGS image database",
            access="the repository paolo_papale/TVSD on gin.g-node.org; the images from osf.io/jum2f",
        ),
    )
}


def dataset_of(identifier: str) -> Dataset:
    """The data set that makes a local build."""
    for dataset in DATASETS.values():
        if identifier in dataset.identifiers:
            return dataset
    known = [name for dataset in DATASETS.values() for name in dataset.identifiers]
    raise ValueError(f"no data set makes a local build {identifier!r}; there are: {', '.join(known)}")
