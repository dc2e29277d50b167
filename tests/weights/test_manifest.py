import functools
import http.server
import os
import threading

import numpy as np
import pytest
import torch

from brainscore_granularity import networks
from brainscore_granularity.brains import catalogue
from brainscore_granularity.brains import model as brain_model
from brainscore_granularity.cli import main as cli
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights import manifest as published
from brainscore_granularity.weights.find import checkpoint_of, find
from brainscore_granularity.weights.identifiers import is_fitted, untrained_of

INFO = {"network": "mini", "classes": 4, "metrics": {"train_loss": [1.0]}}
MODEL = "granularity_imagenet_clip_k8_s1"


class Served:
    """A folder behind a real server on loopback, and how often something was asked of it."""

    def __init__(self, folder):
        asked = self.asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=os.fspath(folder))
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def shared(tmp_path, home):
    """A published network, and the user's manifest that names it."""
    folder = tmp_path / "zoo"
    network = networks.build("mini", 4, seed=3)
    original = checkpoints.save(tmp_path / "store", MODEL, network.state_dict(), INFO)
    served = Served(folder)
    (copy,) = published.publish(folder, [original], served.url + "/")
    home.mkdir()
    (home / published.MANIFEST).write_text((folder / published.MANIFEST).read_text())
    yield served, copy, network
    served.close()


def test_a_published_network_is_fetched_once_and_is_the_one_that_was_published(shared):
    served, copy, network = shared
    found = find(MODEL)
    assert found.sha256 == copy.sha256 and not served.asked, "looking fetches nothing"
    loaded = found.network().state_dict()
    assert all(torch.allclose(loaded[n], t, rtol=1e-3, atol=1e-5) for n, t in network.state_dict().items())
    find(MODEL).network()
    assert served.asked == [f"/{copy.weights.name}"]


def test_the_half_precision_copy_says_what_it_was_made_from(shared):
    _, copy, _ = shared
    assert copy.info["source_sha256"] != copy.sha256 and copy.info["metrics"] == INFO["metrics"]
    assert all(t.dtype == torch.float32 for t in copy.state_dict().values() if t.is_floating_point())


def test_a_file_that_was_tampered_with_is_refused_and_not_kept(shared):
    _, copy, _ = shared
    content = bytearray(copy.weights.read_bytes())
    content[-1] ^= 1
    copy.weights.write_bytes(content)
    with pytest.raises(OSError, match="expected SHA-256"):
        find(MODEL).state_dict()
    assert not list(checkpoints.default_store().glob("*"))


def test_a_server_that_is_gone_says_how_to_get_the_model_all_the_same(shared):
    served, copy, _ = shared
    served.close()
    with pytest.raises(OSError, match=r"cannot download .*granularity labels .*--source clip.*granularity train"):
        find(MODEL).state_dict()
    assert copy.weights.exists()


def test_a_network_trained_here_comes_before_the_published_one(shared):
    own = networks.build("mini", 4, seed=8)
    saved = checkpoints.save(checkpoints.default_store(), MODEL, own.state_dict(), INFO)
    assert find(MODEL).sha256 == saved.sha256


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[m]\nnetwork = "mini"\nclasses = 2\nurl = "https://example.org/m"\nbytes = 3\n', "m lacks sha256"),
        ('[m]\nnetwork = "mini"\ninitial_seed = 3\n', "m lacks classes"),
        ("m = 3\n", "m lacks bytes"),
        ('[m]\nnetwork = "mini"\nclasses = 2\ninitial_seed = 1\nstatistics = "a"\n', "m lacks images, number, sha256"),
        ("[m\n", "not a manifest"),
    ],
)
def test_a_manifest_that_says_too_little_is_named(home, content, message):
    home.mkdir()
    (home / published.MANIFEST).write_text(content)
    with pytest.raises(checkpoints.CheckpointError, match=message):
        find("m")


@pytest.mark.slow
def test_an_untrained_network_is_built_from_its_seed(home):
    first, second = (find(f"granularity_imagenet_untrained_s{s}", _imagenet()) for s in (1, 2))
    built = first.state_dict()
    expected = networks.build("alexnet_bn", 1000, 1).state_dict()
    assert all(torch.equal(built[name], tensor) for name, tensor in expected.items())
    assert first.sha256 != second.sha256
    assert not np.array_equal(built["conv1.weight"], second.state_dict()["conv1.weight"])


def test_every_model_is_ready_or_says_how_to_make_it(home):
    for name in catalogue.ours("models"):
        state, how = catalogue.model_state(name)
        assert state.startswith("ready") if how is None else "granularity train" in how, name


@pytest.mark.slow
def test_every_fitted_network_that_is_shipped_has_the_weights_of_its_untrained_one_and_intact_statistics(home):
    fitted = [name for name in catalogue.ours("models") if is_fitted(name)]
    assert len(fitted) == 5 + 5 + 6 + 2
    for name in fitted:
        found, start = checkpoint_of(name), checkpoint_of(untrained_of(name))
        own, others = found.state_dict(), start.state_dict()
        own_statistics = checkpoints.statistics_of(own)
        assert found.is_intact() and found.sha256 != start.sha256
        for tensor_name, tensor in own.items():
            if tensor_name not in own_statistics and not tensor_name.endswith("num_batches_tracked"):
                assert torch.equal(tensor, others[tensor_name]), (name, tensor_name)
        assert not any(torch.equal(tensor, others[n]) for n, tensor in own_statistics.items()), name


def test_a_missing_model_names_commands_that_the_command_line_knows(home):
    with pytest.raises(checkpoints.CheckpointError) as error:
        brain_model.brain_model(MODEL, _imagenet())
    commands = str(error.value).split("`")[1::2]
    assert [command.split()[1] for command in commands] == ["labels", "train"]
    for command in commands:
        assert command.split()[1] in cli.VERBS
    assert "--labels clip --k 8 --seed 1" in commands[1]


def test_publish_from_the_command_line(home, tmp_path, capsys):
    cli.main(["publish", str(tmp_path / "zoo"), "--models", "granularity_world_own_k2_s*"])
    assert len(capsys.readouterr().out.splitlines()) == 2 and not (tmp_path / "zoo" / published.MANIFEST).exists()
    cli.main(
        ["publish", str(tmp_path / "zoo"), "--models", "granularity_world_own_k2_s1", "--base-url", "https://x.org"]
    )
    entry = published.read(tmp_path / "zoo" / published.MANIFEST)["granularity_world_own_k2_s1"]
    assert entry["url"].startswith("https://x.org/granularity_world_own_k2_s1-") and entry["bytes"] > 100_000


def _imagenet():
    from brainscore_granularity import plugins

    return plugins.plugin_directory("models") / "granularity_imagenet"
