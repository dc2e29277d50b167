"""Completion in real shells, and the examples that --help shows."""

import inspect
import shlex
import shutil
import subprocess

import pytest
import tyro

from brainscore_granularity.cli import completion
from brainscore_granularity.cli import main as cli

MODEL = "granularity_world_own_k2_s1"


@pytest.fixture(scope="module", params=completion.SHELLS)
def completed(request, tmp_path_factory):
    """What a shell offers after words; the last of them is the beginning of what is completed."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"no {request.param} on this computer")
    script = tmp_path_factory.mktemp("completion") / "script"
    script.write_text(completion.script(request.param, cli.VERBS, cli.INNER_VERBS))

    def offered(*words):
        line = " ".join(map(shlex.quote, ("granularity", *words)))
        show = 'printf "%s\\n" "${COMPREPLY[@]}"'
        sets = {
            "bash": f"COMP_WORDS=({line}) COMP_CWORD={len(words)}; _tyro_granularity; {show}",
            # zsh's own completion system is only there at a prompt: what would be described to it is printed
            "zsh": f"words=({line}) CURRENT={len(words) + 1}; _tyro_granularity",
        }[request.param]
        stub = {"bash": "", "zsh": "_describe() { print -l -- ${(P)${@[-1]}}; }; "}[request.param]
        done = subprocess.run([shell, "-c", f"source {script}; {stub}{sets}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = [line.split(":")[0].strip() for line in done.stdout.splitlines()]
        return [word for word in found if word.startswith(words[-1])]  # zsh itself leaves out the others

    return offered


@pytest.mark.slow
def test_verbs_and_the_verbs_below_them(completed):
    assert {"score", "report", "data", "completion"} <= set(completed(""))
    assert set(completed("sc")) == {"score", "scaling"} and completed("data", "pre") == ["prepare"]
    assert set(completed("data", "prepare", "things")) == {"things", "things-fmri"}


def test_settings_of_a_verb_and_their_values(completed):
    assert completed("score", "--dry") == ["--dry-run"]
    assert set(completed("score", "--layers", "")) >= {"all", "committed"}
    assert set(completed("data", "prepare", "nsd", "--re")) == {"--regions", "--repeats"}


def test_a_shell_that_is_not_known_is_refused(capsys):
    with pytest.raises(ValueError, match="bash, zsh"):
        completion.script("fish", cli.VERBS, cli.INNER_VERBS)


def leaves(verbs=cli.VERBS, path=()):
    for name, function in verbs.items():
        if function in cli.INNER_VERBS:
            yield from leaves(cli.INNER_VERBS[function], (*path, name))
        else:
            yield (*path, name), function


@pytest.mark.filterwarnings("ignore:get_parser")
@pytest.mark.parametrize("path", dict(leaves()), ids="-".join)
def test_the_example_of_every_verb_is_a_command_that_it_takes(path):
    """The settings exist and take these values; what it then does is tested elsewhere."""
    function, beginning = dict(leaves())[path], ["Example:", "granularity", *path]
    paragraphs = [part.split(" > ")[0] for part in inspect.getdoc(function).split("\n\n")]
    examples = [part for part in paragraphs if part.split()[: len(beginning)] == beginning]
    assert len(examples) == 1, f"{' '.join(path)} needs one paragraph that begins with {' '.join(beginning)}"
    tyro.extras.get_parser(function).parse_args(shlex.split(examples[0])[len(beginning) :])
