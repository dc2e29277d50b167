"""The page docs/calibration.md: its sections, and the rows of their tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NOTES = Path(__file__).parent / "calibration_notes"
HEADER = "| what | reached | asked | holds |\n|---|---|---|---|\n"


def note(name: str, **numbers) -> str:
    """What is said above a section's tables, with numbers put in; the first line is its heading."""
    return (NOTES / f"{name}.md").read_text().format(**numbers)


def row(name: str, rate: float, worlds: int, asked: tuple[float, float] | str) -> str:
    """A line of a table: what was measured, in percent, and whether it lies where it was asked to lie.

    asked : lowest and highest percentage, or why there are none.

    >>> row("coverage", 95, 1000, (93, 97))
    '| coverage | 95.0% (+-0.7) | 93 to 97% | yes |'
    """
    error = 100 * np.sqrt(rate / 100 * (1 - rate / 100) / worlds)
    if isinstance(asked, str):
        return f"| {name} | {rate:.1f}% (+-{error:.1f}) | {asked} |  |"
    verdict = "yes" if asked[0] <= rate <= asked[1] else "**no**"
    return f"| {name} | {rate:.1f}% (+-{error:.1f}) | {asked[0]:g} to {asked[1]:g}% | {verdict} |"


def with_section(page: str, section: str) -> str:
    """The page with a section in the place of the one that has the same heading, or at the end.

    >>> with_section("# Page\\n\\n## A\\n1\\n\\n## B\\n2\\n", "## A\\n3\\n")
    '# Page\\n\\n## A\\n3\\n\\n## B\\n2\\n'
    """
    heading = section.splitlines()[0] + "\n"
    before, _, after = page.partition(heading)
    rest = after[after.index("\n## ") :] if "\n## " in after else ""
    return before.rstrip("\n") + "\n\n" + section.rstrip("\n") + "\n" + rest
