"""Untrained networks with statistics of training images: what they are in theory, the command, and what breaks them."""

import numpy as np
import pytest
import torch
from brainscore_granularity.training import fit
from brainscore_granularity.training.loop import loop
from brainscore_granularity.training.loop.fitted import fit_statistics
from torch import nn

from brainscore_granularity import networks
from brainscore_granularity.cli import main as cli
from brainscore_granularity.weights import checkpoints, layer_map, manifest
from brainscore_granularity.weights.find import checkpoint_of, find

MODEL = "learningrule_fitted_s3"
IMAGES = 300  # of two classes


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Images of 32 pixels, split/class/image."""
    from PIL import Image

    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for i in range(IMAGES):
        place = folder / "train" / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC).save(place / f"{i}.png")
    return folder


@pytest.fixture
def made(pictures, home):
    cli.main(["fit", MODEL, "--data", str(pictures)])
    return find(MODEL)


def norms(network):
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d)]


@torch.no_grad()
def inputs_of_norms(network, pixels):
    """What every batch norm is given."""
    seen = {}

    def keep(norm, given, _):
        seen[norm] = given[0].transpose(0, 1).flatten(1)

    hooks = [norm.register_forward_hook(keep) for norm in norms(network)]
    network.eval()(loop.normalise(torch.from_numpy(np.array(pixels))))
    for hook in hooks:
        hook.remove()
    return [seen[norm] for norm in norms(network)]


@pytest.mark.parametrize("name", ["rules_cnn", "mini", "resnet18_w0.0625_64px"])
def test_each_unit_of_a_fitted_network_has_mean_zero_and_variance_one_on_its_images(name):
    """In one batch, but for n / (n - 1) in the variance, layer upon layer; the untrained network is far from it."""
    network = networks.build(name, 4, seed=1)
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (96, network.image_size, network.image_size, 3), dtype=np.uint8)

    def normalised():
        pairs = zip(norms(network), inputs_of_norms(network, pixels), strict=True)
        return [(x - m.running_mean[:, None]) / (m.running_var[:, None] + m.eps).sqrt() for m, x in pairs]

    far = max(float((x.var(dim=1) - 1).abs().max()) for x in normalised())
    fit_statistics(network, pixels)
    for x in normalised():
        live = x.var(dim=1) > 0.5  # a unit that is constant on all images stays so
        assert live.float().mean() > 0.9 and x.mean(dim=1).abs().max() < 0.02
        assert torch.allclose(x.var(dim=1)[live], torch.ones(int(live.sum())), atol=0.02)
    assert far > 0.3


@pytest.mark.slow
def test_the_statistics_of_a_trained_network_come_back_from_its_own_images(pictures):
    """Within sampling error: two halves of the images differ from each other by as much."""
    from brainscore_granularity.world import images as world

    drawn = world.draw(24, 1)
    trained = checkpoint_of("granularity_world_own_k8_s1").network()
    own = {n: t.clone() for n, t in checkpoints.statistics_of(trained.state_dict()).items()}
    found = checkpoints.statistics_of(fit_statistics(trained, drawn.pixels).state_dict())
    for name, expected in own.items():
        spread = own[name.rsplit(".", 1)[0] + ".running_var"].sqrt()
        if name.endswith("mean"):
            assert ((found[name] - expected).abs() / spread).mean() < 0.1, name
        else:
            assert (found[name] / expected - 1).abs().median() < 0.15, name


def test_two_networks_that_differ_in_statistics_only_differ_in_hash_and_features(made, home):
    untrained = checkpoint_of("learningrule_untrained_s3")
    assert made.sha256 != untrained.sha256 and not np.array_equal(*(
        loop.features(c.network(), np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8))
        for c in (made, untrained)
    ))  # fmt: skip
    ours, theirs = made.state_dict(), untrained.state_dict()
    differ = {name for name in ours if not torch.equal(ours[name], theirs[name])}
    assert differ == {*checkpoints.statistics_of(ours)} and all(t.dtype == torch.float32 for n, t in ours.items()
                                                                if n in differ)  # fmt: skip


@pytest.mark.slow
def test_the_command_keeps_images_and_layers_and_makes_the_same_bytes_again(made, home, pictures, capsys):
    assert made.info["number"] == IMAGES and len(made.info["images"]) == 64 and made.info["initial_seed"] == 3
    assert layer_map.read(made) == {"V1": "conv1", "V2": "conv1", "V4": "conv3", "IT": "fc1"}
    before = made.weights.read_bytes()
    (home / manifest.MANIFEST).write_text("# mine\n\n" + (home / manifest.MANIFEST).read_text() + "\n# the end\n")
    made.weights.unlink()
    cli.main(["fit", "learningrule_fitted_s[23]", "--data", str(pictures)])
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{MODEL} -> ")
    assert find(MODEL).weights.read_bytes() == before and find(MODEL).sha256 == made.sha256
    assert set(manifest.read(home / manifest.MANIFEST)) == {"learningrule_fitted_s2", MODEL}
    text = (home / manifest.MANIFEST).read_text()
    assert text.startswith("# mine") and "# the end" in text and text.count(f"[{MODEL}]") == 1


def test_other_images_take_the_place_of_the_first(made, home, pictures, tmp_path):
    cut = tmp_path / "train" / "a"
    cut.mkdir(parents=True)
    for file in sorted((pictures / "train" / "a").iterdir())[:50]:
        (cut / file.name).write_bytes(file.read_bytes())
    cli.main(["fit", MODEL, "--data", str(tmp_path)])
    again = find(MODEL)
    assert again.sha256 != made.sha256 and again.info["number"] == 50 and not made.weights.exists()


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "other"])
def test_damaged_statistics_are_refused_and_the_error_says_how_to_make_them(made, home, damage):
    content = made.weights.read_bytes()
    if damage == "truncate":
        made.weights.write_bytes(content[:-4])
    elif damage == "flip":
        made.weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "delete":
        made.weights.unlink()
    else:  # of another network, whole
        entry = {n: made.info[n] for n in ("classes", "initial_seed", "images", "number")}
        tensors = networks.build("mini", 2, 0).state_dict()
        manifest.add_statistics(home, MODEL, tensors, {"network": "rules_cnn", **entry})
        assert find(MODEL).is_intact()
    assert damage == "other" or not find(MODEL).is_intact()
    with pytest.raises(checkpoints.CheckpointError) as error:
        find(MODEL).state_dict()
    assert "`granularity fit learningrule_fitted_s3 --data CIFAR10`" in str(error.value)


@pytest.mark.parametrize(
    "name", ["granularity_world_fitted_s1", "learningrule_backprop_s1", "granularity_tiny_fitted_s9"]
)
def test_only_networks_that_are_built_from_a_seed_can_be_fitted(name, home):
    with pytest.raises(ValueError, match=r"matches no network that is built from a seed .* nearest: "):
        fit.select([name])


def test_networks_of_imagenet_can_be_fitted_where_its_images_are(home):
    assert fit.select(["granularity_imagenet_fitted_*"]) == [f"granularity_imagenet_fitted_s{s}" for s in (1, 2, 3)]
    with pytest.raises(
        checkpoints.CheckpointError, match="granularity fit granularity_imagenet_fitted_s1 --data IMAGES"
    ):
        find("granularity_imagenet_fitted_s1")
