"""A cluster of three primaries, and another with one more for each test that needs its own."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, running_cluster
from tests.engines import WHEEL


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for all tests of this process, for those that leave it as it was."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), WHEEL) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    """A cluster that holds nothing."""
    shared_cluster.empty()
    return shared_cluster


@pytest.fixture
def engine_url(cluster: Cluster) -> str:
    """The URL of a cluster that holds nothing."""
    return cluster.url
