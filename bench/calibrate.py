"""Do the statistics keep their promises where the truth is known? Writes docs/calibration.md.

    python -m bench.calibrate              1,000 worlds a row
    python -m bench.calibrate --worlds 100 --output /dev/stdout
    python -m bench.calibrate --only networks layer_choice     these parts and rows anew

A world is a draw of images, and of subjects where they are random. Latent variables z (images, 12) drive
model and subjects through fixed weights; measurement noise is added to every response. What a score would
be for infinitely many images, or a ceiling for infinitely many subjects, is computed once from far larger
draws.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np

from bench import calibrate_networks, calibrate_triplets
from brainscore_granularity import rsa, stats
from brainscore_granularity.report.answer import difference_variance
from brainscore_granularity.runner.record import N_RESAMPLED

LATENT, UNITS = 12, 60
SCALES = 1 / np.sqrt(np.arange(1, LATENT + 1))


@cache
def weights(which: int) -> np.ndarray:
    """Fixed weights (LATENT, UNITS) of a population of units."""
    return np.random.default_rng([2024, which]).normal(size=(LATENT, UNITS))


def latent(rng, images: int) -> np.ndarray:
    return rng.normal(size=(images, LATENT)) * SCALES


def units(rng, z, which: int, noise: float, own: float = 0.0) -> np.ndarray:
    """Responses (images, UNITS) of half-rectified units; ``own`` is the share of weights drawn afresh (a
    subject)."""
    w = weights(which) + own * rng.normal(size=(LATENT, UNITS))
    return np.maximum(z @ w, 0) + noise * rng.normal(size=(len(z), UNITS))


def score(rng, images: int = 2000) -> float:
    """Score of the model with one subject's measurement, for very many images."""
    z = latent(rng, images)
    return rsa.compare(rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5)))


def population_score(rng, images: int = 1000) -> float:
    """Score of the model with one random subject, for many images."""
    z = latent(rng, images)
    return rsa.compare(rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5, own=1.0)))


@cache
def truth(function, draws: int) -> float:
    return float(np.mean([function(np.random.default_rng([7, k])) for k in range(draws)]))


def permutation(seed: int, images: int = 40) -> bool:
    """Whether unrelated RDMs are called related at 5%."""
    rng = np.random.default_rng([1, seed])
    a, b = (rsa.rdm(units(rng, latent(rng, images), k, 0.5)) for k in (0, 1))
    return stats.permutation_test(a, b, n=999, seed=seed) <= 0.05


def best_layer(seed: int, images: int = 40, layers: int = 7) -> bool:
    """Whether the best of seven unrelated, mutually similar layers is called related at 5%."""
    rng = np.random.default_rng([2, seed])
    z = latent(rng, images)
    a = [rsa.rdm(units(rng, z, 0, 0.5 + k / 2)) for k in range(layers)]
    return stats.max_statistic(a, rsa.rdm(units(rng, latent(rng, images), 1, 0.5)), n=999, seed=seed).p_best <= 0.05


def interval(seed: int, images: int = 80, n: int = 1000) -> dict[str, bool]:
    """Whether each interval for new stimuli contains the score of infinitely many."""
    rng = np.random.default_rng([3, seed])
    z = latent(rng, images)
    a, b = rsa.rdm(units(rng, z, 0, 0.0)), rsa.rdm(units(rng, z, 1, 1.5))
    value, goal = rsa.compare(a, b), truth(score, 20)
    drawn = stats.bootstrap(a, b, n, fraction=None, seed=seed)
    part = stats.bootstrap(a, b, n, fraction=0.9, seed=seed)
    one = stats.two_factor(a, b, n, seed, factor="stimuli")
    intervals = {
        "percentile": stats.interval(drawn),
        "bca": stats.interval(drawn, method="bca", estimate=value, jackknife=stats.jackknife(a, b)),
        "subsample": stats.interval(part, method="subsample", estimate=value, fraction=0.9),
        "t": (one.low, one.high),
        "raw 90%": stats.interval(part),
    }
    return {name: bool(low <= goal <= high) for name, (low, high) in intervals.items()}


def two_factor(seed: int, images: int = 60, subjects: int = 8, n: int = 500) -> bool:
    """Whether the interval for new stimuli and new subjects contains the population's score."""
    rng = np.random.default_rng([4, seed])
    z = latent(rng, images)
    b = [rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)]
    result = stats.two_factor(rsa.rdm(units(rng, z, 0, 0.0)), b, n, seed)
    return bool(result.low <= truth(population_score, 100) <= result.high)


def paired(seed: int, images: int = 60, subjects: int = 8, n: int = 500) -> bool:
    """Whether two models of equal merit are called different at 5%."""
    rng = np.random.default_rng([5, seed])
    z = latent(rng, images)
    b = [rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)]
    models = (rsa.rdm(units(rng, z, 1, 0.7)) for _ in range(2))
    return stats.compare_models(*models, b, n, seed).p <= 0.05


def report(seed: int, images: int = 60, subjects: int = 8, n: int = N_RESAMPLED) -> dict[str, bool]:
    """Whether the report calls two models of equal merit different, from what their score files keep."""
    rng = np.random.default_rng([7, seed])
    z = latent(rng, images)
    b = np.stack([rsa.rdm(units(rng, z, 1, 1.5, own=1.0)) for _ in range(subjects)])
    models = [rsa.rdm(units(rng, z, 1, 0.7)) for _ in range(2)]
    values = [float(np.mean([rsa.compare(a, one) for one in b])) for a in models]
    drawn = [stats.bootstrap(a, b, n=n, fraction=None).reshape(n, -1).mean(axis=1) for a in models]
    one, other = ((x.std(ddof=1), x) for x in drawn)
    apart = abs(values[0] - values[1])

    def called(*pair):
        return bool(apart > 1.959964 * np.sqrt(difference_variance(*pair)[0]))

    return {"paired resamples": called(one, other), "as if independent": called((one[0], None), (other[0], None))}


# Noise of the layers of a model: five that are nearly equally good, two that are not. None of them is the subject's.
LAYERS = (0.9, 1.0, 1.0, 1.05, 1.1, 2.0, 3.0)


def choices(rng, images: int, models: int = 1, related: bool = True) -> list:
    """A scorer (counts -> scores of every layer) for each model, all of the same images and the same subject."""
    z = latent(rng, images)
    seen = z if related else latent(rng, images)
    a = [[rsa.rdm(units(rng, seen, 10 + k, x)) for k, x in enumerate(LAYERS)] for _ in range(models)]
    b = rsa.rdm(units(rng, z, 1, 1.5))
    return [stats.rdm_scorer(np.stack(layers), b) for layers in a]


def held_out_score(rng, images: int = 80) -> float:
    """What the procedure scores on one draw of so many images; its mean is the truth."""
    (scorer,) = choices(rng, images)
    return stats.cross_validate(scorer, images, splits=50, n=2).value


def layer_choice(seed: int, images: int = 80) -> bool:
    """Whether the interval of a layer chosen on half of the images contains the procedure's expected score."""
    (scorer,) = choices(np.random.default_rng([8, seed]), images)
    found = stats.cross_validate(scorer, images, splits=100, n=200)
    return bool(found.low <= truth(held_out_score, 3000) <= found.high)


def layers_of_noise(seed: int, images: int = 40) -> dict[str, bool]:
    """Whether layers without any relation to the subject are said to have one, before and after the choice is held."""
    (scorer,) = choices(np.random.default_rng([9, seed]), images, related=False)
    chosen = stats.cross_validate(scorer, images, splits=100, n=200)
    scores = scorer(np.ones((1, images), np.int32))[0]
    return {"cross-validated": bool(chosen.value > 0), "best layer": bool(scores.max() > 0)}


def two_choices(seed: int, images: int = 60) -> bool:
    """Whether two models with equally good layers are called different at 5%, each choosing its own layer."""
    scorers = choices(np.random.default_rng([10, seed]), images, models=2)
    return stats.compare_choices(*scorers, images, splits=50, n=200).p <= 0.05


def ceiling(seed: int, images: int = 60, subjects: int = 6, pool: int = 100) -> bool:
    """Whether the true model's score on these subjects lies between the bounds."""
    rng = np.random.default_rng([6, seed])
    z = latent(rng, images)
    everyone = np.stack([rsa.rdm(units(rng, z, 1, 1.5, own=0.5)) for _ in range(pool + subjects)])
    tested, true = everyone[:subjects], everyone[subjects:].mean(axis=0)
    low, high = stats.noise_ceiling(tested)
    return bool(low <= np.mean([rsa.compare(r, true) for r in tested]) <= high)


ROWS = [
    (permutation, "permutation test, 40 images: false positives at 5%", (3.5, 6.5)),
    (best_layer, "max-statistic over 7 layers, 40 images: false positives at 5%", (3.5, 6.5)),
    (interval, "{}: coverage of a 95% interval, 80 images", (93, 97)),
    (two_factor, "two-factor t interval, 60 images x 8 subjects: coverage of 95%", (93, 97)),
    (paired, "two equal models, 60 images x 8 subjects: false positives at 5%", (3.5, 6.5)),
    (report, "report, {}: two equal models on 60 images called different at 5%", (0, 6.5)),
    (ceiling, "noise ceiling, 6 subjects: true model between lower and upper", (90, 100)),
    (layer_choice, "layer chosen on half of 80 images, 7 layers, 5 nearly tied: coverage of 95%", (93, 97)),
    (layers_of_noise, "{}, 7 layers unrelated to the subject, 40 images: score above 0", (45, 55)),
    (
        two_choices,
        "two models with equally good layers, each choosing its own, 60 images: called different at 5%",
        (3, 7),
    ),
    *(
        (
            partial(calibrate_triplets.odd_one_out, **design),
            f"odd-one-out, {design['triplets']:,} triplets on {design['images']:,} images, {{}}: coverage of 95%",
            (93, 97),
        )
        for design in calibrate_triplets.DESIGNS
    ),
]
PARTS = {"networks": calibrate_networks}
# Shown because they mislead, not because they are asked to hold.
WARNINGS = {
    "raw 90%": "none: not an interval, shown as a warning",
    "best layer": "none: the search is not held, shown as a warning",
}


def run(function, worlds: int, workers: int) -> dict[str, float]:
    """Percentage of worlds in which ``function`` says yes, by name of the method."""
    with ProcessPoolExecutor(workers) as pool:
        answers = list(pool.map(function, range(worlds), chunksize=max(1, worlds // (8 * workers))))
    if isinstance(answers[0], dict):
        return {name: 100 * float(np.mean([a[name] for a in answers])) for name in answers[0]}
    return {"": 100 * float(np.mean(answers))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs" / "calibration.md")
    names = [*PARTS, *dict.fromkeys(named(function) for function, *_ in ROWS)]
    parser.add_argument("--only", nargs="+", choices=names, help="write these anew and leave the rest of the page")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the worker processes
    workers = os.cpu_count() or 1
    page = options.output
    if not options.only or not page.exists():
        head = (Path(__file__).parent / "calibration_head.md").read_text().format(worlds=f"{options.worlds:,}")
        page.write_text(head + "| what | reached | asked | holds |\n|---|---|---|---|\n")
    for row in ROWS:
        if not options.only or named(row[0]) in options.only:
            page.write_text(with_rows(page.read_text(), lines(row, options.worlds, workers)))
    for name in PARTS:
        if not options.only or name in options.only:
            part = PARTS[name].section(lambda function, worlds: run(function, worlds, workers), options.worlds)
            page.write_text(with_part(page.read_text(), part))


def with_rows(page: str, rows: list[str]) -> str:
    """The page with rows of its first table, which replace those that begin alike or come last.

    >>> with_rows("| a | b |\\n|---|---|\\n| x | 1 |\\n\\n## B\\n", ["| x | 2 |", "| y | 3 |"])
    '| a | b |\\n|---|---|\\n| x | 2 |\\n| y | 3 |\\n\\n## B\\n'
    """
    table, gap, rest = page.partition("\n\n## ")
    there = table.rstrip("\n").splitlines()
    for row in rows:
        same = [k for k, old in enumerate(there) if old.split("|")[:2] == row.split("|")[:2]]
        if same:
            there[same[0]] = row
        else:
            there.append(row)
    return "\n".join(there) + (gap + rest if gap else "\n")


def with_part(page: str, part: str) -> str:
    """The page with a part, which replaces one of the same heading or comes last.

    >>> with_part("# Page\\n\\n## A\\n1\\n\\n## B\\n2\\n", "\\n## A\\n3\\n")
    '# Page\\n\\n## A\\n3\\n\\n## B\\n2\\n'
    """
    part = part.lstrip("\n")
    heading = part.splitlines()[0] + "\n"
    before, _, after = page.partition(heading)
    rest = after[after.index("\n## ") :] if "\n## " in after else ""
    return before.rstrip("\n") + "\n\n" + part.rstrip("\n") + "\n" + rest


def named(function) -> str:
    """Name of a row's function, for --only."""
    return getattr(function, "func", function).__name__


def lines(row, worlds: int, workers: int) -> list[str]:
    """What one row reached, a line for each method it compares."""
    function, name, (low, high) = row
    found = []
    for method, rate in run(function, worlds, workers).items():
        asked = WARNINGS.get(method, f"{low:g} to {high:g}%")
        verdict = "" if method in WARNINGS else "yes" if low <= rate <= high else "**no**"
        error = 100 * np.sqrt(rate / 100 * (1 - rate / 100) / worlds)
        found.append(f"| {name.format(method)} | {rate:.1f}% (+-{error:.1f}) | {asked} | {verdict} |")
        print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    main()
