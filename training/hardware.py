"""What the processor of this computer supports."""

from __future__ import annotations

import torch


def emulates_bfloat16(device: str | torch.device) -> bool:
    """Whether bfloat16 on this device is slower than float32: on x86 processors without instructions for it."""
    if torch.device(device).type != "cpu":
        return False

    def has(feature: str) -> bool:
        return bool(getattr(torch.cpu, f"_is_{feature}_supported", lambda: False)())

    return has("avx2") and not (has("avx512_bf16") or has("amx_tile"))
