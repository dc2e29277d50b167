import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brainscore_granularity.datasets.prepare import assemblies, store
from brainscore_granularity.datasets.prepare.registry import DATASETS, dataset_of

IDENTIFIER = "Allen2022_fmri_local.V1.test"


def build(seed=0, n=6, neuroids=5, folder="Allen2022_images"):
    """An assembly, its stimuli and their images, all drawn."""
    rng = np.random.default_rng(seed)
    ids = [f"nsd_{i:05d}" for i in rng.permutation(n)]
    images = store.image_folder(folder)
    images.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(ids):
        Image.fromarray(np.full((8, 8, 3), i, np.uint8)).save(images / f"{name}.png")
    stimuli = pd.DataFrame({"stimulus_id": ids, "nsd_id": range(n), "filename": [f"{name}.png" for name in ids]})
    assembly = assemblies.neuroid_assembly(
        rng.normal(size=(n, neuroids)),
        presentation={"stimulus_id": ids[::-1], "repetitions": np.arange(n)},
        neuroid={
            "neuroid_id": [f"subj01_V1_v{v:04d}" for v in range(neuroids)],
            "subject": ["subj01"] * neuroids,
            "region": ["V1"] * neuroids,
            "nc_testset": np.linspace(0, 80, neuroids),
        },
        dropped_voxels=3,
    )
    return assembly, stimuli, images


def save(identifier=IDENTIFIER, **changes):
    assembly, stimuli, images = build()
    given = {"assembly": assembly, "stimuli": stimuli, "images": images, "stimulus_set": "nsd_test", "source": {}}
    return store.save(identifier, **{**given, **changes})


def test_what_is_saved_is_loaded(home):
    assembly, stimuli, images = build()
    folder = store.save(IDENTIFIER, assembly, stimuli, images, "nsd_test", source={"sessions": 3})
    loaded = store.load(IDENTIFIER)
    assert type(loaded) is type(assembly) and loaded.dims == ("presentation", "neuroid", "time_bin")
    assert np.array_equal(loaded.values, assembly.values) and loaded.dtype == np.float32
    for name in ("stimulus_id", "repetitions", "neuroid_id", "subject", "region", "nc_testset", "time_bin_start"):
        assert np.array_equal(loaded[name].values, assembly[name].values)
    merged = dict(zip(loaded["stimulus_id"].values, loaded["nsd_id"].values, strict=True))
    assert merged == dict(zip(stimuli["stimulus_id"], stimuli["nsd_id"], strict=True))
    attributes = loaded.attrs
    assert attributes["identifier"] == IDENTIFIER and attributes["dropped_voxels"] == 3
    assert attributes["stimulus_set_identifier"] == attributes["stimulus_set"].identifier
    for name in stimuli["stimulus_id"]:
        path = attributes["stimulus_set"].get_stimulus(name)
        assert path == images / f"{name}.png" and path.is_absolute() and path.is_file()
    assert folder == home / "data" / IDENTIFIER and store.state(IDENTIFIER)[0] == "ready"
    assert store.source_of(IDENTIFIER) == {"sessions": 3}


def test_brainscores_own_loader_reads_the_file(home):
    from brainscore_core.supported_data_standards.brainio.assemblies import AssemblyLoader, NeuroidAssembly

    folder = save()
    found = AssemblyLoader(cls=NeuroidAssembly, file_path=folder / f"assy_{IDENTIFIER}.nc").load()
    assert np.array_equal(found.values, store.load(IDENTIFIER).values)


@pytest.mark.slow
def test_saving_in_another_process_gives_equal_files(home):
    def content():
        return {p.name: p.read_bytes() for p in (home / "data" / IDENTIFIER).iterdir() if p.name != "prepared.json"}

    save()
    before = content()
    script = f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; import test_store; test_store.save()"
    for seed in "12":
        command = [sys.executable, "-W", "ignore", "-c", script]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed})
        assert content() == before and len(before) == 2


def test_stimulus_set_identifier_follows_images_and_place(home, monkeypatch, tmp_path):
    save()
    save("Allen2022_fmri_local.V2.test")
    first = store.load(IDENTIFIER).attrs["stimulus_set_identifier"]
    assert store.load("Allen2022_fmri_local.V2.test").attrs["stimulus_set_identifier"] == first
    home.rename(tmp_path / "elsewhere")  # a home may move: its builds stay whole, their paths and cache names change
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "elsewhere"))
    moved = store.load(IDENTIFIER).attrs
    assert moved["stimulus_set_identifier"] != first
    assert all(path.is_relative_to(tmp_path / "elsewhere") for path in moved["stimulus_set"].stimulus_paths.values())


def test_images_outside_the_store_are_referenced(home, tmp_path):
    assembly, stimuli, images = build()
    outside = images.rename(tmp_path / "owner")
    store.save(IDENTIFIER, assembly, stimuli, outside, "nsd_test", source={})
    paths = store.load(IDENTIFIER).attrs["stimulus_set"].stimulus_paths
    assert {path.parent for path in paths.values()} == {outside}


def test_missing_says_how_to_get_it(home):
    with pytest.raises(store.Missing) as caught:
        store.load(IDENTIFIER)
    line = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError) and "\n" not in line
    dataset = DATASETS["nsd"]
    for part in (
        IDENTIFIER,
        dataset.licence,
        dataset.access,
        "granularity data prepare nsd --from DIR",
        "BRAINSCORE_GRANULARITY_HOME",
    ):
        assert part in line
    assert store.state(IDENTIFIER)[0] == "missing"


@pytest.mark.parametrize("victim", ["assy", "stimulus", "image", "no image", "prepared", "flipped"])
def test_damage_is_found_and_named(home, victim):
    folder = save()
    image = store.image_folder("Allen2022_images") / "nsd_00003.png"
    path = {
        "assy": folder / f"assy_{IDENTIFIER}.nc",
        "stimulus": folder / f"stimulus_{IDENTIFIER}.csv",
        "prepared": folder / "prepared.json",
        "flipped": folder / f"assy_{IDENTIFIER}.nc",
    }.get(victim, image)
    content = path.read_bytes()
    if victim == "no image":
        path.unlink()
    elif victim == "flipped":  # same size: only the checksum can tell
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    else:
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(store.Damaged, match=path.name):
        store.load(IDENTIFIER)
    assert victim == "flipped" or store.state(IDENTIFIER)[0] == "damaged"
    save()
    assert store.state(IDENTIFIER)[0] == "ready" and len(store.load(IDENTIFIER)) == 6


def test_interrupted_save_never_looks_complete(forked, home):
    """Killed at the moment when the assembly has been written: neither the old build nor half a new one counts."""
    folder = save()
    script = f"""
import os, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from test_store import assemblies, save
write = assemblies.write_netcdf
assemblies.write_netcdf = lambda *a: (write(*a), os.kill(os.getpid(), 9))
save()
"""
    killed = forked.run(script)
    assert killed.returncode == -9, killed.stderr
    assert store.state(IDENTIFIER)[0] == "incomplete" and not (folder / "prepared.json").exists()
    with pytest.raises(store.Missing, match="incomplete"):
        store.load(IDENTIFIER)
    save()
    assert store.state(IDENTIFIER)[0] == "ready"


def test_a_build_of_another_version_is_not_read(home):
    record = save() / "prepared.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": 999}))
    assert store.state(IDENTIFIER)[0] == "damaged"


def test_what_cannot_be_served_is_refused(home):
    assembly, stimuli, images = build()
    with_nan = assembly.copy(deep=True)
    with_nan.values[2, 1] = np.nan
    single = assembly.reset_index("repetitions", drop=True)
    refusals = {
        "1 neuroids have NaN": {"assembly": with_nan},
        "a second presentation coordinate": {"assembly": type(assembly)(single)},
        "stimulus_id must be unique": {"stimuli": pd.concat([stimuli, stimuli])},
        "are not in the stimuli, such as nsd_0000": {"stimuli": stimuli[stimuli["nsd_id"] > 1]},
        "1 images are not in": {"stimuli": stimuli.assign(filename=["gone.png", *stimuli["filename"][1:]])},
    }
    for message, changes in refusals.items():
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            save(**changes)
    assert store.state(IDENTIFIER)[0] == "missing"


def test_ids_that_csv_would_change_are_refused(home):
    assembly, stimuli, images = build()
    numbers = dict(zip(stimuli["stimulus_id"], (f"{i:03d}" for i in range(6)), strict=True))
    renamed = assemblies.neuroid_assembly(
        assembly.values[:, :, 0],
        {"stimulus_id": [numbers[i] for i in assembly["stimulus_id"].values], "repetitions": range(6)},
        {name: assembly[name].values for name in assemblies.NEUROID_COORDINATES},
    )
    with pytest.raises(ValueError, match="'000' changes"):
        save(assembly=renamed, stimuli=stimuli.assign(stimulus_id=list(numbers.values())))


def test_identifiers_belong_to_one_data_set_each():
    names = [name for dataset in DATASETS for name in store.identifiers(dataset)]
    assert len(names) == len(set(names))
    assert all(name in store.identifiers(dataset_of(name).name) for name in names)
    assert "Allen2022_fmri_local.FFA.train.subj08" in store.identifiers("nsd")
    with pytest.raises(ValueError, match="nsd-synthetic"):
        store.identifiers("nds")
    with pytest.raises(ValueError, match="no data set makes"):
        store.state("Allen2022_fmri_local.V9.test")
