"""What one of several workers may use of a node."""

import pytest

from broker.config import Settings
from handlers.workers import share_out


@pytest.mark.parametrize(("workers", "share"), [(1, 10_000), (2, 5_000), (3, 3_334)])
def test_the_limits_of_a_node_are_shared_out_and_rounded_up(workers: int, share: int) -> None:
    settings = Settings()
    assert share_out(settings, workers).limits.connections == share
    assert share_out(settings, workers).limits.connections_per_address == settings.limits.connections_per_address
