"""Completion in real shells, and the examples that --help shows."""

import inspect
import shlex
import shutil
import subprocess

import pytest
import tyro

from brainscore_granularity.cli import main as cli
from brainscore_granularity.cli.main import completion

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
        sets = f"COMP_WORDS=({line}) COMP_CWORD={len(words)}"
        commands = (
            f"source {script}; "
            + {
                # as bashcompinit calls it: like sh, whose words count from 0
                "bash": f'complete -p granularity >&2; {sets}; _granularity; printf "%s\\n" "${{COMPREPLY[@]}}"',
                "zsh": f"emulate sh -c '{sets}; _granularity; print -l -- \"${{COMPREPLY[@]}}\"'",
            }[request.param]
        )
        done = subprocess.run([shell, "-c", commands], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if request.param == "bash":
            assert "-F _granularity granularity" in done.stderr
        return [word for word in done.stdout.split() if word.startswith(words[-1])]  # zsh itself leaves out the others

    return offered


def test_verbs_and_the_verbs_below_them(completed):
    assert {"score", "report", "data", "completion"} <= set(completed(""))
    assert completed("sc") == ["score", "scaling"] and completed("data", "pre") == ["prepare"]
    assert set(completed("data", "prepare", "things")) == {"things", "things-fmri"}


def test_settings_of_a_verb_and_their_values(completed):
    assert completed("score", "--dry") == ["--dry-run"]
    assert set(completed("score", "--models", MODEL, "--layers", "")) == {"all", "committed"}
    assert set(completed("data", "prepare", "nsd", "--re")) == {"--regions", "--repeats"}
    assert completed("train", "--rule", "pred") == ["predictive_coding"]


def test_models_benchmarks_and_analyses_by_name(completed):
    assert completed("score", "--models", "pixels", "granularity_world_own_k2_s") == [MODEL, MODEL[:-1] + "2"]
    assert "World.IT-rsa" in completed("score", "--models", MODEL, "--benchmarks", "World.")
    assert MODEL in completed("commit", "granularity_world") and "spectrum" in completed("analyze", "")
    assert completed("score", "--results", "res") == []  # a folder: left to the shell


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
