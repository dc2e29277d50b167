"""Settings of a scoring process: those needed before torch and Brain-Score are imported, and --offline."""

from __future__ import annotations

import os
import socket
import warnings
from contextlib import contextmanager


def settle() -> None:
    """Set what torch, tqdm and Brain-Score read once, at their import; values set by the user are kept."""
    # Threads that wait actively make training ten times slower if another program uses a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TQDM_DISABLE", "1")  # hides Brain-Score's inner progress bars; ours show the time left
    os.environ.setdefault("BS_INSTALL_DEPENDENCIES", "no")  # Brain-Score would run pip at every load
    warnings.filterwarnings("ignore", message=".*should explicitly define __slots__", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)


class Offline(OSError):
    """Something is not on this computer, and --offline forbids downloading it."""


@contextmanager
def network(offline: bool):
    """While ``offline``, no host name is looked up, so that nothing is downloaded.

    Numeric addresses still work, so that cluster workers reach their scheduler.
    """
    look_up = socket.getaddrinfo

    def refuse(host, *arguments, **keywords):
        name = host.decode() if isinstance(host, bytes) else host
        if name and name != "localhost" and not _is_address(name):
            raise Offline(f"not on this computer: {name} would have to be contacted, and --offline forbids it")
        return look_up(host, *arguments, **keywords)

    if offline:
        socket.getaddrinfo = refuse
    try:
        yield
    finally:
        socket.getaddrinfo = look_up


@contextmanager
def no_stored_activations():
    """Switch off Brain-Score's activation cache on disk, which is keyed by names and ignores changed weights."""
    previous = os.environ.get("RESULTCACHING_DISABLE")
    activations = "brainscore_vision.model_helpers.activations"
    if previous in (None, "", "0"):
        os.environ["RESULTCACHING_DISABLE"] = activations
    elif previous != "1":
        os.environ["RESULTCACHING_DISABLE"] = f"{previous},{activations}"
    try:
        yield
    finally:
        if previous is None:
            del os.environ["RESULTCACHING_DISABLE"]
        else:
            os.environ["RESULTCACHING_DISABLE"] = previous


def _is_address(host: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True
