"""A ladder gives what its networks would have become alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brainscore_granularity.training.loop import feed, ladder, loop
from brainscore_granularity.training.recipe import Execution, Recipe

from brainscore_granularity.world import images as world

CPU = Execution(device="cpu")
SHARED = {"data_seed": 3, "epochs": 2, "batch_size": 64, "augmentation": "flip=true,rotation=10"}


@pytest.fixture(scope="module")
def drawn():
    return world.draw(4, seed=31)


def rungs(drawn):
    coarse = {k: world.taxonomy(drawn.fine, k) for k in (2, 8)}
    random = np.random.default_rng(0).permutation(drawn.fine)
    return [
        ladder.Rung("k2", Recipe("mini", "taxonomy", 2, seed=1, **SHARED), coarse[2]),
        ladder.Rung("k8", Recipe("mini", "taxonomy", 8, seed=2, precision="bfloat16", ema=0.9, **SHARED), coarse[8]),
        ladder.Rung("random", Recipe("mini", "random", 64, seed=1, accumulate=2, **SHARED), random),
        ladder.Rung("longer", Recipe("mini", "taxonomy", 2, seed=1, **{**SHARED, "epochs": 3}), coarse[2]),
        ladder.Rung(
            "auxiliary",
            Recipe("mini", "t", 2, 5, objective="auxiliary", auxiliary_k=2, auxiliary_weight=0.5, **SHARED),
            np.stack([coarse[2], coarse[2]], axis=1),
        ),
        ladder.Rung("apart", Recipe("mini", "taxonomy", 2, seed=1, **{**SHARED, "data_seed": 4}), coarse[2]),
    ]


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.fixture(scope="module")
def alone(drawn):
    return {r.name: loop.train(r.recipe, drawn.pixels, r.labels, execution=CPU) for r in rungs(drawn)}


@pytest.mark.parametrize("group", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_equal_to_each_alone_bit_for_bit(drawn, alone, group):
    together = ladder.train(rungs(drawn), drawn.pixels, CPU, group=group)
    assert together.keys() == alone.keys()
    for name, (network, metrics) in together.items():
        assert same(network, alone[name][0]), name
        assert metrics == alone[name][1]


@pytest.mark.slow
def test_equal_when_devices_split_it(drawn, alone):
    split = ladder.train_on(["cpu", "cpu"], rungs(drawn), drawn.pixels, CPU)
    assert split.keys() == alone.keys() and all(same(split[name][0], alone[name][0]) for name in alone)


@pytest.mark.slow
def test_the_images_are_read_once_for_all(drawn):
    class Counting(np.ndarray):
        taken = 0

        def take(self, *arguments, **options):
            Counting.taken += 1
            return np.asarray(self).take(*arguments, **options)

    shared = [r for r in rungs(drawn) if r.name in ("k2", "k8", "random")]
    ladder.train(shared, drawn.pixels.view(Counting), CPU)
    assert Counting.taken == 2 * (len(drawn.pixels) // 64)  # epochs x batches, not x networks


def test_data_order_and_augmentation_depend_on_the_data_seed_alone(drawn):
    def first(recipe):
        _, numbers, views = next(iter(feed.Feed(drawn.pixels, recipe.data_stream).batches(0, 1)))
        return numbers, views[0]

    base = Recipe("mini", "own", 2, seed=1, **SHARED)
    for other in (replace(base, k=64), replace(base, seed=9), replace(base, labels="clip", learning_rate=1.0)):
        assert all(torch.equal(a, b) for a, b in zip(first(base), first(other), strict=True))
    assert not torch.equal(first(base)[0], first(replace(base, data_seed=4))[0])
    assert torch.equal(first(replace(base, data_seed=None, seed=7))[0], first(replace(base, data_seed=7))[0])


def test_a_batch_depends_on_its_position_not_on_where_reading_began(drawn):
    stream = Recipe("mini", "own", 2, seed=1, **SHARED).data_stream
    whole = list(feed.Feed(drawn.pixels, stream).batches(0, 12))
    later = list(feed.Feed(drawn.pixels, stream).batches(7, 12))
    for (p, n, v), (q, m, w) in zip(whole[7:], later, strict=True):
        assert p == q and torch.equal(n, m) and torch.equal(v[0], w[0])


@pytest.mark.parametrize("order", ["images", "blocks"])
def test_an_epoch_shows_every_image_at_most_once(drawn, order):
    n = len(drawn.pixels)
    stream = Recipe("mini", "own", 2, seed=1, order=order, **SHARED).data_stream
    steps = feed.Feed(drawn.pixels, stream).steps_per_epoch
    numbers = [
        torch.cat([b[1] for b in feed.Feed(drawn.pixels, stream).batches(e * steps, (e + 1) * steps)]) for e in (0, 1)
    ]
    assert all(len(set(epoch.tolist())) == len(epoch) == steps * 64 <= n for epoch in numbers)
    assert not torch.equal(*numbers)


def test_networks_that_cannot_share_a_pass_are_grouped_apart(drawn):
    parts = [[r.name for r in part] for part in ladder.groups(rungs(drawn), most=4)]
    assert sorted(map(len, parts)) == [1, 1, 4] and ["apart"] in parts


def test_a_network_that_diverges_does_not_stop_the_others(drawn, alone, tmp_path):
    good, *_ = rungs(drawn)
    bad = replace(good, name="bad", recipe=replace(good.recipe, learning_rate=1e30, clip=1e30))
    kept = [replace(r, folder=tmp_path / r.name) for r in (bad, good)]
    with pytest.raises(ladder.LadderFailed, match=r"1 of 2 networks failed.*bad: .*at step \d+"):
        ladder.train(kept, drawn.pixels, CPU)
    network, _ = ladder.train([replace(good, folder=tmp_path / "k2")], drawn.pixels, CPU)["k2"]  # from its state
    assert same(network, alone["k2"][0])


def test_bad_ladders_are_refused_before_training(drawn):
    good, *_ = rungs(drawn)
    with pytest.raises(ValueError, match="named twice: k2"):
        ladder.train([good, good], drawn.pixels, CPU)
    with pytest.raises(ValueError, match="one label for each"):
        ladder.train([good, replace(good, name="x", labels=good.labels[:5])], drawn.pixels, CPU)


def test_an_error_while_reading_is_raised_in_the_loop(drawn):
    class Broken(np.ndarray):
        def take(self, *arguments, **options):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        loop.train(Recipe("mini", "taxonomy", 2, 1, **SHARED), drawn.pixels.view(Broken), rungs(drawn)[0].labels)
