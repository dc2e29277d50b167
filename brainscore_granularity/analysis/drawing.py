"""What the figures of all analyses share: small print, one look a condition, one legend below."""

from __future__ import annotations

from contextlib import contextmanager

from brainscore_granularity.report import style


@contextmanager
def pyplot():
    """Matplotlib without a screen, in the package's style at publication size."""
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib import pyplot as plt

    with plt.rc_context({**style.SETTINGS, "font.size": 7, "axes.titlesize": 7}):
        yield plt


def look(row) -> dict:
    """K on a perceptually even ramp; untrained and label controls grey."""
    if row["labels"] == "untrained":
        return {"color": style.MUTED, "linestyle": ":"}
    if row["labels"] in ("random", "permuted"):
        grey = str(0.35 + 0.06 * style.step(max(row["k"] or 2, 2)))  # lighter with more classes
        return {"color": grey, "linestyle": "--" if row["labels"] == "random" else "-."}
    if row["labels"] == "native":
        return {"color": style.INK}
    return {"color": style.RAMP[style.step(row["k"])] if row["k"] else style.MUTED}


def name(row) -> str:
    """A condition in the legend."""
    labels = row["labels"]
    if labels in (None, "own"):
        return row["model"] if labels is None else f"{row['k']:.0f} classes"
    return labels if labels in ("native", "untrained") else f"{labels} {row['k']:.0f}"


def short(names) -> list[str]:
    """Names of benchmarks without what all of them share.

    >>> short(["Data.IT-rsa", "Data.V1-rsa"]), short(["Data.IT-rsa", "Other.IT-rsa"])
    (['IT', 'V1'], ['Data.IT', 'Other.IT'])
    """
    names = [name.removesuffix("-rsa") for name in names]
    same = len({name.partition(".")[0] for name in names}) == 1
    return [name.partition(".")[2] or name for name in names] if same else names


def legend_below(figure, axis, columns: int, bottom: float) -> None:
    """Each name of an axis once, in the lowest part of the figure."""
    handles, labels = axis.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    lines = -(-len(once) // columns)
    columns = -(-len(once) // lines)  # lines of equal length
    figure.legend(once.values(), once.keys(), frameon=False, loc="lower center", ncols=columns, fontsize=6)
    figure.tight_layout(rect=(0, bottom, 1, 1))
