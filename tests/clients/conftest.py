"""A server as a process of its own for the tests of the clients."""

from collections.abc import Iterator

import pytest

from tests.serve_process import ServeProcess, serving

QUICK = {"TIDEMARK_CHANNELS__TRIM_INTERVAL_S": "0.05", "TIDEMARK_CHANNELS__POLL_INTERVAL_S": "1"}


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """A server for all tests of this process, for those who use channels of their own and leave it running."""
    with serving(tmp_path_factory.mktemp("shared") / "data", QUICK) as running:
        yield running
