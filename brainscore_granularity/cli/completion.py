"""`granularity completion`: a script with which a shell completes verbs, settings, their values, and identifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MODELS = ("--models", "--model", "--checkpoint", "--pool", "--start")
BENCHMARKS = ("--benchmarks", "--benchmark")
SHELLS = ("bash", "zsh")

SCRIPT = """# Completion of granularity for bash, and for zsh through bashcompinit.
_granularity_models="{models}"
_granularity_benchmarks="{benchmarks}"

# What may follow verbs: other verbs, settings, names.
_granularity_words() {{ case "$1" in
{words}
esac; }}

# What may follow a setting of a verb.
_granularity_values() {{ case "$1" in
{values}
esac; }}

_granularity() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" verbs="" setting="" word found i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "$word" in
      -*) setting="$word" ;;
      *) case " $(_granularity_words "$verbs") " in *" $word "*) [ -n "$setting" ] || verbs="$verbs $word" ;; esac ;;
    esac
  done
  found="$(_granularity_values "$verbs $setting")"
  case "$cur" in -*) found="" ;; esac
  [ -n "$found" ] || [ -n "$setting" -a "${{cur#-}}" = "$cur" ] || found="$(_granularity_words "$verbs")"
  COMPREPLY=($(compgen -W "$found" -- "$cur"))
}}
complete -o default -F _granularity granularity
"""
ZSH = "autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n"


class Verb(NamedTuple):
    """What can be typed after a verb. settings : {setting: its values, where they are known}."""

    path: tuple[str, ...]
    inner: list[str]
    settings: dict[str, list[str]]
    positional: list[str]


def script(shell: str, verbs: dict[str, Callable], inner: dict[Callable, dict[str, Callable]]) -> str:
    """The script for a shell.

    verbs : {name: function}. inner : {function that only leads to other verbs: those}.
    """
    from brainscore_granularity.brains import catalogue

    if shell not in SHELLS:
        raise ValueError(f"no completion for {shell!r}; there is: {', '.join(SHELLS)}")
    words, values = [], []
    for verb in walk(verbs, inner):
        place = "".join(f" {name}" for name in verb.path)
        follow = " ".join([*verb.inner, *verb.settings, *verb.positional])
        words.append(f'"{place}") echo "{follow}" ;;')
        for setting, known in verb.settings.items():
            if known:
                values.append(f'"{place} {setting}") echo "{" ".join(known)}" ;;')
    text = SCRIPT.format(
        models=" ".join(catalogue.ours("models")),
        benchmarks=" ".join(catalogue.ours("benchmarks")),
        words="\n".join(words),
        values="\n".join(values),
    )
    return (ZSH if shell == "zsh" else "") + text


def walk(verbs: dict[str, Callable], inner: dict[Callable, dict], path: tuple[str, ...] = ()):
    """Every verb, with what can follow it."""
    yield Verb(path, list(verbs), {"--help": []}, [])
    for name, function in verbs.items():
        if function in inner:
            yield from walk(inner[function], inner, (*path, name))
        else:
            yield _leaf((*path, name), function)


def _leaf(path: tuple[str, ...], function: Callable) -> Verb:
    import warnings

    import tyro

    settings, positional = {}, []
    with warnings.catch_warnings():
        # tyro would rather write scripts itself, but those know neither inner verbs nor identifiers
        warnings.simplefilter("ignore", DeprecationWarning)
        parser = tyro.extras.get_parser(function)
    for action in parser._actions:
        if not action.option_strings:
            positional += _names(action.dest)
        for setting in action.option_strings:
            if setting.startswith("--"):
                choices = [str(choice) for choice in action.choices or () if choice != "None"]
                settings[setting] = sorted(choices) or _names(setting)
    return Verb(path, [], settings, positional)


def _names(what: str) -> list[str]:
    """The shell's own list of what a setting or an argument takes."""
    if what in MODELS or what in ("models", "model", "patterns"):
        return ["$_granularity_models"]
    if what in BENCHMARKS:
        return ["$_granularity_benchmarks"]
    if what == "names":
        from brainscore_granularity.analysis.base import NAMES

        return ["all", *NAMES]
    return []
