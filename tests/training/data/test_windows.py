"""Data larger than memory: the same batches as image by image, in few large reads."""

import numpy as np
import pytest
import torch
from brainscore_granularity.training.data import windows
from brainscore_granularity.training.data.packed import blocks
from brainscore_granularity.training.loop import feed

RNG = np.random.default_rng(0)
N, BATCH = 20_000, 128
STREAM = (3, BATCH, "none", "blocks", 1, 0)


@pytest.fixture(scope="module")
def pixels():
    """Every image says its number."""
    images = np.zeros((N, 2, 2, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.arange(N) % 256, np.arange(N) // 256
    return images


class Counting(np.ndarray):
    """Remembers what is read of it."""

    def __getitem__(self, key):
        if isinstance(key, slice):
            self.reads.append(key.stop - key.start)
            return np.asarray(self)[key]
        raise AssertionError(f"not a read of neighbours: {key!r}")

    def take(self, *arguments, **options):
        raise AssertionError("images are read one by one")


def number(view):
    inverse = feed.normalise(torch.zeros(1, 1, 1, 3, dtype=torch.uint8)).flatten()
    per_level = feed.normalise(torch.ones(1, 1, 1, 3, dtype=torch.uint8)).flatten() - inverse
    low, high = ((view[:, c, 0, 0] - inverse[c]) / per_level[c] for c in (0, 1))
    return (low.round() + 256 * high.round()).long()


@pytest.mark.parametrize(("first", "last"), [(0, 330), (37, 40), (63, 66), (150, 200)])
def test_what_is_fed_is_what_reading_image_by_image_gives(pixels, first, last):
    steps = N // BATCH
    orders = [np.concatenate(list(blocks(pixels, STREAM[0], epoch))) for epoch in (1, 2, 3)]
    positions = []
    for position, numbers, views in feed.Feed(pixels, STREAM).batches(first, last):
        epoch, i = divmod(position, steps)
        assert np.array_equal(numbers, orders[epoch][i * BATCH : (i + 1) * BATCH])
        assert torch.equal(number(views[0]), numbers)
        positions.append(position)
    assert positions == list(range(first, last))


def test_an_epoch_is_few_large_reads(pixels):
    counted = pixels.view(Counting)
    counted.reads = []
    steps = N // BATCH
    seen = torch.cat([numbers for _, numbers, _ in feed.Feed(counted, STREAM).batches(0, steps)])
    assert len(seen) == len(set(seen.tolist())) == steps * BATCH
    reads = counted.reads
    assert sum(reads) == steps * BATCH  # nothing is read twice
    assert len(reads) <= N / 32 + BATCH and np.median(reads) >= 32  # not one an image


def test_a_late_start_reads_only_what_is_left(pixels):
    counted = pixels.view(Counting)
    counted.reads = []
    list(feed.Feed(counted, STREAM).batches(100, 110))
    assert sum(counted.reads) == 10 * BATCH


@pytest.mark.parametrize("sizes", [[5, 1, 1, 9, 4], [3], [2, 2, 2, 2], [12, 12]])
@pytest.mark.parametrize("batch", [1, 3, 4, 7])
def test_batches_across_windows(sizes, batch):
    numbers = np.arange(sum(sizes))
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    found = list(windows.batches(parts, batch))
    assert all(len(b) == batch for b in found) and len(found) == len(numbers) // batch
    assert np.array_equal(np.concatenate(found) if found else [], numbers[: len(found) * batch])


def test_read_is_indexing(pixels):
    images = RNG.permutation(500)[:300]
    assert np.array_equal(windows.read(pixels, images), pixels[images])
    repeated = np.array([5, 5, 6, 4, 5])
    assert np.array_equal(windows.read(pixels, repeated), pixels[repeated])
    assert windows.read(pixels, np.array([], int)).shape == (0, 2, 2, 3)
