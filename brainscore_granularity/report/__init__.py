"""Figures and the one-file HTML report."""


def require_matplotlib() -> None:
    """Raise before any work is done if figures cannot be drawn."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise ImportError("figures need matplotlib: pip install 'brainscore_granularity[report]'")
