from brainscore_granularity.brains.cowley2023 import RIDGE, RSA, on_sessions
from brainscore_granularity.datasets.cowley2023 import SESSIONS


def rsa_benchmark(sessions=SESSIONS):
    """Of other sessions, whose files lie in the folder that is named to the data set, the identifier has the names."""
    return on_sessions(_named("rsa", sessions), RSA, sessions)


def ridge_benchmark(sessions=SESSIONS):
    return on_sessions(_named("ridge", sessions), RIDGE, sessions)


def _named(kind, sessions):
    return f"Cowley2023.V4-{kind}" + ("" if tuple(sessions) == SESSIONS else f"-{'+'.join(sessions)}")
