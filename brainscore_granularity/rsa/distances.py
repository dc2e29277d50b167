"""Dissimilarities between the images of one recording or one layer."""

from __future__ import annotations

import numpy as np

from . import feature_scaling
from .degenerate import refuse_alike, refuse_empty, refuse_images
from .gram import Gram, gram_of, in_float32
from .noise import crossnobis, whiten

CENTRES = {
    "correlation": "rows",
    "cosine": None,
    "euclidean": "columns",
    "mahalanobis": "columns",
    "crossnobis": None,
}
DISTANCES = tuple(CENTRES)
LEAVE_OUT = "leave these images out, take another layer, or use distance='euclidean'."


def rdm(
    features,
    distance: str = "correlation",
    *,
    images=None,
    layer: str | None = None,
    noise=None,
    scaling: str = "none",
):
    """Dissimilarity of every pair of images.

    Parameters
    ----------
    features : (n, ...), numpy or torch
        One row an image, trailing dimensions flattened. A tensor on a GPU is multiplied there. For the precision
        see :mod:`brainscore_granularity.rsa.gram`. For "crossnobis": (repeats, n, ...).
    distance : {"correlation", "euclidean", "cosine", "mahalanobis", "crossnobis"}
        For images x, y with P features and noise covariance S:

        ============  ========================================================================
        correlation   1 - Pearson correlation over features
        cosine        1 - x.y / (\\|x\\| \\|y\\|)
        euclidean     \\|x - y\\|
        mahalanobis   (x - y)^T S^-1 (x - y) / P, squared and per feature
        crossnobis    the same between independent repeats, averaged over pairs of repeats: no
                      bias from noise, so that its mean is 0 for equal images and it may be
                      negative (Walther et al. 2016)
        ============  ========================================================================
    images : sequence, optional
        Names of the images, for error messages.
    layer : str, optional
        Name of the layer, for error messages.
    noise : (P, P), optional
        Noise covariance for "mahalanobis" and "crossnobis", as from :func:`rsa.noise_covariance`;
        default: identity.
    scaling : {"none", "z-score"}
        Whether each feature is z-scored over the images first, for "correlation", "cosine" and "euclidean".
        "none" compares what the features are, "z-score" how they differ from the average image, each feature
        counting alike; see docs/statistics.md.

    Returns
    -------
    (n, n) float64
        Symmetric, zeros on the diagonal.

    Raises
    ------
    DegenerateFeatures
        No features; NaN or infinity; constant rows where the distance needs variance; all rows alike.

    Examples
    --------
    >>> rdm([[0.0, 1.0], [1.0, 0.0], [0.0, 3.0]]).tolist()
    [[0.0, 2.0, 0.0], [2.0, 0.0, 2.0], [0.0, 2.0, 0.0]]

    A dead unit is harmless, a dead image is not:

    >>> rdm(np.zeros((20, 50)), layer="conv5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    brainscore_granularity.rsa.degenerate.DegenerateFeatures: 20 of 20 images have constant features in layer 'conv5'...
    """
    if distance not in DISTANCES:
        raise ValueError(f"distance: expected one of {', '.join(DISTANCES)}, got {distance!r}")
    if noise is not None and distance not in ("mahalanobis", "crossnobis"):
        raise ValueError(f"noise is used by 'mahalanobis' and 'crossnobis' only, got distance={distance!r}")
    if feature_scaling.check(scaling) != "none" and distance not in ("correlation", "cosine", "euclidean"):
        raise ValueError(
            f"scaling={scaling!r} works with correlation, cosine and euclidean, got distance={distance!r}, which "
            "scales by the noise"
        )
    if getattr(getattr(features, "device", None), "type", "cpu") != "cpu" and noise is None:
        return device_rdm(features, distance, images=images, layer=layer, scaling=scaling)
    if hasattr(features, "detach"):
        features = features.detach().cpu().numpy()
    x = np.asarray(features)
    if x.dtype.kind not in "fiub":
        raise ValueError(f"features: expected numbers, got dtype {x.dtype}")
    repeated = distance == "crossnobis"
    refuse_empty(x.shape, layer, repeated)
    x = x.reshape(*x.shape[: 1 + repeated], -1)
    if noise is not None:
        x = whiten(x, noise)
    if repeated:
        return crossnobis(x, images, layer)
    single = x.dtype in (np.float32, np.float16)
    gram = gram_of(lambda start, stop: x[:, start:stop], x.shape[0], x.shape[1], CENTRES[distance], single, scaling)
    return from_gram(gram, distance, images=images, layer=layer)


def device_rdm(
    features,
    distance: str = "correlation",
    *,
    images=None,
    layer: str | None = None,
    block: int = 8192,
    scaling: str = "none",
):
    """RDM (n, n) of a tensor (n, ...), multiplied on the tensor's device, summed in float64.

    TensorFloat-32, which keeps only 10 bits of each factor, is switched off for this.

    >>> import torch
    >>> x = torch.randn(4, 50, generator=torch.Generator().manual_seed(0))
    >>> np.allclose(device_rdm(x, block=16), 1 - np.corrcoef(x), atol=1e-6)
    True
    """
    import torch

    x = features.detach().flatten(1)
    single = x.dtype != torch.float64 and in_float32(len(x), np.float32)
    if distance not in ("correlation", "euclidean", "cosine") or (x.device.type == "mps" and not single):
        # there is no float64 on Apple's devices
        return rdm(features.detach().cpu().numpy(), distance, images=images, layer=layer, scaling=scaling)
    gram = Gram(len(x), CENTRES[distance], scaling)
    tf32 = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        for start in range(0, x.shape[1], block):
            gram.merge(_block_on_device(x[:, start : start + block], gram, torch.float32 if single else torch.float64))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = tf32
    return from_gram(gram, distance, images=images, layer=layer)


def _block_on_device(part, gram: Gram, dtype) -> Gram:
    """Inner products of some features (n, f) of a tensor, centred and scaled as ``gram`` is."""
    other = Gram(len(part), gram.centre, gram.scaling)
    other.broken = ~np.isfinite(part.mean(dim=1).cpu().numpy())
    if gram.scaling == "z-score":
        deviation = part.double() - part.double().mean(dim=0)
        spread = deviation.square().mean(dim=0).sqrt()
        part = (deviation / spread).where((part != part[:1]).any(dim=0), 0.0)
    part = part.to(dtype)
    other.seen(part[:, 0].cpu().numpy(), (part != part[:, :1]).any(dim=1).cpu().numpy())
    other.apart = bool((part != part[:1]).any())
    if gram.centre == "rows":
        mean = part.mean(dim=1)
        part = part - mean[:, None]
        other.means, other.sizes = [mean.cpu().numpy().astype(np.float64)], [part.shape[1]]
    elif gram.centre == "columns":
        part = part - part.mean(dim=0)
    other.within = (part @ part.T).cpu().numpy().astype(np.float64)
    other.width = part.shape[1]
    return other


def from_gram(gram: Gram, distance: str = "correlation", *, images=None, layer: str | None = None):
    """RDM (n, n) of the features added to ``gram``, whose centring must be that of :data:`CENTRES`.

    >>> x = np.random.default_rng(0).normal(size=(5, 40))
    >>> gram = Gram(5).add(x[:, :16]).add(x[:, 16:])
    >>> np.allclose(from_gram(gram), 1 - np.corrcoef(x))
    True
    """
    if CENTRES.get(distance, "") != gram.centre:
        raise ValueError(f"distance {distance!r} needs Gram(centre={CENTRES.get(distance)!r}), got {gram.centre!r}")
    matrix = gram.matrix
    power = np.diag(matrix).copy()
    broken = gram.broken if gram.broken.any() else ~np.isfinite(power)
    refuse_images(broken, "NaN, infinite or overflowing features", images, layer)
    if distance == "correlation":
        # Constants are found by comparison: rounding of the mean can leave a constant image a trace of variance.
        advice = f"Correlation needs features that vary within an image: {LEAVE_OUT}"
        refuse_images(~gram.varies | (power <= 0), "constant features", images, layer, advice)
    if distance == "cosine":
        advice = f"The cosine needs features that are not all zero: {LEAVE_OUT}"
        refuse_images(power <= 0, "zero features", images, layer, advice)
    refuse_alike(gram.apart, len(power), layer)
    if distance in ("correlation", "cosine"):
        norm = np.sqrt(power)
        out = 1 - np.clip(matrix / norm[:, None] / norm, -1, 1)
    else:
        out = np.maximum(power[:, None] + power - 2 * matrix, 0)
        out = np.sqrt(out) if distance == "euclidean" else out / gram.width
    out = (out + out.T) / 2
    np.fill_diagonal(out, 0)
    return out
