"""One process's hold on the engine: its client, its partitions, and the checks made before anything is written."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis

from broker.errors import Unavailable
from broker.storage.connect import OLDEST_ENGINE, answered, asked_once, connect, each_node, each_replica, version_of
from broker.storage.keys import partition_keys, partition_of

FORMAT = "2"
FORMAT_KEY = "tidemark:format"


class EngineUnfit(Exception):
    """The engine cannot be used: too old, evicts keys, or has data of another layout. The text says how to mend it."""


class Engine:
    """A connected engine. `partitions` is fixed when the data is made; `clock_offset_ms` is 0 in production.

    `client` serves requests, and a crowd of readers may use up its connections. `steady` has its own, for what is few
    calls at a time however many readers there are, and must not wait behind them: appends, trims and position checks.
    """

    def __init__(self, url: str, client: Redis, steady: Redis, partitions: int) -> None:
        self.url = url
        self.client = client
        self.steady = steady
        self.partitions = partitions
        self.clock_offset_ms = 0

    def partition(self, owner: str) -> int:
        """The partition in which all of this owner lives."""
        return partition_of(owner, self.partitions)

    async def ping(self) -> None:
        """Ask for a sign of life of any node; raises `Unavailable`."""
        await self.answering()

    async def answering(self) -> set[int]:
        """The partitions whose node answers; raises `Unavailable` where none does."""
        return set(await self.clocks())

    async def clocks(self) -> dict[int, int]:
        """The clock of each partition in ms, of those whose node answers; raises `Unavailable` where none does.

        In a cluster each node has its own. Scripts ask the clock where they run, so whatever is stored in a partition
        and compared in it is of one clock; times of two partitions may differ by as much as the clocks of two nodes.
        """
        pipeline = asked_once(self.steady)
        for number in range(self.partitions):
            # Not the time alone: a node that is cut off from its cluster tells it, but refuses what has a key.
            pipeline.exists(partition_keys(number).floor)
            pipeline.time()
        answers = await answered(pipeline.execute(raise_on_error=False))
        failures = [answer for answer in answers[::2] if isinstance(answer, Exception)]
        if len(failures) == self.partitions:
            raise Unavailable("The engine does not answer", retry_after_s=1) from failures[0]
        told = zip(answers[::2], answers[1::2], strict=True)
        return {
            number: self._ms(clock)
            for number, (known, clock) in enumerate(told)
            if not isinstance(known, Exception) and not isinstance(clock, Exception)
        }

    async def now_ms(self, partition: int = 0) -> int:
        """The clock of the node that has the partition: the one that decides there."""
        pipeline = self.client.pipeline(transaction=False)
        pipeline.exists(partition_keys(partition).floor)
        pipeline.time()
        _, clock = await answered(pipeline.execute())
        return self._ms(clock)

    def _ms(self, clock: Sequence[Any]) -> int:
        seconds, micros = clock
        return int(seconds) * 1000 + int(micros) // 1000 + self.clock_offset_ms

    async def close(self) -> None:
        """Give the connections back."""
        await self.client.aclose(close_connection_pool=True)
        await self.steady.aclose(close_connection_pool=True)


async def open_engine(
    url: str, *, partitions: int = 16, connect_timeout_s: float = 1.0, reply_timeout_s: float = 2.0
) -> Engine:
    """Connect and check the engine; raises `EngineUnfit`, or `Unavailable` where nothing answers."""
    client, steady = (
        connect(url, connect_timeout_s=connect_timeout_s, reply_timeout_s=reply_timeout_s) for _ in range(2)
    )
    engine = Engine(url, client, steady, partitions)
    try:
        for node in await answered(each_node(client)):
            await _check_server(node)
        for replica in each_replica(client):
            # It may be the primary of tomorrow. One that is down is checked by whoever starts it.
            with suppress(Unavailable):
                await _check_server(replica)
        await _check_format(client, partitions)
    except BaseException:
        await engine.close()
        raise
    return engine


async def _check_server(client: Redis) -> None:
    facts: dict[str, Any] = await answered(client.info("server", "memory"))
    if version_of(facts) < OLDEST_ENGINE:
        raise EngineUnfit(f"The engine is {facts['redis_version']}; Tidemark needs Redis or Valkey 7.0 or newer.")
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise EngineUnfit(
            f"The engine may evict keys (maxmemory-policy {policy}), which would lose events. "
            "Set it to noeviction: CONFIG SET maxmemory-policy noeviction"
        )


async def _check_format(client: Redis, partitions: int) -> None:
    await answered(client.hsetnx(FORMAT_KEY, "format", FORMAT))
    await answered(client.hsetnx(FORMAT_KEY, "partitions", str(partitions)))
    known = await answered(client.hgetall(FORMAT_KEY))
    if known[b"format"] != FORMAT.encode():
        raise EngineUnfit(_other_format(known[b"format"].decode()))
    if known[b"partitions"] != str(partitions).encode():
        raise EngineUnfit(
            f"The data was made with {known[b'partitions'].decode()} partitions: set [engine] partitions to that."
        )


def _other_format(held: str) -> str:
    age = "a newer" if held.isdigit() and int(held) > int(FORMAT) else "an older"
    return (
        f"The engine holds data of format {held}, this Tidemark reads {FORMAT}: it was made by {age} version. "
        "Start that one, or restore a backup that this one made."
    )
