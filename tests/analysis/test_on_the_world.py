"""The analyses of single units, usefulness, scores and training runs, from the command line to the answer."""

import json
from dataclasses import asdict

import pandas as pd
import pytest

from brainscore_granularity.brains import catalogue
from brainscore_granularity.cli import analyze as commands
from brainscore_granularity.cli import main as cli
from brainscore_granularity.weights import checkpoints

MODELS = ["granularity_world_own_k2_s1", "granularity_world_own_k8_s1", "granularity_world_native_s1"]


def analyze(name, results, *arguments):
    cli.main(["analyze", name, "--results", str(results), "--resamples", "10", *map(str, arguments)])
    folder = results / "analyses" / name
    record = json.loads((folder / "analysis.json").read_text())
    assert record["answer"].endswith(".") and record["simulated"]
    assert all((folder / figure["file"]).stat().st_size > 2000 for figure in record["figures"])
    return record, {table: pd.read_csv(folder / f"{table}.csv") for table in record["tables"]}


@pytest.mark.slow
def test_selectivity_of_coarse_and_native_networks(tmp_path):
    record, tables = analyze("selectivity", tmp_path, "--models", *MODELS,
                             "granularity_world_untrained_s1", "--images", "World", "--layers", "conv4",
                             "relu5")  # fmt: skip
    table = tables["selectivity"]
    assert set(table["layer"]) == {"relu5"} and set(table["model"]) == {*MODELS, "granularity_world_untrained_s1"}
    own = table[table["measure"] == "selectivity"].set_index("model")
    assert own.loc[MODELS[2], "value"] > own.loc["granularity_world_untrained_s1", "value"]
    assert own.loc[MODELS[2], "p"] < 0.2 and own.loc[MODELS[2], "value"] > own.loc[MODELS[2], "null"]
    assert f"{MODELS[0]} against {MODELS[2]}" in record["answer"]


def test_layers_before_a_relu_only_are_refused_by_name(tmp_path, capsys):
    with pytest.raises(SystemExit):
        analyze("selectivity", tmp_path, "--models", MODELS[0], "--images", "World", "--layers", "conv3", "conv4")
    assert "none of the layers (conv3, conv4) is the output of a ReLU" in capsys.readouterr().err


def test_usefulness_of_trained_networks_is_above_chance_and_shuffled_labels_are_not(tmp_path):
    record, tables = analyze("usefulness", tmp_path, "--models", *MODELS, "--images", "World", "--classes", "24",
                             "--layers", "relu5")  # fmt: skip
    probe = tables["usefulness"].query("task == 'probe'")
    assert (probe["low"] > probe["chance"]).all() and (probe["null"] < 0.7 * probe["accuracy"]).all()
    assert all(model in record["answer"] for model in MODELS)


def test_images_without_classes_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["analyze", "usefulness", "--models", MODELS[0], "--images", "World", "--classes", "1000",
                  "--results", str(tmp_path)])  # fmt: skip
    assert "1000 classes asked" in capsys.readouterr().err


@pytest.mark.slow
def test_agreement_reads_scores_and_is_done_again_when_they_change(tmp_path, capsys):
    from brainscore_granularity import runner
    from brainscore_granularity.runner import results

    models = [f"granularity_world_own_k{k}_s1" for k in (2, 8, 64)]
    benchmarks = ["World.IT-rsa", "World.V1-rsa"]
    asked = "--models", *models, "--benchmarks", *benchmarks
    with pytest.raises(SystemExit):
        analyze("agreement", tmp_path, *asked)
    assert "needs scores on two benchmarks" in capsys.readouterr().err
    runner.score_grid(models, benchmarks, tmp_path)
    record, tables = analyze("agreement", tmp_path, *asked)
    assert set(tables["slopes"]["scale"]) == set(benchmarks) and len(tables["curves"]) == 6
    assert "one seed only" in " ".join(record["warnings"])
    analyze("agreement", tmp_path, *asked)
    assert "agreement: unchanged" in capsys.readouterr().err
    changed = results.read(tmp_path, models[0], benchmarks[0])
    changed["subject_scores"] = {name: value / 2 for name, value in changed["subject_scores"].items()}
    results.write(tmp_path, changed)
    _, other = analyze("agreement", tmp_path, *asked)
    assert not other["slopes"].equals(tables["slopes"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two plain runs and one with an auxiliary loss, with weights along training."""
    import numpy as np
    from brainscore_granularity.training.loop import loop
    from brainscore_granularity.training.recipe import Execution, Recipe

    from brainscore_granularity.world import images as world

    drawn, folder = world.draw(8, seed=31), tmp_path_factory.mktemp("runs")
    shared = {"seed": 1, "epochs": 2, "batch_size": 64}
    coarse = world.taxonomy(drawn.fine, 2)
    for name, recipe, labels in (
        ("fine", Recipe("mini", "native", 64, **shared), drawn.fine),
        ("coarse", Recipe("mini", "taxonomy", 2, **shared), coarse),
        (
            "auxiliary",
            Recipe("mini", "native", 64, objective="auxiliary", auxiliary_k=2, auxiliary_weight=1.0, **shared),
            np.stack([drawn.fine, coarse], axis=1),
        ),
    ):
        about = {"run_id": name, "recipe": asdict(recipe), "classes": recipe.k, "simulated": True}
        loop.train(recipe, drawn.pixels, labels, folder=folder / name, description=about,
                   execution=Execution(device="cpu", snapshots_mb=1.17))  # fmt: skip
    return folder


@pytest.mark.slow
def test_dynamics_begin_at_the_untrained_network_and_end_at_the_trained_one(runs, tmp_path):
    _, tables = analyze("dynamics", tmp_path, "--runs", runs / "fine", runs / "coarse", "--benchmarks",
                        "World.IT-rsa", "--layers", "relu4")  # fmt: skip
    courses, native = tables["courses"], tables["native"]
    kept = {len(list((runs / name / "snapshots").iterdir())) for name in ("fine", "coarse")}
    assert courses["step"].min() == 0 and set(courses.groupby("run").size()) == kept
    first = courses[courses["step"] == 0].set_index("run")["value"]
    assert first.nunique() == 1  # the same start for all labels
    last = native[(native["run"] == "native") & (native["step"] == native["step"].max())]
    assert last["value"].min() == pytest.approx(1)


@pytest.mark.slow
def test_matched_compares_where_the_probes_are_equal(runs, tmp_path):
    record, tables = analyze("matched", tmp_path, "--runs", runs / "fine", runs / "coarse", "--benchmarks",
                             "World.IT-rsa", "--layers", "relu4")  # fmt: skip
    found, tracks = tables["matched"], tables["tracks"]
    lowest = tracks.groupby("run")["accuracy"].max().min()
    assert found["level"].min() == pytest.approx(lowest)
    assert found[found["level"] == found["level"].min()]["reached"].all()
    assert found.loc[found["model"] == "native", "difference"].dropna().eq(0).all()
    assert "minus that of native" in record["answer"]


@pytest.mark.slow
def test_objectives_are_compared_with_plain_fine_and_plain_coarse(runs, tmp_path, capsys):
    folders = [runs / name for name in ("fine", "coarse", "auxiliary")]
    asked = "--benchmarks", "World.IT-rsa", "--layers", "relu4"
    _, tables = analyze("objectives", tmp_path, "--runs", *folders, *asked)
    table = tables["objectives"].set_index("objective")
    (other,) = [name for name in table.index if "auxiliary" in name]
    assert table.loc[other, ["against fine", "against coarse"]].notna().all()
    assert table.loc[other, "against fine"] == pytest.approx(table.loc[other, "value"] - table.loc["native", "value"])
    with pytest.raises(SystemExit):
        analyze("objectives", tmp_path, "--runs", *folders[:2], *asked)
    assert "needs two plain runs, one coarse and one fine, and others" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        analyze("objectives", tmp_path, "--runs", tmp_path, *asked)
    assert "no run.json there" in capsys.readouterr().err


@pytest.mark.slow
def test_scaling_finds_the_planted_change_a_doubling_and_takes_networks_of_any_layers(tmp_path):
    from math import log2

    import numpy as np

    from brainscore_granularity.runner import results

    for k in (2, 4, 8, 16, 64):
        for seed in (1, 2):
            model = f"granularity_world_own_k{k}_s{seed}"
            value = 0.2 + 0.05 * log2(k) + (seed - 1.5) * 1e-3
            results.write(tmp_path, {"model": model, "benchmark": "World.IT-rsa", "status": "ok", "value": value})
    other = "scaling_resnet18_w1of16_untrained_s1"  # has other layers, and is on no axis
    results.write(tmp_path, {"model": other, "benchmark": "World.IT-rsa", "status": "ok", "value": 0.1})
    record, tables = analyze("scaling", tmp_path, "--models", "granularity_world_own_*", other,
                             "--benchmarks", "World.IT-rsa")  # fmt: skip
    found = tables["parameters"].query("axis == 'classes' and parameter == 'k'").iloc[0]
    assert found["value"] * np.log(2) == pytest.approx(0.05, abs=0.002) and found["models"] == 10
    assert found["low"] <= found["value"] <= found["high"] and found["identified"]
    assert "+0.050" in record["answer"] and len(tables["points"]) == 10
    assert set(tables["curves"]["axis"]) == {"classes"}
    assert {figure["file"] for figure in record["figures"]} == {"scaling_classes.svg", "scaling_classes.pdf"}


def test_scaling_without_scores_says_how_to_make_them(tmp_path, capsys):
    with pytest.raises(SystemExit):
        analyze("scaling", tmp_path, "--models", MODELS[0], "--benchmarks", "World.IT-rsa")
    assert "`granularity score` with the same --models" in capsys.readouterr().err


def test_models_of_a_pattern_that_are_not_trained_are_left_out_and_named_ones_are_an_error(tmp_path, home, capsys):
    with pytest.raises(checkpoints.CheckpointError, match="granularity_imagenet_clip_k8_s1"):
        commands.trained(["granularity_imagenet_clip_k8_s1"])
    with pytest.raises(ValueError, match="none of .* models is trained"):
        commands.trained(["granularity_imagenet_clip_k*_s1"])
    assert set(commands.trained(["granularity_imagenet_*"])) < set(
        catalogue.select("models", ["granularity_imagenet_*"])
    )
    assert "left out, not trained yet" in capsys.readouterr().err
