"""The map of slots: read from whichever node answers, corrected by what nodes say, and not asked for all the time."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ClusterDownError
from redis.exceptions import ConnectionError as EngineConnectionError

from broker.storage.cluster import nodes as module
from broker.storage.cluster.nodes import Nodes
from broker.storage.cluster.urls import Address, parse_cluster_url
from broker.storage.connect import connect
from tests.clusters import QUICK_MS, Cluster, Node, wait_until
from tests.engines import WHEEL, binary_path


def nodes_at(url: str, asked: list[str] | None = None) -> Nodes:
    """The nodes of a cluster; the URLs of the clients that were made are noted."""

    def make(node_url: str) -> Redis:
        if asked is not None:
            asked.append(node_url)
        return connect(node_url, connect_timeout_s=0.5, reply_timeout_s=0.5, connections=2)

    return Nodes(parse_cluster_url(url), make)


async def test_the_map_is_read_past_nodes_that_are_down(cluster: Cluster) -> None:
    asked: list[str] = []
    last = cluster.primaries[-1].port
    nodes = nodes_at(f"redis+cluster://127.0.0.1:1,127.0.0.1:{last}", asked)
    await nodes.ready()
    assert {address.port for address in nodes.primaries} == {node.port for node in cluster.primaries}
    assert asked == ["redis://127.0.0.1:1", f"redis://127.0.0.1:{last}"]
    assert nodes.owner(0).port == cluster.primaries[0].port
    assert nodes.owner(16_383).port == last
    await nodes.close()


async def test_without_an_answer_there_is_no_map() -> None:
    nodes = nodes_at("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    for _ in range(2):
        with pytest.raises(EngineConnectionError, match="No node of the cluster answers"):
            await nodes.ready()
    await nodes.close()


async def test_a_defect_in_reading_the_map_is_told_though_nobody_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    def make(node_url: str) -> Redis:
        raise ValueError(node_url)

    nodes = Nodes(parse_cluster_url("redis+cluster://127.0.0.1:1"), make)
    nodes.suspect()
    async with asyncio.timeout(5):
        while "the map of slots could not be read" not in caplog.text:
            await asyncio.sleep(0)
    with pytest.raises(ValueError, match=r"redis://127\.0\.0\.1:1"):
        await nodes.refresh()


async def test_many_who_want_a_new_map_share_one_question(cluster: Cluster) -> None:
    nodes = nodes_at(cluster.url)
    await nodes.ready()
    before = sum(questions(node) for node in cluster.primaries)
    await asyncio.gather(*(nodes.refresh() for _ in range(50)))
    for _ in range(50):
        nodes.suspect()
    await asyncio.sleep(0.05)
    assert sum(questions(node) for node in cluster.primaries) == before + 1
    await nodes.close()


def questions(node: Node) -> int:
    """How often the node was asked for the map."""
    told = node.client.info("commandstats")
    return int(told.get("cmdstat_cluster|slots", {"calls": 0})["calls"])


async def test_a_correction_holds_until_the_next_map(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_S", 60.0)
    nodes = nodes_at(cluster.url)
    await nodes.ready()
    elsewhere = Address("127.0.0.1", 1)
    nodes.learn(5, elsewhere)
    assert nodes.owner(5) == elsewhere
    await nodes.refresh()
    assert nodes.owner(5).port == cluster.primaries[0].port
    await nodes.close()


async def test_a_slot_that_nobody_has_is_told(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", binary_path(WHEEL), QUICK_MS)
    try:
        await asyncio.to_thread(wait_until, node.is_up)
        node.tell("CLUSTER", "ADDSLOTSRANGE", 0, 7)
        nodes = nodes_at(f"redis+cluster://127.0.0.1:{node.port}")
        await nodes.ready()
        assert nodes.owner(7).port == node.port
        with pytest.raises(ClusterDownError):
            nodes.owner(8)
        await nodes.close()
    finally:
        node.end()
