"""One log per channel: append, read after a cursor, get, delete, replies (design sections 3 and 4).

Every answer comes from one script call, so that a page and what it says of the log are of the same moment. Ids are
given out where they are committed; retries are never made for writes.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from broker.channels import ChannelRecord
from broker.errors import Forbidden, NotFound
from broker.events import Frame, Stored, frame
from broker.ids import Position, parse_position
from broker.pages import Page, Types
from broker.storage.appender import Appended, Appender, Idempotency
from broker.storage.channels import NO_CHANNEL, keys_of, parse_meta
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.scripts import DELETE_EVENT, PAGE, THREAD

MAX_SCAN = 5_000
MAX_THREAD_EVENTS = 1_000
MAX_THREAD_DEPTH = 100
NO_EVENT = "Event not found"


class Stale(Exception):
    """The channel's record was changed since it was read: decide again with the new one."""


class Log:
    """The logs of all channels. Methods that are given a `ChannelRecord` read and write that generation of its log."""

    def __init__(self, engine: Engine, appender: Appender) -> None:
        self._engine = engine
        self._appender = appender

    async def append(
        self, channel: ChannelRecord, events: Sequence[Stored], idempotency: Idempotency | None = None
    ) -> Appended:
        """Store the events as one, or none of them.

        Raises `Stale` when the record is an old one, `NotFound` when the channel is gone, `Invalid` when a reply is to
        no event of this channel, `KeyReused`, and `Unavailable` when the outcome is unknown.
        """
        outcome = await self._appender.append(channel, events, idempotency)
        if outcome is None:
            raise Stale
        return outcome

    async def after(
        self, channel: ChannelRecord, start: Position, *, limit: int, types: Types | None = None, most_bytes: int = 0
    ) -> Page:
        """Up to `limit` events after a position, of these types (JSON texts). Raises `NotFound`, `Stale`.

        With `most_bytes` the event that brings the page to so many bytes is its last.
        """
        return await self._page(channel, start.stream, limit, types, most_bytes)

    async def newest(self, channel: ChannelRecord, *, limit: int, types: Types | None = None) -> Page:
        """The newest `limit` events, in the order of the log. Raises `NotFound`, `Stale`."""
        return await self._page(channel, "+", limit, types, 0)

    async def get(self, channel: ChannelRecord, position: Position) -> Frame:
        """One event; raises `NotFound`."""
        place = position.stream
        entries = await answered(self._engine.client.xrange(keys_of(channel).stream, place, place))
        if not entries:
            raise NotFound(NO_EVENT)
        fields = entries[0][1]
        return frame(channel.tag_letters, position, fields.get(b"t"), fields[b"w"])

    async def delete(self, channel: ChannelRecord, position: Position, publisher: str | None, *, admin: bool) -> None:
        """Delete one event, for its publisher or an admin. Raises `NotFound`, `Forbidden`."""
        keys = keys_of(channel)
        answer = await DELETE_EVENT(
            self._engine.client,
            [keys.meta, keys.stream, keys.replies],
            [position.stream, publisher or "", int(admin), keys.topic],
        )
        if answer == b"absent":
            raise NotFound(NO_EVENT)
        if answer == b"foreign":
            raise Forbidden("Insufficient permissions")

    async def replies(self, channel: ChannelRecord, position: Position, *, whole_thread: bool) -> list[Frame]:
        """The direct replies to an event, or all its descendants, by id; at most 1,000. Unknown event: empty."""
        keys = keys_of(channel)
        depth = MAX_THREAD_DEPTH if whole_thread else 1
        answer = await THREAD(
            self._engine.client, [keys.stream, keys.replies], [position.stream, depth, MAX_THREAD_EVENTS]
        )
        return sorted(_frames(channel, answer))

    async def _page(self, channel: ChannelRecord, start: str, limit: int, types: Types | None, most_bytes: int) -> Page:
        keys = keys_of(channel)
        args = [start, limit, MAX_SCAN, most_bytes, *(types or ())]
        answer = await PAGE(self._engine.client, [keys.meta, keys.stream], args)
        if not answer:
            raise NotFound(NO_CHANNEL)
        meta = parse_meta(answer[0])
        if meta.record_version != channel.version:
            raise Stale
        scanned = parse_position(answer[1]) if answer[1] else None
        return Page(list(_frames(channel, answer[4:])), scanned, answer[2] == 1, answer[3], meta)


def _frames(channel: ChannelRecord, flat: Sequence[bytes]) -> Iterator[Frame]:
    letters = channel.tag_letters
    for place, type_json, tail in _triples(flat):
        yield frame(letters, parse_position(place), type_json or None, tail)


def _triples(flat: Sequence[bytes]) -> Iterable[tuple[Any, Any, Any]]:
    return zip(flat[::3], flat[1::3], flat[2::3], strict=True)
