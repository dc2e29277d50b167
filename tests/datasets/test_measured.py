import doctest
import re

import pytest

from brainscore_granularity.datasets import measured, references
from brainscore_granularity.plugins import plugin_directory

DATA = [value for value in vars(measured).values() if isinstance(value, measured.Measured)]


@pytest.mark.parametrize("module", [measured, references])
def test_documented_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_an_unknown_reference_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="no reference nobody2020; add it to .*references.py, which has allen2022"):
        references.bibtex("allen2022massive", "nobody2020")


def test_entries_are_in_order_of_their_keys_and_each_is_cited():
    """By a plugin, or by a measured data set or the method that all of these share."""
    keys = list(references.ENTRIES)
    plugins = plugin_directory("models").parent
    sources = [*plugins.glob("models/*/*.py"), *plugins.glob("benchmarks/*/*.py")]
    package = plugins / "brainscore_granularity"
    sources += [package / "datasets" / "measured.py", *(package / "brains").glob("*.py")]
    cited = set(re.findall(r'"([a-z]+\d{4}[a-z]+)"', "".join(path.read_text() for path in sources)))
    assert keys == sorted(keys) and set(keys) <= cited and len(DATA) == 6


def test_no_entry_stands_anywhere_else():
    """What a plugin cites is a key; the same paper written twice would be two versions of it."""
    plugins = plugin_directory("models").parent
    for folder in ("models", "benchmarks", "data", "brainscore_granularity"):
        for path in (plugins / folder).rglob("*.py"):
            if path.name != "references.py":
                assert not re.search(r"@(article|inproceedings)\{\w+,\n", path.read_text(encoding="utf-8")), path
