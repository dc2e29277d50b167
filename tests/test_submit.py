"""Leaderboard submissions: the zip, the website's rules, and the check in a fresh environment."""

import functools
import http.server
import threading
import zipfile

import pytest

from brainscore_granularity import download, networks
from brainscore_granularity.submission import archive, check, command, rules
from brainscore_granularity.submission.source import self_contained

MODEL = "granularity_tiny_own_k8_s1"
PLUGIN = f"{MODEL}/models/{MODEL}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return command.make(MODEL, tmp_path_factory.mktemp("submission"))


@pytest.fixture(scope="module")
def files(made):
    with zipfile.ZipFile(made) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}


def test_the_real_zip_passes_the_real_check(made):
    said = []
    assert 0 < check.check(made, None, said.append) < 1
    assert any("2 passed" in line for line in said) and any("equal" in line for line in said)


def test_a_tampered_weight_file_is_refused(files, tmp_path):
    (weights,) = [name for name in files if name.endswith(".safetensors")]
    content = bytearray(files[weights])
    content[-1] ^= 1
    archive.write(tmp_path / "x.zip", files | {weights: bytes(content)})
    with pytest.raises(check.CheckFailed, match="not the file that was submitted"):
        check.check(tmp_path / "x.zip", None, lambda line: None)


def test_the_same_model_gives_the_same_bytes(made, tmp_path):
    assert command.make(MODEL, tmp_path).read_bytes() == made.read_bytes()


def test_an_untrained_network_is_rebuilt_from_its_seed(tmp_path):
    path = command.make("granularity_imagenet_untrained_s1", tmp_path)
    with zipfile.ZipFile(path) as opened:
        assert not [name for name in opened.namelist() if name.endswith(".safetensors")]


@pytest.mark.parametrize("name", ["tiny", "alexnet_bn", "cornet_s", "resnet18", "resnet18_w0.25", "vit_tiny"])
def test_self_contained_source_makes_the_same_network(name):
    import torch

    function, arguments = networks.constructor(name)
    module = {"__name__": "alone"}
    exec(self_contained([function, networks.seeded], "alone"), module)
    network = module["seeded"](lambda: module[function.__name__](*arguments, 8), 1)
    expected = networks.build(name, 8, 1).state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in network.state_dict().items())


INIT = f"{PLUGIN}/__init__.py"
BROKEN = {
    "one root": lambda f: f | {"elsewhere/x.py": b""},
    "one plugin": lambda f: f | {f"{MODEL}/models/other/__init__.py": b""},
    "files": lambda f: {name: text for name, text in f.items() if not name.endswith("/test.py")},
    "no metadata": lambda f: f | {f"{PLUGIN}/metadata.yaml": b""},
    "no leftovers": lambda f: f | {f"{PLUGIN}/__pycache__/x.pyc": b""},
    "one registration": lambda f: f | {INIT: f[INIT] + b'# model_registry["x"]\n'},
    "readable identifier": lambda f: f | {INIT: f[INIT].rstrip() + b"  # [1]\n"},
    "identifier": lambda f: f | {INIT: b'model_registry["with-hyphen"] = 1\n'},
    "folder name": lambda f: {name.replace(f"models/{MODEL}", "models/a b"): text for name, text in f.items()},
    "new identifier": lambda f: f | {INIT: b'model_registry["alexnet"] = 1\n'},
    "new folder": lambda f: {name.replace(f"models/{MODEL}", "models/alexnet"): text for name, text in f.items()},
    "bibtex": lambda f: f | {f"{PLUGIN}/model.py": f[f"{PLUGIN}/model.py"].replace(b"year", b"month")},
    "nothing of ours": lambda f: f | {f"{PLUGIN}/x.py": b"import brainscore_granularity\n"},
    "size": lambda f: f | {f"{PLUGIN}/big": bytes(rules.MAX_BYTES)},
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_that_is_broken_is_named(rule, files, tmp_path):
    archive.write(tmp_path / "x.zip", BROKEN[rule](files))
    with pytest.raises(rules.Violation, match=f"{rule}: ") as error:
        rules.check(tmp_path / "x.zip", rules.known_to_brainscore())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py", "a\\out.py"])
def test_paths_cannot_escape(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as opened:
        opened.writestr("fine.py", "")
        opened.writestr(name, "")
    with pytest.raises(ValueError, match="nothing was unpacked"):
        archive.unpack(tmp_path / "x.zip", tmp_path / "to")
    assert not (tmp_path / "to").exists() and not (tmp_path / "out.py").exists()
    with pytest.raises(rules.Violation, match="paths: .*entries for folders: |paths: "):
        rules.check(tmp_path / "x.zip", frozenset())


CONTENT = bytes(range(256)) * 2000


class Server(http.server.BaseHTTPRequestHandler):
    def __init__(self, how, done, *arguments):
        self.how, self.done = how, done
        super().__init__(*arguments)

    def do_GET(self):
        if self.how == "fails":
            self.send_error(500)
            return
        first = int(self.headers["Range"][6:-1]) if self.headers["Range"] and self.how == "resumes" else 0
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(CONTENT) - first))
        self.end_headers()
        half = first + (len(CONTENT) - first) // 2
        self.wfile.write(CONTENT[first : len(CONTENT) if first else half])
        if self.how == "stalls":
            self.wfile.flush()
            self.done.wait(30)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    done, servers = threading.Event(), []

    def start(how):
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, how, done)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/weights"

    yield start
    done.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("how", ["fails", "stalls", "half"])
def test_a_url_that_does_not_deliver_is_a_clear_error_and_leaves_nothing(how, serve, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(download.DataMissing, match="cannot download http.*mend it"):
        download.fetch(serve(how), tmp_path / "to" / "file", "0" * 64, "mend it")
    assert not list((tmp_path / "to").iterdir())


def test_a_broken_connection_is_taken_up_where_it_broke(serve, tmp_path):
    import hashlib

    digest = hashlib.sha256(CONTENT).hexdigest()
    assert download.fetch(serve("resumes"), tmp_path / "file", digest, "").read_bytes() == CONTENT
