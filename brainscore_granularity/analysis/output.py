"""The files of an analysis: tables, figures, and ``analysis.json``, which is written last."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path

from brainscore_granularity.paths import write_atomically

FILE = "analysis.json"


def inputs_of(analysis, study) -> str:
    """Hash of all that an analysis's results depend on."""
    from dataclasses import asdict

    from brainscore_granularity import __version__

    known = {
        "analysis": [analysis.name, analysis.version, __version__],
        "settings": asdict(study.settings),
        "own": analysis.inputs(study),
        # analyses of scores or runs only may compare networks with different layers
        **study.fingerprint([*study.models, *study.settings.pool], common_layers=bool(analysis.needs)),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


def unchanged(folder: Path, inputs: str) -> bool:
    """Whether a folder holds complete results of the same inputs."""
    record = read(folder)
    if record is None or record.get("inputs") != inputs:
        return False
    files = [f"{name}.{kind}" for name in record["tables"] for kind in ("csv", "parquet")]
    files += [figure["file"] for figure in record["figures"]]
    return all((folder / file).exists() for file in files)


def read(folder: Path) -> dict | None:
    """The record of an analysis; None if there is no readable one."""
    try:
        return json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return None


def write(folder: Path, analysis, study, findings, figures: dict, inputs: str, command: str, seconds: float) -> dict:
    """Write all files of an analysis. figures : {name: (matplotlib figure, caption)}."""
    from brainscore_granularity.weights.checkpoints import versions

    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)  # missing until all new files are written
    for name, table in findings.tables.items():
        write_atomically(folder / f"{name}.csv", table.to_csv(index=False))
        buffer = BytesIO()
        table.to_parquet(buffer, index=False)
        write_atomically(folder / f"{name}.parquet", buffer.getvalue())
    drawn = []
    for name, (figure, caption) in figures.items():
        for kind in ("svg", "pdf"):
            buffer = BytesIO()
            date = {"Date": None} if kind == "svg" else {"CreationDate": None}
            figure.savefig(buffer, format=kind, metadata=date)
            write_atomically(folder / f"{name}.{kind}", buffer.getvalue())
            drawn.append({"file": f"{name}.{kind}", "caption": caption})
    record = {
        "name": analysis.name,
        "question": analysis.question,
        "how_to_read": analysis.how_to_read,
        "answer": findings.answer,
        "simulated": study.simulated,
        "models": study.models,
        "images": ", ".join(f"{len(images)} images of {images.name}" for images in study.sets),
        "benchmarks": [brain.name for brain in study.brains],
        "tables": list(findings.tables),
        "figures": drawn,
        "command": command,
        "versions": versions(),
        "seconds": round(seconds, 1),
        "warnings": findings.warnings,
        "inputs": inputs,
    }
    write_atomically(folder / FILE, json.dumps(record, indent=1) + "\n")
    return record
