from brainscore_granularity.brains.cichy_rsa import rsa_on


def rsa_benchmark(data_identifier):
    """Early visual cortex and early MEG meet the layer that a model commits to V1; IT and late MEG that for IT."""
    data, _, target = data_identifier.partition("_")
    return rsa_on(data, target)
