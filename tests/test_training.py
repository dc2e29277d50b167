import numpy as np
import pytest
import torch
from brainscore_granularity.training import loop
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


def test_the_loss_falls_and_the_task_is_learned(data):
    recipe = Recipe("mini", "taxonomy", 2, seed=1, epochs=6, batch_size=64)
    held_out = world.draw(4, seed=32)
    seen = []
    _, metrics = loop.train(
        recipe,
        *data,
        validation=(held_out.pixels, held_out.superordinate),
        on_epoch=lambda epoch, loss: seen.append((epoch, loss)),
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
    rate = loop._rate(recipe, steps_per_epoch=10)
    assert rate(0) == 0.25 and rate(20) == pytest.approx(1.0)
    assert rate(60) == pytest.approx((1 + 0.05) / 2) and rate(100) == pytest.approx(0.05)
    assert all(rate(i) < rate(i + 1) for i in range(20)) and all(rate(i) > rate(i + 1) for i in range(20, 99))


def test_weight_decay_spares_vectors():
    decayed, spared = loop._parameter_groups(networks.build("mini", 2, seed=0), 1e-3)
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
    with pytest.raises(loop.TrainingDiverged, match="in epoch .* at learning rate 1e"):
        loop.train(recipe, *data)


def test_fewer_images_than_a_batch_is_an_error(data):
    with pytest.raises(ValueError, match="fewer than one batch of 1024"):
        loop.train(Recipe("mini", "taxonomy", 2, seed=1, batch_size=1024), *data)


def test_run_id_changes_with_every_setting_and_with_the_data():
    from dataclasses import fields, replace

    base = RECIPE.run_id("data")
    assert base == Recipe("mini", "taxonomy", 2, seed=1, epochs=2, batch_size=64).run_id("data")
    assert base != RECIPE.run_id("other data")
    for field in fields(Recipe):
        value = getattr(RECIPE, field.name)
        changed = value + "x" if isinstance(value, str) else value + 1
        assert replace(RECIPE, **{field.name: changed}).run_id("data") != base, field.name


def test_unknown_network_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown network 'resnet'; known: mini"):
        networks.build("resnet", 2, seed=0)
