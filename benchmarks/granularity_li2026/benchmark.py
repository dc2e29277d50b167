from brainscore_granularity.brains.measured_rsa import measured_rsa
from brainscore_granularity.datasets.measured import TRIPLE_N


def rsa_benchmark(region):
    return measured_rsa(
        f"Li2026.{region}-rsa", version=1, data=TRIPLE_N, region=region, summary="1,000 images, up to 5 monkeys"
    )
