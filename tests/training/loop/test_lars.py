"""LARS against its equation, and what the trust ratio is for."""

from dataclasses import replace

import pytest
import torch
from brainscore_granularity.training.loop import lars, learner, loop
from brainscore_granularity.training.recipe import Execution, Recipe

from brainscore_granularity.world import images as world

RECIPE = Recipe(
    "mini", "own", 8, 1, epochs=4, batch_size=64, optimizer="lars", momentum=0.9, learning_rate=2.0, clip=1e9
)


def test_steps_are_those_of_the_equation():
    generator = torch.Generator().manual_seed(0)
    weight, bias = (torch.randn(*shape, generator=generator).requires_grad_() for shape in ((4, 3), (4,)))
    optimizer = lars.LARS(learner.parameter_groups([weight, bias], weight_decay=0.1), lr=0.5, momentum=0.9)
    expected, velocity = [weight.detach().double(), bias.detach().double()], [0.0, 0.0]
    for step in range(5):
        optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = rate = 0.5 / (step + 1)
        gradients = [torch.randn(p.shape, generator=generator) for p in (weight, bias)]
        weight.grad, bias.grad = gradients
        optimizer.step()
        for i, (decay, g) in enumerate(zip((0.1, 0.0), gradients, strict=True)):
            w, g = expected[i], g.double()
            trust = 1e-3 * w.norm() / (g.norm() + decay * w.norm()) if decay else 1.0
            velocity[i] = 0.9 * velocity[i] + rate * trust * (g + decay * w)
            expected[i] = w - velocity[i]
    assert torch.allclose(weight.double(), expected[0], atol=1e-6)
    assert torch.allclose(bias.double(), expected[1], atol=1e-6)


def test_the_scale_of_a_gradient_does_not_matter_and_zeros_do_no_harm():
    steps = []
    for scale in (1.0, 1e4):
        weight = torch.ones(3, 3, requires_grad=True)
        weight.grad = scale * torch.eye(3)
        lars.LARS([{"params": [weight], "weight_decay": 1e-9}], lr=1.0, momentum=0.0).step()
        steps.append(weight.detach() - 1)
    assert torch.allclose(*steps) and steps[0].norm() == pytest.approx(1e-3 * 3, rel=1e-4)
    for weight, gradient in ((torch.zeros(2, 2), torch.ones(2, 2)), (torch.ones(2, 2), torch.zeros(2, 2))):
        weight.requires_grad_().grad = gradient
        lars.LARS([{"params": [weight], "weight_decay": 1e-4}], lr=0.1, momentum=0.9).step()
        assert weight.isfinite().all()


@pytest.mark.slow
def test_it_learns_and_goes_on_after_an_interruption(tmp_path):
    drawn = world.draw(4, seed=31)
    labels = world.taxonomy(drawn.fine, 8)
    whole, metrics = loop.train(RECIPE, drawn.pixels, labels, execution=Execution("cpu"))
    assert metrics["train_loss"][-1] < metrics["train_loss"][0]

    class Interrupted(Exception):
        pass

    def stop(epoch, loss):
        if epoch == 2:
            raise Interrupted

    eager = {"folder": tmp_path, "execution": Execution("cpu", save_seconds=0.0)}
    with pytest.raises(Interrupted):
        loop.train(RECIPE, drawn.pixels, labels, on_epoch=stop, **eager)
    resumed, _ = loop.train(RECIPE, drawn.pixels, labels, **eager)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )
    with pytest.raises(ValueError, match="optimizer lars needs momentum"):
        replace(RECIPE, momentum=None)
