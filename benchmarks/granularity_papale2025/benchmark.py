from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import TVSD


def rsa_benchmark(region):
    """Two monkeys say little about each other: the ceiling is how well each predicts itself from other repeats."""
    return rsa_on(
        f"Papale2025.{region}-rsa",
        version=1,
        data=TVSD,
        region=region,
        ceiling="repeats",
        summary="100 images, 2 monkeys",
    )
