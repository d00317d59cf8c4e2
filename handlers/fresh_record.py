"""What is done on a channel's record is done on that of now: again, where the one at hand was an old one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from broker.errors import Unavailable
from broker.storage.log import Stale
from handlers.broker import Broker

DECISIONS = 8

T = TypeVar("T")


async def on_fresh_record(broker: Broker, channel_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` answers; it is made again where it raises `Stale`. Raises `Unavailable` when that does not end."""
    for _ in range(DECISIONS):
        try:
            return await attempt()
        except Stale:
            await broker.channels.refresh(channel_id)
    raise Unavailable("The channel is being changed by others", retry_after_s=1)
