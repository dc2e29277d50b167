"""The data sets of `fake_brains` under the real names, and what a benchmark must make of them, computed by the book."""

from functools import cache
from importlib import import_module
from pathlib import Path

import fake_brains
import fake_laion
import numpy as np
from brainscore_vision import data_registry
from fake_brains import LATENT, N_IMAGES, latent, save_concepts, save_local, things_ids
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr


def _regions(name: str, regions, ids, subjects, repeats: int = 1, part: str = "test"):
    def save(folder: Path) -> None:
        for region in regions:
            save_local(folder, f"{name}.{region}.{part}", f"{name}.{part}", ids, subjects, repeats)

    return save


def _things_fmri(folder: Path) -> None:
    name, people = "Hebart2023_fmri_local", ["01", "02", "03"]
    _regions(name, ("LOC",), things_ids("test"), people, repeats=12)(folder)
    _regions(name, ("V1", "V2", "LOC", "IT"), things_ids("train"), people, part="concepts720")(folder)


NSD_IDS, NSD_SUBJECTS = [f"nsd_{i:05d}" for i in range(N_IMAGES)], [f"subj{s:02d}" for s in range(1, 9)]
SYNTHETIC_IDS = [f"synthetic_{i:03d}" for i in range(N_IMAGES)]
LOCAL = {  # regions that Brain-Score's data sets have not
    "Allen2022_fmri_local": _regions(
        "Allen2022_fmri_local", ("V3", "early", "ventral", "FFA", "PPA"), NSD_IDS, NSD_SUBJECTS
    ),
    "Allen2022_fmri_synthetic_local": _regions(
        "Allen2022_fmri_synthetic_local", ("early", "ventral"), SYNTHETIC_IDS, NSD_SUBJECTS
    ),
    "Hebart2023_fmri_local": _things_fmri,
    "Hebart2023_local": save_concepts,
}


@cache
def _made(folder: Path, name: str):
    return LOCAL[name](folder) if name in LOCAL else BRAINSCORE[name](folder)


_laion_images = cache(fake_laion.images)
BRAINSCORE = {**fake_brains.BRAINSCORE, **fake_laion.ASSEMBLIES}


def install(patch, folder: Path, *names: str) -> None:
    """Put data sets in place under their real names (all by default), for as long as ``patch`` lasts."""
    patch.setenv("BRAINSCORE_GRANULARITY_HOME", str(folder / "home"))
    patch.setenv("BRAINIO_HOME", str(folder / "brainio"))
    patch.delenv("BRAINSCORE_GRANULARITY_THINGS", raising=False)  # local builds, not what may lie there
    patch.setenv("LAION_FMRI_STIMULI_DIR", str(_laion_images(folder)))
    for name in names or (*BRAINSCORE, *LOCAL):
        made = _made(folder, name)
        if name in BRAINSCORE:
            plugin = "laion_fmri" if name.startswith("Zerbe") else name.partition("_t")[0].lower()
            import_module(f"brainscore_vision.data.{plugin}")  # registers the real one
            patch.setitem(data_registry, name, lambda made=made: made)


def respond(ids) -> np.ndarray:
    """A model that is neither right nor wrong: random projections of where the stimuli lie."""
    return latent(ids) @ np.random.default_rng(1).normal(size=(LATENT, 40))


def rsa_by_the_book(assembly, region: str, keep: tuple[str, float], subject: str = "subject") -> float:
    """The score of ``respond``, not divided by a ceiling, with numpy and scipy alone."""
    coordinate, threshold = keep
    values, shown, who = assembly.values[:, :, 0], assembly["stimulus_id"].values, assembly[subject].values
    good = np.isfinite(values).all(axis=0) & (assembly[coordinate].values > threshold)
    good &= assembly["region"].values == region
    ids, scores = np.unique(shown), []
    for name in np.unique(who[good]):
        own = values[:, good & (who == name)].astype(float)
        means = np.stack([own[shown == stimulus].mean(axis=0) for stimulus in ids])
        if own.shape[1] >= 10:
            scores.append(spearmanr(pdist(respond(ids), "correlation"), pdist(means, "correlation"))[0])
    return float(np.mean(scores))


def ridge_by_the_book(assembly, keep: tuple[str, float], used) -> dict[str, float]:
    """Raw scores {subject: score} of ``respond`` by scikit-learn's RidgeCV, a unit and a fold at a time.

    used : {subject: (units,) those of the kept ones that count}.
    """
    from sklearn.linear_model import RidgeCV

    from brainscore_granularity.rsa import encoding

    coordinate, threshold = keep
    values, shown, who = assembly.values[:, :, 0], assembly["stimulus_id"].values, assembly["subject"].values
    good, found = np.isfinite(values).all(axis=0) & (assembly[coordinate].values > threshold), {}
    ids = list(dict.fromkeys(assembly.attrs["stimulus_set"]["stimulus_id"]))
    x, fold = respond(ids), encoding.fold_of_images(len(ids))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    for name in np.unique(who[good]):
        own = values[:, good & (who == name)].astype(float)
        means, r = np.stack([own[shown == stimulus].mean(axis=0) for stimulus in ids])[:, used[str(name)]], []
        for k in range(encoding.FOLDS):
            fit = fold != k
            penalties = encoding.penalties(x[fit] @ x[fit].T)
            for y in means.T:
                predicted = RidgeCV(penalties).fit(x[fit], y[fit]).predict(x[~fit])
                r.append(np.corrcoef(predicted, y[~fit])[0, 1])
        found[str(name)] = float(np.mean(r))
    return found
