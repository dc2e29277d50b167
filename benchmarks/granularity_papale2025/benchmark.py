from brainscore_granularity.brains.measured_rsa import measured_rsa
from brainscore_granularity.datasets.measured import TVSD


def rsa_benchmark(region):
    """Two monkeys say little about each other: the ceiling is how well each predicts itself from other repeats."""
    return measured_rsa(
        f"Papale2025.{region}-rsa",
        version=1,
        data=TVSD,
        region=region,
        ceiling="repeats",
        summary="100 images, 2 monkeys",
    )
