"""The client of a cluster: each command at its node, refusals followed, and nothing sent twice that may be done."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from broker.errors import Unavailable
from broker.storage.cluster.client import ClusterClient
from broker.storage.cluster.sending import PATIENCE_S
from broker.storage.cluster.slots import slot_of_key
from broker.storage.connect import answered, connect
from broker.storage.engine import EngineUnfit, open_engine
from broker.storage.vitals import look
from tests.clusters import Cluster, Node
from tests.stores import open_store

KEYS = [f"{{p{number:02d}}}:key" for number in range(16)]
SLOW = "redis.call('INCR', KEYS[1]) for i = 1, 150000000 do end return 1"


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[ClusterClient]:
    """A client with few connections to each node."""
    opened = connect(cluster.url, connect_timeout_s=5, reply_timeout_s=5, connections=4)
    assert isinstance(opened, ClusterClient)
    yield opened
    await opened.aclose()


def sides(cluster: Cluster, key: str) -> tuple[int, Node, Node]:
    """The slot of a key, its owner, and another primary."""
    slot = slot_of_key(key)
    owner = cluster.owner(int(key[2:4]))
    return slot, owner, next(node for node in cluster.primaries if node is not owner)


async def test_a_pipeline_over_all_partitions_answers_in_order(client: ClusterClient) -> None:
    for i, key in enumerate(KEYS):
        await client.set(key, i)
    pipeline = client.pipeline(transaction=False)
    for key in KEYS:
        pipeline.get(key)
    assert await pipeline.execute() == [str(i).encode() for i in range(16)]


async def test_a_command_without_a_key_goes_with_its_neighbour(client: ClusterClient, cluster: Cluster) -> None:
    for key in KEYS:
        pipeline = client.pipeline(transaction=False)
        pipeline.time()
        pipeline.exists(key)
        pipeline.info("server")
        _, _, facts = await pipeline.execute()
        assert facts["tcp_port"] == cluster.owner(int(key[2:4])).port


async def test_a_pipeline_that_writes_behind_its_first_command_is_a_defect(client: ClusterClient) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.get(KEYS[0])
    pipeline.set(KEYS[0], 1)
    with pytest.raises(ValueError, match="may write with its first command only"):
        await pipeline.execute()
    with pytest.raises(ValueError, match="no transactions"):
        client.pipeline()


async def test_a_write_whose_answer_did_not_come_is_not_sent_again(client: ClusterClient, cluster: Cluster) -> None:
    """redis-py's own client would: its default is to send it again, and so to do it again."""
    hasty = connect(cluster.url, connect_timeout_s=5, reply_timeout_s=0.3)
    with pytest.raises(Unavailable):
        await answered(hasty.eval(SLOW, 1, KEYS[0]))
    await hasty.aclose()
    # Answered only after the script has ended, and any other of it that were waiting.
    assert await when_free(client, KEYS[0]) == b"1"
    assert await when_free(client, KEYS[0]) == b"1"


async def when_free(client: ClusterClient, key: str) -> bytes | None:
    """The value of a key, once its node is no longer busy with a script: on a slow machine it says so for a while."""
    async with asyncio.timeout(60):
        while True:
            try:
                found: bytes | None = await answered(client.get(key))
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                return found


async def test_a_moved_slot_is_followed_at_once(client: ClusterClient, cluster: Cluster) -> None:
    await client.set(KEYS[3], "here")
    slot, owner, other = sides(cluster, KEYS[3])
    cluster.move(slot, owner, other)
    try:
        assert await client.get(KEYS[3]) == b"here"
        await client.set(KEYS[3], "there")
        assert other.tell("GET", KEYS[3]) == b"there"
    finally:
        cluster.move(slot, other, owner)


async def test_while_a_slot_moves_each_key_is_found_where_it_is(client: ClusterClient, cluster: Cluster) -> None:
    names = [f"{{p05}}:key-{i}" for i in range(20)]
    for i, name in enumerate(names):
        await client.set(name, i)
    slot, owner, other = sides(cluster, KEYS[5])
    cluster.give(slot, owner, other)
    cluster.carry(slot, owner, other, at_once=8)
    try:
        pipeline = client.pipeline(transaction=False)
        for name in names:
            pipeline.get(name)
        assert await pipeline.execute() == [str(i).encode() for i in range(20)]
        # Many at once: what asks for a key at the target must share its connection with nobody.
        values = await asyncio.gather(*(client.get(name) for name in names * 5))
        assert values == [str(i).encode() for i in range(20)] * 5
        await client.set("{p05}:new", "at the target")
        assert await client.get("{p05}:new") == b"at the target"
    finally:
        while cluster.carry(slot, owner, other):
            pass
        cluster.settle(slot, other)
        cluster.move(slot, other, owner)


async def test_a_script_whose_keys_are_on_two_nodes_waits_and_then_runs_once(cluster: Cluster) -> None:
    async with open_store(cluster.url) as store:
        channel = await store.create()
        await store.publish(channel, 0)
        slot, owner, other = sides(cluster, f"{{p{channel.partition:02d}}}:")
        cluster.give(slot, owner, other)
        cluster.carry(slot, owner, other, at_once=2)
        publishing = asyncio.create_task(store.publish(channel, 1, key="once"))
        await asyncio.sleep(PATIENCE_S / 4)
        assert not publishing.done()
        while cluster.carry(slot, owner, other):
            pass
        cluster.settle(slot, other)
        try:
            positions = (await publishing).positions
            again = await store.publish(channel, 1, key="once")
            assert again.replayed and again.positions == positions
            assert len(await store.all(channel)) == 2
        finally:
            cluster.move(slot, other, owner)


async def test_a_script_whose_keys_stay_on_two_nodes_is_refused_and_has_done_nothing(cluster: Cluster) -> None:
    async with open_store(cluster.url) as store:
        channel = await store.create()
        slot, owner, other = sides(cluster, f"{{p{channel.partition:02d}}}:")
        cluster.give(slot, owner, other)
        cluster.carry(slot, owner, other, at_once=1)
        try:
            with pytest.raises(Unavailable, match="cluster is being changed") as refusal:
                await store.publish(channel, 1)
            assert refusal.value.retry_after_s == 1
        finally:
            while cluster.carry(slot, owner, other):
                pass
            cluster.settle(slot, other)
            cluster.move(slot, other, owner)
        assert await store.all(channel) == []


async def test_every_primary_is_looked_at_before_the_start(cluster: Cluster) -> None:
    last = cluster.primaries[2]
    last.tell("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(EngineUnfit, match="maxmemory-policy allkeys-lru"):
            await open_engine(cluster.url)
    finally:
        last.tell("CONFIG", "SET", "maxmemory-policy", "noeviction")


async def test_what_a_cluster_says_of_itself_is_of_all_primaries(cluster: Cluster) -> None:
    async with open_store(cluster.url) as store:
        last = cluster.primaries[2]
        vitals = await look(store.engine)
        assert vitals.persists and vitals.memory_limit_bytes == 0
        assert vitals.memory_bytes > 2 * min(node.client.info("memory")["used_memory"] for node in cluster.primaries)
        for node in cluster.primaries:
            node.tell("CONFIG", "SET", "maxmemory", "1gb")
        last.tell("CONFIG", "SET", "appendonly", "no")
        try:
            vitals = await look(store.engine)
            assert not vitals.persists and vitals.memory_limit_bytes == 3 << 30
        finally:
            last.tell("CONFIG", "SET", "appendonly", "yes")
            for node in cluster.primaries:
                node.tell("CONFIG", "SET", "maxmemory", "0")


async def test_a_cluster_that_nobody_answers_for_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await open_engine("redis+cluster://127.0.0.1:1,127.0.0.1:2", connect_timeout_s=0.2)


async def test_one_seed_that_answers_is_enough(cluster: Cluster) -> None:
    port = cluster.primaries[1].port
    async with open_store(f"redis+cluster://127.0.0.1:1,127.0.0.1:{port}") as store:
        assert await store.engine.answering() == set(range(16))


async def test_the_clock_of_a_partition_is_that_of_its_node(cluster: Cluster) -> None:
    async with open_store(cluster.url) as store:
        for number in (2, 3, 0):
            seconds, micros = cluster.owner(number).tell("TIME")
            assert abs(await store.engine.now_ms(number) - (int(seconds) * 1000 + int(micros) // 1000)) < 1_000
