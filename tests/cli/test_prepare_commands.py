import inspect

import pytest

from brainscore_granularity.cli.data import PREPARE
from brainscore_granularity.cli.main import main
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
