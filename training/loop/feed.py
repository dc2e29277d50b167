"""Batches for training: read ahead of the step, augmented once, and shared by several networks.

The images at a position in the run, and their augmentation, depend only on the recipe's data stream and the position:
not on the network, nor on other networks trained before or with it.
"""

from __future__ import annotations

import dataclasses
import itertools
import queue
import threading
from collections.abc import Callable, Iterator

import numpy as np
import torch

from ..augment.batches import Augmentation, own_rows
from ..data import windows
from .parallel import ALONE, Processes

LOCAL_AREA = 0.05, 0.4  # share of the image in a local view
RESIDENT_SHARE = 0.5  # share of the free GPU memory that the images may take


class Feed:
    """Batches of one data stream.

    Parameters
    ----------
    images : (n, size, size, 3) uint8, in memory or memory-mapped; or a pack.
    stream : seed, batch size, augmentation, order and numbers of whole and local views (``Recipe.data_stream``).
    processes : the processes that share every batch; this feed gives the part of its own process.
    """

    def __init__(self, images, stream: tuple, device="cpu", processes: Processes = ALONE):
        self.pixels = getattr(images, "pixels", images)
        self.seed, self.batch_size, augmentation, self.order, self.views, self.local_views = stream
        self.processes, self.device = processes, torch.device(device)
        self.own = processes.share(self.batch_size)
        self.steps_per_epoch = len(self.pixels) // self.batch_size
        if self.steps_per_epoch == 0:
            raise ValueError(f"{len(self.pixels)} images are fewer than one batch of {self.batch_size}")
        self.augment = augmenter(augmentation)
        self.augment_local = local(self.augment, self.pixels.shape[1]) if self.local_views else None
        self.flip = augmentation == "flip"
        self.resident = None
        if self.device.type == "cuda" and self.pixels.nbytes < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
            self.resident = torch.from_numpy(np.array(self.pixels)).to(self.device)

    def batches(self, first: int, last: int) -> Iterator[tuple[int, torch.Tensor, list[torch.Tensor]]]:
        """Yields (position, image numbers, views) of the batches first..last-1, numbered over all epochs."""
        for position, numbers, flips, pixels in _ahead(self._read(first, last)):
            if self.resident is None:
                pixels = pixels.to(self.device, non_blocking=True)
            numbers = numbers.to(self.device, non_blocking=True)
            if self.resident is not None:
                pixels = self.resident[numbers]
            yield position, numbers, self._views(position, pixels, flips)

    def _read(self, first, last):
        while first < last:
            epoch, start = divmod(first, self.steps_per_epoch)
            stop = min(self.steps_per_epoch, start + last - first)
            parts, flips = self._epoch(epoch + 1)
            order, size = np.concatenate(parts), self.own.stop - self.own.start
            for i, pixels in enumerate(self._pixels(parts, order, start, stop), start):
                part = slice(i * size, (i + 1) * size)
                if pixels is not None:
                    pixels = torch.from_numpy(pixels)
                    if self.device.type == "cuda":
                        pixels = pixels.pin_memory()
                yield first - start + i, torch.from_numpy(order[part]), flips[part], pixels
            first += stop - start

    def _pixels(self, parts, order, start, stop):
        """Pixels of the batches start..stop-1 of an epoch; None for each batch if the images are already on the GPU."""
        if self.resident is not None:
            return itertools.repeat(None, stop - start)
        size = self.own.stop - self.own.start
        if self.order == "blocks":
            return windows.of_epoch(parts, size, start, stop, _ahead_by_one, self.pixels)
        return (np.take(self.pixels, order[i * size : (i + 1) * size], axis=0) for i in range(start, stop))

    def _epoch(self, epoch: int) -> tuple[list[np.ndarray], torch.Tensor]:
        """Order of the images of this process, in windows, and which of them the augmentation "flip" mirrors.

        The last, incomplete batch is left out.
        """
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        n = len(self.pixels)
        order = torch.randperm(n, generator=generator)
        flips = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
        if self.order == "blocks":
            from ..data.packed import blocks

            parts = list(blocks(self.pixels, self.seed, epoch))
        else:
            parts = [order.numpy()]
        if self.processes.number == 1:
            return parts, flips
        place = np.arange(n) % self.batch_size
        mine = (place >= self.own.start) & (place < self.own.stop)
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return [part[own] for part, own in zip(parts, np.split(mine, ends), strict=True)], flips[mine]

    def _views(self, position, pixels, flips):
        if self.flip and self.views == 1:
            flips = flips.to(self.device, non_blocking=True)
            return [normalise(torch.where(flips, pixels.flip(2), pixels))]
        generator = torch.Generator().manual_seed(self.seed * 1_000_000_007 + position)
        whose = self.processes.rank, self.processes.number
        kinds = [self.augment] * self.views + [self.augment_local] * self.local_views
        return [augment(pixels, generator, whose) for augment in kinds]


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """Normalise (n, h, w, 3) uint8 with ImageNet statistics: (n, 3, h, w) float, channels last in memory."""
    return Augmentation.none(pixels)


def augmenter(name: str) -> Callable[[torch.Tensor, torch.Generator, tuple[int, int]], torch.Tensor]:
    """The augmentation that a recipe names: (b, h, w, 3) uint8, generator, part -> (b, 3, h, w) normalised.

    name : ``flip``, ``none``, or settings of ``augment.batches.Augmentation``, separated by commas, such as
        ``rotation=10,flip=true``.

    The result's ``part`` is (index, number) of equal parts of a batch; (0, 1) is the whole batch.
    """
    if name == "none":
        return lambda pixels, generator, part=(0, 1): normalise(pixels)
    if name == "flip":
        return _flip
    known = {field.name: field for field in dataclasses.fields(Augmentation)}
    settings = {}
    for item in name.split(","):
        key, found, value = (part.strip() for part in item.partition("="))
        if not found or key not in known:
            raise ValueError(
                f"augmentation {name!r}: {item.strip()!r} is not a setting. Give flip, none, or KEY=VALUE[,...] "
                f"with {', '.join(sorted(known))}"
            )
        settings[key] = _number(value)
    try:
        return Augmentation(**settings)
    except TypeError as error:
        raise ValueError(f"augmentation {name!r}: {error}") from error


def local(augment: Callable, side: int) -> Augmentation:
    """The same augmentation, for local views: small crops at a small output size."""
    if not isinstance(augment, Augmentation) or augment.random_resized_crop is None:
        raise ValueError("local views need an augmentation with random_resized_crop, such as random_resized_crop=0.4:1")
    return dataclasses.replace(augment, random_resized_crop=LOCAL_AREA, size=local_side(side))


def local_side(side: int) -> int:
    """Side of a local view for images of this side: 96 for 224, as in DINO."""
    return round(side * 3 / 7)


def _flip(pixels, generator, part=(0, 1)):
    drawn = own_rows(torch.rand(len(pixels) * part[1], 1, 1, 1, generator=generator), part)
    flips = (drawn < 0.5).to(pixels.device, non_blocking=True)
    return normalise(torch.where(flips, pixels.flip(2), pixels))


def _number(text: str):
    """A number, a pair of numbers (0.08:1), a truth value or a word."""
    if ":" in text:
        return tuple(_number(part) for part in text.split(":"))
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _ahead_by_one(items: Iterator) -> Iterator:
    return _ahead(items, depth=1)


def _ahead(items: Iterator, depth: int = 2) -> Iterator:
    """The same items, prepared by a thread that runs a few items ahead; its errors are raised here."""
    waiting: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def put(item) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work():
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((None, StopIteration()))
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        thread.join()
