"""How the engine is: how fast it answers, what its clock says, what it holds and whether it writes that down."""

import time
from typing import Any, NamedTuple

from broker.storage.connect import answered
from broker.storage.engine import Engine


class Vitals(NamedTuple):
    """One look at the engine. `clock_ahead_s` is how far its clock is ahead of ours, within the time of the reply.

    `memory_limit_bytes` is its maxmemory, 0 for none; `persists` says that its append-only file is on and was written.
    """

    reply_s: float
    clock_ahead_s: float
    memory_bytes: int
    memory_limit_bytes: int
    persists: bool


async def look(engine: Engine) -> Vitals:
    """Ask the engine; raises `Unavailable`."""
    asked, asked_s = time.perf_counter(), time.time()
    now_ms = await engine.now_ms()
    reply_s = time.perf_counter() - asked
    facts: dict[str, Any] = await answered(engine.client.info("memory", "persistence"))
    return Vitals(
        reply_s,
        now_ms / 1000 - (asked_s + reply_s / 2),
        int(facts["used_memory"]),
        int(facts.get("maxmemory", 0)),
        facts.get("aof_enabled") == 1 and facts.get("aof_last_write_status") == "ok",
    )
