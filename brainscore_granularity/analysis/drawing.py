"""The common style of all analyses' figures: font sizes, one look per condition, one legend below."""

from __future__ import annotations

from contextlib import contextmanager

from brainscore_granularity.report import conditions, style


@contextmanager
def pyplot():
    """Matplotlib without a display, in the package's style at publication size."""
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib import pyplot as plt

    with plt.rc_context({**style.SETTINGS, "font.size": 7, "axes.titlesize": 7}):
        yield plt


def look(row) -> dict:
    """Line style of a condition: K from dark to pale, sources without K black, untrained and controls grey."""
    found = conditions.condition(row["labels"], row["k"])
    if found is None:
        return {"color": style.MUTED}
    if found.labels in conditions.STARTS:
        return {"color": style.MUTED, "linestyle": ":" if found.labels == conditions.UNTRAINED else (0, (4, 1, 1, 1))}
    if found.labels in conditions.GOALS:
        return {"color": style.INK, **({} if found.labels == conditions.NATIVE else {"linestyle": (0, (6, 2))})}
    if kind := conditions.control(found.labels):
        grey = str(0.35 + 0.06 * style.step(max(found.k, 2)))  # lighter with more classes
        return {"color": grey, "linestyle": "--" if kind == conditions.RANDOM else "-."}
    return {"color": style.RAMP[style.step(found.k)]}


def name(row) -> str:
    """Name of a condition in the legend."""
    found = conditions.condition(row["labels"], row["k"])
    return row["model"] if found is None else found.label


def short(names) -> list[str]:
    """Names of benchmarks without the part that all of them share.

    >>> short(["Data.IT-rsa", "Data.V1-rsa"]), short(["Data.IT-rsa", "Other.IT-rsa"])
    (['IT', 'V1'], ['Data.IT', 'Other.IT'])
    """
    names = [name.removesuffix("-rsa") for name in names]
    same = len({name.partition(".")[0] for name in names}) == 1
    return [name.partition(".")[2] or name for name in names] if same else names


def legend_below(figure, axis, columns: int, bottom: float) -> None:
    """A legend at the bottom of the figure, with each name of an axis once."""
    handles, labels = axis.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    lines = -(-len(once) // columns)
    columns = -(-len(once) // lines)  # lines of equal length
    figure.legend(once.values(), once.keys(), frameon=False, loc="lower center", ncols=columns, fontsize=6)
    figure.tight_layout(rect=(0, bottom, 1, 1))
