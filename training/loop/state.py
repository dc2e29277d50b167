"""The folder of a run: all that is needed to resume it after a crash, and nothing of any other run.

``run.json`` says which run this is; ``state.safetensors`` holds every tensor, and in its header the position, so
that one rename replaces both; ``snapshots/`` holds weights along training; ``log.csv`` the curve. No pickle.
"""

from __future__ import annotations

import fcntl
import json
import math
import zlib
from pathlib import Path

import torch

from brainscore_granularity.paths import write_atomically


class WrongRun(ValueError):
    """The folder holds another run, or something that is not a run."""


class DamagedState(ValueError):
    """The state file is damaged."""


class RunFolder:
    """The folder of one run.

    Parameters
    ----------
    path : created if missing. A folder with another run or other files is an error, and is not changed.
    description : {"run_id": str, "recipe": dict, ...}, kept in run.json.
    """

    def __init__(self, path: Path, description: dict):
        self.path, self.description = Path(path), description
        about = self.path / "run.json"
        if about.exists():
            _same_run(self.path, json.loads(about.read_text()), description)
        elif self.path.exists() and (other := sorted(p.name for p in self.path.iterdir() if p.name != "lock")):
            raise WrongRun(
                f"{self.path} holds {', '.join(other[:3])} but no run.json: it is not the folder of a run. "
                "Choose an empty or a new folder."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.path / "lock", "w")  # the system releases it, also after kill -9
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongRun(
                f"another process is training in {self.path}; wait for it or choose another folder"
            ) from None
        except OSError:  # a file system without locks
            pass
        if not about.exists():
            write_atomically(about, json.dumps(description, indent=1, sort_keys=True) + "\n")

    def close(self) -> None:
        """Release the lock, so that another process can train here."""
        self._lock.close()

    def save(self, tensors: dict[str, torch.Tensor], position: dict) -> None:
        """Replace the state in one step: a reader, or a resumed run, sees either the old state or the new one."""
        from safetensors.torch import save

        tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        header = {"position": json.dumps(position), "checksum": str(_checksum(tensors))}
        write_atomically(self.path / "state.safetensors", save(tensors, metadata=header))

    def load(self) -> tuple[dict[str, torch.Tensor], dict] | None:
        """The tensors and the position last saved, or None at the start of a run."""
        from safetensors import SafetensorError, safe_open

        self._sweep()
        path = self.path / "state.safetensors"
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            position, expected = json.loads(header["position"]), int(header["checksum"])
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DamagedState(f"{path} is damaged ({error}). Delete it to start this run again.") from error
        if _checksum(tensors) != expected:
            raise DamagedState(f"{path} is damaged: its checksum is not {expected}. Delete it to start again.")
        return tensors, position

    def snapshot(self, step: int, tensors: dict[str, torch.Tensor]) -> None:
        """Save the weights at one step, in half precision if their values fit in its range."""
        from safetensors.torch import save

        halves = {name: _half(t.detach().cpu().contiguous()) for name, t in tensors.items()}
        write_atomically(self.path / "snapshots" / f"step-{step:09d}.safetensors", save(halves))

    def _sweep(self) -> None:
        """Remove files that a killed process did not finish writing."""
        for folder in (self.path, self.path / "snapshots"):
            for left in folder.glob(".*.tmp"):
                left.unlink(missing_ok=True)


def snapshot_steps(total: int, network: torch.nn.Module, budget_mb: float) -> list[int]:
    """Steps at which to save the weights: 0, the last, and between them as many as fit the budget, even in log(step).

    >>> snapshot_steps(1000, torch.nn.Linear(1000, 500, bias=False), 5)
    [0, 10, 100, 1000]
    """
    size = sum(t.numel() * (2 if t.is_floating_point() else t.element_size()) for t in network.state_dict().values())
    count = min(int(budget_mb * 1e6 // size), total + 1)
    if budget_mb > 0 and count < 2:
        raise ValueError(
            f"a budget of {budget_mb:g} MB holds {count} snapshots of {size / 1e6:.1f} MB; the first and the last "
            f"need {2 * size / 1e6:.1f} MB. Raise it, or set it to 0 for none."
        )
    if budget_mb <= 0 or total == 0:
        return []
    inner = count - 1
    steps = {0, total, *(round(math.exp(math.log(total) * i / inner)) for i in range(1, inner))}
    # Early steps round to the same number: add the earliest steps that are missing.
    for step in range(1, total):
        if len(steps) >= count:
            break
        steps.add(step)
    return sorted(steps)


def read_snapshot(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a snapshot, in single precision."""
    from safetensors.torch import load

    return {name: t.float() if t.is_floating_point() else t for name, t in load(path.read_bytes()).items()}


def _same_run(path: Path, found: dict, wanted: dict) -> None:
    if found.get("run_id") == wanted["run_id"]:
        return
    old, new = found.get("recipe", {}), wanted["recipe"]
    differ = [
        f"{key} {old.get(key)} (now: {new.get(key)})" for key in sorted({*old, *new}) if old.get(key) != new.get(key)
    ]
    raise WrongRun(
        f"{path} holds another run ({found.get('run_id')}, expected {wanted['run_id']}): "
        f"{', '.join(differ) or 'same recipe, other images, labels or start'}. "
        "Nothing was changed; choose another folder."
    )


def _checksum(tensors: dict[str, torch.Tensor]) -> int:
    value = 0
    for name in sorted(tensors):
        flat = tensors[name].reshape(-1)
        value = zlib.crc32(flat.view(torch.uint8).numpy() if flat.numel() else b"", zlib.crc32(name.encode(), value))
    return value


def _half(tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if torch.isfinite(half).all() else tensor
