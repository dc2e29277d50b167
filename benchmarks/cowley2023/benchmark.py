from brainscore_granularity.brains.cowley2023 import on_sessions


def rsa_benchmark():
    """Ceilings: from repeats where single repeats are used, in session 210325; else from halves of the units."""
    return on_sessions("rsa")


def ridge_benchmark():
    """Raw correlations, since three of the four sessions have means over repeats only."""
    return on_sessions("ridge")
