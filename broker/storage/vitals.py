"""How the engine is: how fast it answers, what its clock says, what it holds and whether it writes that down."""

import asyncio
import time
from typing import Any, NamedTuple

from redis.asyncio import Redis

from broker.storage.connect import answered, each_node
from broker.storage.engine import Engine


class Vitals(NamedTuple):
    """One look at the engine. `clock_ahead_s` is how far its clock is ahead of ours, within the time of the reply.

    `memory_limit_bytes` is its maxmemory, 0 for none; `persists` says that its append-only file is on and was written.
    Of a cluster: the slowest reply, the clock that is most off, the memory of all primaries, and whether all persist.
    """

    reply_s: float
    clock_ahead_s: float
    memory_bytes: int
    memory_limit_bytes: int
    persists: bool


async def look(engine: Engine) -> Vitals:
    """Ask every primary; raises `Unavailable` where one does not answer."""
    nodes = await answered(each_node(engine.client))
    looks = await asyncio.gather(*(_look(node, engine.clock_offset_ms) for node in nodes))
    limits = [look.memory_limit_bytes for look in looks]
    return Vitals(
        max(look.reply_s for look in looks),
        max((look.clock_ahead_s for look in looks), key=abs),
        sum(look.memory_bytes for look in looks),
        sum(limits) if all(limits) else 0,
        all(look.persists for look in looks),
    )


async def _look(node: Redis, clock_offset_ms: int) -> Vitals:
    asked, asked_s = time.perf_counter(), time.time()
    seconds, micros = await answered(node.time())
    reply_s = time.perf_counter() - asked
    now_s = int(seconds) + int(micros) / 1_000_000 + clock_offset_ms / 1000
    facts: dict[str, Any] = await answered(node.info("memory", "persistence"))
    return Vitals(
        reply_s,
        now_s - (asked_s + reply_s / 2),
        int(facts["used_memory"]),
        int(facts.get("maxmemory", 0)),
        facts.get("aof_enabled") == 1 and facts.get("aof_last_write_status") == "ok",
    )
