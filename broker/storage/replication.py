"""Waiting for a replica: a write that one has outlives the loss of its primary (reliability.md B, "failover")."""

from typing import Any

from redis.asyncio import Redis

from broker.errors import Unavailable
from broker.storage.connect import answered


async def then_wait(client: Redis, call: tuple[Any, ...], timeout_ms: int) -> tuple[Any, bool]:
    """Send a write, and wait until a replica has it: its answer, and whether one has it in time.

    On one connection, as WAIT counts what its own connection wrote last. Where that wrote nothing now, it says less.
    """
    pipeline = client.pipeline(transaction=False)
    pipeline.execute_command(*call)
    pipeline.wait(1, timeout_ms)
    answer, replicas = await answered(pipeline.execute())
    return answer, replicas > 0


def not_replicated() -> Unavailable:
    """The refusal of a write that is stored and may be lost; repeating it with its Idempotency-Key is safe."""
    return Unavailable("The write may be lost: no replica has it yet", retry_after_s=1, code="not_replicated")
