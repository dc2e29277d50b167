"""`granularity completion`: a script, made by tyro, that lets a shell complete verbs, options and their values."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Annotated, Any, Union

import tyro

SHELLS = ("bash", "zsh")


def script(shell: str, verbs: dict[str, Callable], inner: dict[Callable, dict[str, Callable]]) -> str:
    """The script for a shell.

    verbs : {name: function}.
    inner : {function of a verb that has verbs below it: {name: function} of those}.
    """
    if shell not in SHELLS:
        raise ValueError(f"no completion for {shell!r}; there is: {', '.join(SHELLS)}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        tyro.cli(_one_of(verbs, inner), prog="granularity", args=["--tyro-print-completion", shell])
    return _for_zsh(printed.getvalue()) if shell == "zsh" else printed.getvalue()


def _for_zsh(text: str) -> str:
    """Change tyro's script so that zsh can source it; zsh counts words from 1, but tyro 1.0 assumes 0."""
    text = text.replace('"$CURRENT"', '"$((CURRENT - 1))"')
    function, _, _ = text.rpartition("\n_tyro_granularity")
    return f"autoload -U +X compinit && compinit -u\n{function}\ncompdef _tyro_granularity granularity\n"


def _one_of(verbs: dict[str, Callable], inner: dict[Callable, dict[str, Callable]]) -> Any:
    """The verbs, and the verbs below them, as a type that tyro reads."""

    def below(function):
        return _one_of(inner[function], inner) if function in inner else function

    named = [Annotated[Any, tyro.conf.subcommand(name, constructor=below(f))] for name, f in verbs.items()]
    return Union[tuple(named)]  # noqa: UP007  of a list that is known only here
