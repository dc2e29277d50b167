"""Small data sets in exactly the form of Brain-Score's and of the local store, with a known geometry.

Every subject sees a rotation of one latent space, plus noise; the rotation is chosen so that correlation distances of
the responses are those of the latent space. What must not count is worse than noise: neuroids below the reliability
cut respond to other images, and some neuroids have NaN.
"""

from pathlib import Path

import numpy as np
from brainscore_core.supported_data_standards.brainio.assemblies import NeuroidAssembly, NeuronRecordingAssembly
from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
from PIL import Image

from brainscore_granularity.datasets.prepare import assemblies, store

LATENT, GOOD, BAD = 8, 24, 8  # dimensions; neuroids of each subject and region
N_IMAGES = 30
NOISE = 0.15
CUT = {"nc_testset": (60, 10), "reliability": (0.8, 0.1), "reliability_window": (0.8, 0.1)}  # of good and bad neuroids


def latent(ids) -> np.ndarray:
    """(stimuli, LATENT): where each stimulus truly lies; the same wherever an id occurs."""
    seeds = [int.from_bytes(str(stimulus).encode()[-8:], "little") for stimulus in ids]
    return np.stack([np.random.default_rng(seed).normal(size=LATENT) for seed in seeds])


def picture(stimulus) -> np.ndarray:
    """Pixels of a stimulus, its own and the same wherever its id occurs."""
    return np.random.default_rng(list(str(stimulus).encode())).integers(0, 255, (24, 24, 3), dtype=np.uint8)


def seen_by(points: np.ndarray, rng, n: int = GOOD) -> np.ndarray:
    """Responses (stimuli, n) whose correlation distances are those of the points' directions."""
    basis = rng.normal(size=(n, LATENT))
    basis -= basis.mean(axis=0)  # responses then have mean 0 over neuroids, so that correlation is cosine
    return points @ np.linalg.qr(basis)[0].T


def stimulus_set(folder: Path, name: str, ids, **columns) -> StimulusSet:
    """Images of one base name in folders of their own, some of them grey or with transparency."""
    paths = {}
    for k, stimulus in enumerate(ids):
        paths[stimulus] = folder / name / f"{stimulus}" / "image.png"
        paths[stimulus].parent.mkdir(parents=True, exist_ok=True)
        pixels = picture(stimulus)
        Image.fromarray(pixels).convert(("RGB", "RGB", "L", "RGBA")[k % 4]).save(paths[stimulus])
    stimuli = StimulusSet({"stimulus_id": list(ids), **columns, "filename": [f"{i}.png" for i in ids]})
    stimuli.stimulus_paths, stimuli.identifier = paths, name
    return stimuli


def responses(ids, repeats: int, subjects, regions, cut: str, rng):
    """Values (presentations, neuroids), image-major, and the coordinates subject, region and ``cut``."""
    points, values, coordinates = latent(ids), [], {"subject": [], "region": [], cut: []}
    for subject in subjects:
        for region in regions:
            good = np.repeat(seen_by(points, rng), repeats, axis=0)
            bad = 5 * np.repeat(rng.normal(size=(len(ids), BAD)), repeats, axis=0)
            block = np.concatenate([good + NOISE * rng.normal(size=good.shape), bad], axis=1)
            block[rng.integers(len(block)), GOOD - 1] = np.nan
            values.append(block)
            coordinates["subject"] += [subject] * block.shape[1]
            coordinates["region"] += [region] * block.shape[1]
            coordinates[cut] += [CUT[cut][0]] * GOOD + [CUT[cut][1]] * BAD
    return np.concatenate(values, axis=1).astype(np.float32), coordinates


def assembly(values, presentation, neuroid, stimuli, name, cls=NeuroidAssembly):
    """presentation x neuroid x time_bin, with the attributes that Brain-Score's loader sets."""
    out = cls(
        values[:, :, None],
        dims=["presentation", "neuroid", "time_bin"],
        coords={
            **{key: ("presentation", np.asarray(column)) for key, column in presentation.items()},
            **{key: ("neuroid", np.asarray(column)) for key, column in neuroid.items()},
            "time_bin_start": ("time_bin", [70]),
            "time_bin_end": ("time_bin", [170]),
        },
    )
    out.attrs.update(stimulus_set=stimuli, stimulus_set_identifier=stimuli.identifier, identifier=name)
    return out


def allen(folder, split: str):
    """Allen2022_fmri_{train,test}: test with three repetitions, train averaged and without the coordinate."""
    first, repeats = (0, 3) if split == "test" else (500, 1)
    nsd = np.arange(first, first + N_IMAGES)
    ids = [f"nsd_{i:05d}" for i in nsd]
    stimuli = stimulus_set(folder, f"Allen2022_fmri_stim_{split}", ids, nsd_id=nsd)
    subjects, regions = [f"subj{s:02d}" for s in range(1, 9)], ["V1", "V2", "V4", "IT"]
    values, neuroid = responses(ids, repeats, subjects, regions, "nc_testset", np.random.default_rng(first))
    k = range(len(neuroid["subject"]))
    neuroid["neuroid_id"] = [f"{neuroid['subject'][i]}_{neuroid['region'][i]}_v{i:04d}" for i in k]
    neuroid |= {f"voxel_{axis}": list(k) for axis in "xyz"}
    presentation = {"stimulus_id": np.repeat(ids, repeats), "nsd_id": np.repeat(nsd, repeats)}
    if repeats > 1:
        presentation["repetition"] = np.tile(range(repeats), N_IMAGES)
    return assembly(values, presentation, neuroid, stimuli, f"Allen2022_fMRI_{split}")


def things(folder, name: str, subjects, regions, cut: str, repeats: int, ids):
    """Hebart2023_fmri and Papale2025: image names, neuroid ids that start anew for every subject."""
    columns = {"label": ids, "object_name": [i.rsplit("_", 1)[0] for i in ids], "label_idx": list(range(len(ids)))}
    stimuli = stimulus_set(folder, f"{name}_stim", ids, **columns)
    values, neuroid = responses(ids, repeats, subjects, regions, cut, np.random.default_rng(len(name)))
    n = len(neuroid["subject"]) // len(subjects)
    neuroid["neuroid_id"] = np.tile(np.arange(n), len(subjects))
    neuroid["oracle" if cut == "reliability" else "prf-rsquared"] = np.full(n * len(subjects), np.nan)
    presentation = {
        "stimulus_id": np.repeat(ids, repeats),
        "stimulus_label": np.repeat(ids, repeats),
        "stimulus_label_idx": np.repeat(range(len(ids)), repeats),
        "repetition": np.tile(range(repeats), len(ids)),
    }
    return assembly(values, presentation, neuroid, stimuli, name)


def things_ids(split: str) -> list[str]:
    return [f"{'thing' if split == 'test' else 'other'}{i:02d}_{i:02d}s" for i in range(N_IMAGES)]


def li(folder):
    """Li2026: no subject, but an animal; no repetitions; one animal with too few units."""
    nsd = np.arange(N_IMAGES)
    ids = [f"nsd_{i:05d}" for i in nsd]
    stimuli = stimulus_set(folder, "Li2026", ids, nsd_id=nsd, nsd_id_1indexed=nsd + 1, tn_index=nsd, coco_id=nsd)
    animals, regions = [f"M{i}" for i in range(1, 6)], ["V1", "V2", "V4", "IT"]
    values, neuroid = responses(ids, 1, animals, regions, "reliability_window", np.random.default_rng(7))
    neuroid["animal"] = neuroid.pop("subject")
    k = np.arange(len(neuroid["animal"]))
    neuroid |= {"neuroid_id": [f"s1.{i}" for i in k], "unittype": ["SU"] * len(k), "reliability": np.full(len(k), 0.9)}
    few = (np.array(neuroid["animal"]) == "M5") & (k % (GOOD + BAD) > 5)
    neuroid = {name: np.asarray(column)[~few] for name, column in neuroid.items()}
    presentation = {"stimulus_id": ids, "nsd_id": nsd}
    return assembly(values[:, ~few], presentation, neuroid, stimuli, "Li2026_Assembly", NeuronRecordingAssembly)


def odd_one_out(folder, n_choices: int = 3000):
    """Hebart2023: one row a triplet of image numbers, the third image being the odd one."""
    ids = list(range(N_IMAGES))
    stimuli = stimulus_set(folder, "Hebart2023", ids, unique_id=[f"thing{i}" for i in ids], rank=ids)
    points, rng = latent(ids), np.random.default_rng(0)
    rows = np.stack([rng.choice(N_IMAGES, 3, replace=False) for _ in range(n_choices)])
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    pairs = np.stack([(unit[rows[:, a]] * unit[rows[:, b]]).sum(axis=1) for a, b in ((1, 2), (0, 2), (0, 1))], axis=1)
    odd = np.where(rng.random(n_choices) < 0.51, pairs.argmax(axis=1), rng.integers(0, 3, n_choices))  # .51 + .49 / 3
    rows = np.stack([np.r_[np.delete(row, k), row[k]] for row, k in zip(rows, odd, strict=True)])
    out = NeuronRecordingAssembly(
        rows[:, 2],
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", rows[:, 2]),
            "triplet_id": ("presentation", [f"triplet_{i}" for i in range(n_choices)]),
            **{f"image_{i + 1}": ("presentation", rows[:, i]) for i in range(3)},
        },
    )
    out.attrs.update(stimulus_set=stimuli, stimulus_set_identifier="Hebart2023", identifier="Hebart2023")
    return out


BRAINSCORE = {
    "Allen2022_fmri_train": lambda folder: allen(folder, "train"),
    "Allen2022_fmri_test": lambda folder: allen(folder, "test"),
    **{
        f"Hebart2023_fmri_{split}": lambda folder, split=split: things(
            folder, f"THINGS_fMRI_{split}", ["01", "02", "03"], ["V1", "V2", "V4", "IT"], "nc_testset",
            12 if split == "test" else 1, things_ids(split),
        )
        for split in ("train", "test")
    },
    **{
        f"Papale2025_{split}": lambda folder, split=split: things(
            folder, f"THINGS_TVSD_{split}", ["monkeyF", "monkeyN"], ["V1", "V4", "IT"], "reliability",
            30 if split == "test" else 1, things_ids(split),
        )
        for split in ("train", "test")
    },
    "Li2026": li,
    "Hebart2023": odd_one_out,
}  # fmt: skip


def save_local(folder: Path, identifier: str, stimulus_set_name: str, ids, subjects, repeats: int = 1) -> None:
    """A local build, written by the store itself."""
    region = identifier.split(".")[1]
    images = folder / "local_images"
    images.mkdir(exist_ok=True)
    for stimulus in ids:
        pixels = picture(stimulus)
        Image.fromarray(pixels).save(images / f"{stimulus}.png")
    values, neuroid = responses(ids, repeats, subjects, [region], "nc_testset", np.random.default_rng(len(ids)))
    whole = np.isfinite(values).all(axis=0)  # which the store demands
    neuroid = {name: np.asarray(column)[whole] for name, column in neuroid.items()}
    neuroid["neuroid_id"] = [f"{s}_v{i:04d}" for i, s in enumerate(neuroid["subject"])]
    presentation = {"stimulus_id": np.repeat(ids, repeats), "repetition": np.tile(range(repeats), len(ids))}
    stimuli = StimulusSet({"stimulus_id": list(ids), "filename": [f"{stimulus}.png" for stimulus in ids]})
    store.save(
        identifier, assemblies.neuroid_assembly(values[:, whole], presentation, neuroid), stimuli, images,
        stimulus_set_name, {"made": "for a test"},
    )  # fmt: skip


N_CONCEPTS, IMAGES_A_CONCEPT = 60, 3


def save_concepts(folder: Path) -> None:
    """Hebart2023_local.spose: a row for every image, with the embedding of its concept; order is not the sorted one."""
    concepts = [f"concept{(7 * i) % N_CONCEPTS:02d}" for i in range(N_CONCEPTS)]
    images = folder / "things"
    rows = [(i, concept, f"{concept}_{k:02d}s") for i, concept in enumerate(concepts) for k in range(IMAGES_A_CONCEPT)]
    for _, concept, stimulus in rows:
        (images / concept).mkdir(parents=True, exist_ok=True)
        pixels = picture(stimulus)
        Image.fromarray(pixels).save(images / concept / f"{stimulus}.jpg")
    index, names, ids = (np.array(column) for column in zip(*rows, strict=True))
    embedding = seen_by(latent(concepts), np.random.default_rng(0), 66)[index]
    neuroid = {
        "neuroid_id": [f"spose_{i:02d}" for i in range(66)],
        "subject": ["all"] * 66,
        "region": ["behavior"] * 66,
    }
    stimuli = StimulusSet(
        {"stimulus_id": ids, "concept": names, "concept_index": index,
         "filename": [f"{concept}/{stimulus}.jpg" for _, concept, stimulus in rows]}
    )  # fmt: skip
    presentation = {"stimulus_id": ids, "concept": names, "concept_index": index}
    assembly = assemblies.neuroid_assembly(embedding, presentation, neuroid)
    store.save("Hebart2023_local.spose", assembly, stimuli, images, "Hebart2023_local.images", {"made": "for a test"})
