"""Every objective on the one loop: what must hold exactly, references by hand, and a loss that falls."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brainscore_granularity.training.loop import head, loop, objectives
from brainscore_granularity.training.loop.feed import Feed
from brainscore_granularity.training.loop.learner import Learner
from brainscore_granularity.training.recipe import Execution, Recipe
from torch.nn import functional as F

from brainscore_granularity import networks
from brainscore_granularity.world import images as world

CPU = Execution(device="cpu")
RNG = np.random.default_rng(0)
FINE = Recipe("mini", "native", 64, seed=1, epochs=2, batch_size=64)
SELF = {"labels": "none", "k": 1, "label_smoothing": 0.0}
SIMCLR = Recipe("mini", seed=1, epochs=4, batch_size=64, objective="simclr", projection=32, temperature=0.5, **SELF)
DINO = Recipe(
    "mini",
    seed=1,
    epochs=4,
    batch_size=64,
    objective="dino",
    projection=64,
    teacher_momentum=0.99,
    local_views=0,
    **SELF,
)
ADVERSARIAL = replace(FINE, objective="adversarial", epsilon=1 / 255, attack_step=1.25 / 255)


@pytest.fixture(scope="module")
def drawn():
    return world.draw(8, seed=31)


@pytest.fixture(scope="module")
def both(drawn):
    return np.stack([drawn.fine, world.taxonomy(drawn.fine, 2)], axis=1)


@pytest.fixture(scope="module")
def fine(drawn):
    return loop.train(FINE, drawn.pixels, drawn.fine, execution=CPU)[0]


@pytest.fixture(scope="module")
def coarse(drawn):
    return loop.train(replace(FINE, k=2), drawn.pixels, world.taxonomy(drawn.fine, 2), execution=CPU)[0]


def same(a, b, names=None):
    a, b = a.state_dict(), b.state_dict()
    return all(torch.equal(a[n], b[n]) for n in names or a)


def auxiliary(weight, **changes):
    return replace(FINE, objective="auxiliary", auxiliary_k=2, auxiliary_weight=weight, **changes)


@pytest.mark.slow
def test_without_weight_the_auxiliary_head_changes_nothing(drawn, both, fine):
    without, _ = loop.train(auxiliary(0.0), drawn.pixels, both, execution=CPU)
    assert same(without, fine)
    assert not same(loop.train(auxiliary(1.0), drawn.pixels, both, execution=CPU)[0], fine)


def test_auxiliary_loss_is_fine_plus_lambda_coarse(drawn, both):
    learner = Learner(auxiliary(0.3), steps_per_epoch=8)
    inputs, targets = loop.normalise(torch.from_numpy(drawn.pixels[:64])), torch.from_numpy(both[:64])
    hidden, logits = head.hidden_and_logits(learner.network, inputs)
    expected = F.cross_entropy(logits, targets[:, 0], label_smoothing=0.1) + 0.3 * F.cross_entropy(
        learner.objective.head(hidden), targets[:, 1], label_smoothing=0.1
    )
    assert torch.allclose(learner.objective(learner.network, [inputs], targets), expected)
    assert torch.allclose(hidden, learner.network.features(inputs)) and torch.equal(logits, learner.network(inputs))


def curriculum(tune):
    return replace(FINE, seed=4, objective="curriculum", tune=tune)


def moved(network, start):
    own, old = network.state_dict(), start.state_dict()
    return {n.split(".")[0] for n in own if not n.startswith("head") and not torch.equal(own[n], old[n])}


def test_head_only_leaves_the_body_untouched(drawn, coarse):
    network, metrics = loop.train(
        curriculum("head"), drawn.pixels, drawn.fine, start=coarse.state_dict(), execution=CPU
    )
    assert moved(network, coarse) == set()
    assert network.head.out_features == 64 and metrics["train_loss"][1] < metrics["train_loss"][0]
    assert not torch.equal(network.head.weight, networks.build("mini", 64, seed=4).head.weight)


def test_late_trains_the_second_half_and_all_trains_all(drawn, coarse):
    start = coarse.state_dict()
    late, _ = loop.train(curriculum("late"), drawn.pixels, drawn.fine, start=start, execution=CPU)
    whole, _ = loop.train(curriculum("all"), drawn.pixels, drawn.fine, start=start, execution=CPU)
    assert moved(late, coarse) == {"bn3", "conv4", "bn4", "fc5", "bn5"}
    assert moved(whole, coarse) == {f"{part}{i}" for part in ("conv", "bn") for i in range(1, 5)} | {"fc5", "bn5"}


def test_a_curriculum_starts_from_the_coarse_body_and_a_new_head(coarse):
    learner = Learner(curriculum("all"), steps_per_epoch=8, start=coarse.state_dict())
    body = [n for n in coarse.state_dict() if not n.startswith("head")]
    assert same(learner.network, coarse, body)
    assert same(learner.network.head, networks.build("mini", 64, seed=4).head)


def test_the_perturbation_stays_within_epsilon_and_raises_the_loss(drawn, fine):
    learner = Learner(ADVERSARIAL, steps_per_epoch=8, start=fine.state_dict())
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (networks.IMAGENET_MEAN, networks.IMAGENET_STD))
    inputs, targets = loop.normalise(torch.from_numpy(drawn.pixels[:64])), torch.from_numpy(drawn.fine[:64]).long()
    network = learner.network.eval()
    attacked = learner.objective.attack(network, inputs, targets)
    changed = ((attacked - inputs) * std).abs()
    assert changed.max() <= 1 / 255 + 1e-6 and changed.mean() > 0.5 / 255
    pixels = attacked * std + mean
    assert pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6
    noise = inputs + (torch.rand_like(inputs) * 2 - 1) * changed.max() / std
    loss, other = (F.cross_entropy(network(x), targets) for x in (attacked, noise))
    assert loss > other and all(p.grad is None for p in network.parameters())


def test_without_epsilon_the_attack_does_nothing(drawn, fine):
    learner = Learner(replace(ADVERSARIAL, epsilon=0.0), steps_per_epoch=8, start=fine.state_dict())
    inputs, targets = loop.normalise(torch.from_numpy(drawn.pixels[:16])), torch.from_numpy(drawn.fine[:16]).long()
    assert torch.allclose(learner.objective.attack(learner.network, inputs, targets), inputs, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nt_xent_against_brute_force(temperature):
    z = RNG.normal(size=(10, 7))
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    total = 0.0
    for i in range(10):
        j = (i + 5) % 10
        others = sum(np.exp(unit[i] @ unit[k] / temperature) for k in range(10) if k != i)
        total -= np.log(np.exp(unit[i] @ unit[j] / temperature) / others)
    assert objectives.nt_xent(torch.from_numpy(z), temperature).item() == pytest.approx(total / 10, rel=1e-12)


def test_dino_loss_and_centre_against_brute_force(drawn):
    learner = Learner(DINO, steps_per_epoch=8)
    views = [loop.normalise(torch.from_numpy(p)) for p in (drawn.pixels[:8], drawn.pixels[:8, :, ::-1].copy())]
    dino, network = learner.objective, learner.network
    dino.centre += torch.linspace(0, 1, 64)
    centre = dino.centre.clone()
    out = dino.head(network.features(torch.cat(views))).detach().double()  # the teacher starts as the student
    goal, said = torch.softmax((out - centre) / 0.04, 1), torch.log_softmax(out / 0.1, 1)
    expected = -sum((goal[i] * said[(i + 8) % 16]).sum() for i in range(16)) / 16
    assert dino(network, views, None).item() == pytest.approx(expected.item(), rel=1e-4)
    assert torch.allclose(dino.centre, 0.9 * centre + 0.1 * out.mean(0).float(), atol=1e-5)


def test_local_views_are_answered_by_the_student_alone(drawn):
    recipe = replace(DINO, network="resnet18_w0.125", local_views=3)
    learner = Learner(recipe, steps_per_epoch=8)
    dino, network = learner.objective, learner.network.eval()
    dino.teacher.eval()
    views = [
        torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(side)) for side in (64, 63, 27, 28, 29)
    ]
    views = [v[:, :, :27, :27] if v.shape[-1] < 40 else v[:, :, :63, :63] for v in views]
    said = [torch.log_softmax(dino.head(network.features(v)).detach().double() / 0.1, 1) for v in views]
    goal = [torch.softmax(dino.head(network.features(v)).detach().double() / 0.04, 1) for v in views[:2]]
    pairs = [(i, j) for i in range(2) for j in range(5) if i != j]
    expected = -sum((goal[i] * said[j]).sum(1).mean() for i, j in pairs) / 8
    seen = []
    dino.teacher.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape))
    assert dino(network, views, None).item() == pytest.approx(expected.item(), rel=1e-4)
    assert seen == [(8, 3, 63, 63)]


def test_multi_crop_feeds_small_crops_and_trains(drawn):
    settings = {"local_views": 2, "augmentation": "random_resized_crop=0.4:1,colour=0.4", "epochs": 1}
    recipe = replace(DINO, network="resnet18_w0.125", **settings)
    _, _, views = next(Feed(drawn.pixels, recipe.data_stream).batches(0, 1))
    assert [tuple(v.shape) for v in views] == [(64, 3, 48, 48)] * 2 + [(64, 3, 21, 21)] * 2
    _, metrics = loop.train(recipe, drawn.pixels[:128], np.zeros(128, int), execution=CPU)
    assert np.isfinite(metrics["train_loss"]).all()
    with pytest.raises(ValueError, match="mini takes images of 48 pixels only, local views have 21: set local_views"):
        Learner(replace(recipe, network="mini"), 8)
    with pytest.raises(ValueError, match="local views need an augmentation with random_resized_crop"):
        Feed(drawn.pixels, replace(recipe, augmentation="flip").data_stream)


def test_the_teacher_follows_the_student_and_stops_at_the_end():
    learner = Learner(DINO, steps_per_epoch=8)
    dino, network = learner.objective, learner.network
    before = dino.teacher.conv1.weight.clone()
    with torch.no_grad():
        network.conv1.weight += 1.0
    dino.after_step(network, progress=0.0)
    assert torch.allclose(dino.teacher.conv1.weight, before + 0.01)
    dino.after_step(network, progress=1.0)
    assert torch.allclose(dino.teacher.conv1.weight, before + 0.01)


@pytest.mark.parametrize(
    "objective",
    ["auxiliary", "curriculum", "adversarial", *(pytest.param(o, marks=pytest.mark.slow) for o in ("simclr", "dino"))],
)
def test_the_loss_falls(drawn, both, fine, coarse, objective):
    recipe, labels, start = {
        "auxiliary": (auxiliary(0.5, epochs=3), both, None),
        "curriculum": (replace(curriculum("all"), epochs=3), drawn.fine, coarse),
        "adversarial": (replace(ADVERSARIAL, epochs=3), drawn.fine, fine),
        "simclr": (SIMCLR, np.zeros(len(drawn.fine), int), None),
        "dino": (DINO, np.zeros(len(drawn.fine), int), None),
    }[objective]
    _, metrics = loop.train(recipe, drawn.pixels, labels, start=start and start.state_dict(), execution=CPU)
    assert np.isfinite(metrics["train_loss"]).all()
    assert metrics["train_loss"][-1] < 0.97 * metrics["train_loss"][0]


@pytest.mark.slow
def test_simclr_brings_views_of_one_image_together(drawn):
    network, _ = loop.train(replace(SIMCLR, epochs=6), drawn.pixels, np.zeros(len(drawn.fine), int), execution=CPU)
    views = drawn.pixels[:64], np.ascontiguousarray(drawn.pixels[:64, :, ::-1])

    def margin(net):
        a, b = (F.normalize(torch.from_numpy(loop.features(net, v)), dim=1) for v in views)
        similarity = a @ b.T
        return (similarity.diag().mean() - similarity.mean()).item()

    assert margin(network) > 1.5 * margin(networks.build("mini", 1, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["simclr", "dino"])
def test_an_interrupted_run_goes_on_with_teacher_and_heads(drawn, objective, tmp_path):
    recipe, zeros = (SIMCLR if objective == "simclr" else DINO), np.zeros(len(drawn.fine), int)
    recipe = replace(recipe, epochs=2)
    whole, _ = loop.train(recipe, drawn.pixels, zeros, execution=CPU)

    class Interrupted(Exception):
        pass

    def stop(epoch, loss):
        raise Interrupted

    with pytest.raises(Interrupted):
        loop.train(
            recipe,
            drawn.pixels,
            zeros,
            on_epoch=stop,
            folder=tmp_path / "run",
            execution=Execution("cpu", save_seconds=0.0),
        )
    resumed, _ = loop.train(recipe, drawn.pixels, zeros, folder=tmp_path / "run", execution=CPU)
    assert same(resumed, whole)


def test_wrong_starts_are_refused(drawn, fine, coarse):
    with pytest.raises(ValueError, match="needs the weights of a trained network"):
        Learner(curriculum("all"), 8)
    with pytest.raises(ValueError, match="classify takes no start"):
        Learner(FINE, 8, start=fine.state_dict())
    with pytest.raises(ValueError, match="head.bias, head.weight missing or of another shape .*number of classes"):
        Learner(ADVERSARIAL, 8, start=coarse.state_dict())
    with pytest.raises(ValueError, match="of another network: .*same architecture"):
        Learner(curriculum("all"), 8, start={"conv9.weight": torch.zeros(3)})


def test_the_simclr_recipe_has_the_temperature_of_the_scaling_study():
    """Gokce & Schrimpf 2025: 0.5; 0.1 is that of another paper."""
    from brainscore_granularity.training import recipes

    assert recipes.named("simclr").temperature == 0.5
