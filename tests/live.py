"""A broker process without its server: storage, feed and hub on a real engine, and readers that note what they get."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, Closed, CloseReason
from broker.cursors import Start
from broker.events import Frame
from broker.hub import Hub
from broker.hub_limits import HubLimits
from broker.ids import Position
from broker.pages import Types
from broker.storage.feeds import LiveFeed, open_feed
from broker.subscription import Subscription
from tests.stores import Store, open_store, running

QUICK = HubLimits(position_check_s=0.1, idle_position_check_s=0.3, vouch_s=1.0, active_s=0.2, linger_s=0.3)

Judging = Callable[[ChannelRecord], CloseReason | None]


def everybody(_: ChannelRecord) -> CloseReason | None:
    """The judge of a reader who may read anything."""
    return None


def public_only(record: ChannelRecord) -> CloseReason | None:
    """The judge of a reader who may read public channels."""
    return None if record.is_public else FORBIDDEN


@dataclass(slots=True)
class Follower:
    """A reader that takes what it is given at once; `closed` is how it ended, `changed` is set whenever it got on."""

    channel: ChannelRecord
    subscription: Subscription
    frames: list[Frame] = field(default_factory=list)
    closed: Closed | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    @property
    def data(self) -> list[Any]:
        """The data of all it got."""
        return [json.loads(frame.wire)["data"] for frame in self.frames]

    async def follow(self) -> None:
        """Take step after step until it is closed."""
        try:
            while True:
                step = await self.subscription.next()
                self.frames += step.frames
                self.changed.set()
        except Closed as closed:
            self.closed = closed
            self.changed.set()

    async def until(self, done: Callable[["Follower"], bool], timeout_s: float = 5.0) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(timeout_s):
            while not done(self):
                self.changed.clear()
                await self.changed.wait()

    async def got(self, count: int, timeout_s: float = 5.0) -> list[Any]:
        """The data, once it got so many."""
        await self.until(lambda follower: len(follower.frames) >= count or follower.closed is not None, timeout_s)
        return self.data

    async def code(self, timeout_s: float = 5.0) -> int:
        """The code it was closed with."""
        await self.until(lambda follower: follower.closed is not None, timeout_s)
        assert self.closed is not None
        return self.closed.code


@dataclass(slots=True)
class Live:
    """One process's storage, feed and hub; `is_deaf` drops every feed message."""

    store: Store
    feed: LiveFeed
    hub: Hub
    is_deaf: bool = False
    followers: list[Follower] = field(default_factory=list)

    async def follow(
        self,
        channel: ChannelRecord,
        after: Position | None = None,
        *,
        types: Types | None = None,
        judge: Judging = everybody,
    ) -> Follower:
        """A new reader, from the tip or after a position."""
        start = None if after is None else Start(after, own=True)
        follower = Follower(channel, await self.hub.subscribe(channel, start, types, judge))
        follower.task = asyncio.create_task(follower.follow())
        self.followers.append(follower)
        return follower

    async def leave(self, follower: Follower) -> None:
        """A reader goes."""
        self.followers.remove(follower)
        self.hub.unsubscribe(follower.channel, follower.subscription)
        if follower.task is not None:
            follower.task.cancel()
            await asyncio.wait([follower.task])

    def hear(self, topic: str, payload: bytes) -> None:
        """What the feed says, unless deaf."""
        if not self.is_deaf:
            self.hub.hear(topic, payload)


@asynccontextmanager
async def open_live(
    url: str, limits: HubLimits = QUICK, *, feed_url: str | None = None, reply_timeout_s: float = 0.5
) -> AsyncIterator[Live]:
    """A running process on the engine at this URL; its feed may go another way."""
    async with open_store(url, reply_timeout_s=reply_timeout_s) as store:
        feed = open_feed(feed_url or url, reply_timeout_s=reply_timeout_s)
        hub = Hub(store.engine, store.channels, store.log, feed, limits)
        live = Live(store, feed, hub)
        feed.listen(live.hear, hub.reconnected)
        async with running(feed.run(), hub.run()):
            try:
                yield live
            finally:
                for follower in list(live.followers):
                    await live.leave(follower)
