"""The figures of `rules`: scores, resolution sweep, training curves and first-layer filters."""

from __future__ import annotations

import numpy as np

from brainscore_granularity.report import style

from .. import drawing

BASELINES = {"pixels": ":", "luminance": "--", "gabor": "-."}
STARTS = {"untrained": "#aaaaaa", "fitted": "#6b6b6b"}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
SHORT = {"backprop": "BP", "feedback_alignment": "FA", "predictive_coding": "PC", "stdp": "STDP"}
WIDTH = 7.1
IN_A_ROW = 4


def draw(plt, findings) -> dict:
    tables = findings.tables
    rules = [rule for rule in tables["summary"]["rule"].unique() if rule not in BASELINES]
    trained = [rule for rule in rules if rule not in STARTS]
    colours = STARTS | {rule: COLOURS[i % len(COLOURS)] for i, rule in enumerate(trained)}
    figures = {
        "scores": (
            _scores(plt, tables, rules, colours),
            "RSA of every network (dots: seeds, mean over subjects; bars: 95% interval of their mean over stimuli and "
            "seeds), noise ceiling (grey band) and baselines computed from the images.",
        )
    }
    if "resolution" in tables:
        figures["resolution"] = (
            _resolution(plt, tables["resolution"], rules, colours),
            "RSA where images are shown at other sizes than the 32 pixels of training (band: lowest to highest seed). "
            "Baselines do not depend on it.",
        )
    if "training" in tables:
        figures["training"] = (
            _training(plt, tables, rules, colours),
            "Accuracy on the test images (thin: seeds), displacement of the weights of each layer relative to their "
            "start, and angle to the gradient of backpropagation in the last epoch in which a layer learned "
            "(means over seeds).",
        )
    if findings.arrays.get("filters"):
        figures["filters"] = (
            _filters(plt, findings.arrays["filters"]),
            "First-layer kernels of one seed, each scaled to its own largest weight; grey is zero.",
        )
    return figures


def _panels(plt, names, height):
    rows = -(-len(names) // IN_A_ROW)
    figure, axes = plt.subplots(rows, min(len(names), IN_A_ROW), figsize=(WIDTH, height * rows + 0.4), squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    return figure, dict(zip(names, axes.flat, strict=False))


def _short(rule: str) -> str:
    first, _, rest = rule.partition(" ")
    return f"{SHORT.get(first, first)} {rest}".strip()


def _scores(plt, tables, rules, colours):
    summary, scores = tables["summary"], tables["scores"]
    figure, axes = _panels(plt, list(summary["benchmark"].unique()), 2.2)
    for name, axis in axes.items():
        own = summary[summary["benchmark"] == name].set_index("rule")
        seeds = scores[scores["benchmark"] == name].groupby(["rule", "seed"])["rsa"].mean()
        low, high = own[["ceiling_lower", "ceiling_upper"]].iloc[0]
        if np.isfinite(low):
            axis.axhspan(low, high, color=style.GRID, linewidth=0, label="noise ceiling")
        for baseline, line in BASELINES.items():
            if baseline in own.index:
                axis.axhline(own["rsa"][baseline], color=style.INK, linestyle=line, linewidth=0.8, label=baseline)
        for i, rule in enumerate(rules):
            row = own.loc[rule]
            axis.plot([i, i], [row["low"], row["high"]], color=colours[rule], linewidth=1.2)
            jitter = np.linspace(-0.15, 0.15, len(seeds[rule])) if len(seeds[rule]) > 1 else [0]
            axis.plot(i + np.asarray(jitter), seeds[rule], "o", color=colours[rule], markersize=2.5)
        axis.set_xticks(range(len(rules)), [_short(rule) for rule in rules], rotation=45, ha="right")
        axis.set_title(name.removesuffix("-rsa"), loc="left")
    next(iter(axes.values())).set_ylabel("RSA (Spearman)")
    drawing.legend_below(figure, next(iter(axes.values())), 4, 0.08)
    return figure


def _resolution(plt, table, rules, colours):
    figure, axes = _panels(plt, list(table["benchmark"].unique()), 2.2)
    for name, axis in axes.items():
        own = table[table["benchmark"] == name]
        for rule in rules:
            by_size = own[own["rule"] == rule].groupby("pixels")["rsa"]
            mean = by_size.mean()
            axis.fill_between(mean.index, by_size.min(), by_size.max(), color=colours[rule], alpha=0.15, linewidth=0)
            axis.plot(mean, "o-", color=colours[rule], linewidth=1, markersize=2, label=_short(rule))
        for baseline, line in BASELINES.items():
            flat = own[own["rule"] == baseline].groupby("pixels")["rsa"].mean()
            axis.plot(flat, color=style.INK, linestyle=line, linewidth=0.8, label=baseline)
        axis.set_title(name.removesuffix("-rsa"), loc="left")
        axis.set_xlabel("pixels per side")
    next(iter(axes.values())).set_ylabel("RSA (Spearman)")
    drawing.legend_below(figure, next(iter(axes.values())), 8, 0.12)
    return figure


def _training(plt, tables, rules, colours):
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, 2.6))
    training, layers = tables["training"], tables.get("layers")
    trained = [rule for rule in rules if rule in set(training["rule"])]
    for rule in trained:
        own = training[training["rule"] == rule].dropna(subset="accuracy")
        for _, curve in own.groupby("seed"):
            left.plot(curve["epoch"], curve["accuracy"], color=colours[rule], linewidth=0.4, alpha=0.5)
        left.plot(own.groupby("epoch")["accuracy"].mean(), color=colours[rule], linewidth=1.2, label=_short(rule))
    left.set_xlabel("epoch")
    left.set_ylabel("test accuracy")
    for axis, quantity in ((middle, "displacement"), (right, "angle")):
        if layers is None:
            axis.set_visible(False)
            continue
        own = layers[layers["quantity"] == quantity]
        names = list(dict.fromkeys(own["layer"]))
        for i, rule in enumerate(trained):
            rows = own[own["rule"] == rule].groupby(["seed", "layer"])["value"]
            last = rows.last().groupby("layer").mean().reindex(names)  # a layer that does not change has no angle
            width = 0.8 / len(trained)
            axis.bar(np.arange(len(names)) + (i - (len(trained) - 1) / 2) * width, last, width, color=colours[rule])
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    middle.set_ylabel("|W - W0| / |W0| at the end")
    right.set_ylabel("angle to backpropagation (degrees)")
    right.axhline(90, color=style.MUTED, linewidth=0.6, linestyle="--")
    drawing.legend_below(figure, left, len(trained), 0.08)
    return figure


def _filters(plt, filters):
    number = max(len(kernels) for kernels in filters.values())
    columns = min(number, 16)
    deep = -(-number // columns)
    figure, axes = plt.subplots(len(filters), 1, figsize=(WIDTH, 0.62 * deep * len(filters) + 0.2))
    for axis, (rule, kernels) in zip(np.atleast_1d(axes), filters.items(), strict=True):
        high, wide = kernels.shape[2:]
        canvas = np.ones((deep * (high + 1) - 1, columns * (wide + 1) - 1, 3))
        for i, kernel in enumerate(kernels):
            y, x = i // columns * (high + 1), i % columns * (wide + 1)
            canvas[y : y + high, x : x + wide] = 0.5 + 0.5 * kernel.transpose(1, 2, 0) / np.abs(kernel).max()
        axis.imshow(canvas, interpolation="nearest")
        axis.set_title(_short(rule), loc="left")
        axis.axis("off")
    figure.tight_layout()
    return figure
