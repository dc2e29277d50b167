from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from brainscore_granularity.cli.tables import print_scores, print_world_table
from brainscore_granularity.report import answer, comparison, curves, embed, layer_figure, measures, summary
from brainscore_granularity.report.granularity_figure import world_figure
from brainscore_granularity.runner import results


def record(model, benchmark, value, low, high):
    return {
        "model": model,
        "benchmark": benchmark,
        "status": "ok",
        "value": value,
        "raw": value * 0.9,
        "interval": [low, high],
        "ceiling": {"lower": 0.8, "upper": 0.9},
        "error": 0.01,
        "simulated": True,
        "started": "2026-01-01T00:00:00",
        "versions": {"python": "3.11"},
    }


@pytest.fixture
def records():
    values = {"untrained": 0.05, "own_k2": 0.7, "own_k16": 0.5, "native": 0.4}
    rows = []
    for condition, value in values.items():
        for seed, shift in ((1, -0.02), (2, 0.02)):
            model = f"granularity_world_{condition}_s{seed}"
            for benchmark, sign in (("World.IT-rsa", 1), ("World_fine.IT-rsa", 0.5), ("World_null.IT-rsa", 0)):
                mean = sign * (value + shift)
                rows.append(record(model, benchmark, mean, mean - 0.03, mean + 0.03))
    return rows


def test_seeds_are_averaged_and_conditions_are_in_order(records):
    rows = summary.by_condition(results.table(records))
    coarse = rows[rows["benchmark"] == "World.IT-rsa"]
    assert list(coarse["condition"]) == ["untrained", "2", "16", "native"]
    assert coarse["value"].tolist() == pytest.approx([0.05, 0.7, 0.5, 0.4]) and set(coarse["seeds"]) == {2}
    assert coarse["low"].tolist() == pytest.approx([0.02, 0.67, 0.47, 0.37])


def test_best_is_a_trained_condition_and_only_where_there_is_one(records):
    rows = summary.by_condition(results.table(records))
    assert summary.best(rows, "World.IT-rsa")["condition"] == "2"
    assert summary.best(rows, "World_null.IT-rsa") is None
    assert not summary.is_best(rows, "World.IT-rsa", "untrained")


def test_failed_scores_and_other_models_are_left_out(records):
    failed = {"model": "granularity_world_own_k4_s1", "benchmark": "World.IT-rsa", "status": "failed", "reason": "x"}
    rows = summary.by_condition(results.table([*records, failed, record("alexnet", "World.IT-rsa", 0.9, 0.8, 1.0)]))
    assert set(rows["condition"]) == {"untrained", "2", "16", "native"}


def test_the_answer_states_peak_value_and_interval(records):
    said = answer.simulated(curves.by_scale(records))
    assert "<strong>2 classes</strong>" in said and "0.70 of its noise ceiling" in said
    assert "0.67 to 0.73" in said and "simulated" in said and "null" not in said


@pytest.mark.parametrize(
    ("value", "fitted", "verdict"),
    [
        (0.9, 0.1, "better than"),
        (0.1, 0.05, "worse than"),
        (0.42, 0.1, "as well as"),  # +.02 within a quarter of .30
        (0.42, 0.3, "it is not decided"),  # the same difference against a quarter of .10
        (0.42, None, "it is not decided"),  # no baseline, no margin
    ],
)
def test_the_verdict_on_measured_brains_follows_the_difference_and_what_learning_brings(value, fitted, verdict):
    benchmark = "Kriegeskorte2008.hIT-rsa"
    rows = [
        {**record(f"granularity_tiny_{labels}_s1", benchmark, v, v - 0.02, v + 0.02), "simulated": False}
        for labels, v in (("own_k2", value), ("own_k8", value - 0.05), ("native", 0.4), ("fitted", fitted))
        if v is not None
    ]  # fmt: skip
    said = answer.measured(curves.by_scale(rows), "granularity_tiny")
    assert f"<strong>{verdict}</strong>" in said and "2 classes for fMRI" in said and "one seed" in said
    best, native, difference, low, high, *_ = answer.against_native(curves.by_scale(rows)[0].lines[0])
    assert (best.place, difference) == (2, pytest.approx(value - 0.4))
    assert high - low == pytest.approx(2 * 2.2414 * (2 * 0.01**2) ** 0.5, rel=1e-3)  # Bonferroni over two


def test_networks_without_all_benchmarks_of_a_scale_do_not_shift_its_mean(records):
    def fmri(model, benchmark, value):
        return {**record(model, benchmark, value, value, value), "simulated": False}

    names = ("Allen2022_fmri.V1-rsa", "Allen2022_fmri.IT-rsa")
    rows = [fmri(f"granularity_tiny_own_k{k}_s1", name, 0.5) for k in (2, 4, 8) for name in names]
    rows.append(fmri("granularity_tiny_own_k16_s1", names[0], 0.9))
    (panel,) = curves.by_scale(rows)
    assert [p.place for p in panel.lines[0].means] == [2, 4, 8] and panel.left_out == 1 and panel.title == "fMRI"


def test_every_benchmark_of_ours_belongs_to_a_scale():
    from brainscore_granularity.brains import catalogue

    ours = [name for name in catalogue.ours("benchmarks") if not name.startswith("World")]
    assert {measures.scale(name) for name in ours} == set(measures.SCALES)
    assert {measures.measure(f"World.{what}").panel for what in ("IT-rsa", "V1-rsa", "triplet")} == {
        "IT",
        "V1",
        "behaviour",
    }


def test_comparison_tells_identical_noise_and_change_apart(records):
    after = [dict(r) for r in records]
    after[0] = {**after[0], "value": after[0]["value"] + 0.01}
    after[1] = {**after[1], "value": after[1]["value"] + 0.2, "fingerprint": {"checkpoint": "other"}}
    after[2] = {**after[2], "status": "failed"}
    table = comparison.changes(records[:-1], after)
    assert table["kind"].tolist()[:3] == ["within noise", "beyond noise", "status changed"]
    assert table["kind"].iloc[-1] == "only in B" and table.loc[1, "why"] == "weights"
    assert (table["kind"] == "identical").sum() == len(records) - 4 and "1 beyond noise" in comparison.sentence(table)
    assert table.loc[1, "low"] == pytest.approx(0.2 - 1.96 * 0.01 * 2**0.5, abs=1e-4)


def test_figure_is_the_same_for_the_same_scores_and_is_well_formed(records):
    table = results.table(records)
    first, second = world_figure(table), world_figure(table)
    assert first == second
    ElementTree.fromstring(first)


def test_an_embedded_figure_is_the_figure():
    svg = """<svg xmlns="http://www.w3.org/2000/svg">
      <style>*{stroke: #a1b2c3}</style><path d="M 1 2\nL 3 4"/><text>50% &lt; K &amp; it's "all"</text>
    </svg>"""
    images = []
    page = HTMLParser()
    page.handle_starttag = lambda tag, attributes: images.append((tag, dict(attributes)))
    page.feed(embed.svg_image(svg, "a < b"))
    [(tag, image)] = images
    head, _, address = image["src"].partition(",")
    assert tag == "img" and head == "data:image/svg+xml" and image["alt"] == "a < b"
    assert ElementTree.canonicalize(unquote(address), strip_text=True) == ElementTree.canonicalize(
        " ".join(svg.split()), strip_text=True
    )


def test_terminal_tables_hold_the_numbers_and_say_simulated(records, capsys):
    table = results.table(records)
    print_world_table(table)
    out = capsys.readouterr().out
    assert "SIMULATED" in out and "0.70" in out and "0.67 0.73" in out and "native" in out
    failed = {"model": "m", "benchmark": "World.IT-rsa", "status": "failed", "reason": "the reason"}
    print_scores(results.table([*records[:1], failed]))
    out = capsys.readouterr().out
    assert "simulated" in out and "the reason" in out


def resampled(record, values):
    from brainscore_granularity.runner.record import written

    return {**record, "resampled": written(values)}


def test_the_interval_of_a_difference_is_paired_where_both_scores_have_the_same_resamples():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.05, 400)  # images that are hard for all networks
    own = {labels: rng.normal(0, 0.005, 400) for labels in ("own_k2", "native")}
    rows = [
        resampled({**record(f"granularity_tiny_{labels}_s1", "Kriegeskorte2008.hIT-rsa", v, v - 0.1, v + 0.1),
                   "error": 0.05, "simulated": False}, v + shared + own[labels])
        for labels, v in (("own_k2", 0.45), ("native", 0.4))
    ]  # fmt: skip
    found = answer.against_native(curves.by_scale(rows)[0].lines[0])
    assert found.paired and found.low == pytest.approx(0.05 - 1.96 * 0.005 * 2**0.5, abs=2e-3)
    assert "of paired differences" in answer.measured(curves.by_scale(rows), "granularity_tiny")
    without = answer.against_native(curves.by_scale([rows[0], {**rows[1], "resampled": None}])[0].lines[0])
    assert not without.paired and without.low < 0 < found.low
    said = answer.measured(curves.by_scale([rows[0], {**rows[1], "resampled": None}]), "granularity_tiny")
    assert "as independent, which is too wide" in said


def test_resamples_of_seeds_and_benchmarks_are_averaged():
    rows = [
        resampled(record(f"granularity_world_{labels}_s{seed}", name, 0.5, 0.4, 0.6), [seed + shift, 2.0])
        for labels in ("own_k2", "native")
        for seed in (1, 2)
        for name, shift in (("World.IT-rsa", 0.0),)
    ]
    (panel,) = curves.by_scale(rows)
    assert panel.lines[0].means[0].resampled.tolist() == [1.5, 2.0]


def test_a_comparison_is_paired_on_the_same_benchmark_only():
    rng = np.random.default_rng(1)
    shared = rng.normal(0, 0.05, 400)
    before = {**record("m", "World.IT-rsa", 0.5, 0.4, 0.6), "error": 0.05, "fingerprint": {"benchmark_version": 1}}
    after = {**before, "value": 0.53}
    before, after = resampled(before, 0.5 + shared), resampled(after, 0.53 + shared + rng.normal(0, 0.005, 400))
    table = comparison.changes([before], [after])
    assert table.loc[0, "kind"] == "beyond noise" and table.loc[0, "paired"]
    other = {**after, "fingerprint": {"benchmark_version": 2}}
    table = comparison.changes([before], [other])
    assert table.loc[0, "kind"] == "within noise" and not table.loc[0, "paired"]


@pytest.mark.slow
def test_a_real_score_keeps_its_resamples_and_their_spread_is_its_error(tmp_path):
    from brainscore_granularity import runner
    from brainscore_granularity.runner.record import resampled_of

    models = ["granularity_world_own_k2_s1", "granularity_world_untrained_s1"]
    runner.score_grid(models, ["World.IT-rsa"], tmp_path)
    one, other = results.read_all(tmp_path)
    a, b = resampled_of(one), resampled_of(other)
    assert len(a) == len(b) == 400 and a.std(ddof=1) == pytest.approx(one["error"], rel=0.15)
    assert {"resampled"}.isdisjoint(results.long_table([one]).columns)


def test_differences_of_odd_one_out_scores_are_paired_without_their_surplus(tmp_path):
    """From the files: the error of the difference is that of the difference of the models' choices."""
    from brainscore_vision import load_benchmark
    from given_model import Given

    from brainscore_granularity import stats
    from brainscore_granularity.rsa import triplets
    from brainscore_granularity.runner.record import describe_score, resampled_of

    benchmark, rng = load_benchmark("World.triplet"), np.random.default_rng(0)
    shared = rng.normal(size=(256, 30))
    given = [shared + rng.normal(size=shared.shape) for _ in range(2)]
    records = [{**record("m", "World.triplet", 0, 0, 0), **describe_score(benchmark(Given(x)))} for x in given]
    lines = [resampled_of(one) for one in records]
    assert [x.shape for x in lines] == [(2, 400)] * 2
    correct = [triplets.choice_probabilities(triplets.similarity(x, "cosine"), benchmark.triplets)[:, 2] for x in given]
    span = float(benchmark.ceiling) - 1 / 3
    exact = stats.triplet_mean(correct[0] - correct[1], benchmark.overlaps)
    variance, paired = answer.difference_variance(*((one["error"], x) for one, x in zip(records, lines, strict=True)))
    assert paired and 0.7 < np.sqrt(variance) / (exact.error / span) < 1.4  # 2.6 by a bootstrap of images
    assert records[0]["error"] < 1.5 * np.sqrt(0.25 / 4000) / span  # not the 2.6 times of a bootstrap of images
    table = comparison.changes([records[0]], [{**records[1], "fingerprint": None}])
    assert table.loc[0, "paired"] and table.loc[0, "difference"] == pytest.approx(-exact.value / span)


def test_means_over_benchmarks_with_and_without_a_surplus():
    from brainscore_granularity.runner.record import written

    kinds = ({"resampled": written([0.2, 0.4])}, {"resampled": written([0.4, 0.8]), "surplus": written([0.1, -0.1])})
    names = [f"granularity_world_own_k2_s{seed}" for seed in (1, 2)]
    known = {(name, "b"): {**record(name, "b", 0.5, 0.4, 0.6), **kind} for name, kind in zip(names, kinds, strict=True)}
    drawn = curves._resampled({seed: [(2, seed, name, "b")] for seed, name in enumerate(names)}, known)
    np.testing.assert_allclose(drawn, [[0.3, 0.6], [0.05, -0.05]])


def test_layers_are_panels_with_a_line_for_each_number_of_classes():
    layers = {"conv1": {"value": 0.1, "raw": 0.09}, "relu1": {"reason": "no RDM"}, "fc2": {"value": 0.3, "raw": 0.27}}
    rows = [
        {**record(f"granularity_world_{labels}_s{seed}", "World.IT-rsa", 0.3, 0.2, 0.4), "layers": layers,
         "layer": "fc2"}
        for labels in ("untrained", "own_k64", "own_k2", "native", "random_k8") for seed in (1, 2)
    ]  # fmt: skip
    (panel,) = layer_figure.panels([*rows, record("pixels", "World.IT-rsa", 0.1, 0, 0.2)])
    names = [p.condition.label for p in panel.profiles]
    assert names == ["untrained", "2 classes", "64 classes", "native", "random 8"] and panel.layers == [*layers]
    assert [p.look for p in panel.profiles] == ["untrained", "k0", "k5", "native", "control"]
    assert panel.profiles[1].committed == {2} and panel.profiles[1].seeds == 2
    drawn = layer_figure.of_one_source(panel)
    assert [p.condition.label for p in drawn.profiles] == names[:-1]
    ElementTree.fromstring(layer_figure.draw(drawn, {"value": (0, 1), "raw": (0, 1)}))
    table = layer_figure.tidy([panel])
    assert len(table) == 15 and table["value"].isna().sum() == 5
    assert layer_figure.section([record("granularity_world_native_s1", "World.IT-rsa", 0.1, 0, 0.2)]) == ""
