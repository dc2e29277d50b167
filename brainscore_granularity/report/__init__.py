"""Figures and the one-file HTML report."""


def require_matplotlib() -> None:
    """Say at once, and not after minutes of work, that figures cannot be drawn."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise ImportError("figures need matplotlib: pip install 'brainscore_granularity[report]'")
