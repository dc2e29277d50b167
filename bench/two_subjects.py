"""How far is the upper noise ceiling above what the true model scores, with 2, 4 and 8 subjects? Simulated.

    python -m bench.two_subjects
    python -m bench.two_subjects --measured     draws of the 15 people of Cichy et al. (2014)

Every subject has the true responses to 100 images, a part of its own and noise, in equal measure of variance; the true
model has the true responses. Its mean score with 18 subjects of every study is what a ceiling should be. Three sizes
of what is not shared make subjects agree poorly, fairly and well.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np

from brainscore_granularity import rsa, stats

IMAGES, LATENT, UNITS = 100, 10, 40
OTHERS = {"poorly": 5.0, "fairly": 3.0, "well": 1.5}  # standard deviation of what is not shared
SUBJECTS = (2, 4, 8)
SUBJECTS_DRAWN = 18  # for the truth; the first of them are those of the ceiling


def study(rng, others: float, subjects: int) -> tuple[np.ndarray, np.ndarray]:
    """The true model's RDM, and those of the subjects."""
    shared = rng.normal(size=(IMAGES, LATENT))
    true = shared @ rng.normal(size=(LATENT, UNITS))

    def one():
        own = rng.normal(size=(IMAGES, LATENT)) @ rng.normal(size=(LATENT, UNITS)) / np.sqrt(LATENT)
        noise = rng.normal(size=(IMAGES, UNITS))
        return rsa.rdm(true + others * (own + noise) / np.sqrt(2))

    return rsa.rdm(true), np.stack([one() for _ in range(subjects)])


def row(others: float, subjects: int, studies: int) -> dict[str, float]:
    """Means over studies: what the true model scores, the bounds by both pools, and the agreement of two subjects."""
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([21, seed])
        model, everyone = study(rng, others, SUBJECTS_DRAWN)
        some = everyone[:subjects]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.TwoSubjectsWarning)  # this is what is measured here
            mean, rank = stats.noise_ceiling(some), stats.noise_ceiling(some, pool="rank")
        found.append(
            {
                "agree": rsa.compare(*everyone[:2]),
                "truth": np.mean([rsa.compare(model, each) for each in everyone]),
                "lower": rank.lower,
                "upper": rank.upper,
                "mean pool": mean.upper,
            }
        )
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def measured(name: str, draws: int = 100) -> None:
    """Bounds from a few of the subjects of a benchmark, means over draws of them."""
    from brainscore_vision import load_benchmark

    rdms, rng = load_benchmark(name).subject_rdms, np.random.default_rng(0)
    agree = stats.consistency(rdms)[np.triu_indices(len(rdms), 1)].mean()
    print(f"{name}, two people agree at {agree:.2f}\n   N  lower  upper")
    for subjects in (*SUBJECTS, len(rdms)):
        some = [rng.permutation(len(rdms))[:subjects] for _ in range(draws if subjects < len(rdms) else 1)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.TwoSubjectsWarning)
            bounds = np.mean([stats.noise_ceiling(rdms[chosen], pool="rank") for chosen in some], axis=0)
        print(f"{subjects:4} {bounds[0]:6.3f} {bounds[1]:6.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--measured", action="store_true")
    options = parser.parse_args()
    if options.measured:
        measured("Cichy2014_fmri.IT-rsa")
        return
    print("subjects agree    N  lower  truth  upper  mean pool  truth / upper")
    for name, others in OTHERS.items():
        for subjects in SUBJECTS:
            r = row(others, subjects, options.studies)
            print(f"{name} ({r['agree']:.2f})".ljust(16) + f"{subjects:3} {r['lower']:6.3f} {r['truth']:6.3f} "
                  f"{r['upper']:6.3f} {r['mean pool']:10.3f} {r['truth'] / r['upper']:14.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
