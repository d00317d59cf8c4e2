"""The channels that one socket follows: each a subscription of the hub, all served in turns by the socket's writer."""

from collections.abc import Callable
from typing import NamedTuple

from broker.channels import ChannelRecord
from broker.cursors import LogMeta, Start, has_gap, resume_from
from broker.errors import CursorExpired, Forbidden, NotFound, TooMany, Unauthorized
from broker.ids import render_ulid
from broker.pages import parse_start
from broker.presence import Person, Seat
from broker.rotation import Rotation
from broker.storage.channels import NO_CHANNEL
from broker.storage.log import Stale
from broker.subscription import CloseReason, Subscription
from handlers.broker import Broker
from handlers.channels.multiplex.commands import Subscribe
from handlers.channels.multiplex.messages import Beginning

Judge = Callable[[ChannelRecord], CloseReason | None]
Admit = Callable[[ChannelRecord], None]

GENERATIONS = 3


class Channel(NamedTuple):
    """A channel that is followed, as it was when that began, and its subscription."""

    record: ChannelRecord
    subscription: Subscription


class Followed:
    """At most so many channels, each followed once. `judge` says why one may not be read any longer."""

    def __init__(self, broker: Broker, rotation: Rotation, judge: Judge) -> None:
        self._broker = broker
        self._rotation = rotation
        self._judge = judge
        self._channels: dict[str, Channel] = {}
        self._person: Person | None = None
        self._seats: dict[str, Seat] = {}

    async def follow(self, command: Subscribe, admit: Admit) -> tuple[Channel, Beginning]:
        """Subscribe as the command says, where `admit` does not raise; `serve` begins it.

        Raises `TooMany`, `NotFound`, `Invalid`, `CursorExpired`, `Unavailable` and what `admit` raises; what was
        followed before is followed still.
        """
        if command.channel_id not in self._channels and len(self._channels) >= self._most:
            raise TooMany(f"A socket follows at most {self._most} channels")
        record = await self._broker.channels.find(command.channel_id)
        for _ in range(GENERATIONS):
            record = await self._admitted(record, admit)
            try:
                return await self._subscribe(record, command)
            except (NotFound, Stale):
                # Changed, or deleted and perhaps created again, since the record was cached.
                record = await self._broker.channels.refresh(command.channel_id)
        raise NotFound(NO_CHANNEL)

    def serve(self, channel: Channel) -> None:
        """Begin to write a channel's events, instead of those of the subscription that it may have had."""
        self.drop(channel.record.id)
        self._channels[channel.record.id] = channel
        self._rotation.add(channel.record.id, channel.subscription)
        self._seats[channel.record.id] = self._broker.presence.enter(channel.record, self._person)

    def drop(self, channel_id: str) -> Subscription | None:
        """Follow the channel no more; its subscription, None where it was not followed."""
        channel = self._channels.pop(channel_id, None)
        if channel is None:
            return None
        self._rotation.remove(channel_id)
        self._seats.pop(channel_id).leave()
        self._broker.hub.unsubscribe(channel.record, channel.subscription)
        return channel.subscription

    def drop_all(self) -> None:
        """Follow nothing."""
        for channel_id in list(self._channels):
            self.drop(channel_id)

    def cursors(self) -> dict[str, str]:
        """Where each channel is: everything up to there was written."""
        return {channel_id: channel.subscription.cursor for channel_id, channel in self._channels.items()}

    def read_as(self, person: Person | None) -> None:
        """From now on this is who is present at all channels, None where nobody is named."""
        self._person = person
        for seat in self._seats.values():
            seat.become(person, int(self._broker.now_s() * 1000))

    def judge_all(self) -> None:
        """Ask for each channel whether it may still be read, and end those that may not."""
        for channel in self._channels.values():
            reason = self._judge(channel.subscription.channel)
            if reason is not None:
                channel.subscription.close(reason)

    def has_public(self) -> bool:
        """Whether one of the channels can be read without a token."""
        return any(channel.subscription.channel.is_public for channel in self._channels.values())

    @property
    def _most(self) -> int:
        return self._broker.limits.multiplex.channels

    async def _admitted(self, record: ChannelRecord, admit: Admit) -> ChannelRecord:
        """The record on which the channel may be followed: nobody is refused because of what it was.

        Nor does anybody read it because of what it was: the hub has the record of now before it has events.
        """
        try:
            admit(record)
        except (Unauthorized, Forbidden):
            record = await self._broker.channels.refresh(record.id)
            admit(record)
        return record

    async def _subscribe(self, record: ChannelRecord, command: Subscribe) -> tuple[Channel, Beginning]:
        asked = parse_start(record, command.cursor, command.since)
        [meta] = await self._broker.channels.metas([record])
        if meta is None:
            raise NotFound(NO_CHANNEL)
        start = Start(meta.top if asked is None else resume_from(asked, meta), own=True)
        is_complete = asked is None or not has_gap(asked, meta)
        oldest = None if is_complete else await self._oldest(record, meta)
        if command.gap_is_error and not is_complete:
            raise CursorExpired("cursor_expired", reason="Events after the cursor are no longer kept", oldest=oldest)
        subscription = await self._broker.hub.subscribe(
            record, start, command.types, self._judge, lambda: self._rotation.wake(record.id)
        )
        cursor, tail = (render_ulid(record.tag_letters, position) for position in (start.position, meta.top))
        return Channel(record, subscription), Beginning(cursor, tail, is_complete, oldest)

    async def _oldest(self, record: ChannelRecord, meta: LogMeta) -> str | None:
        page = await self._broker.log.after(record, meta.trimmed, limit=1)
        return page.frames[0].id if page.frames else None
