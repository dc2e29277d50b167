"""Leaderboard submissions: the zip, the website's rules, and the check in a fresh environment."""

import ast
import functools
import http.server
import json
import shutil
import stat
import threading
import zipfile
from pathlib import PurePosixPath

import pytest

from brainscore_granularity import download, networks, plugins
from brainscore_granularity.datasets import kriegeskorte2008
from brainscore_granularity.submission import archive, check, environment, plugin, pull_request, rules
from brainscore_granularity.submission import make as command
from brainscore_granularity.submission.source import self_contained
from brainscore_granularity.weights import checkpoints, find, layer_map

MODEL = "granularity_tiny_own_k8_s1"
PLUGIN = f"{MODEL}/models/{MODEL}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return command.make(MODEL, tmp_path_factory.mktemp("submission"))


@pytest.fixture(scope="module")
def files(made):
    with zipfile.ZipFile(made) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory):
    return environment.make(tmp_path_factory.mktemp("throwaway") / "environment")


@pytest.fixture
def one_environment(throwaway, monkeypatch):
    """Instead of an environment for every check, one, out of which is taken what a check has put into it."""
    _, brainscore = throwaway
    places = [brainscore / kind for kind in ("models", "benchmarks", "data", "model_helpers")]
    before = {path for place in places for path in place.iterdir()}

    def make(folder, requirements=()):
        assert not requirements  # it has none but those of Brain-Score
        return throwaway

    monkeypatch.setattr(environment, "make", make)
    yield
    for path in {path for place in places for path in place.iterdir()} - before:
        shutil.rmtree(path)


@pytest.mark.slow
def test_the_real_zip_passes_the_real_check(made):
    said = []
    assert 0 < check.check(made, None, said.append) < 1
    assert any("2 passed" in line for line in said) and any("equal" in line for line in said)


@pytest.fixture
def full_precision(home):
    """A user's own checkpoint, with weights that half precision cannot hold."""
    import torch

    shipped = find.checkpoint_of(MODEL)
    rng = torch.Generator().manual_seed(0)
    state = {
        name: tensor * (1 + torch.rand(tensor.shape, generator=rng) * 4e-4) if tensor.is_floating_point() else tensor
        for name, tensor in shipped.state_dict().items()
    }
    return checkpoints.save(checkpoints.default_store(), MODEL, state, shipped.info)


@pytest.mark.usefixtures("one_environment")
def test_own_weights_in_full_precision_under_a_url_pass_the_real_check(full_precision, tmp_path, folder_server):
    """The website's half-precision copy is compared with the same rounding of the installed model."""
    path = command.make(MODEL, tmp_path, url=f"{folder_server(tmp_path)}/{weights_name(full_precision, tmp_path)}")
    with zipfile.ZipFile(path) as opened:
        assert not [name for name in opened.namelist() if name.endswith(".safetensors")]
    said = []
    assert 0 < check.check(path, None, said.append) < 1
    assert any("equal" in line for line in said)


def weights_name(checkpoint, folder):
    """The file that a user finds in the folder after the first run, and uploads."""
    copy = checkpoints.save(folder, MODEL, checkpoint.state_dict(), checkpoint.info, half=True)
    return copy.weights.name


def test_the_installed_model_is_rounded_as_the_zip_is(full_precision):
    import torch

    rounded = plugin.as_submitted(MODEL).activations_model._model.state_dict()
    own = full_precision.state_dict()
    floats = [name for name, tensor in own.items() if tensor.is_floating_point()]
    assert all(torch.equal(rounded[name], own[name].half().float()) for name in floats)
    assert any(not torch.equal(rounded[name], own[name]) for name in floats)


def test_published_weights_are_named_and_not_copied(home, tmp_path):
    layers = layer_map.read(find.checkpoint_of(MODEL), find.plugin_of(MODEL))
    published_model = "granularity_imagenet_clip_k8_s1"
    url, sha256 = "https://example.org/weights.safetensors", "ab" * 32
    home.mkdir(exist_ok=True)
    entry = {"network": "mini", "classes": 4, "url": url, "sha256": sha256, "bytes": 1}
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    (home / "weights.toml").write_text("\n".join([f"[{published_model}]", *lines]))
    (home / "region_layer_map").mkdir()
    (home / "region_layer_map" / f"{published_model}.json").write_text(json.dumps(layers))
    keep = tmp_path / "keep"
    keep.mkdir()
    made = plugin.plugin_files(published_model, "mine", None, keep)
    model = made["mine/models/mine/model.py"].decode()
    assert url in model and sha256 in model and not list(keep.iterdir())


def test_a_reference_that_cannot_be_measured_says_why():
    said = pull_request._score(None, "no_such_model")
    assert said.startswith("not measured (") and "no_such_model" in said


@pytest.mark.usefixtures("one_environment")
@pytest.mark.parametrize("plugin", ["granularity_world", "kriegeskorte2008"])
def test_a_benchmark_as_a_pull_request_runs_without_this_package(plugin, tmp_path, request):
    name = {"granularity_world": "World.IT-rsa", "kriegeskorte2008": "Kriegeskorte2008.hIT-rsa"}[plugin]
    settings = {}
    if plugin == "kriegeskorte2008":
        settings[kriegeskorte2008.FOLDER_VARIABLE] = str(request.getfixturevalue("kriegeskorte92"))
    place = command.lay_out(name, tmp_path, references=("pixels",))  # AlexNet would be downloaded
    python, brainscore = environment.make(tmp_path / "environment")
    for kind in ("benchmarks", "data"):
        shutil.copytree(place / "brainscore_vision" / kind, brainscore / kind, dirs_exist_ok=True)
    test = brainscore / "benchmarks" / plugin / "test.py"
    out = check._run(tmp_path, python, "-m", "pytest", "-q", "-W", "ignore", test, what="its test.py", **settings)
    assert "2 passed" in out
    texts = {path: path.read_text() for path in place.rglob("*.py")}
    assert not [path for path, text in texts.items() if "from brainscore_granularity" in _code(text)]
    (registered,) = plugins.scan(place / "brainscore_vision" / "benchmarks", "benchmark_registry")
    assert registered == (name, plugin)
    assert 'pixels": None' not in texts[place / "brainscore_vision/benchmarks" / plugin / "test.py"]
    with pytest.raises(ValueError, match="is there already"):
        command.lay_out(name, tmp_path)


def _code(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith(">>>"))


@pytest.mark.parametrize(
    "benchmark",
    [
        "Kriegeskorte2008.hIT-rsa", "Cichy2014_fmri.IT-rsa", "Papale2025.IT-rsa", "Hebart2023.concept-rsa",
        "Hebart2023_fmri.LOC-720-rsa", "Zerbe2026_fmri.IT-ood-rsa",
    ],
)  # fmt: skip
def test_every_module_that_a_bundled_module_imports_is_bundled(benchmark):
    folder = plugins.registrations("benchmarks")[benchmark]
    files = pull_request._plugin("benchmarks", folder, benchmark)
    for name, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = PurePosixPath(name).parents[node.level - 1].joinpath(*(node.module or "").split("."))
                found = {f"{base}.py", f"{base}/__init__.py", *(f"{base}/{a.name}.py" for a in node.names)} & set(files)
                assert found, (name, ast.unparse(node))


def test_a_benchmark_that_is_not_ours_is_refused_with_the_names(tmp_path):
    with pytest.raises(ValueError, match="World.IT-rsa"):
        command.lay_out("Nothing-rsa", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("one_environment")
def test_a_tampered_weight_file_is_refused_and_all_that_was_printed_is_kept(files, tmp_path):
    (weights,) = [name for name in files if name.endswith(".safetensors")]
    content = bytearray(files[weights])
    content[-1] ^= 1
    archive.write(tmp_path / "x.zip", files | {weights: bytes(content)})
    with pytest.raises(check.CheckFailed, match="not the file that was submitted.*x.zip.log") as error:
        check.check(tmp_path / "x.zip", None, lambda line: None)
    assert "\n" not in str(error.value) and "short test summary" in (tmp_path / "x.zip.log").read_text()


def test_the_same_model_gives_the_same_bytes(made, tmp_path):
    assert command.make(MODEL, tmp_path).read_bytes() == made.read_bytes()


def test_an_untrained_network_is_rebuilt_from_its_seed(tmp_path):
    path = command.make("granularity_imagenet_untrained_s1", tmp_path)
    with zipfile.ZipFile(path) as opened:
        assert not [name for name in opened.namelist() if name.endswith(".safetensors")]


@pytest.mark.slow
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


def test_folders_without_entries_are_named_and_nothing_else(files, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    broken = rules.violations(rules.read(tmp_path / "x.zip", rules.known_to_brainscore()))
    assert [line.partition(":")[0] for line in broken] == ["entries for folders"]


def test_a_link_in_the_zip_is_named_and_nothing_else(made, tmp_path):
    shutil.copy(made, tmp_path / "x.zip")
    link = zipfile.ZipInfo(f"{PLUGIN}/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as opened:
        opened.writestr(link, "/etc/hostname")
    broken = rules.violations(rules.read(tmp_path / "x.zip", rules.known_to_brainscore()))
    assert len(broken) == 1 and broken[0].startswith("paths: ") and "is a link" in broken[0]


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


@pytest.fixture
def folder_server():
    servers = []

    def start(folder):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fails", "stalls", "half"])
def test_a_url_that_does_not_deliver_is_a_clear_error_and_leaves_nothing(how, serve, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(download.DataMissing, match="cannot download http.*fix it"):
        download.fetch(serve(how), tmp_path / "to" / "file", "0" * 64, "fix it")
    assert not list((tmp_path / "to").iterdir())


def test_a_broken_connection_is_taken_up_where_it_broke(serve, tmp_path):
    import hashlib

    digest = hashlib.sha256(CONTENT).hexdigest()
    assert download.fetch(serve("resumes"), tmp_path / "file", digest, "").read_bytes() == CONTENT
