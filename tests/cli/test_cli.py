import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from brainscore_granularity.brains import catalogue
from brainscore_granularity.cli import main as cli
from brainscore_granularity.datasets import kriegeskorte2008
from brainscore_granularity.runner import results
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import checkpoint_of

MODEL = "granularity_world_own_k2_s1"


GRANULARITY = "import sys; from brainscore_granularity.cli.main import main; sys.exit(main())"


def run(*arguments):
    """In this process; returns the exit code."""
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return exit_.code or 0
    return 0


@pytest.mark.parametrize("verb", [None, *cli.VERBS])
def test_help_has_a_description_and_a_working_example(verb, capsys):
    assert run(*([verb] if verb else []), "--help") == 0
    out = capsys.readouterr().out
    assert "usage: granularity" in out and ("Example: granularity" in out or verb is None)


def test_the_overview_names_every_verb_in_its_own_words_and_a_closed_pipe_is_no_error(capsys):
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out for verb in cli.VERBS) and "Choose the layers of models" in out
    assert run("data", "prepare") == 0
    assert "  things-fmri " in capsys.readouterr().out
    command = [sys.executable, "-m", "brainscore_granularity.cli", "--help"]
    closed, pipe = os.pipe()
    os.close(closed)
    done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True)
    os.close(pipe)
    assert "Traceback" not in done.stderr


def test_score_prints_and_writes_and_results_reads(tmp_path, capsys):
    folder = tmp_path / "results"
    assert run("score", "--models", MODEL, "--benchmarks", "World.IT*", "--results", folder) == 0
    out = capsys.readouterr().out
    assert MODEL in out and "simulated" in out and "1 scored, 0 failed" in out
    assert run("results", folder, "--csv") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["subject"]) == ["all", "sim01", "sim02", "sim03", "sim04"] and set(table["model"]) == {MODEL}
    assert table.loc[1:, "raw"].mean() == pytest.approx(table.loc[0, "raw"])
    assert run("results", folder, "--parquet", tmp_path / "scores.parquet") == 0
    assert pd.read_parquet(tmp_path / "scores.parquet")["raw"].equals(table["raw"])


@pytest.mark.slow
def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path, capsys):
    folder = tmp_path / "results"
    grid = ["score", "--models", MODEL, "--benchmarks", "World.*", "--results", folder]
    assert run(*grid, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "3 to score" in out and "not scored yet" in out and "from one batch" in out and not folder.exists()
    run("score", "--models", MODEL, "--benchmarks", "World.IT*", "--results", folder)
    capsys.readouterr()
    assert run(*grid, "--dry-run") == 0
    assert "1 done, 2 to score" in capsys.readouterr().out


def test_offline_a_missing_download_is_named_and_costs_its_own_pair(tmp_path, capsys, home, monkeypatch):
    monkeypatch.delenv(kriegeskorte2008.FOLDER_VARIABLE, raising=False)  # the files may be here
    grid = ["score", "--models", MODEL, "--benchmarks", "Kriegeskorte2008.hIT-rsa", "World.IT-rsa"]
    assert run(*grid, "--results", tmp_path / "r", "--offline") == 1
    assert "1 scored, 1 failed (1 lack data)" in capsys.readouterr().out
    assert run("results", tmp_path / "r", "--failed") == 0
    assert "Kriegeskorte2008.hIT-rsa" in capsys.readouterr().out


def test_results_show_a_matrix_with_what_is_missing(tmp_path, capsys):
    record = {"status": "ok", "value": 0.5, "raw": 0.4}
    results.write(tmp_path, {**record, "model": "a", "benchmark": "x"})
    results.write(tmp_path, {**record, "model": "b", "benchmark": "y", "status": "failed", "reason": "broken"})
    assert run("results", tmp_path) == 0
    out = capsys.readouterr().out
    assert "0.500" in out and "failed" in out and out.count("-") > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "--models", "granularity_world_own_k3_s1", "--benchmarks", "World.IT-rsa"], "own_k2_s1"),
        (["score", "--models", MODEL, "--benchmarks", "World.I-rsa"], "nearest: World.IT-rsa"),
        (["results", "no/such/folder"], "no results folder no/such/folder"),
        (["commit", MODEL, "--selection", "World"], "no selection 'World'; there are: World_selection"),
        (["layers", MODEL, "--benchmark", "Allen2022_fmri.V1-rdm"], "layers are scored on our benchmarks only"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and captured.err.startswith("error: ")
    with pytest.raises((ValueError, OSError)):
        run("--debug", *arguments)


def test_unknown_settings_are_errors(capsys):
    assert run("score", "--modles", MODEL) == 2
    assert "modles" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["weights", "description"])
def test_a_damaged_checkpoint_is_named_with_the_mend(damage, home, tmp_path, capsys):
    shipped = checkpoint_of(MODEL)
    saved = checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    (saved.weights if damage == "weights" else saved.weights.parent / f"{MODEL}.json").write_bytes(b"rubbish")
    assert run("score", "--models", MODEL, "--benchmarks", "World.IT-rsa", "--results", tmp_path / "r") == 1
    said = "".join(capsys.readouterr())
    assert str(home / "checkpoints") in said and "granularity demo" in said


def test_no_space_is_one_clear_line(forked, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=3", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        words = ["score", "--models", MODEL, "--benchmarks", "World.IT-rsa", "--results", disk / "r"]
        done = forked.run(GRANULARITY, *words)
        assert done.returncode == 1 and "no space left" in done.stderr and "Traceback" not in done.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_cannot_be_written_is_named(forked, tmp_path):
    (tmp_path / "file").write_text("a file where a folder is needed")
    words = ["score", "--models", MODEL, "--benchmarks", "World.IT-rsa", "--results", tmp_path / "file"]
    done = forked.run(GRANULARITY, *words)
    assert done.returncode == 1 and str(tmp_path / "file") in done.stderr and "Traceback" not in done.stderr


def test_interrupting_the_demo_loses_nothing_that_was_finished(forked, tmp_path):
    environment = {**os.environ, "BRAINSCORE_GRANULARITY_HOME": str(tmp_path / "home")}
    process = forked.start(GRANULARITY, "demo", "--to", tmp_path, env=environment)
    store = tmp_path / "home" / "checkpoints"
    deadline = time.monotonic() + 300
    while len(list(store.glob("*.json"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Finished work is kept" in process.stderr and "Traceback" not in process.stderr
    for description in store.glob("*.json"):
        assert checkpoints.read(store, description.stem).is_intact()
    assert len(list(store.glob("*.safetensors"))) == len(list(store.glob("*.json"))) >= 2


def test_models_lists_every_id_with_its_state(capsys):
    assert run("models") == 0
    *lines, empty, summary = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == catalogue.ours("models") and not empty
    states = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert states[MODEL].startswith("ready, shipped with the package, validation accuracy 0.9")
    assert states["granularity_imagenet_untrained_s1"] == "ready, built from its seed"
    untrained = [name for name, state in states.items() if state == "not trained here"]
    assert (
        summary.startswith(f"{len(untrained)} cannot be loaded yet") and "granularity_imagenet_clip_k8_s1" in untrained
    )


def test_models_by_name_says_how_to_get_one(capsys):
    assert run("models", "granularity_imagenet_clip_k8_s1") == 0
    assert "granularity train --recipe imagenet --data IMAGES --labels clip --k 8 --seed 1" in capsys.readouterr().out


def test_benchmarks_lists_every_id_with_the_state_of_its_data(capsys):
    assert run("benchmarks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == catalogue.ours("benchmarks")
    states = dict(zip(catalogue.ours("benchmarks"), lines, strict=True))
    assert "ready; simulated, 256 images, 4 subjects, records IT" in states["World.IT-rsa"]
    assert "needs `granularity data prepare nsd --from DIR`; measured, 515 images" in states["Allen2022_fmri.V3-rsa"]
    assert "downloadable from Brain-Score's store; measured" in states["Li2026.IT-rsa"]


@pytest.mark.slow
def test_commit_chooses_layers_again(home, capsys):
    shipped = checkpoint_of(MODEL)
    checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info, half=True)
    assert run("commit", MODEL) == 0
    written = home / "region_layer_map" / f"{MODEL}.json"
    assert str(written) in capsys.readouterr().out
    assert set(json.loads(written.read_text())) == {"V1", "V2", "V4", "IT", "behavior"}


@pytest.mark.slow
def test_layers_prints_a_table_a_benchmark_and_csv(capsys):
    arguments = ["layers", MODEL, "--benchmark", "World.V1-rsa", "World.IT-rsa", "--layers", "relu1", "fc5"]
    assert run(*arguments, "--permutations", "9") == 0
    out = capsys.readouterr().out
    assert "World.V1-rsa (simulated)" in out and "World.IT-rsa (simulated)" in out and "> fc5" in out
    assert run(*arguments, "--permutations", "9", "--csv") == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.startswith("layer,value,raw,p,committed,sim01") and len(rows) == 4


@pytest.mark.slow
@pytest.mark.parametrize("how", [("--permutations", "9"), ("--cross-validate", "--splits", "5")])
def test_layers_scales_features_where_asked(how, capsys):
    arguments = ["layers", MODEL, "--benchmark", "World.IT-rsa", "--layers", "relu2", "relu5", *how]
    tables = {}
    for scaling in ("none", "z-score"):
        assert run(*arguments, "--csv", "--scaling", scaling) == 0
        tables[scaling] = pd.read_csv(io.StringIO(capsys.readouterr().out))
        assert set(tables[scaling]["scaling"]) == {scaling}
        assert run(*arguments, "--scaling", scaling) == 0
        assert ("z-scored" in capsys.readouterr().out) == (scaling == "z-score")
    assert (tables["none"]["raw"] - tables["z-score"]["raw"]).abs().min() > 1e-3
    assert run(*arguments[:3], "World.triplet", "--scaling", "z-score") == 1
    assert "World.triplet compares features as they are" in capsys.readouterr().err


def test_patterns_match_ours_and_brain_scores():
    assert catalogue.select("models", ["granularity_world_own_k2_*", "alexnet"]) == [
        "granularity_world_own_k2_s1",
        "granularity_world_own_k2_s2",
        "alexnet",
    ]
    assert "Allen2022_fmri.IT-rdm" in catalogue.select("benchmarks", ["*IT-r*"])


@pytest.mark.slow
def test_every_result_of_a_failed_grid_is_kept_and_the_exit_code_says_so(tmp_path, home, capsys):
    shipped = checkpoint_of(MODEL)
    saved = checkpoints.save(checkpoints.default_store(), MODEL, shipped.state_dict(), shipped.info)
    Path(home / "region_layer_map").mkdir(parents=True)
    layers = {"V1": "relu1", "IT": "nowhere", "behavior": "relu5"}
    Path(home / "region_layer_map" / f"{MODEL}.json").write_text(json.dumps(layers))
    assert saved.is_intact()
    assert run("score", "--models", MODEL, "--benchmarks", "World.*", "--results", tmp_path / "r") == 1
    assert "2 scored, 1 failed" in capsys.readouterr().out
    assert {r["status"] for r in results.read_all(tmp_path / "r")} == {"ok", "failed"}
