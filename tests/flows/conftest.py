"""Servers as processes of their own, with their data in directories of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve_process import ServeProcess, serving

QUICK = {"TIDEMARK_CHANNELS__TRIM_INTERVAL_S": "0.05"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServeProcess]:
    """A server of this test's own, to be killed and started again."""
    with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def durable_server(tmp_path: Path) -> Iterator[ServeProcess]:
    """A server whose engine can be killed at any moment: with everysec it may answer before it writes."""
    with serving(tmp_path / "data", {"TIDEMARK_ENGINE__FSYNC": "always"}) as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """A server for all tests of this process, for those who use channels of their own and leave it running."""
    with serving(tmp_path_factory.mktemp("shared") / "data", QUICK) as running:
        yield running
