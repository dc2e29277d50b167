import pytest
import torch
from brainscore_granularity.training import hardware


@pytest.mark.parametrize(
    ("features", "device", "expected"),
    [
        ({"avx2"}, "cpu", True),
        ({"avx2", "avx512_bf16"}, "cpu", False),
        ({"avx2", "amx_tile"}, "cpu", False),
        (set(), "cpu", False),  # not x86: nothing is known
        ({"avx2"}, "cuda", False),
    ],
)
def test_bfloat16_is_emulated_on_x86_without_its_instructions(monkeypatch, features, device, expected):
    for name in ("avx2", "avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda name=name: name in features, raising=False)
    assert hardware.emulates_bfloat16(device) is expected
