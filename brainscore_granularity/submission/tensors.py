"""A reader of safetensors files without the safetensors library, which Brain-Score does not install."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

DTYPES = {
    "F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64,
    "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def read_tensors(path: Path, sha256: str) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file by name, on the CPU, in single precision; raises if the hash differs.

    The file holds the length of a JSON header (8 bytes, little-endian), the header and the tensors one after another.
    """
    content = bytearray(path.read_bytes())
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{path} is not the file that was submitted: expected SHA-256 {sha256}, got {found}")
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        dtype, (first, last) = DTYPES[entry["dtype"]], entry["data_offsets"]
        flat = torch.frombuffer(content[start + first : start + last], dtype=dtype) if last > first else torch.empty(0)
        tensor = flat.reshape(entry["shape"])
        tensors[name] = tensor.float() if tensor.is_floating_point() else tensor.clone()
    return tensors
