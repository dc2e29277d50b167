"""What are the axes? Images at the ends of components, and how much of an axis a network's leading plane contains."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from brainscore_granularity import stats


def extremes(scores, names, labels=None, count: int = 6) -> pd.DataFrame:
    """The images at both ends of every component: component, end, place (0: farthest out), row, image, label, score.

    scores : (images, components); labels : (images,) class of each image, or None.
    """
    scores = np.asarray(scores)
    if scores.ndim != 2 or len(scores) != len(names):
        raise ValueError(f"expected scores (images, components) of {len(names)} images, got {scores.shape}")
    if not 1 <= count <= len(names) // 2:
        raise ValueError(f"{count} images at each end of {len(names)} in all; ask for at most {len(names) // 2}")
    rows = []
    for number, column in enumerate(scores.T, start=1):
        order = np.argsort(column, kind="stable")
        for end, picked in (("low", order[:count]), ("high", order[::-1][:count])):
            rows += [
                {"component": number, "end": end, "place": place, "row": int(row), "image": names[row],
                 "label": None if labels is None else labels[row], "score": float(column[row])}
                for place, row in enumerate(picked)
            ]  # fmt: skip
    return pd.DataFrame(rows)


def common(scores, labels, share: float = 0.1, most: int = 3) -> list[tuple[list[str], list[str]]]:
    """For every component, the labels over-represented among the ``share`` of images at its low and at its high end."""
    labels, found = np.asarray(labels), []
    everywhere, many = Counter(labels), max(1, round(share * len(labels)))
    for column in np.asarray(scores).T:
        order = np.argsort(column, kind="stable")
        found.append(tuple(
            [name for name, _ in sorted(Counter(labels[end]).items(), key=lambda e: (-e[1] / everywhere[e[0]], -e[1]))]
            [:most] for end in (order[:many], order[::-1][:many])
        ))  # fmt: skip
    return found


def held(axis, plane, resamples: int = 1000, seed: int = 0) -> tuple[float, float, float, float]:
    """Share of an axis's variance over images that a network's leading scores explain linearly: R^2, low, high, chance.

    Parameters
    ----------
    axis : (n,) scores on a label-generating component.
    plane : (n, d) a network's leading component scores, d small.

    The interval resamples images with replacement and fits again; chance is the mean with shuffled images.
    """
    axis, plane = np.asarray(axis, float), np.asarray(plane, float)
    counts = stats.resamples(len(axis), resamples, None, seed)
    low, high = stats.interval(_r2(axis, plane, counts))
    rng = np.random.default_rng(seed)
    null = [_r2(rng.permutation(axis), plane, np.ones((1, len(axis))))[0] for _ in range(min(resamples, 200))]
    return float(_r2(axis, plane, np.ones((1, len(axis))))[0]), low, high, float(np.mean(null))


def _r2(axis, plane, counts):
    """R^2 (resamples,) of least-squares fits weighted by counts (resamples, n)."""
    weights = counts / counts.sum(axis=1, keepdims=True)
    data = np.column_stack([axis, plane])
    data = data - data.mean(axis=0)
    means = weights @ data
    both = np.einsum("rn,ni,nj->rij", weights, data, data, optimize=True) - means[:, :, None] * means[:, None]
    onto = both[:, 1:, 0]
    explained = np.einsum("ri,ri->r", onto, np.linalg.solve(both[:, 1:, 1:], onto[..., None])[..., 0])
    return explained / both[:, 0, 0]
