import re
from pathlib import Path

import pandas as pd
import pytest

from brainscore_granularity import runner
from brainscore_granularity.report import chosen_layers, conditions, differences, one_image_set
from brainscore_granularity.report.measures import ONE_IMAGE_SET

PAGE = Path(__file__).parents[2] / "docs" / "results.md"
MODELS = ["granularity_tiny_own_k8_s1", "granularity_tiny_native_s1", "granularity_tiny_fitted_s1"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory, real_data):
    folder = real_data / "kriegeskorte92"
    if not folder.is_dir():
        pytest.skip(f"no kriegeskorte92 in {real_data}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINSCORE_GRANULARITY_KRIEGESKORTE92", str(folder))
        scores = runner.score_grid(MODELS, ONE_IMAGE_SET.values(), tmp_path_factory.mktemp("results"))
        yield scores, {model: one_image_set.layer_rdms(model) for model in MODELS}


def page_row(block, condition):
    """Numbers of one row of a table of the page."""
    text = re.search(rf"<!-- {block} -->\n(.*?)<!-- end -->", PAGE.read_text(), flags=re.S)[1]
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {condition} |")]
    return [float(number) for cell in line.split("|")[2:] for number in re.findall(r"(?<![a-z\d])[+-]?\d\.\d+", cell)]


@pytest.mark.slow
def test_the_page_has_the_scores_that_the_networks_get(measured):
    scores, _ = measured
    for model in MODELS:
        numbers = page_row("by depth", conditions.of(model).name)
        found = [scores[(scores["model"] == model) & (scores["benchmark"] == b)] for b in ONE_IMAGE_SET.values()]
        assert numbers[::3] == pytest.approx([row["raw"].item() for row in found], abs=0.002)


@pytest.mark.parametrize("baseline", ["native", "fitted"])
def test_the_page_has_the_differences_to_native_and_to_what_has_not_learned(measured, baseline):
    scores, rdms = measured
    scale_of = {name: scale for scale, name in ONE_IMAGE_SET.items()}
    chosen = {(scale_of[row.benchmark], row.model): row.layer for row in scores.itertuples()}
    found = differences.against(baseline, rdms, one_image_set.estimates(rdms, chosen))
    assert set(found["model"]) == {model for model in MODELS if baseline not in model}
    found = found[found["model"] == MODELS[0]].set_index("scale")
    numbers = page_row(f"by depth against {baseline}", "8")
    assert numbers[::4] == pytest.approx([found.loc[s, "difference"] for s in ONE_IMAGE_SET], abs=0.003)
    assert numbers[1::4] == pytest.approx([found.loc[s, "low"] for s in ONE_IMAGE_SET], abs=0.01)


@pytest.mark.slow
def test_the_page_has_the_scores_of_chosen_layers(measured):
    found = chosen_layers.cross_validated(measured[1], chosen_layers.choices(measured[1]))
    for model in MODELS:
        own = found[found["model"] == model].set_index("scale").loc[list(ONE_IMAGE_SET)]
        numbers = page_row("cross-validated", conditions.of(model).name)
        assert numbers == pytest.approx(own[["raw", "low", "high"]].to_numpy().ravel(), abs=0.003)


def test_every_layer_includes_the_committed_one_with_its_score(measured):
    scores, rdms = measured
    layers = one_image_set.every_layer(rdms, permutations=49).set_index(["scale", "model", "layer"])
    for row in scores.itertuples():
        scale = next(s for s, name in ONE_IMAGE_SET.items() if name == row.benchmark)
        assert layers.loc[(scale, row.model, row.layer), "raw"] == pytest.approx(row.raw, abs=1e-6)
    assert layers["p"].between(0.02, 1).all()


def test_filling_a_page_leaves_its_prose_and_names_a_missing_block(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- end -->\nafter\n")
    one_image_set.fill(page, {"a": "new"})
    assert page.read_text() == "before\n<!-- a -->\nnew\n<!-- end -->\nafter\n"
    with pytest.raises(ValueError, match="one block <!-- b -->"):
        one_image_set.fill(page, {"b": "new"})


def test_missing_scores_are_said_before_anything_is_computed(tmp_path):
    none = pd.DataFrame({"model": [], "benchmark": [], "status": []})
    with pytest.raises(ValueError, match="9 scores are missing"):
        one_image_set.write(none, tmp_path / "page.md", tmp_path / "figure.svg", MODELS)
