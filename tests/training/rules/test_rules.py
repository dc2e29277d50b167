"""Learning rules: what must hold exactly of each, on small networks and single spikes."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import torch
from brainscore_granularity.training.loop import ladder, loop
from brainscore_granularity.training.loop.learner import Learner
from brainscore_granularity.training.recipe import Execution, Recipe
from brainscore_granularity.training.recipes import RULE_SETTINGS, named
from brainscore_granularity.training.rules import RULES, layers, stdp
from torch import nn

from brainscore_granularity import networks
from brainscore_granularity.world import images as world

CPU = Execution(device="cpu")
MINI = Recipe("mini", "native", 64, seed=1, epochs=2, batch_size=64, label_smoothing=0.0, clip=math.inf)


FEW_STEPS = {"predictive_coding": {"inference_steps": 4}, "stdp": {"spike_steps": 4}}


def by(rule, **changes):
    return replace(MINI, rule=rule, **{**RULE_SETTINGS.get(rule, {}), **FEW_STEPS.get(rule, {}), **changes})


@pytest.fixture(scope="module")
def drawn():
    return world.draw(2, seed=31)


@pytest.fixture(scope="module")
def batch(drawn):
    return [loop.normalise(torch.from_numpy(drawn.pixels[:32]))], torch.from_numpy(drawn.fine[:32]).long()


def changes(learner, batch, double=True):
    """What a rule asks for, by parameter of the network."""
    views, targets = batch
    if double:
        learner.network.double(), learner.objective.double(), learner.rule.double()
        views = [view.double() for view in views]
    learner.train_mode()
    learner.backward(views, targets, 1)
    return {name: p.grad for name, p in learner.network.named_parameters() if p.grad is not None}


def cosine(a, b):
    return torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()


def test_feedback_alignment_through_the_true_weights_is_backpropagation(batch):
    exact = changes(Learner(by("backprop"), 8), batch)
    learner = Learner(by("feedback_alignment"), 8)
    for name in learner.rule.names:
        learner.rule.get_buffer(name).copy_(learner.network.get_submodule(name).weight.detach())
    found = changes(learner, batch)
    assert found.keys() == exact.keys() and set(learner.rule.names) == {"conv2", "conv3", "conv4", "fc5", "head"}
    for name, gradient in exact.items():
        assert (found[name] - gradient).norm() <= 1e-6 * gradient.norm(), name


@pytest.mark.parametrize("kind", ["random", "sign", "direct"])
def test_fixed_feedback_reaches_every_layer_and_leaves_the_readout_exact(batch, kind):
    exact = changes(Learner(by("backprop"), 8), batch)
    learner = Learner(by("feedback_alignment", feedback=kind), 8)
    found = changes(learner, batch)
    assert torch.allclose(found["head.weight"], exact["head.weight"])
    for name in ("conv1", "conv2", "conv3", "conv4", "fc5"):
        assert cosine(found[f"{name}.weight"], exact[f"{name}.weight"]) < 0.9
        assert found[f"{name}.weight"].norm() > 1e-3 * exact[f"{name}.weight"].norm()
    assert not any("forward" in vars(module) for module in learner.network.modules())


def test_sign_symmetric_feedback_has_the_signs_of_the_weights_and_fixed_sizes():
    learner = Learner(by("feedback_alignment", feedback="sign"), 8)
    with torch.no_grad():
        learner.network.conv2.weight *= -3
    feedback = learner.rule.feedback(learner.network)["conv2"]
    assert torch.equal(feedback.sign(), learner.network.conv2.weight.sign())
    assert torch.equal(feedback.abs(), learner.rule.get_buffer("conv2").abs())


def test_direct_feedback_is_the_output_error_through_fixed_weights(batch):
    learner = Learner(by("feedback_alignment", feedback="direct"), 8)
    found = changes(learner, batch)
    (inputs,), targets = batch
    network = learner.network
    with torch.no_grad():
        error = (network(inputs.double()).softmax(1) - nn.functional.one_hot(targets, 64)) / len(targets)
    parts = list(layers.blocks(network).values())
    reached = inputs.double()
    with torch.no_grad():
        for part in parts[:2]:
            reached = part(reached)
    third = parts[2](reached)  # conv3 and what follows it, up to the input of conv4
    weight = network.conv3.weight
    (expected,) = torch.autograd.grad(third, weight, (error @ learner.rule.get_buffer("conv4")).view(third.shape))
    assert torch.allclose(found["conv3.weight"], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.slow
def test_predictive_coding_approaches_backpropagation_as_the_pull_on_the_output_shrinks(batch):
    exact = changes(Learner(by("backprop"), 8), batch)

    def worst(clamp):
        learner = Learner(by("predictive_coding", top_down="tied", clamp=clamp, inference_steps=20), 8)
        found = changes(learner, batch)
        return min(cosine(found[name], gradient) for name, gradient in exact.items())

    strong, weak = worst(100.0), worst(1e-3)
    assert weak > 0.99 and weak > strong


@pytest.mark.parametrize("top_down", ["tied", "learned"])
def test_the_energy_of_predictive_coding_never_rises(batch, top_down):
    learner = Learner(by("predictive_coding", top_down=top_down, clamp=1.0, inference_steps=30), 8)
    with torch.no_grad():
        for number, weight in enumerate(learner.rule.top_down.values()):  # far from the transposed weights
            weight.normal_(std=0.1, generator=torch.Generator().manual_seed(number))
    changes(learner, batch, double=False)
    energies = learner.rule.energies
    assert len(energies) == 31 and (energies.diff() <= 0).all()
    if top_down == "tied":
        assert energies[-1] < energies[0]


def test_learned_top_down_weights_stay_the_transposed_ones_and_come_back_from_afar(batch):
    """Both get the same change, so that their difference shrinks by the weight decay alone (Kolen & Pollack 1994)."""
    recipe = by("predictive_coding", weight_decay=1.0, learning_rate=0.01, warmup_epochs=0.0, final_rate=1.0)
    near, far = Learner(recipe, 8), Learner(recipe, 8)
    assert list(far.rule.top_down) == ["conv2", "conv3", "conv4", "fc5", "head"]
    with torch.no_grad():
        for number, weight in enumerate(far.rule.top_down.values()):
            weight += 0.01 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))

    def apart(learner):
        return {
            n: v.detach() - learner.network.get_submodule(n).weight.detach() for n, v in learner.rule.top_down.items()
        }

    before, start = apart(far), {n: v.detach().clone() for n, v in near.rule.top_down.items()}
    for _ in range(3):
        near.step(*batch), far.step(*batch)
    for name, difference in apart(far).items():
        assert torch.allclose(difference, before[name] * 0.99**3, atol=1e-6), name
        assert apart(near)[name].abs().max() == 0 and not torch.equal(near.rule.top_down[name], start[name])


def test_every_layer_of_predictive_coding_learns(drawn):
    recipe = by("predictive_coding")
    network, metrics = loop.train(recipe, drawn.pixels, drawn.fine, execution=CPU)
    start = networks.build("mini", 64, seed=1).state_dict()
    assert all(not torch.equal(p, start[name]) for name, p in network.named_parameters())  # norms too: no decay there
    assert np.isfinite(metrics["train_loss"]).all()


def spikes(time, steps=12):
    train = torch.zeros(steps, 1, 1)
    train[time] = 1
    return train


@pytest.mark.parametrize("apart", [1, 2, 5])
def test_a_pair_of_spikes_changes_a_weight_by_its_order_and_distance(apart):
    early, late = spikes(3), spikes(3 + apart)
    causal, reverse, together = (
        stdp.pair_changes(pre, post, tau_plus=2.0, tau_minus=3.0, depression=0.5).item()
        for pre, post in ((early, late), (late, early), (early, early))
    )
    assert causal == pytest.approx(math.exp(-apart / 2.0)) and causal > 0
    assert reverse == pytest.approx(-0.5 * math.exp(-apart / 3.0)) and reverse < 0
    assert together == 0


def test_all_pairs_of_spikes_count_against_a_sum_by_hand():
    rng = np.random.default_rng(0)
    pre, post = (torch.from_numpy((rng.random((10, 4, n)) < 0.3).astype(np.float32)) for n in (5, 3))
    found = stdp.pair_changes(pre, post, 2.0, 4.0, 0.7)
    expected = np.zeros((3, 5))
    for _, b, i in pre.nonzero().tolist():
        before = [t for t in range(10) if pre[t, b, i]]
        for j in range(3):
            for t in before:
                for u in (u for u in range(10) if post[u, b, j]):
                    once = sum(1 for v in before)  # this input is met once a spike
                    expected[j, i] += (np.exp((t - u) / 2) if u > t else -0.7 * np.exp((u - t) / 4) * (u < t)) / once
    assert np.allclose(found.detach().numpy(), expected, atol=1e-5)


def test_kernels_see_the_windows_that_a_convolution_multiplies():
    layer = nn.Conv2d(3, 5, 3, stride=2, padding=1, bias=False)
    images = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    seen = stdp.windows(layer, images, 6, torch.Generator().manual_seed(1))
    where = torch.randint(25, (6,), generator=torch.Generator().manual_seed(1))
    expected = layer(images).flatten(2)[:, :, where].transpose(1, 2).reshape(24, 5)
    assert torch.allclose(seen @ layer.weight.flatten(1).T, expected, atol=1e-5)


def what_reaches(learner, name, batch):
    """The inputs of a layer in a pass, less their means, and these after lateral inhibition."""
    learner.network.train()
    reached, rule = batch[0][0], learner.rule
    with torch.no_grad():
        for part in list(layers.blocks(learner.network).values())[: rule.names.index(name)]:
            reached = part(reached)
    maps = reached.reshape(len(reached), rule.channels[name], -1).double().numpy()
    maps = maps - maps.mean((0, 2) if reached.ndim == 4 else 0, keepdims=True)
    covariance = np.cov(maps.swapaxes(0, 1).reshape(len(maps[0]), -1), ddof=0)
    short = covariance + np.eye(len(covariance)) * covariance.diagonal().mean()
    inhibited = np.linalg.inv(scipy.linalg.sqrtm(short)) @ maps
    return [torch.from_numpy(m).float().view_as(reached) for m in (maps, inhibited)]


@pytest.mark.parametrize("name", ["conv1", "conv2", "fc5"])
def test_a_step_moves_kernels_by_the_mean_change_of_their_places(drawn, batch, name):
    """Against each place of each image by itself, and lateral inhibition by scipy."""
    learner = Learner(by("stdp", warmup_epochs=0.0), 8)
    rule, layer = learner.rule, learner.network.get_submodule(name)
    _, inhibited = what_reaches(learner, name, batch)
    start = layer.weight.flatten(1).clone()
    generator = torch.Generator().manual_seed(rule.seed * 1_000_003 * 101 + rule.names.index(name))
    seen = stdp.windows(layer, inhibited, stdp.PLACES, generator)
    seen = stdp.without_surround(seen, 3) if name == "conv1" else seen
    total = torch.zeros_like(start)
    for row in seen:
        pre = stdp.latency_spikes(row[None], 4)
        post = stdp.winners(pre @ (start / start.norm(dim=1, keepdim=True)).T, torch.ones(len(start)))
        total += stdp.pair_changes(pre, post, 2.0, 2.0, rule.depression)
    total -= total.mean(0)
    size = start.norm(dim=1, keepdim=True)
    moved = start + rule.plasticity * size * total * len(start) / len(seen)
    learner = Learner(by("stdp", warmup_epochs=0.0), 8)
    learner.step(*batch)
    (found,) = learner.rule.of(name, "kernel")
    assert torch.allclose(found, moved * size / moved.norm(dim=1, keepdim=True), atol=1e-5)
    assert not torch.allclose(found, start, atol=1e-4)


@pytest.mark.parametrize("name", ["conv1", "conv2", "fc5"])
def test_the_network_has_the_rates_of_the_neurons_that_learned(drawn, batch, name):
    """Its weights on plain inputs give what kernels give on inhibited ones, but for the scale of each neuron."""
    learner = Learner(by("stdp", warmup_epochs=0.0), 8)
    maps, inhibited = what_reaches(learner, name, batch)
    learner.step(*batch)
    layer, (kernel,) = learner.network.get_submodule(name), learner.rule.of(name, "kernel")
    plain, learned = (stdp.windows(layer, m, 20, torch.Generator().manual_seed(0)) for m in (maps, inhibited))
    learned = stdp.without_surround(learned, 3) if name == "conv1" else learned
    rates, potentials = plain @ layer.weight.flatten(1).T, learned @ kernel.T
    rates, potentials = (r / r.norm(dim=0) for r in (rates, potentials))
    assert torch.allclose(rates, potentials, atol=1e-5)


def test_inhibition_makes_strong_directions_alike_and_leaves_weak_ones_weak():
    variances = torch.tensor([100.0, 25.0, 1.0, 0.01, 0.0])
    axes = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    source = torch.randn(4000, 5, 4, generator=torch.Generator().manual_seed(1)) * variances.sqrt()[:, None]
    mixed = (axes @ source + 3).view(4000, 5, 2, 2)
    maps, covariance = stdp.spread(mixed, 5)
    assert torch.allclose(covariance, axes * variances @ axes.T, rtol=0.05, atol=0.5)
    assert torch.allclose(maps.mean((0, 2)), torch.zeros(5), atol=1e-4)
    spread = (axes.T @ stdp.inhibition(covariance) @ maps).var((0, 2))
    assert torch.allclose(spread, variances / (variances + variances.mean()), atol=0.02)
    flattened, _ = stdp.spread(mixed.flatten(1) + torch.arange(20.0), 5)
    assert torch.allclose(flattened.mean(0), torch.zeros(5, 4), atol=1e-4)  # each input of a linear layer has its mean
    even = torch.arange(3.0).repeat_interleave(9).expand(2, 27)
    assert stdp.without_surround(even, 3).abs().max() == 0


def test_stronger_inputs_spike_sooner_and_one_neuron_fires_at_a_place():
    train = stdp.latency_spikes(torch.tensor([[2.0, 1.0, -1.0, 0.1, 0.0]]), steps=10)[:, 0]
    times = [row.nonzero()[:, 0].tolist() for row in train.T]
    assert times[0] < times[1] == times[2] and times[4] == [] and train.abs().sum(0).max() == 1
    assert train[:, 2].sum() == -1
    drive = torch.rand(10, 48, 7, generator=torch.Generator().manual_seed(0))
    fired = stdp.winners(drive, torch.ones(7))
    assert fired.sum((0, 2)).max() == 1 and fired.sum() > 0
    assert stdp.winners(drive, torch.full((7,), 1e9)).sum() == 0


def test_stdp_learns_hidden_layers_without_labels_at_constant_norms(drawn):
    first, _ = loop.train(by("stdp"), drawn.pixels, drawn.fine, execution=CPU)
    other, _ = loop.train(by("stdp"), drawn.pixels, drawn.fine[::-1].copy(), execution=CPU)
    start = networks.build("mini", 64, seed=1)
    for name, module in list(layers.weighted(first).items())[:-1]:
        before = start.get_submodule(name).weight
        assert torch.equal(module.weight, other.get_submodule(name).weight) and not torch.equal(module.weight, before)
        assert torch.allclose(module.weight.flatten(1).norm(dim=1), before.flatten(1).norm(dim=1), rtol=1e-4)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_kernels_rest_in_the_second_half_of_the_schedule_and_the_readout_goes_on(batch):
    learner = Learner(by("stdp", warmup_epochs=0.0, epochs=10), steps_per_epoch=1)
    history = []
    for _ in range(10):
        learner.step(*batch)
        history.append({n: p.detach().clone() for n, p in learner.network.named_parameters()})
    moved = {
        name: [not torch.equal(a[name], b[name]) for a, b in itertools.pairwise(history)]
        for name in ("conv1.weight", "fc5.weight", "head.weight")
    }
    assert all(moved["head.weight"])
    for name in ("conv1.weight", "fc5.weight"):
        assert moved[name] == [True] * 5 + [False] * 4  # the schedule is at a half in the middle


def test_homeostasis_lowers_the_threshold_of_silent_channels():
    learner = Learner(by("stdp"), 8)
    fired = learner.rule.conv1_fired
    fired[0] = 1.0
    learner.rule.after_step(learner.network, 1.0)
    threshold = learner.rule.conv1_threshold
    assert threshold[0] > 1 and (threshold[1:] < 1).all() and fired.sum() == 0


def test_untrained_weights_never_change_and_readout_changes_nothing_else(drawn):
    start = networks.build("mini", 64, seed=1).state_dict()
    network, metrics = loop.train(by("untrained"), drawn.pixels, drawn.fine, execution=CPU)
    assert all(torch.equal(t, start[name]) for name, t in network.state_dict().items())
    assert len(metrics["train_loss"]) == 2
    network, metrics = loop.train(by("readout"), drawn.pixels, drawn.fine, execution=CPU)
    moved = {name for name, p in network.named_parameters() if not torch.equal(p, start[name])}
    assert moved == {"head.weight", "head.bias"} and metrics["train_loss"][1] < metrics["train_loss"][0]


@pytest.mark.parametrize("rule", RULES)
def test_evaluation_uses_running_statistics(drawn, rule):
    """An image is named alike alone and among others, and being evaluated changes nothing."""
    held = loop.HeldOut(drawn.pixels[:40], drawn.fine[:40])
    network, metrics = loop.train(by(rule, epochs=1), drawn.pixels, drawn.fine, held_out=held, execution=CPU)
    assert not network.training and not any(m.training for m in network.modules())
    whole, alone = loop.features(network, drawn.pixels[:6], "head"), loop.features(network, drawn.pixels[5:6], "head")
    assert np.allclose(whole[5:], alone, atol=1e-4)
    assert metrics["validation_accuracy"] == loop.accuracy(network, drawn.pixels[:40], drawn.fine[:40])
    without, _ = loop.train(by(rule, epochs=1), drawn.pixels, drawn.fine, execution=CPU)
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), without.state_dict().values(), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["feedback_alignment", "predictive_coding", "stdp"])
def test_an_interrupted_run_goes_on_to_the_last_bit(drawn, rule, tmp_path):
    recipe = by(rule)
    whole, _ = loop.train(recipe, drawn.pixels, drawn.fine, execution=CPU)

    def stop(epoch, loss):
        raise KeyboardInterrupt

    often = Execution("cpu", save_seconds=0.0)
    with pytest.raises(KeyboardInterrupt):
        loop.train(recipe, drawn.pixels, drawn.fine, stop, folder=tmp_path / "run", execution=often)
    resumed, _ = loop.train(recipe, drawn.pixels, drawn.fine, folder=tmp_path / "run", execution=CPU)
    assert all(torch.equal(t, resumed.state_dict()[name]) for name, t in whole.state_dict().items())


@pytest.mark.slow
def test_rules_start_from_one_network_and_see_the_same_batches_in_one_pass(drawn):
    recipes = [by(rule, k=8, epochs=1, labels="own") for rule in RULES]
    eight = world.taxonomy(drawn.fine, 8)
    start = networks.build("mini", 8, seed=1).state_dict()
    for recipe in recipes:
        assert all(torch.equal(t, start[n]) for n, t in Learner(recipe, 8).network.state_dict().items())
    assert len({recipe.data_stream for recipe in recipes}) == 1
    trained = ladder.train([ladder.Rung(r.rule, r, eight) for r in recipes], drawn.pixels, CPU)
    for recipe in recipes:
        alone, _ = loop.train(recipe, drawn.pixels, eight, execution=CPU)
        assert all(torch.equal(t, alone.state_dict()[n]) for n, t in trained[recipe.rule][0].state_dict().items())


@pytest.mark.slow
def test_the_report_measures_displacement_angle_and_activity_and_disturbs_nothing(drawn):
    reported = Execution("cpu", report=True)
    for rule in ("backprop", "feedback_alignment", "stdp", "untrained"):
        plain, _ = loop.train(by(rule), drawn.pixels, drawn.fine, execution=CPU)
        network, metrics = loop.train(by(rule), drawn.pixels, drawn.fine, execution=reported)
        assert all(torch.equal(t, plain.state_dict()[name]) for name, t in network.state_dict().items())
        report, start = metrics["report"], networks.build("mini", 64, seed=1)
        moved = (network.conv2.weight - start.conv2.weight).norm() / start.conv2.weight.norm()
        assert report["displacement"]["conv2"][-1] == pytest.approx(moved.item(), rel=1e-5, abs=1e-9)
        angles = report["angle"]["conv2"]
        assert len(angles) == 2 and set(report["active"]) == {f"relu{i}" for i in range(1, 6)}
        if rule == "untrained":
            assert angles == [None, None] and moved == 0
        elif rule == "backprop":
            assert max(angles) < 0.1
        else:
            assert 45 < min(angles) and max(angles) < 135
            assert report["angle"]["head"][-1] == pytest.approx(0, abs=0.1)
        inputs = drawn.pixels[np.linspace(0, len(drawn.pixels) - 1, 64).astype(int)]
        assert report["active"]["relu3"][-1] == pytest.approx((loop.features(network, inputs, "relu3") > 0).mean())


def test_the_rule_counts_in_the_run_id_only_where_it_is_another():
    assert MINI.run_id("") == replace(MINI, rule="backprop").run_id("")
    assert len({by(rule).run_id("") for rule in RULES}) == len(RULES)
    assert named("learning_rules", k=10, rule="stdp").spike_steps == 8


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="needs inference_steps, such as inference_steps = 2"):
        replace(MINI, rule="predictive_coding")
    with pytest.raises(ValueError, match="feedback = random would not be used: it belongs to rule feedback_alignment"):
        replace(MINI, feedback="random")
    with pytest.raises(ValueError, match="unknown rule 'hebb'; known: backprop, feedback_alignment"):
        replace(MINI, rule="hebb")
    with pytest.raises(ValueError, match="needs a network without branches, such as rules_cnn.* got Branched"):
        Learner(by("stdp", network="resnet18_w0.125"), 8)
    with pytest.raises(ValueError, match="drop6 is Dropout. Choose a network of these only"):
        Learner(by("predictive_coding", network="alexnet_bn"), 8)
    with pytest.raises(ValueError, match="cannot be compiled"):
        Learner(by("stdp"), 8, compile=True)
