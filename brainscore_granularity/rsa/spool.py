"""Exact RDMs of all layers of a network from one forward pass, without holding the features.

Every image is compared with those of later batches, so the features of all batches are kept on disk, float32,
one file a layer; afterwards each layer is read back a block of features at a time and its Gram matrix is
added up. Memory holds one batch and a few blocks, however many layers and images there are, and
no random projection is needed. Disk space is 4 bytes times images times features: about 4 GB for all layers
of an AlexNet at 1,000 images of 224 pixels.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from . import feature_scaling
from .distances import CENTRES, DISTANCES, from_gram
from .gram import Gram, gram_of


class Spool:
    """Features of one layer on disk, written in rows (images), read in columns (features).

    Parameters
    ----------
    path : path
        File to write; its folder must exist.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, Spool(Path(folder) / "conv1") as spool:
    ...     spool.write(0, np.ones((2, 3), np.float32))
    ...     spool.write(2, np.zeros((1, 3), np.float32))
    ...     spool.read(1, 3).tolist()
    [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, path: str | Path):
        self.path, self.width, self.images = Path(path), 0, 0
        self.shape: tuple[int, ...] = ()  # of one image's features, if the writer sets it
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def write(self, image: int, rows: np.ndarray) -> None:
        """Write rows (k, features) for images ``image`` to ``image + k``; rows already there are replaced."""
        rows = np.ascontiguousarray(rows, np.float32)
        if self.width not in (0, rows.shape[1]):
            raise ValueError(
                f"{self.path.name}: expected {self.width} features, as before, got {rows.shape[1]}; give all images"
                " one size, and name a module that is called once in a forward pass"
            )
        self.width, self.images = rows.shape[1], max(self.images, image + len(rows))
        view, offset = memoryview(rows.data).cast("B"), 4 * image * self.width
        while view:
            done = os.pwrite(self._file, view, offset)
            view, offset = view[done:], offset + done

    def read(self, start: int, stop: int, rows=None) -> np.ndarray:
        """Features ``start`` to ``stop`` of all images, or of those in ``rows``: (images, stop - start) float32. Safe
        from several threads."""
        wanted = range(self.images) if rows is None else [int(row) for row in rows]
        out = np.empty((len(wanted), stop - start), np.float32)
        for image, row in zip(wanted, out, strict=True):
            view, offset = memoryview(row).cast("B"), 4 * (image * self.width + start)
            while view:
                done = os.preadv(self._file, [view], offset)
                if done == 0:
                    raise OSError(f"{self.path}: ended at image {image}; was the disk full, or the file cut short?")
                view, offset = view[done:], offset + done
        return out

    def rdm(
        self, distance: str = "correlation", *, images=None, layer: str | None = None, scaling: str = "none", rows=None
    ) -> np.ndarray:
        """RDM (n, n) of what was written, or of the images in ``rows``; other parameters as in
        :func:`brainscore_granularity.rsa.rdm`."""
        return from_gram(self.gram(CENTRES[distance], scaling, rows), distance, images=images, layer=layer)

    def gram(self, centre: str | None, scaling: str = "none", rows=None) -> Gram:
        """Inner products between images, or those in ``rows``; other parameters as of :class:`gram.Gram`."""
        n = self.images if rows is None else len(rows)
        return gram_of(
            lambda start, stop: self.read(start, stop, rows), n, self.width, centre, single=True, scaling=scaling
        )

    def close(self) -> None:
        """Close and delete the file."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error) -> None:
        self.close()


def layer_rdms(
    model,
    batches: Iterable,
    layers=None,
    distance: str = "correlation",
    *,
    images=None,
    folder=None,
    scaling: str = "none",
):
    """Exact RDMs of all layers from one forward pass.

    Parameters
    ----------
    model : torch.nn.Module
        On any device, in evaluation mode (otherwise dropout and batch norm make features depend on the
        batch).
    batches : iterable of tensors
        Images (k, channels, height, width), in order; moved to the model's device.
    layers : sequence of str, optional
        Names as in ``model.named_modules()``; default all modules without children. A module that is called
        several times in one pass gives its last output.
    distance : {"correlation", "euclidean", "cosine"}
    images : sequence, optional
        Names of the images, for error messages.
    folder : path, optional
        Where the features are kept meanwhile, best on a fast local disk; default: the system's temporary folder.
    scaling : {"none", "z-score"}
        As in :func:`brainscore_granularity.rsa.rdm`.

    Returns
    -------
    dict of str to (n, n) float64
        In the order of ``layers``.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 7)).eval()
    >>> batches = torch.randn(2, 5, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    >>> {layer: r.shape for layer, r in layer_rdms(model, batches).items()}
    {'0': (10, 10), '1': (10, 10)}
    """
    import torch

    if distance not in ("correlation", "euclidean", "cosine"):
        raise ValueError(f"distance: expected correlation, euclidean or cosine, got {distance!r}; all: {DISTANCES}")
    feature_scaling.check(scaling)
    if model.training:
        raise ValueError("model is in training mode: call model.eval(), or features depend on the batch they are in")
    modules = dict(model.named_modules())
    if layers is None:
        layers = [name for name, module in modules.items() if not list(module.children())]
    missing = [name for name in layers if name not in modules]
    if missing:
        raise ValueError(f"layers: expected names of modules, got {missing}; valid: {', '.join(filter(None, modules))}")
    weight = next(model.parameters(), None)
    done, spools = 0, {}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rdm-", dir=folder)))
        for k, name in enumerate(layers):
            spools[name] = spool = stack.enter_context(Spool(place / f"{k}-{name.replace('/', '_')}"))

            def keep(module, inputs, output, name=name, spool=spool):
                if not torch.is_tensor(output):
                    raise TypeError(f"layer {name!r} gives {type(output).__name__}, expected a tensor: name another")
                spool.write(done, output.detach().flatten(1).float().cpu().numpy())

            stack.callback(modules[name].register_forward_hook(keep).remove)
        with torch.no_grad():
            for batch in batches:
                model(batch if weight is None else batch.to(weight.device))
                done += len(batch)
        if done < 2:
            raise ValueError(f"batches: expected at least 2 images, got {done}")
        unused = [name for name, spool in spools.items() if spool.images != done]
        if unused:
            raise ValueError(f"layers {unused} did not run on every image: leave them out")
        return {name: spool.rdm(distance, images=images, layer=name, scaling=scaling) for name, spool in spools.items()}
