from brainscore_granularity.brains.measured_rsa import rsa_on
from brainscore_granularity.datasets.measured import TRIPLE_N


def rsa_benchmark(region):
    return rsa_on(
        f"Li2026.{region}-rsa", version=1, data=TRIPLE_N, region=region, summary="1,000 images, up to 5 monkeys"
    )
