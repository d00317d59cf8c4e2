"""Glances at logs: what each says of itself now, asked together by all who want to know it in the same moment.

While a call is under way, who comes waits for the next: what is answered was read after it was asked for. So many
pollers of one channel cost the engine one small read a round trip.
"""

import asyncio

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from broker.storage.channels import Channels

MOST_AT_ONCE = 256


class Glances:
    """Joins the glances of this process."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._wanted: dict[int, tuple[ChannelRecord, list[asyncio.Future[LogMeta | None]]]] = {}
        self._calls: asyncio.Task[None] | None = None

    async def look(self, channel: ChannelRecord) -> LogMeta | None:
        """What the log of this record says of itself, None where it is gone. Raises `Unavailable`."""
        answer: asyncio.Future[LogMeta | None] = asyncio.get_running_loop().create_future()
        wanted = self._wanted.get(channel.tag)
        if wanted is None:
            self._wanted[channel.tag] = (channel, [answer])
            if self._calls is None:
                self._calls = asyncio.create_task(self._run(), name="glances")
        else:
            wanted[1].append(answer)
        return await answer

    async def _run(self) -> None:
        try:
            while self._wanted:
                some = [self._wanted.pop(tag) for tag in list(self._wanted)[:MOST_AT_ONCE]]
                await self._answer(some)
        finally:
            self._calls = None

    async def _answer(self, some: list[tuple[ChannelRecord, list["asyncio.Future[LogMeta | None]"]]]) -> None:
        try:
            metas = await self._channels.metas([channel for channel, _ in some])
        except Exception as error:
            for answer in [answer for _, answers in some for answer in answers if not answer.done()]:
                answer.set_exception(error)
        else:
            for (_, answers), meta in zip(some, metas, strict=True):
                for answer in answers:
                    # Who went away has cancelled it.
                    if not answer.done():
                        answer.set_result(meta)
