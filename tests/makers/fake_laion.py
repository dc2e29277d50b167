"""LAION-fMRI in miniature: images and assemblies in exactly the form in which Brain-Score finds and stores them."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly, StimulusReferenceAssemblyLoader
from brainscore_vision import load_stimulus_set
from fake_brains import BAD, GOOD, N_IMAGES, NOISE, latent, picture, seen_by
from PIL import Image

IDS = {  # of Brain-Score's shared pool: LAION-natural, THINGSplus, NSD, and images out of distribution
    "natural": [f"shared_12rep_LAION_cluster_{i}_i{i:03d}.jpg" for i in range(N_IMAGES)],
    "selection": [f"shared_12rep_THINGS+_thing_{i:03d}s.jpg" for i in range(N_IMAGES)],
    "nsd": [f"shared_4rep_NSD_special1000_{i:04d}.jpg" for i in range(8)],
    "ood": [f"shared_4rep_OOD_shape_blob_{i:03d}.png" for i in range(N_IMAGES)],
}
PEOPLE = [f"sub-{i:02d}" for i in (1, 3, 5, 6, 7)]


def images(folder) -> Path:
    """The folder of images and its manifest, as Brain-Score's script extracts them."""
    place = folder / "laion" / "images_extracted"
    place.mkdir(parents=True, exist_ok=True)
    ids = [stimulus for part in IDS.values() for stimulus in part]
    for stimulus in ids:
        Image.fromarray(picture(stimulus)).save(place / stimulus)
    shared = ["shared" for _ in ids]
    table = pd.DataFrame({"stimulus_id": ids, "filename": ids, "path": "/elsewhere", "unique_or_shared": shared})
    table.to_csv(place / "manifest.csv", index=False)
    return place


def assembly(folder, who: str):
    """Zerbe2026_fmri_full_<who>: the file as Brain-Score's scripts write it, read as its loader does.

    Trials in the order in which they happened, 12 or 4 of an image; no time, no images merged in; people have their own
    numbers of voxels; voxels without signal are 0 throughout and have NaN for ceilings.
    """
    rng = np.random.default_rng(int(who[-1]))
    ids = np.array([i for part in IDS.values() for i in part for _ in range(12 if "12rep" in i else 4)])
    ids = rng.permutation(ids)
    repetition = pd.DataFrame({"label": ids}).groupby("label").cumcount().to_numpy(np.int32)
    points, blocks, region, ceiling = latent(ids), [], [], []
    for name, n in (("V1", GOOD), ("V2", GOOD + 1), ("V3", GOOD), ("V4", GOOD), ("IT", GOOD + int(who[-1]))):
        good = seen_by(points, rng, n) + NOISE * rng.normal(size=(len(ids), n))
        bad = 5 * rng.normal(size=(len(ids), BAD))
        bad[:, -1] = 0
        blocks += [good, bad]
        region += [name] * (n + BAD)
        ceiling += [60.0] * n + [10.0] * (BAD - 1) + [np.nan]
    values, n = np.concatenate(blocks, axis=1).astype(np.float32), len(region)
    array = xr.DataArray(
        values,
        dims=("presentation", "neuroid"),
        coords={
            "presentation": np.arange(len(ids)),
            "stimulus_id": ("presentation", ids.astype(object)),
            "neuroid": np.arange(n),
            "subject_id": ("neuroid", np.full(n, who, object)),
            "region": ("neuroid", np.array(region, object)),
            "roi": ("neuroid", np.array(region, object)),
            "voxel_index_in_brain_mask": ("neuroid", np.arange(n, dtype=np.int32)),
            **{name: ("neuroid", np.array(ceiling, np.float32)) for name in ("nc_4rep", "nc_12rep", "nc_allrep")},
            "repetition": ("presentation", repetition),
            "subject_id_pres": ("presentation", np.full(len(ids), f"{who}_v3", object)),
        },
        name="data",
    )
    path = folder / f"shared_{who}_v3_brainscore.nc"
    array.to_netcdf(path)
    stimuli = load_stimulus_set("Zerbe2026_fmri_stim_full")
    loader = StimulusReferenceAssemblyLoader(
        cls=NeuroidAssembly, file_path=path, stimulus_set_identifier=stimuli.identifier, stimulus_set=stimuli
    )
    found = loader.load()
    found.attrs["identifier"] = f"LAION_fMRI_full_{who}_Assembly"
    return found


ASSEMBLIES = {f"Zerbe2026_fmri_full_{who}": lambda folder, who=who: assembly(folder, who) for who in PEOPLE}
