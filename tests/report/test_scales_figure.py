"""The figure of one image set at every scale, with MEG where it is scored."""

import re
from pathlib import Path

import pandas as pd
import pytest

from brainscore_granularity.report import measures, style
from brainscore_granularity.report.scales_figure import scales_figure

MODELS = ["granularity_tiny_untrained_s1", "granularity_tiny_own_k8_s1", "granularity_tiny_native_s1"]


def scored(benchmarks):
    numbers = {"raw": 0.2, "value": 0.4, "interval_low": 0.3, "interval_high": 0.5}
    bounds = {"ceiling_lower": 0.4, "ceiling_upper": 0.5}
    return pd.DataFrame([
        {"model": model, "benchmark": benchmark, **numbers, **bounds} for benchmark in benchmarks for model in MODELS
    ])  # fmt: skip


@pytest.mark.parametrize("with_meg", [False, True])
def test_meg_has_a_panel_where_it_is_scored_with_open_marks_only(with_meg):
    benchmarks = [*measures.ONE_IMAGE_SET.values(), *(measures.SAME_OBJECTS.values() if with_meg else ())]
    chosen = pd.DataFrame([
        {"scale": scale, "model": model, "raw": 0.3, "low": 0.2, "high": 0.4}
        for scale in measures.ONE_IMAGE_SET for model in MODELS
    ])  # fmt: skip
    svg = scales_figure(chosen, scored(benchmarks))
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == len(benchmarks)
    colour, filled = style.COLOURS["MEG"].lower(), f"fill: {style.COLOURS['fMRI'].lower()}; stroke: #ffffff"
    assert svg.count(filled) == len(MODELS) and f"fill: {colour}" not in svg
    assert (colour in svg) == with_meg


def test_every_scale_has_a_colour_of_its_own_in_figures_and_report():
    css = Path(measures.__file__).with_name("report.css").read_text()
    for scale in measures.SCALES:
        assert f".c-{scale} {{ color: var(--{scale}); }}" in css
        assert len(re.findall(rf"--{scale}: #[0-9a-f]{{6}};", css)) == 2  # light and dark
    assert len({style.COLOURS[scale] for scale in measures.SCALES}) == len(measures.SCALES)
