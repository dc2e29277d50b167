"""Small files in the formats of the owners of THINGS, TVSD and THINGS-fMRI; what is in them follows a rule."""

import hashlib
import zipfile
from io import BytesIO

import h5py
import numpy as np
import pandas as pd
from PIL import Image

# The owners' order, which is not the sorted one (camera1, camera2, camera_lens, ...).
CONCEPTS = [
    "aardvark", "altar", "camera_lens", "camera1", "camera2", "chest1", "dog", "hula_hoop", "t-shirt", "wig",
]  # fmt: skip
SUFFIX = {0: "b", 1: "s", 2: "n"}


def image_names(concept, n=3, first=1):
    return [f"{concept}_{i:02d}{SUFFIX[(i - 1) % 3]}" for i in range(first, first + n)]


def write_images(folder, names):
    """THINGS image folders with an image of its own colour for each name."""
    for i, name in enumerate(names):
        path = folder / name.rsplit("_", 1)[0] / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8 + i % 3, 8, 3), i % 251, np.uint8)).save(path)
    return folder


# --- MATLAB v7.3, as MATLAB writes it -----------------------------------------------------------------------------


def write_matlab(path, variables, chunks=None):
    """{name: array with MATLAB's dimensions, text, list of texts (a column of cells), or dict (a struct)}"""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _write(file, file, name, value, chunks)


def _write(file, parent, name, value, chunks=None):
    if isinstance(value, dict):
        group = parent.create_group(name)
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for key, inner in value.items():
            _write(file, group, key, inner)
    elif isinstance(value, list):
        references = file.require_group("#refs#")
        data = np.empty((len(value), 1), dtype=h5py.ref_dtype)
        for i, text in enumerate(value):
            data[i, 0] = _text(references, f"r{len(references)}", text).ref
        parent.create_dataset(name, data=data)
    elif isinstance(value, str):
        _text(parent, name, value)
    else:
        array = np.asarray(value, float)
        some = tuple(map(min, chunks, array.T.shape)) if chunks and array.ndim == 2 else None
        dataset = parent.create_dataset(name, data=array.T, chunks=some, compression="gzip" if some else None)
        dataset.attrs["MATLAB_class"] = np.bytes_("double")


def _text(parent, name, text):
    if text:
        codes = np.frombuffer(text.encode("utf-16-le"), "<u2")[:, None]
    else:
        codes = np.zeros(2, np.uint64)
    dataset = parent.create_dataset(name, data=codes)
    dataset.attrs["MATLAB_class"] = np.bytes_("char")
    if text:
        dataset.attrs["MATLAB_int_decode"] = np.int32(2)
    else:
        dataset.attrs["MATLAB_empty"] = np.uint8(1)
    return dataset


# --- TVSD ---------------------------------------------------------------------------------------------------------

TVSD_TRAIN = [name for concept in sorted(CONCEPTS) for name in image_names(concept, 2)]
TVSD_TEST = [name for concept in ("altar", "dog", "wig") for name in image_names(concept, 2, first=13)]
REPEATS, DAYS, ELECTRODES = 4, 3, 1024
MONKEYS = {"monkeyF": 0, "monkeyN": 500_000}


def tvsd_train(monkey, image, electrode):
    """Every planted value is a whole number below 2^24, which float32 holds exactly."""
    return MONKEYS[monkey] + image * ELECTRODES + electrode


def tvsd_test(monkey, image, repeat, electrode):
    return MONKEYS[monkey] + 100_000 + (image * REPEATS + repeat) * ELECTRODES + electrode


def tvsd_reliability(pair, electrode):
    return (electrode + pair) / 2048


def write_tvsd(folder, monkeys=("monkeyF", "monkeyN"), **changes):
    """``changes`` replace variables of THINGS_normMUA.mat, in MATLAB's dimensions."""
    electrode = np.arange(ELECTRODES)[:, None]
    n_train, n_test, pairs = len(TVSD_TRAIN), len(TVSD_TEST), REPEATS * (REPEATS - 1) // 2
    for monkey in monkeys:
        test = tvsd_test(
            monkey, np.arange(n_test)[None, :, None], np.arange(REPEATS)[None, None, :], electrode[:, :, None]
        )
        variables = {
            "train_MUA": tvsd_train(monkey, np.arange(n_train)[None, :], electrode),
            "test_MUA": test.mean(axis=2),
            "test_MUA_reps": test,
            "reliab": tvsd_reliability(np.arange(pairs)[None, :], electrode),
            "SNR": electrode + np.arange(DAYS)[None, :],
            "lats": np.full((ELECTRODES, DAYS), 30.0),
            "SNR_max": 2.0 * electrode.T,
            "oracle": electrode.T / 4096,
            "tb": np.arange(-100, 200)[None, :],
        }
        write_matlab(folder / monkey / "THINGS_normMUA.mat", {**variables, **changes}, chunks=(7, 100))
        shown = {
            f"{split}_imgs": {
                "class": [name.rsplit("_", 1)[0] for name in names],
                "things_path": [f"{name.rsplit('_', 1)[0]}\\{name}.jpg" for name in names],
                "local_path": [rf"\\vs03\stims\THINGS_{split}\{i:05d}.bmp" for i in range(1, len(names) + 1)],
            }
            for split, names in (("train", TVSD_TRAIN), ("test", TVSD_TEST))
        }
        write_matlab(folder / monkey / "_logs" / "things_imgs.mat", shown)
    return folder


# --- THINGS: concepts, embedding, choices -------------------------------------------------------------------------


def embedding():
    return np.round(np.random.default_rng(5).gamma(0.4, size=(len(CONCEPTS), 66)), 6)


def choices():
    """(40, 3) from 0, the odd one last."""
    rng = np.random.default_rng(6)
    return np.array([rng.permutation(len(CONCEPTS))[:3] for _ in range(40)])


def write_things(folder, triplets=True, table=False):
    for below in ("data", "variables", "triplet_dataset"):
        (folder / below).mkdir(parents=True, exist_ok=True)
    (folder / "variables" / "unique_id.txt").write_text("\n".join(CONCEPTS) + "\n")
    np.savetxt(folder / "data" / "spose_embedding_66d_sorted.txt", embedding(), fmt="%.6f", delimiter="\t")
    if triplets:
        np.savetxt(folder / "triplet_dataset" / "validationset.txt", choices(), fmt="%d")
    if table:
        write_choice_table(folder / "triplet_dataset" / "triplets_large_final_correctednc_correctedorder.csv")
    names = [name for i, concept in enumerate(CONCEPTS) for name in image_names(concept, 2 + i % 2)]
    return write_images(folder / "object_images", names)


def write_concepts(folder, images, archive=True, table=True):
    """A folder as BRAINSCORE_GRANULARITY_THINGS names: {file name: bytes} in images.zip or images/, beside the tables.

    Returns the SHA-256 of the owners' two files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unique_id.txt").write_text("\n".join(CONCEPTS) + "\n")
    np.savetxt(folder / "spose_embedding_66d_sorted.txt", embedding(), fmt="%.6f", delimiter="\t")
    if archive:
        with zipfile.ZipFile(folder / "images.zip", "w") as file:
            for name, content in images.items():
                file.writestr(name, content)
    else:
        (folder / "images").mkdir()
        for name, content in images.items():
            (folder / "images" / name).write_bytes(content)
    if table:
        rows = ["row\tunique_id\timage\tsha256_16"]
        for name, content in images.items():
            concept = name.rsplit("_", 1)[0]
            sha256 = hashlib.sha256(content).hexdigest()[:16]
            rows.append(f"{CONCEPTS.index(concept)}\t{concept}\t{name}\t{sha256}")
        (folder / "concepts.tsv").write_text("\n".join(rows) + "\n")
    names = ("unique_id.txt", "spose_embedding_66d_sorted.txt")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def jpegs(names):
    """{file name: bytes} of images of their own colours."""
    found = {}
    for i, name in enumerate(names):
        buffer = BytesIO()
        Image.fromarray(np.full((8, 8, 3), 20 * (i % 12), np.uint8)).save(buffer, "JPEG")
        found[f"{name}.jpg"] = buffer.getvalue()
    return found


def write_choice_table(path):
    """The choices again, from 1, the odd one in any place; and as many of the test sets."""
    rng, rows = np.random.default_rng(7), []
    for i, (a, b, odd) in enumerate(choices()):
        place = rng.integers(3)
        images = list(np.insert([a, b], place, odd) + 1)
        rows.append([*images, place + 1, 1234.5, 0, f"subject{i % 4}"])
        rows.append([*images, place + 1, 999.0, 1 + i % 3, f"subject{i % 4}"])
    columns = ["image1", "image2", "image3", "choice", "RT", "noise_ceiling", "subject_id"]
    pd.DataFrame(rows, columns=columns).to_csv(path, sep="\t", index=False)


# --- THINGS-fMRI --------------------------------------------------------------------------------------------------

SESSIONS = 4
FMRI_TRAIN = [
    name for concept in ("dog", "camera_lens", "camera1", "chest1") for name in image_names(concept, SESSIONS)
]
FMRI_TEST = [image_names(concept, 1, first=13)[0] for concept in ("wig", "altar", "hula_hoop")]
VOXELS = 1207
AREAS = {  # column -> rows of the table of voxels
    "V1": [3, 4, 499, 500],
    "V2": [10, 1206],
    "hV4": [11, 12, 13],
    "lLOC": [600, 601, 700],
    "rLOC": [701],
    "LO1 (prf)": [800, 801],
    "IT": [20, 21, 22, 23, 24],  # the owners' own IT, which is not Brain-Score's
    "glasser-TE1p": [600, 900],
    "glasser-PHA3": [901, 1000],
    "glasser-TE1m": [902],
    "glasser-p9-\n46v": [903],
}


def fmri_trials(subject):
    """The owners' table of trials: in each session all test images and a quarter of the train images, shuffled."""
    rng, rows = np.random.default_rng(subject), []
    for session in range(1, SESSIONS + 1):
        own = [("train", name) for name in FMRI_TRAIN if name[-3:-1] == f"{session % SESSIONS + 1:02d}"]
        shown = own + [("test", name) for name in FMRI_TEST]
        for trial_type, name in (shown[i] for i in rng.permutation(len(shown))):
            rows.append((trial_type, session, 1, subject, len(rows), f"{name}.jpg", name.rsplit("_", 1)[0]))
    columns = ["trial_type", "session", "run", "subject_id", "trial_id", "stimulus", "concept"]
    return pd.DataFrame(rows, columns=columns)


def fmri_responses(subject, voxels=VOXELS):
    """(voxels, trials)"""
    rng = np.random.default_rng(100 + subject)
    return rng.normal(size=(voxels, len(fmri_trials(subject)))) + np.arange(voxels)[:, None] / 100


def voxel_ids(voxels=VOXELS):
    return np.arange(voxels) + 5


def fmri_voxels(subject, voxels=VOXELS):
    table = pd.DataFrame({"voxel_id": voxel_ids(voxels), "subject_id": subject})
    for i, name in enumerate(["voxel_x", "voxel_y", "voxel_z"]):
        table[name] = np.arange(voxels) // 10**i
    for i, name in enumerate([
        "nc_singletrial", "nc_testset", "splithalf_uncorrected", "splithalf_corrected", "prf-eccentricity",
        "prf-polarangle", "prf-rsquared", "prf-size",
    ]):  # fmt: skip
        table[name] = np.arange(voxels) / (voxels + i)
    areas = dict(AREAS)
    for name in ("FFC", "VVC", "TE2p", "VMV2", "VMV3", "PHA1", "PHA2"):
        areas[f"glasser-{name}"] = []
    for name, rows in areas.items():
        table[name] = np.isin(np.arange(voxels), rows).astype(int)
    return table


def write_fmri(folder, subjects=(1, 2, 3), table_format="fixed", responses=fmri_responses):
    import warnings

    folder.mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        stem = f"sub-{subject:02d}"
        fmri_trials(subject).to_csv(folder / f"{stem}_StimulusMetadata.csv", index=False)
        fmri_voxels(subject).to_csv(folder / f"{stem}_VoxelMetadata.csv", index=False)
        table = pd.DataFrame(responses(subject))
        table.insert(0, "voxel_id", voxel_ids())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas on the mixed names of the columns, which are the owners'
            table.to_hdf(folder / f"{stem}_ResponseData.h5", key="ResponseData", format=table_format)
    return folder
