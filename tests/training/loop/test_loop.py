from dataclasses import replace

import numpy as np
import pytest
import torch
from brainscore_granularity.training.loop import ladder, learner, log, loop
from brainscore_granularity.training.loop.validation import HeldOut
from brainscore_granularity.training.recipe import Recipe

from brainscore_granularity import networks
from brainscore_granularity.world import images as world

RECIPE = Recipe("mini", "taxonomy", 2, seed=1, epochs=2, batch_size=64)


@pytest.fixture(scope="module")
def data():
    images = world.draw(8, seed=31)
    return images.pixels, world.taxonomy(images.fine, 2)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.slow
def test_equal_recipes_give_equal_weights_and_seeds_differ(data):
    first, _ = loop.train(RECIPE, *data)
    again, _ = loop.train(RECIPE, *data)
    other, _ = loop.train(Recipe("mini", "taxonomy", 2, seed=2, epochs=2, batch_size=64), *data)
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_global_random_state_is_neither_used_nor_changed(data):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    loop.train(RECIPE, *data)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.slow
def test_the_loss_falls_and_the_task_is_learned(data):
    recipe = Recipe("mini", "taxonomy", 2, seed=1, epochs=6, batch_size=64)
    held_out = world.draw(4, seed=32)
    seen = []
    _, metrics = loop.train(
        recipe,
        *data,
        on_epoch=lambda epoch, loss: seen.append((epoch, loss)),
        held_out=HeldOut(held_out.pixels, held_out.superordinate),
    )
    assert metrics["train_loss"][-1] < 0.8 * metrics["train_loss"][0]
    assert metrics["validation_accuracy"] > 0.7
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4, 5, 6] and [loss for _, loss in seen] == metrics["train_loss"]


def test_body_does_not_depend_on_the_number_of_classes():
    two, many = (networks.build("mini", k, seed=5).state_dict() for k in (2, 64))
    assert all(torch.equal(two[name], many[name]) for name in two if not name.startswith("head"))


def test_no_epochs_is_the_untrained_network(data):
    network, metrics = loop.train(Recipe("mini", "untrained", 2, seed=7, epochs=0), *data)
    assert torch.equal(weights(network), weights(networks.build("mini", 2, seed=7)))
    assert metrics["train_loss"] == []


def test_learning_rate_climbs_then_follows_a_cosine():
    recipe = Recipe("mini", "own", 2, seed=0, epochs=10, warmup_epochs=2, final_rate=0.05)
    rate = learner.rate(recipe, steps_per_epoch=10)
    assert rate(0) == 0.25 and rate(20) == pytest.approx(1.0)
    assert rate(60) == pytest.approx((1 + 0.05) / 2) and rate(100) == pytest.approx(0.05)
    assert all(rate(i) < rate(i + 1) for i in range(20)) and all(rate(i) > rate(i + 1) for i in range(20, 99))


def test_weight_decay_spares_vectors():
    decayed, spared = learner.parameter_groups(list(networks.build("mini", 2, seed=0).parameters()), 1e-3)
    assert {p.ndim for p in decayed["params"]} == {2, 4} and {p.ndim for p in spared["params"]} == {1}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (1e-3, 0.0)


def test_features_stop_at_the_layer_and_equal_the_whole_forward_pass(data):
    network = networks.build("mini", 2, seed=0).eval()
    inputs = loop.normalise(torch.from_numpy(data[0][:4]))
    seen = {}
    network.relu2.register_forward_hook(lambda m, i, o: seen.update(relu2=o))
    with torch.no_grad():
        logits = network(inputs)
    assert np.allclose(loop.features(network, data[0][:4], "relu2"), seen["relu2"].numpy())
    assert np.allclose(loop.features(network, data[0][:4], "head"), logits.numpy(), atol=1e-6)
    with pytest.raises(ValueError, match="no layer 'conv9'; candidates are conv1, relu1"):
        network.features(inputs, "conv9")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(512, int), "1 classes have no image"),
        (np.full(512, 3), "found 3..3"),
        (np.zeros(100, int), "one label for each of 512 images"),
    ],
)
def test_bad_labels_are_refused_before_training(data, labels, message):
    with pytest.raises(ValueError, match=message):
        loop.train(RECIPE, data[0], labels)


def test_divergence_is_an_error_that_names_the_epoch(data):
    recipe = Recipe("mini", "taxonomy", 2, seed=1, epochs=3, batch_size=64, learning_rate=1e30, clip=1e30)
    with pytest.raises(learner.TrainingDiverged, match="in epoch .* at learning rate 1e"):
        loop.train(recipe, *data)


def test_fewer_images_than_a_batch_is_an_error(data):
    with pytest.raises(ValueError, match="fewer than one batch of 1024"):
        loop.train(Recipe("mini", "taxonomy", 2, seed=1, batch_size=1024), *data)


def test_unused_dropout_is_an_error():
    with pytest.raises(ValueError, match="mini has no dropout layer"):
        learner.Learner(replace(RECIPE, dropout=0.5), 8)


def test_a_batch_in_pieces_gives_the_same_gradient(data):
    """Exactly where no layer looks across images, so with batch norm held fixed."""
    inputs, targets = loop.normalise(torch.from_numpy(data[0][:64])), torch.from_numpy(data[1][:64]).long()
    gradients = []
    for pieces in (1, 4):
        one = learner.Learner(RECIPE, 8)
        one.network.eval()
        one.backward([inputs], targets, pieces)
        gradients.append(torch.cat([p.grad.flatten() for p in one.parameters]))
    assert torch.allclose(*gradients, atol=1e-6)


def test_running_average_is_the_decayed_sum_of_the_weights(data):
    one = learner.Learner(replace(RECIPE, ema=0.8), 8)
    expected = one.network.conv1.weight.detach().clone()
    inputs, targets = loop.normalise(torch.from_numpy(data[0][:64])), torch.from_numpy(data[1][:64]).long()
    for _ in range(3):
        one.step([inputs], targets)
        expected = 0.8 * expected + 0.2 * one.network.conv1.weight.detach()
    assert torch.allclose(one.weights()["conv1.weight"], expected, atol=1e-7)
    assert torch.allclose(one.result().conv1.weight, expected, atol=1e-7)


def test_plain_sgd_is_the_equation(data):
    settings = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "clip": 1e9, "learning_rate": 0.1}
    one = learner.Learner(replace(RECIPE, **settings), 8)
    before = [p.detach().clone() for p in one.parameters]
    inputs, targets = loop.normalise(torch.from_numpy(data[0][:64])), torch.from_numpy(data[1][:64]).long()
    one.step([inputs], targets)
    for old, new in zip(before, one.parameters, strict=True):
        assert torch.allclose(new, old - 0.1 * 0.25 * new.grad, atol=1e-6)  # the first step has a quarter of the rate


@pytest.mark.slow
def test_low_precision_learns_the_same_task_in_float32_weights(data):
    network, metrics = loop.train(replace(RECIPE, precision="bfloat16", epochs=4), *data)
    full, expected = loop.train(replace(RECIPE, epochs=4), *data)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert metrics["train_loss"][-1] == pytest.approx(expected["train_loss"][-1], rel=0.1)
    assert not torch.equal(weights(network), weights(full))


@pytest.mark.slow
def test_dropout_draws_from_the_networks_own_stream(data, monkeypatch):
    def silenced(classes):
        network = networks.NETWORKS["mini"](classes)
        network.flatten = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5))
        return network

    monkeypatch.setitem(networks.NETWORKS, "silenced", silenced)
    recipe = replace(RECIPE, network="silenced", data_seed=0, dropout=0.3)
    first, _ = loop.train(recipe, *data)
    torch.rand(1)  # moves the global stream
    again, _ = loop.train(recipe, *data)
    assert torch.equal(weights(first), weights(again))
    other, _ = loop.train(replace(recipe, dropout=0.0), *data)
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.slow
def test_out_of_memory_names_a_batch_that_fits(data, monkeypatch):
    """The error is the one that CUDA raises; here a layer raises it for more than 20 images."""

    class Greedy(torch.nn.Flatten):
        def forward(self, inputs):
            if len(inputs) > 20:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(inputs)

    def greedy(classes):
        network = networks.NETWORKS["mini"](classes)
        network.flatten = Greedy()
        return network

    monkeypatch.setitem(networks.NETWORKS, "greedy", greedy)
    with pytest.raises(learner.OutOfMemory, match="64 images does not fit .*; 16 do. .* accumulate to 4"):
        loop.train(replace(RECIPE, network="greedy"), *data)
    several = [ladder.Rung(name, replace(RECIPE, network="greedy", data_seed=0), data[1]) for name in "abcd"]
    with pytest.raises(learner.OutOfMemory, match="16 do. .*at most 2 of the 4 networks at a time: --group 2"):
        ladder.train(several, data[0])
    _, metrics = loop.train(replace(RECIPE, network="greedy", accumulate=4), *data)
    assert len(metrics["train_loss"]) == 2


def test_the_log_loses_no_row_and_repeats_none(tmp_path):
    curve = log.Curve(tmp_path, done=0)
    for step in (10, 20, 30):
        curve.add(step, 1, 1.0 / step, 0.1, 100.0)
    with open(tmp_path / "log.csv", "a") as file:
        file.write("40,2,0.0")  # cut short by a crash
    assert [row["step"] for row in log.read(tmp_path / "log.csv")] == [10, 20, 30]
    log.Curve(tmp_path, done=20).add(30, 1, 0.5, 0.1, 100.0)
    assert [(row["step"], row["loss"]) for row in log.read(tmp_path / "log.csv")] == [(10, 0.1), (20, 0.05), (30, 0.5)]


def test_unknown_network_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown network 'resnet'; known: mini, tiny"):
        networks.build("resnet", 2, seed=0)
