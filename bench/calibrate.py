"""Do the statistics keep their promises where the truth is known? Writes docs/calibration.md.

    python -m bench.calibrate                        1,000 worlds a row, more or fewer where the page says so
    python -m bench.calibrate --worlds 100 --output /dev/stdout
    python -m bench.calibrate --only scores layers   these sections anew, the rest of the page as it is

What is said above a section's tables is in bench/calibration_notes. Progress and the time left go to stderr.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import calibrate_layers, calibrate_scores, calibrate_triplets, networks_section
from bench.calibration_page import note, with_section
from bench.worlds import Worlds

SECTIONS = {
    "scores": calibrate_scores.section,
    "layers": calibrate_layers.section,
    "odd_one_out": calibrate_triplets.section,
    "networks": networks_section.section,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--workers", type=int, help="processes; default: one for each core")
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs" / "calibration.md")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="write these anew and leave the rest of the page")
    options = parser.parse_args()
    worlds = Worlds(options.worlds, options.workers)
    page = options.output.read_text() if options.only and options.output.is_file() else note("head")
    for name in options.only or SECTIONS:
        page = with_section(page, SECTIONS[name](worlds))
        options.output.write_text(page)  # what is done stays if the next section is interrupted


if __name__ == "__main__":
    main()
