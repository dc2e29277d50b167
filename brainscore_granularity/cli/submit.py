"""`granularity submit` and `publish`: what leaves this computer, checked before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro


def submit(
    model: Annotated[str | None, tyro.conf.Positional] = None,
    to: Path = Path("submission"),
    weights_url: str | None = None,
    name: str | None = None,
    check: tuple[Path, ...] | None = None,
    benchmark: str | None = None,
) -> None:
    """Make a zip for submission to the Brain-Score website, and check in a new environment that it works.

    With --benchmark, lay out the files of a pull request instead.

    Example: granularity submit granularity_tiny_own_k8_s1 --check

    Args:
        model: Identifier of one of our models.
        to: Folder for the zip.
        weights_url: Address of the weights file, which is written to the folder for you to upload.
        name: Identifier on the leaderboard; by default the model's own.
        check: Test the new zip, or the zip named here, in an environment that has only Brain-Score. This runs the zip's
            code.
        benchmark: One of our benchmarks; its plugin, data, tests and references are written in Brain-Score's layout.
    """
    from brainscore_granularity.submission import check as checking
    from brainscore_granularity.submission import make as command

    if benchmark:
        if model or check is not None or weights_url or name:
            raise ValueError("--benchmark lays out a pull request and can be combined with --to only")
        place = command.lay_out(benchmark, to)
        print(f"{place}: copy brainscore_vision/ over a checkout of Brain-Score; what is missing is in its README.md")
        return
    if not (model or check):
        raise ValueError(
            "name a model to submit, a benchmark (--benchmark B), or a zip to check: granularity submit --check ZIP"
        )
    zips = list(check or ())
    if not zips:
        zips = [command.make(model, to, name, weights_url)]
        print(f"{zips[0]} ({zips[0].stat().st_size / 1e6:.2f} MB)")
    if check is not None:
        for path in zips:
            checking.check(path, model)
    print("next: docs/submission.md says where to upload it and what to expect")


def publish(
    folder: Annotated[Path, tyro.conf.Positional],
    models: Annotated[list[str], tyro.conf.arg(metavar="PATTERN ...")],
    base_url: str | None = None,
) -> None:
    """Copy weights in half precision to a folder, check them, and write the manifest that lets others load them by id.

    Upload the folder, then put its weights.toml beside the model plugin, or send it to users of the models: in their
    $BRAINSCORE_GRANULARITY_HOME it makes `load_model` fetch the weights.

    Example: granularity publish zoo --models 'granularity_imagenet_clip_*' --base-url https://example.org/zoo

    Args:
        folder: Where the copies go.
        models: Identifiers or shell patterns of our models whose weights are on this computer.
        base_url: Address below which the files will be found; without it no manifest is written.
    """
    from brainscore_granularity.brains import catalogue
    from brainscore_granularity.weights import manifest
    from brainscore_granularity.weights.checkpoints import Fitted, Untrained
    from brainscore_granularity.weights.find import checkpoint_of

    chosen = [checkpoint_of(name) for name in catalogue.select("models", models)]
    copies = manifest.publish(folder, [c for c in chosen if not isinstance(c, Untrained | Fitted)], base_url)
    for copy in copies:
        print(f"{copy.weights} ({copy.weights.stat().st_size / 1e6:.1f} MB)")
    if base_url:
        print(f"manifest: {folder / manifest.MANIFEST}")
