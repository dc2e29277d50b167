"""What tests of several folders share."""

import pytest


@pytest.fixture(scope="session")
def forked(tmp_path_factory):
    """Starts processes that need not import torch and Brain-Score anew: see makers/forked.py."""
    from forked import Host

    host = Host(tmp_path_factory.mktemp("forked"))
    yield host
    host.close()
