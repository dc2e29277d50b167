"""Do the intervals of `granularity analyze species` hold what they promise? Simulated species, known truths.

    python -m bench.species              40 worlds a row
    python -m bench.species --worlds 20

Two species see images through latent variables: some that both have, some of their own. Networks are drawn from a
population that weights these differently and adds variables of its own; a world draws 92 images, noise for every person
and monkey, and 20 networks of 200. Truths are means over 40 other draws of 92 images (46 for `across`). Rows differ in
what orders the networks: what both species have (one order), what each has alone (two orders), both (between), or
nothing (equal merit: the share of intervals above 0 is that of false claims).
"""

from __future__ import annotations

import argparse
from functools import cache

import numpy as np

from brainscore_granularity import rsa
from brainscore_granularity.analysis.measures import species

LATENT, UNITS, IMAGES, NETWORKS, POPULATION, PEOPLE = 8, 60, 92, 20, 200, 4
PARTS = ("shared", "human", "macaque", "network")
ROWS = {"one order": (1.0, 0.0), "two orders": (0.0, 1.0), "between": (1.0, 0.4), "equal merit": (0.0, 0.0)}
DRAWS = 40  # of images, for the truths


class World:
    """A population of networks and two species, seen on any images."""

    def __init__(self, shared: float, own: float, seed: int = 0):
        rng = np.random.default_rng([11, seed])
        self.maps = {part: rng.normal(size=(LATENT, UNITS)) for part in PARTS}
        draws = rng.uniform(0, 1, size=(POPULATION, len(PARTS)))
        self.mix = np.array([0.3, 0.3, 0.3, 0.8]) + draws * [shared, own, own, 0.3 * (shared + own > 0)]

    def measured(self, rng, images: int, networks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """RDMs of networks, people and one macaque population."""
        z = {part: rng.normal(size=(images, LATENT)) for part in PARTS[:3]}
        seen = {part: z[part] @ self.maps[part] for part in z}

        def responses(parts, noise):
            return rsa.rdm(sum(seen[part] for part in parts) + noise * rng.normal(size=(images, UNITS)))

        people = [responses(("shared", "human"), 10) for _ in range(PEOPLE)]
        macaque = [responses(("shared", "macaque"), 6)]
        models = [
            rsa.rdm(sum(w * seen[part] for w, part in zip(self.mix[i], PARTS[:3], strict=False))
                    + self.mix[i, 3] * rng.normal(size=(images, LATENT)) @ self.maps["network"])
            for i in networks
        ]  # fmt: skip
        return np.stack(models), np.stack(people), np.stack(macaque)

    def scores(self, rng, images: int) -> dict[str, np.ndarray]:
        """Scores and partial scores of the whole population on some images, by species."""
        models, people, macaque = self.measured(rng, images, range(POPULATION))
        a, h, m = (np.stack([rsa.standardised_ranks(x) for x in each]) for each in (models, people, macaque))
        ah, am, hm = a @ h.T, a @ m.T, h @ m.T
        return {
            "human": ah.mean(axis=1),
            "macaque": am.mean(axis=1),
            "partial": species.partial(ah, am, hm.T).mean(axis=1),
            "direct": np.full(POPULATION, hm.mean()),
        }

    @cache  # noqa: B019  a handful of worlds, for the life of the script
    def draws(self, images: int) -> list[dict[str, np.ndarray]]:
        """`scores` on many draws of images, for the truths."""
        return [self.scores(np.random.default_rng([12, images, k]), images) for k in range(DRAWS)]

    def expected(self, correlation, networks) -> tuple[float, float]:
        """Rank correlation of networks on the same images, and across two draws of half as many: means over draws."""
        same, half = (self.draws(images) for images in (IMAGES, IMAGES // 2))
        pairs = [(one, one) for one in same], list(zip(half, half[1:] + half[:1], strict=True))
        of = [[correlation(one["human"][None, networks], other["macaque"][None, networks])[0] for one, other in each]
              for each in pairs]  # fmt: skip
        return float(np.mean(of[0])), float(np.mean(of[1]))

    def mean(self, name: str) -> np.ndarray:
        return np.mean([each[name] for each in self.draws(IMAGES)], axis=0)


def covered(world: World, seed: int, n: int) -> dict[str, float]:
    """Whether each interval contains its truth; of the networks' partial correlations, the share that does."""
    rng, everyone = np.random.default_rng([13, seed]), np.arange(POPULATION)
    chosen = rng.choice(POPULATION, NETWORKS, replace=False)
    state = rng.bit_generator.state
    models, people, macaque = world.measured(rng, IMAGES, chosen)
    rng.bit_generator.state = state
    here = world.scores(rng, IMAGES)  # the same images and brains, all networks
    out = {}
    for row in species.orders(models, people, macaque, n=n, seed=seed):
        name, of = row["statistic"], species.KINDS[row["statistic"]].of
        both, across = world.expected(of, everyone)
        goals = {
            "images": world.expected(of, chosen)[0],
            "networks": of(here["human"][None], here["macaque"][None])[0],
            "both": both,
            "across": across,
        }
        for what, goal in goals.items():
            low, high = row[f"{what}_low"], row[f"{what}_high"]
            out[f"{name} {what}"] = float(low <= goal <= high)
            out[f"{name} {what} width"] = high - low
            out[f"{name} {what} above 0"] = float(low > 0)
            out[f"{name} {what} truth"] = goal
        out[f"{name} value"], out[f"{name} across value"] = row["value"], row["across"]
    found, goals = species.partials(models, people, species.pooled(macaque), n=n, seed=seed), world.mean("partial")
    out["partial"] = float(np.mean([r["low"] <= goals[i] <= r["high"] for r, i in zip(found, chosen, strict=True)]))
    one = species.direct(people, macaque, n=n, seed=seed)
    out["direct"] = float(one["low"] <= world.mean("direct")[0] <= one["high"])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=200)
    options = parser.parse_args()
    for name, weights in ROWS.items():
        world = World(*weights)
        found = [covered(world, seed, options.resamples) for seed in range(options.worlds)]
        print(f"{name}: {options.worlds} worlds")
        for what in found[0]:
            print(f"  {what:24} {np.mean([each[what] for each in found]):.3f}")


if __name__ == "__main__":
    main()
