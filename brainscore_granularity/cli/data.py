"""`granularity data prepare NAME`, `data fetch NAME` and `data status`: thin, as all verbs.

A data set has an entry in ``datasets.prepare.registry``, a module with ``prepare(source, ...)``, and its command here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import tyro

from brainscore_granularity.datasets.prepare.registry import DATASETS
from brainscore_granularity.paths import HOME_VARIABLE

From = Annotated[Path, tyro.conf.arg(name="from", metavar="DIR")]


def nsd(
    source: From,
    subjects: tuple[int, ...] = (),
    regions: tuple[str, ...] = (),
    repeats: int = 3,
    train_images: int = 1000,
    seed: int = 0,
    to: Path | None = None,
) -> None:
    """Natural Scenes Dataset: betas in 1.8 mm volumes to one assembly per region.

    Reads one session at a time and only the voxels of the regions. It can be stopped at any time: the same command
    resumes.

    Example: granularity data prepare nsd --from /data/natural-scenes-dataset --subjects 1 2 5 7

    Args:
        source: Folder that holds nsddata, nsddata_betas and nsddata_stimuli, as in the owner's bucket.
        subjects: Numbers from 1 to 8; by default all subjects with a session in the folder.
        regions: V1 V2 V3 V4 early ventral FFA PPA IT; by default all with a map in the folder.
        repeats: How often every subject must have seen an image for it to be a test image.
        train_images: Number of images, seen by one subject only, on which layers are chosen.
        seed: Seed of the choice of those images.
        to: Home for the result instead of $BRAINSCORE_GRANULARITY_HOME.
    """
    chosen = {"repeats": repeats, "train_images": train_images, "seed": seed}
    _make("nsd", source, to, subjects=subjects, regions=regions, **chosen)


def nsd_synthetic(
    source: From, subjects: tuple[int, ...] = (), regions: tuple[str, ...] = (), to: Path | None = None
) -> None:
    """NSD-synthetic: betas of the additional session with synthetic images to one assembly per region.

    Example: granularity data prepare nsd-synthetic --from /data/natural-scenes-dataset

    Args:
        source: Folder that holds nsddata, nsddata_betas and nsddata_stimuli, as in the owner's bucket.
        subjects: Numbers from 1 to 8; by default all with betas in the folder.
        regions: early ventral; by default both.
        to: Home for the result instead of $BRAINSCORE_GRANULARITY_HOME.
    """
    _make("nsd-synthetic", source, to, subjects=subjects, regions=regions)


def things(source: From, images: Path | None = None, to: Path | None = None) -> None:
    """THINGS: the 66-dimensional embedding of similarity judgements, and the choices, with their images.

    The images stay where they are: keep them there.

    Example: granularity data prepare things --from /data/things

    Args:
        source: Folder with unique_id.txt, spose_embedding_66d_sorted.txt and, for the choices, validationset.txt.
        images: The folder of image folders; by default it is searched for below --from.
        to: Home for the result instead of $BRAINSCORE_GRANULARITY_HOME.
    """
    _make("things", source, to, images=images)


def things_fmri(source: From, images: Path | None = None, to: Path | None = None) -> None:
    """THINGS-fMRI: the single-trial responses in table format to one assembly per region.

    Example: granularity data prepare things-fmri --from /data/things-fmri --images /data/things/object_images

    Args:
        source: Folder with sub-01_ResponseData.h5, sub-01_StimulusMetadata.csv, sub-01_VoxelMetadata.csv and so on.
        images: The THINGS images; by default below the other folder, or where they were prepared from before.
        to: Home for the result instead of $BRAINSCORE_GRANULARITY_HOME.
    """
    _make("things-fmri", source, to, images=images)


def tvsd(source: From, images: Path | None = None, to: Path | None = None) -> None:
    """THINGS ventral stream spiking dataset: the normalised responses of two monkeys to one assembly per area.

    Example: granularity data prepare tvsd --from /data/TVSD --images /data/things/object_images

    Args:
        source: Folder with monkeyF and monkeyN, and in each THINGS_normMUA.mat and _logs/things_imgs.mat.
        images: The THINGS images; by default below the other folder, or where they were prepared from before.
        to: Home for the result instead of $BRAINSCORE_GRANULARITY_HOME.
    """
    _make("tvsd", source, to, images=images)


def fetch(
    name: Annotated[
        Literal["kriegeskorte2008", "cichy2014", "cichy2016", "cowley2023", "nsd", "nsd-synthetic"],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="NAME"),
    ],
    to: Path | None = None,
    subjects: tuple[int, ...] = (),
    regions: tuple[str, ...] = (),
    accept_terms: str = "",
    dry_run: bool = False,
) -> None:
    """Fetch a data set from its owner: only the files that are needed here, and of these only what is missing.

    Says the size and the time first. It can be stopped at any time: the same command goes on where it stopped. Files
    are checked by the sums that their owner publishes. NSD is fetched after you have agreed to its owners' terms, and
    then needs `granularity data prepare`; the others are fetched at their first use anyway.

    Example: granularity data fetch nsd --to /data/natural-scenes-dataset --subjects 1 2 --dry-run

    Args:
        name: kriegeskorte2008, cichy2014, cichy2016, cowley2023, nsd or nsd-synthetic.
        to: Folder for the files of NSD; the others go where they are looked for.
        subjects: NSD: numbers from 1 to 8; by default all.
        regions: NSD: V1 V2 V3 V4 early ventral FFA PPA IT; by default all.
        accept_terms: NSD: the sentence in which you accept its terms; without it, an error says which.
        dry_run: Only list what would be fetched.
    """
    from brainscore_granularity.datasets import nsd_bucket, orders

    if name in (pinned := orders.pinned_sets()):
        if to or subjects or regions or accept_terms:
            raise ValueError(
                f"--to, --subjects, --regions and --accept-terms are for NSD; {pinned[name].title} has none"
            )
        order = orders.of_pinned(pinned[name])
    else:
        if to is None:
            raise ValueError("--to: which folder? NSD takes up to hundreds of gigabytes")
        order = nsd_bucket.order(name, to, subjects, regions)
    if dry_run:
        for file in orders.announced(order):
            print(file.path if file.size is None else f"{file.path}  {file.size / 1e6:.1f} MB")
        return
    orders.get(order, accept_terms)
    print(f"{order.title}: {len(order.files)} files in {order.folder}; {order.then}")


PREPARE = {"nsd": nsd, "nsd-synthetic": nsd_synthetic, "things": things, "things-fmri": things_fmri, "tvsd": tvsd}


def prepare() -> None:
    """Make assemblies from the files of a data set's owners, who give them to you under their own terms.

    Example: granularity data prepare nsd --from /data/natural-scenes-dataset
    """  # does nothing itself: there is one verb for each data set


def status() -> None:
    """Which data sets are prepared or fetched on this computer, what they serve, and how to get those that are not.

    Example: granularity data status
    """
    from brainscore_granularity.datasets import orders
    from brainscore_granularity.datasets.prepare.store import root, state

    from .tables import print_data_status, print_fetched

    states = {name: {build: state(build) for build in dataset.identifiers} for name, dataset in DATASETS.items()}
    print_data_status(list(DATASETS.values()), states)
    print(f"\nin {root()}; another home: {HOME_VARIABLE}\n")
    print_fetched(list(orders.pinned_sets().values()))


def _make(name: str, source: Path, to: Path | None, **settings) -> None:
    if not source.is_dir():
        raise FileNotFoundError(f"no folder {source}; --from names the folder that holds the owner's files")
    if to is not None:
        os.environ[HOME_VARIABLE] = str(to)
    from brainscore_granularity.datasets.prepare.store import root

    builds = DATASETS[name].preparation()(source, **settings)
    print(f"{len(builds)} builds ready in {root()}; `granularity data status` lists them")
