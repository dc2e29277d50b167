import inspect

import pytest

from brainscore_granularity.cli.data import PREPARE
from brainscore_granularity.cli.main import main
from brainscore_granularity.datasets import cichy
from brainscore_granularity.datasets.prepare.registry import DATASETS


def test_every_data_set_has_a_command_and_a_preparation():
    assert set(PREPARE) == set(DATASETS)
    for name, dataset in DATASETS.items():
        given = set(inspect.signature(PREPARE[name]).parameters) - {"to"}
        assert given <= set(inspect.signature(dataset.preparation()).parameters)


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_folder_lists_what_is_needed_and_how_to_get_it(name, home, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["data", "prepare", name, "--from", str(tmp_path), "--to", str(home)])
    said = capsys.readouterr().err
    assert caught.value.code == 1 and said.count("\n") == 1 and said.startswith("error: ")
    assert DATASETS[name].access in said and DATASETS[name].licence in said


@pytest.mark.parametrize(("arguments", "expected"), [(["data"], "status"), (["data", "prepare"], "nsd-synthetic")])
def test_help_of_the_inner_verbs(arguments, expected, capsys):
    main([*arguments, "--help"])
    said = capsys.readouterr().out
    assert f"granularity {' '.join(arguments)} VERB" in said and f"\n  {expected} " in said


def test_status_lists_what_is_fetched_with_its_terms(home, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("BRAINSCORE_GRANULARITY_KRIEGESKORTE92", raising=False)
    for name in cichy.FILES["Cichy2016"].files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv(cichy.FOLDER_VARIABLE, str(tmp_path))
    main(["data", "status"])
    lines = capsys.readouterr().out.splitlines()
    states = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in lines if line.startswith("│")}
    assert states["Kriegeskorte2008"] == "downloadable (5 MB, once)"
    assert states["Cichy2014 (92 images)"] == "downloadable (4 MB, once)"
    assert states["Cichy2016 (118 images)"] == "ready"
    assert "MIT licence" in "".join(lines) and "No licence is stated" in "".join(lines)
