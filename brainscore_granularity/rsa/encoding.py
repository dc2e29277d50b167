"""Linear encoding: predict each voxel or electrode from a layer by ridge regression (himalaya).

The penalty is chosen by cross-validation within the fit split, a layer by the same cross-validated score,
and only then is the test split touched. Features and responses are standardised with means and deviations
of the fit split.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .degenerate import DegenerateFeatures

ALPHAS = np.logspace(-10, 10, 20)


class Encoding(NamedTuple):
    """What an encoding model predicts on the test split."""

    r: np.ndarray  # (voxels,) Pearson correlation of prediction and response; 0 for a constant prediction
    r2: np.ndarray  # (voxels,) 1 - residual / total sum of squares
    explained: np.ndarray | None  # (voxels,) r2 / ceiling; NaN where the ceiling is 0
    selection: np.ndarray  # (voxels,) cross-validated share explained in the fit split, at the best alpha
    alpha: np.ndarray  # (voxels,)
    prediction: np.ndarray  # (images, voxels) in units of the response


def ridge(
    features,
    responses,
    test_features,
    test_responses,
    *,
    alphas=ALPHAS,
    folds: int = 5,
    ceiling=None,
    backend: str = "numpy",
    seed: int = 0,
) -> Encoding:
    """Fit on one split, predict the other.

    Parameters
    ----------
    features : (images, ...)
        Fit split; trailing dimensions are flattened.
    responses : (images, voxels)
    test_features : (test images, ...)
    test_responses : (test images, voxels)
        Averaged over repeats.
    alphas : sequence of float
        Penalties to choose from, for each voxel on its own.
    folds : int
        Folds of the cross-validation within the fit split; images are shuffled with ``seed``.
    ceiling : (voxels,), optional
        Explainable share of the variance, as from :func:`voxel_ceiling`.
    backend : {"numpy", "torch", "torch_cuda"}
        himalaya's backend; numpy also where there are few voxels, since the cost is one decomposition a fold.

    Returns
    -------
    Encoding

    Notes
    -----
    With more features than images the kernel form solves the same problem: w = X^T (X X^T + alpha I)^-1 y.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, w = rng.normal(size=(120, 10)), rng.normal(size=(10, 2))
    >>> fit = ridge(x[:100], x[:100] @ w, x[100:], x[100:] @ w)
    >>> bool((fit.r > 0.999).all())
    True
    """
    x, x_test = _flat(features, "features"), _flat(test_features, "test_features")
    y, y_test = _flat(responses, "responses"), _flat(test_responses, "test_responses")
    if len(x) != len(y) or len(x_test) != len(y_test):
        raise ValueError(
            f"expected as many images in features as in responses, got {len(x)} and {len(y)} to fit,"
            f" {len(x_test)} and {len(y_test)} to test"
        )
    if x.shape[1] != x_test.shape[1] or y.shape[1] != y_test.shape[1]:
        raise ValueError(
            f"expected test splits of {x.shape[1:]} and {y.shape[1:]}, got {x_test.shape} and {y_test.shape}"
        )
    if not 2 <= folds <= len(x):
        raise ValueError(f"folds: expected 2 to {len(x)}, got {folds}")
    mean_x, scale_x = _moments(x)
    mean_y, scale_y = _moments(y)
    x, x_test = (x - mean_x) / scale_x, (x_test - mean_x) / scale_x
    fitted = _himalaya(x, (y - mean_y) / scale_y, alphas, folds, backend, seed)
    prediction = _numpy(fitted.predict(x_test)).astype(np.float64) * scale_y + mean_y
    residual = ((y_test - prediction) ** 2).sum(axis=0)
    total = ((y_test - y_test.mean(axis=0)) ** 2).sum(axis=0)
    r2 = np.where(total > 0, 1 - residual / np.where(total > 0, total, 1), np.nan)
    explained = None
    if ceiling is not None:
        ceiling = np.asarray(ceiling, float)
        explained = np.where(ceiling > 0, r2 / np.where(ceiling > 0, ceiling, 1), np.nan)
    return Encoding(
        _correlation(prediction, y_test),
        r2,
        explained,
        _share(fitted),
        _numpy(fitted.best_alphas_).astype(np.float64),
        prediction,
    )


def choose_layer(
    layers: dict, responses, *, alphas=ALPHAS, folds: int = 5, backend: str = "numpy", seed: int = 0
) -> tuple[str, dict]:
    """Layer with the best cross-validated fit, judged on the fit split alone.

    Parameters
    ----------
    layers : dict of str to (images, ...)
        Features of the fit split.
    responses : (images, voxels)
        Of the fit split.

    Returns
    -------
    (str, dict)
        Best layer, and each layer's cross-validated share of variance explained, averaged over voxels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 5))
    >>> choose_layer({"noise": rng.normal(size=(60, 5)), "signal": x}, x @ rng.normal(size=(5, 3)))[0]
    'signal'
    """
    if not layers:
        raise ValueError("layers: expected at least one layer {name: features}, got none")
    y = _flat(responses, "responses")
    mean_y, scale_y = _moments(y)
    scores = {}
    for name, features in layers.items():
        x = _flat(features, f"layer {name!r}")
        if len(x) != len(y):
            raise ValueError(f"layer {name!r}: expected {len(y)} images, as in responses, got {len(x)}")
        mean_x, scale_x = _moments(x)
        fitted = _himalaya((x - mean_x) / scale_x, (y - mean_y) / scale_y, alphas, folds, backend, seed)
        scores[name] = float(_share(fitted).mean())
    return max(scores, key=scores.__getitem__), scores


def voxel_ceiling(repeats) -> np.ndarray:
    """Share of the variance of the mean over repeats that is signal, (voxels,), from 0 to 1.

    Parameters
    ----------
    repeats : (repeats, images, voxels)

    Notes
    -----
    With k repeats, variance s_b of the means over images and mean variance s_w within an image, the noise
    in a mean is s_w / k, so the explainable share is 1 - (s_w / k) / s_b (Allen et al. 2022).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signal, noise = rng.normal(size=(500, 1)), rng.normal(size=(4, 500, 1))
    >>> voxel_ceiling(signal + noise).round(1).tolist()  # 1 / (1 + 1 / 4)
    [0.8]
    """
    x = np.asarray(repeats, dtype=np.float64)
    if x.ndim != 3 or len(x) < 2 or x.shape[1] < 2:
        raise ValueError(f"repeats: expected (repeats, images, voxels), at least 2 of the first two, got {x.shape}")
    between, within = x.mean(axis=0).var(axis=0, ddof=1), x.var(axis=0, ddof=1).mean(axis=0) / len(x)
    return np.clip(1 - within / np.where(between > 0, between, np.inf), 0, 1) * (between > 0)


def _himalaya(x, y, alphas, folds, backend, seed):
    try:
        from himalaya.backend import set_backend
        from himalaya.kernel_ridge import KernelRidgeCV
        from himalaya.ridge import RidgeCV
    except ImportError as error:
        raise ImportError("encoding needs himalaya: pip install 'brainscore_granularity[encoding]'") from error
    from sklearn.model_selection import KFold

    set_backend(backend, on_error="raise")
    cv = KFold(folds, shuffle=True, random_state=seed)
    alphas = np.asarray(alphas, dtype=x.dtype)
    if x.shape[1] > x.shape[0]:
        return KernelRidgeCV(alphas=alphas, kernel="linear", cv=cv).fit(x, y)
    return RidgeCV(alphas=alphas, cv=cv, fit_intercept=False, solver="svd").fit(x, y)


def _share(fitted) -> np.ndarray:
    """himalaya's score is minus the squared error of standardised responses, whose variance is 1."""
    return 1 + _numpy(fitted.cv_scores_).astype(np.float64)


def _flat(x, name: str) -> np.ndarray:
    if hasattr(x, "detach"):
        x = x.detach().cpu().numpy()
    x = np.asarray(x, dtype=np.float64)
    if x.ndim < 2 or x.size == 0:
        raise ValueError(f"{name}: expected (images, ...), got {x.shape}")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        raise DegenerateFeatures(f"{name}: {len(bad)} of {len(x)} images hold NaN or infinity, first {bad[0]}")
    return x


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column; 1 for a column that does not vary, so that it stays at zero."""
    scale = x.std(axis=0)
    return x.mean(axis=0), np.where(scale > 1e-12 * np.abs(x).max(axis=0), scale, 1)


def _correlation(prediction: np.ndarray, y: np.ndarray) -> np.ndarray:
    p, q = prediction - prediction.mean(axis=0), y - y.mean(axis=0)
    norm = np.linalg.norm(p, axis=0) * np.linalg.norm(q, axis=0)
    flat = np.linalg.norm(p, axis=0) <= 1e-10 * (np.abs(prediction).max(axis=0) + np.linalg.norm(q, axis=0))
    return np.where(flat | (norm == 0), 0, (p * q).sum(axis=0) / np.where(norm > 0, norm, 1))


def _numpy(x) -> np.ndarray:
    return x.detach().cpu().numpy() if hasattr(x, "detach") else np.asarray(x)
