"""One model on Brain-Score's own `-rdm` benchmarks and on our `-rsa` benchmarks of the same data.

    python -m bench.upstream

The owners' data come from Brain-Score's store. What stands in here are small files of the same form, made as for the
tests: 30 images (NSD: and 30 for training), five or eight subjects who see rotations of one latent space, neuroids
below the reliability cut, some values missing. The model is a random projection of that latent space. Numbers are about
the benchmarks, not about any brain.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

PAIRS = ("Allen2022_fmri.IT", "Li2026.IT")


def main() -> None:
    os.environ["RESULTCACHING_DISABLE"] = "1"  # Brain-Score keeps ceilings on disk by name, whatever the data are
    os.environ["TQDM_DISABLE"] = "1"
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "makers"))
    import pytest
    from brainscore_vision import data_registry, load_benchmark
    from candidates import Given
    from small_data import install, respond

    names = ("Allen2022_fmri_train", "Allen2022_fmri_test", "Li2026")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        install(patch, Path(folder), *names)
        one_set_of_voxels(*(data_registry[name]() for name in names[:2]))
        print("benchmark              images  subjects    raw  lower  upper  value")
        read = {name: data_registry[name]() for name in names}
        complete = dict(zip(names, [*whole(*(read[name] for name in names[:2])), *whole(read["Li2026"])], strict=True))
        for title, files in (("as they are", read), ("nothing missing", complete)):
            print(f"files {title}:")
            for name, file in files.items():
                patch.setitem(data_registry, name, lambda file=file: file)
            for pair in PAIRS:
                for kind in ("rdm", "rsa"):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        print(line(load_benchmark(f"{pair}-{kind}"), Given(respond)))


def one_set_of_voxels(train, test) -> None:
    """The same voxels in both files of NSD, as in the owners'; those for the tests draw them anew."""
    from fake_brains import responses

    ids = [*dict.fromkeys(test["stimulus_id"].values), *train["stimulus_id"].values]
    subjects, regions = (list(dict.fromkeys(test[name].values)) for name in ("subject", "region"))
    values, _ = responses(ids, 1, subjects, regions, "nc_testset", np.random.default_rng(0))
    shown = len(ids) - len(train)
    train.values[:, :, 0] = values[shown:]
    test.values[:, :, 0] = np.repeat(values[:shown], len(test) // shown, axis=0)


def whole(*files) -> list:
    """Files with the same neuroids, without those that have a missing value in any."""
    keep = np.flatnonzero(np.all([np.isfinite(each.values).all(axis=(0, 2)) for each in files], axis=0))
    found = []
    for each in files:
        some = each.isel(neuroid=keep)
        some.attrs.update(each.attrs)
        found.append(some)
    return found


def line(benchmark, model) -> str:
    """What a benchmark says of a model, in one line."""
    score = benchmark(model)
    ceiling = score.attrs["ceiling"]
    ours = benchmark.identifier.endswith("-rsa")
    lower = ceiling.attrs["lower" if ours else "lower_bound_loo"]
    images = len(benchmark.order) if ours else benchmark._assembly.sizes["presentation"]
    subjects = len(score.attrs["subject_scores"] if ours else score.attrs["raw"].attrs["subject_scores"])
    values = (float(x) for x in (score.attrs["raw"], lower, ceiling, score))
    return f"{benchmark.identifier:22} {images:6} {subjects:9} " + " ".join(f"{x:6.3f}" for x in values)


if __name__ == "__main__":
    main()
