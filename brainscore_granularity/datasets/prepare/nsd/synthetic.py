"""NSD-synthetic: one session of 744 trials with synthetic images -> one build per region, test only.

The 220 images that all subjects saw are used; the other 64 have colours made for each subject. All presentations are
averaged, those of the fixation task and those of the one-back task, after a z-score of each voxel over all 744 trials.
Layers are not chosen on these data; those chosen on NSD are used.

The stored images are 1360 x 714 pixels, 714 of which span 8.4 degrees. As the data set's authors do before they show
them to networks, pixels become ``sqrt(v / 255) * 255`` (the usual encoding of image files, if stored values are
proportional to light), and the central square of 714 pixels is cut out, which is what the images of NSD covered. Words
at the sides fall outside of it: such images have ``blank`` set in the stimulus set.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainscore_granularity.progress import progress

from .. import assemblies, files, images, store
from ..registry import DATASETS, SYNTHETIC_REGIONS
from ..reliability import noise_ceiling
from ..repeats import Repeats
from . import voxels
from .extraction import Session
from .files import SUFFIXES, Subject, existing, matlab

N_IMAGES, N_SHARED, TRIALS = 284, 220, 744
BETAS = "nsdsyntheticbetas_fithrf_GLMdenoise_RR"
IMAGES = "Allen2022_fmri_synthetic_images"
SUBJECTS = range(1, 9)


def prepare(
    source: Path,
    subjects: tuple[int, ...] = (),
    regions: tuple[str, ...] = (),
    say: Callable[[str], None] = print,
) -> list[str]:
    """Make the local builds of NSD-synthetic.

    Parameters
    ----------
    source : folder that holds ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli`` as in the owner's bucket.
    subjects : numbers from 1 to 8; by default all with betas in the folder.
    regions : early, ventral or both, which is the default.

    Returns
    -------
    Identifiers of the builds.
    """
    source, regions = Path(source), list(regions or SYNTHETIC_REGIONS)
    if unknown := [name for name in (*subjects, *regions) if name not in (*SUBJECTS, *SYNTHETIC_REGIONS)]:
        raise ValueError(f"no {unknown[0]!r}; subjects are 1 to 8, regions {', '.join(SYNTHETIC_REGIONS)}")
    everyone = [Subject(source, number) for number in subjects or SUBJECTS]
    used = everyone if subjects else [subject for subject in everyone if existing(betas(subject))] or everyone[:1]
    files.require(DATASETS["nsd-synthetic"], source, _needed(source, used))
    order = _order(source)
    names = [f"nsdsynthetic_{image:03d}" for image in range(1, N_SHARED + 1)]
    stimuli = _stimuli(source, names)
    say(f"{N_SHARED} images, {len(used)} subjects: {', '.join(subject.name for subject in used)}")
    found = {}
    with progress("reading sessions", len(used)) as advance:
        for subject in used:
            own = voxels.of_masks(subject.name, {region: subject.roi(region) for region in regions})
            session = Session(existing(betas(subject)), order, store.root() / ".nsd-synthetic-sessions" / subject.name)
            session.extract(own.indices, own.shape)
            found[subject.name] = own, session
            advance(subject.name)
    identifiers = [_build(region, names, stimuli, found, say) for region in regions]
    shutil.rmtree(store.root() / ".nsd-synthetic-sessions", ignore_errors=True)
    return identifiers


def _build(region: str, names: list[str], stimuli, found: dict[str, tuple[voxels.Voxels, Session]], say) -> str:
    means, neuroids, records = [], [], []
    for subject, (own, session) in found.items():
        columns = own.columns.get(region)
        if columns is None:
            say(f"{subject} has no voxels in {region}")
            continue
        repeats = Repeats(np.arange(1, N_SHARED + 1), len(columns))
        repeats.add(*session.trials(own.indices, columns))
        whole = np.isfinite(repeats.mean()).all(axis=0)
        coordinates = {
            **own.coordinates(region),
            "nc_testset": noise_ceiling(repeats.ncsnr(), repeats.counts),
            "reliability": repeats.reliability(),
        }
        means.append(repeats.mean()[:, whole])
        neuroids.append({name: values[whole] for name, values in coordinates.items()})
        records.append(
            {
                "subject": subject,
                "voxels": int(whole.sum()),
                "dropped_voxels": int((~whole).sum()),
                "session": files.fingerprint(session.path) | {"read_sha256": session.read_sha256(own.indices)},
            }
        )
    if not means:
        raise ValueError(f"no subject has voxels in {region}")
    identifier = f"Allen2022_fmri_synthetic_local.{region}.test"
    assembly = assemblies.neuroid_assembly(
        np.concatenate(means, axis=1),
        presentation={"stimulus_id": names, "repetitions": repeats.counts},
        neuroid=voxels.joint(neuroids),
        dropped_voxels=sum(record["dropped_voxels"] for record in records),
    )
    source = {
        "betas": f"{BETAS}, func1pt8mm, z-scored over the session, averaged over presentations",
        "subjects": records,
    }
    store.save(identifier, assembly, stimuli, store.image_folder(IMAGES), "Allen2022_fmri_synthetic_local.test", source)
    return identifier


def _needed(source: Path, subjects: list[Subject]) -> list:
    needed = [design_file(source), stimuli_file(source)]
    for subject in subjects:
        needed += [betas(subject)]
        if not subject.roi_files("streams"):
            needed += [subject.roi_path("streams")]
    return needed


def _order(source: Path) -> np.ndarray:
    """Image of each of the 744 trials, 1 to 220; -1 for the 64 images that differ between subjects."""
    path = design_file(source)
    order = matlab(path, "masterordering")[0].ravel().astype(int)
    if len(order) != TRIALS or order.min() != 1 or order.max() != N_IMAGES:
        raise ValueError(
            f"{path}: expected a masterordering of {TRIALS} trials from 1 to {N_IMAGES}, got {len(order)} from "
            f"{order.min()} to {order.max()}"
        )
    return np.where(order <= N_SHARED, order, -1)


def _stimuli(source: Path, names: list[str]):
    """Write the images; returns their stimulus set: number, blank, and if the owner's table exists class, subclass."""
    import h5py
    import pandas as pd
    from PIL import Image

    path, folder = stimuli_file(source), store.image_folder(IMAGES)
    with files.named(path):
        file = h5py.File(path, "r")
        bricks = file["imgBrick"]
    if bricks.ndim != 4 or bricks.shape[0] != N_SHARED or bricks.shape[3] != 3:
        raise ValueError(f"{path}: expected images ({N_SHARED}, height, width, 3), got {bricks.shape}")

    def image(i):
        with files.named(path):
            return _as_shown_to_networks(bricks[i])

    with file:
        images.write_missing(folder, [f"{name}.png" for name in names], image, "writing images")
    stimuli = pd.DataFrame({"stimulus_id": names, "image_number": range(1, N_SHARED + 1)})
    table = design_file(source).with_name("nsdsyntheticimageinformation.csv")
    if table.exists():
        described = pd.read_csv(table).set_index("Image number").loc[stimuli["image_number"]]
        for column in ("Image", "Image subclass", "Image class"):
            stimuli[column.lower().replace(" ", "_").replace("image_", "")] = described[column].values
    stimuli["filename"] = [f"{name}.png" for name in names]
    pixels = (np.asarray(Image.open(folder / name)) for name in stimuli["filename"])
    stimuli["blank"] = [bool((image == image[0, 0]).all()) for image in pixels]
    return stimuli


def _as_shown_to_networks(light: np.ndarray) -> np.ndarray:
    """Stored values 0 to 255, (height, width, 3) -> the square image, (714, 714, 3) uint8; see above."""
    height, width = light.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = light[top : top + side, left : left + side].astype(np.float64)
    return (np.sqrt(square / 255) * 255).astype(np.uint8)


def betas(subject: Subject) -> tuple[Path, ...]:
    return tuple(subject.betas / BETAS / f"betas_nsdsynthetic{suffix}" for suffix in SUFFIXES)


def design_file(source: Path) -> Path:
    return source / "nsddata" / "experiments" / "nsdsynthetic" / "nsdsynthetic_expdesign.mat"


def stimuli_file(source: Path) -> Path:
    return source / "nsddata_stimuli" / "stimuli" / "nsdsynthetic" / "nsdsynthetic_stimuli.hdf5"
