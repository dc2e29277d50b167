import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from brainscore_granularity import results
from brainscore_granularity.report import page, summary
from brainscore_granularity.report.granularity_figure import world_figure
from brainscore_granularity.report.terminal import print_scores, print_world_table


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
    answer = page.answer(summary.by_condition(results.table(records)))
    assert "<strong>2 classes</strong>" in answer and "0.70 of its noise ceiling" in answer
    assert "0.67 to 0.73" in answer and "simulated" in answer


def test_figure_is_the_same_for_the_same_scores_and_is_well_formed(records):
    table = results.table(records)
    first, second = world_figure(table), world_figure(table)
    assert first == second
    ElementTree.fromstring(first)


def test_page_is_one_file_without_script_or_network_and_marked_simulated(records, tmp_path):
    path = tmp_path / "report.html"
    table = results.table(records)
    page.write_world_report(table, records, world_figure(table), path)
    text = path.read_text()
    HTMLParser().feed(text)
    assert "<script" not in text and "Simulated subjects." in text and len(text) < 1_000_000
    links = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)""", text)
    assert not [link for link in links if not link.startswith("data:")]
    for cell in ("0.700", "noise ceiling, upper", "2 classes"):
        assert cell in text


def test_terminal_tables_hold_the_numbers_and_say_simulated(records, capsys):
    table = results.table(records)
    print_world_table(table)
    out = capsys.readouterr().out
    assert "SIMULATED" in out and "0.70" in out and "0.67 0.73" in out and "native" in out
    failed = {"model": "m", "benchmark": "World.IT-rsa", "status": "failed", "reason": "the reason"}
    print_scores(results.table([*records[:1], failed]))
    out = capsys.readouterr().out
    assert "simulated" in out and "the reason" in out
