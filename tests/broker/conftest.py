"""A watched channel for tests that are written by hand."""

from collections.abc import Iterator

import pytest

from tests.broker.watched_world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A watched channel without events; in the end all has to come to rest as it must."""
    made = World()
    yield made
    made.over()
