"""One network in two processes: the same result as in one, whatever is killed."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from brainscore_granularity.training.loop import feed, loop, objectives, parallel
from brainscore_granularity.training.recipe import Execution, Recipe
from PIL import Image
from safetensors.torch import load_file

from brainscore_granularity import networks
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.world import images as world

# Plain descent: Adam divides by the size of the gradient, which makes large what is rounding where that is small.
# Slow: at ten times the rate, the losses of one process with one thread and with two already differ by .4%.
DESCENT = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.002, "clip": 1e9}
SETTINGS = {"network": "mini", "seed": 1, "epochs": 2, "batch_size": 64, "augmentation": "rotation=10", **DESCENT}
SELF = {"labels": "none", "k": 1, "label_smoothing": 0.0}
RECIPES = {
    "classify": {"labels": "own", "k": 64, "ema": 0.9, "order": "blocks"},
    "simclr": {
        "augmentation": "random_resized_crop=0.3:1,hue=0.1,grey=0.2,blur=0.5",
        "objective": "simclr",
        "projection": 16,
        "temperature": 0.5,
        **SELF,
    },
    "feedback_alignment": {"labels": "own", "k": 64, "rule": "feedback_alignment", "feedback": "random"},
    "predictive_coding": {
        "labels": "own",
        "k": 64,
        "rule": "predictive_coding",
        "inference_steps": 4,
        "clamp": 0.1,
        "top_down": "learned",
    },
    "stdp": {
        "labels": "own",
        "k": 64,
        "rule": "stdp",
        "spike_steps": 4,
        "tau_plus": 2.0,
        "tau_minus": 2.0,
        "depression": 0.5,
        "plasticity": 0.005,
    },
    "readout": {"labels": "own", "k": 64, "rule": "readout"},
    "untrained": {"labels": "own", "k": 64, "rule": "untrained"},
    "dino": {"objective": "dino", "projection": 16, "teacher_momentum": 0.9, "local_views": 0, **SELF},
}

LEARN = {"stdp": 7, "readout": 2, "untrained": 0}  # parameters that a rule changes, where not all

# Two processes for every job.
HOST = """
import json, os, pathlib, signal, sys, traceback
import torch
from brainscore_granularity.training.loop import feed, learner, loop, parallel
from brainscore_granularity.training.recipe import Execution, Recipe
from brainscore_granularity.world import images as world
from safetensors.torch import save_file

root, settings, recipes = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
ports = json.loads(sys.argv[4])
drawn = world.draw(4, seed=31)

def gradients(recipe, labels):
    # of the first batch, in double precision
    here = parallel.processes()
    batches = feed.Feed(drawn.pixels, recipe.data_stream, "cpu", here)
    one = learner.Learner(recipe, batches.steps_per_epoch, processes=here)
    one.network.double(), one.objective.double(), one.rule.double()
    _, numbers, views = next(batches.batches(0, 1))
    one.backward([view.double() for view in views], torch.from_numpy(labels)[numbers], 1)
    parts = one.network, one.objective, one.rule  # STDP keeps its weights from the optimiser
    named = ((f"{m}/{n}", p) for m, part in enumerate(parts) for n, p in part.named_parameters())
    found = {n: p.grad for n, p in named if p.grad is not None}
    if here.number > 1 and found:
        parallel.average_(list(found.values()))
    return {i: gradient.contiguous() for i, gradient in found.items()}

def job(name, kill):
    recipe = Recipe(**{**settings, **recipes[name]})
    labels = drawn.fine if recipe.k > 1 else drawn.fine * 0
    if kill is None:
        save_file(gradients(recipe, labels), root / f"{name}-alone.safetensors")
    with parallel.joined("cpu"):
        here = parallel.processes()
        if kill is None:
            save_file(gradients(recipe, labels), root / f"{name}-gradients.safetensors")

        def on_epoch(epoch, loss):
            if kill and epoch == 1 and not here.first:
                os.kill(os.getpid(), signal.SIGKILL)

        execution = Execution("cpu", save_seconds=0.0 if kill else 60.0)
        folder = root / ("killed" if kill is not None else name)
        network, metrics = loop.train(recipe, drawn.pixels, labels, on_epoch, folder=folder, execution=execution)
        tensors = {n: t.contiguous() for n, t in network.state_dict().items()}
        save_file(tensors, root / f"{folder.name}-{here.rank}.safetensors")
        (root / f"{folder.name}-{here.rank}.json").write_text(json.dumps(metrics))

def start(name, kill, port):
    children = []
    for rank in (0, 1):
        child = os.fork()
        if child == 0:
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_PORT": str(port),
                           "MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
            code = 1
            try:
                job(name, kill)
                code = 0
            except parallel.ProcessLost as error:
                print(error, flush=True)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

codes = [start(name, None, ports.pop()) for name in recipes]
codes += [start("classify", True, ports.pop()), start("classify", False, ports.pop())]
print(json.dumps(codes))
"""


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def host(forked, tmp_path_factory):
    root = tmp_path_factory.mktemp("processes")
    ports = json.dumps(free_ports(len(RECIPES) + 2))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # as torchrun does
    done = forked.run(HOST, root, json.dumps(SETTINGS), json.dumps(RECIPES), ports, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    *said, codes = done.stdout.splitlines()
    assert json.loads(codes)[: len(RECIPES)] == [[0, 0]] * len(RECIPES), done.stderr[-3000:]
    return root, json.loads(codes), said


@pytest.mark.parametrize("name", RECIPES)
def test_the_averaged_gradient_is_that_of_the_whole_batch(host, name):
    """To the last digits: batch norm, the contrastive loss and the augmentation see the whole batch."""
    root, *_ = host
    alone, shared = (load_file(root / f"{name}-{kind}.safetensors") for kind in ("alone", "gradients"))
    assert alone.keys() == shared.keys() and len(alone) >= LEARN.get(name, 11)
    for i, gradient in alone.items():
        assert gradient.dtype == torch.float64 and gradient.abs().max() > 0
        assert (shared[i] - gradient).abs().max() <= 1e-9 * gradient.abs().max() + 1e-15, i


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_what_one_trains(host, name):
    root, *_ = host
    drawn = world.draw(4, seed=31)
    recipe = Recipe(**{**SETTINGS, **RECIPES[name]})
    labels = drawn.fine if recipe.k > 1 else drawn.fine * 0
    _, metrics = loop.train(recipe, drawn.pixels, labels, execution=Execution("cpu"))
    first, second = (load_file(root / f"{name}-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[n], second[n]) for n in first)  # not a bit apart
    losses = json.loads((root / f"{name}-0.json").read_text())["train_loss"]
    assert losses == pytest.approx(metrics["train_loss"], rel=1e-3)


def test_a_killed_process_ends_the_job_with_a_clear_error_and_the_same_command_goes_on(host):
    root, codes, said = host
    assert codes == [[0, 0]] * len(RECIPES) + [[1, -9], [0, 0]]
    assert any("process 1 of 2 lost the others" in line and "the same command continues" in line for line in said)
    whole, resumed = (load_file(root / f"{name}-0.safetensors") for name in ("classify", "killed"))
    assert all(torch.equal(whole[n], resumed[n]) for n in whole)
    assert sorted(p.name for p in root.glob("*.json")) == sorted(
        f"{n}-{rank}.json" for n in (*RECIPES, "killed") for rank in (0, 1)
    )
    assert len(list((root / "killed").glob("state*"))) == 1


def test_the_shares_of_a_batch_are_the_batch():
    drawn = world.draw(4, seed=31)
    for order in ("images", "blocks"):
        for augmentation in ("flip", "none", "rotation=10,crop_padding=2,randaugment=1"):
            stream = (3, 48, augmentation, order, 1, 0)
            whole = list(feed.Feed(drawn.pixels, stream).batches(7, 14))
            shares = [
                list(feed.Feed(drawn.pixels, stream, "cpu", parallel.Processes(r, 3)).batches(7, 14)) for r in range(3)
            ]
            for batch, *parts in zip(whole, *shares, strict=True):
                assert all(part[0] == batch[0] for part in parts)
                assert torch.equal(batch[1], torch.cat([part[1] for part in parts]))
                assert torch.equal(batch[2][0], torch.cat([part[2][0] for part in parts]))
    with pytest.raises(ValueError, match="batch of 64 images cannot be shared evenly by 3 processes"):
        feed.Feed(drawn.pixels, (3, 64, "flip", "images", 1, 0), "cpu", parallel.Processes(0, 3))


def test_shared_batch_norm_alone_is_batch_norm():
    inputs = torch.randn(16, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 3 + 1
    plain, shared = (networks.build("mini", 4, seed=0).train() for _ in range(2))
    parallel.share_batch_norm(shared)
    assert [n for n, _ in shared.named_modules()] == [n for n, _ in plain.named_modules()]
    outputs = [network(inputs) for network in (plain, shared)]
    assert torch.allclose(*outputs, atol=1e-4)
    for output in outputs:
        output.square().sum().backward()
    for (name, a), b in zip(plain.named_parameters(), shared.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-3 * a.grad.abs().max()), name
    for a, b in zip(plain.buffers(), shared.buffers(), strict=True):
        assert torch.allclose(a, b, rtol=1e-4)
    assert torch.allclose(plain.eval()(inputs), shared.eval()(inputs), atol=1e-4)
    with pytest.raises(ValueError, match="SyncBatchNorm .* cannot be shared"):
        parallel.share_batch_norm(torch.nn.Sequential(torch.nn.SyncBatchNorm(3)))


def test_contrastive_loss_of_one_process_does_not_depend_on_the_regrouping():
    projected = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    regrouped = parallel.gathered(projected).unflatten(1, (2, -1)).transpose(0, 1).flatten(0, 2)
    assert torch.equal(regrouped, projected) and objectives.nt_xent(regrouped, 0.5).isfinite()


@pytest.mark.slow  # three starts of Python
def test_torchrun_from_the_command_line(tmp_path):
    drawn = world.draw(2, seed=41)
    for i, (pixels, basic) in enumerate(zip(drawn.pixels, drawn.basic, strict=True)):
        path = tmp_path / "images" / "train" / world.BASIC_NAMES[basic] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    home = tmp_path / "home"
    environment = {**os.environ, "BRAINSCORE_GRANULARITY_HOME": str(home), "GLOO_SOCKET_IFNAME": "lo"}
    words = ["train", "--recipe", "world", "--data", tmp_path / "images", "--epochs", 2, "--batch-size", 64]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]

    def start(*words):
        command = [str(word) for word in (*torchrun, "-m", "brainscore_granularity.cli", *words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)

    done = start(*words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("granularity_world_native_s1, loss") == 1
    saved = checkpoints.read(home / "checkpoints", "granularity_world_native_s1")
    assert saved.is_intact() and np.isfinite(saved.info["metrics"]["train_loss"]).all()
    refused = start("ladder", *words[1:], "--seeds", 1, 2)
    assert refused.returncode != 0 and "Start a ladder without torchrun" in refused.stderr
