"""One log per channel: append, read after a cursor, get, delete, replies (design sections 3 and 4).

Every answer comes from one script call, so that a page and what it says of the log are of the same moment. Ids are
given out where they are committed; retries are never made for writes.
"""

from collections.abc import Sequence

from broker.channels import ChannelRecord
from broker.errors import Forbidden, NotFound
from broker.events import Frame, Stored, frame, frames_of
from broker.ids import Cursor, Position, parse_position
from broker.pages import Page, Types
from broker.storage.appender import Appended, Appender, Idempotency
from broker.storage.channels import keys_of, parse_meta
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.entries import tail_of, type_of
from broker.storage.plain_pages import PlainPages
from broker.storage.scripts import DELETE_EVENT, PAGE, THREAD, Keep

MAX_SCAN = 5_000
MAX_SCAN_BYTES = 16_777_216
MAX_THREAD_EVENTS = 1_000
MAX_THREAD_DEPTH = 100
NO_EVENT = "Event not found"


class Stale(Exception):
    """The channel was changed or deleted since its record was read: read it again, and decide again."""


class Log:
    """The logs of all channels. Every method acts on the record given, or raises `Stale` where that is an old one.

    So a record from the cache is as good as one from the engine: nothing is done or shown that it no longer allows.
    """

    def __init__(self, engine: Engine, appender: Appender) -> None:
        self._engine = engine
        self._appender = appender
        self._plain = PlainPages(engine)

    async def append(
        self, channel: ChannelRecord, events: Sequence[Stored], idempotency: Idempotency | None = None
    ) -> Appended:
        """Store the events as one, or none of them.

        Raises `Stale`, `Invalid` when a reply is to no event of this channel, `KeyReused`, and `Unavailable` when the
        outcome is unknown.
        """
        outcome = await self._appender.append(channel, events, idempotency)
        if outcome is None:
            raise Stale
        return outcome

    async def after(
        self,
        channel: ChannelRecord,
        start: Position,
        *,
        limit: int,
        types: Types | None = None,
        most_bytes: int = MAX_SCAN_BYTES,
    ) -> Page:
        """Up to `limit` events after a position, of these types (JSON texts). Raises `Stale`.

        A page ends with the event that makes it `most_bytes` or more; then, or after `MAX_SCAN` events looked at,
        `more` is True though the limit is not reached.
        """
        page = None if types else await self._plain.after(channel, start, limit, most_bytes)
        if page is not None and page.meta.record_version == channel.version:
            return page
        return await self._page(channel, start.stream, limit, types, most_bytes)

    async def newest(self, channel: ChannelRecord, *, limit: int, types: Types | None = None) -> Page:
        """The newest `limit` events, in the order of the log. Raises `Stale`."""
        return await self._page(channel, "+", limit, types, MAX_SCAN_BYTES)

    async def before(self, channel: ChannelRecord, end: Position, *, limit: int, types: Types | None = None) -> Page:
        """The newest `limit` events before a position, in the order of the log; scanned backwards. Raises `Stale`."""
        return await self._page(channel, f"-{end.stream}", limit, types, MAX_SCAN_BYTES)

    async def get(self, channel: ChannelRecord, cursor: Cursor) -> Frame:
        """The event with this id; raises `NotFound`, `Stale`."""
        keys, place = keys_of(channel), cursor.within(channel.tag)
        pipeline = self._engine.client.pipeline(transaction=False)
        # In this order: a version that is still the present one was so when the event was read.
        pipeline.xrange(keys.stream, place.stream, place.stream)
        pipeline.hget(keys.meta, "version")
        entries, version = await answered(pipeline.execute())
        if version is None or int(version) != channel.version:
            raise Stale
        if not entries:
            raise NotFound(NO_EVENT)
        words = entries[0][1]
        return frame(channel.tag_letters, place, type_of(words) or None, tail_of(words))

    async def delete(
        self,
        channel: ChannelRecord,
        cursor: Cursor,
        publisher: str | None,
        *,
        admin: bool,
        keep: Keep | None = None,
    ) -> None:
        """Delete the event with this id, for its publisher or an admin, and keep an answer in the same step.

        Raises `NotFound`, `Forbidden`, `Stale`, `Answered`.
        """
        keys, place = keys_of(channel), cursor.within(channel.tag).stream
        answer = await DELETE_EVENT.once(
            self._engine.client,
            [keys.meta, keys.stream, keys.replies],
            [place, publisher or "", int(admin), keys.topic, channel.version],
            keep,
        )
        if answer == b"stale":
            raise Stale
        if answer == b"absent":
            raise NotFound(NO_EVENT)
        if answer == b"foreign":
            raise Forbidden("Insufficient permissions")

    async def replies(self, channel: ChannelRecord, cursor: Cursor, *, whole_thread: bool) -> list[Frame]:
        """The direct replies to an event, or all its descendants, by id; at most 1,000. Unknown event: empty.

        Raises `Stale`.
        """
        keys, place = keys_of(channel), cursor.within(channel.tag).stream
        depth = MAX_THREAD_DEPTH if whole_thread else 1
        state, *answer = await THREAD(
            self._engine.client,
            [keys.meta, keys.stream, keys.replies],
            [place, depth, MAX_THREAD_EVENTS, channel.version],
        )
        if state == b"stale":
            raise Stale
        return sorted(_frames(channel, answer))

    async def _page(self, channel: ChannelRecord, start: str, limit: int, types: Types | None, most_bytes: int) -> Page:
        keys = keys_of(channel)
        answer = await PAGE(
            self._engine.client, [keys.meta, keys.stream], [start, limit, MAX_SCAN, most_bytes, *(types or ())]
        )
        meta = parse_meta(answer[0]) if answer else None
        if meta is None or meta.record_version != channel.version:
            raise Stale
        self._plain.learn(channel, meta)
        scanned = parse_position(answer[1]) if answer[1] else None
        return Page(_frames(channel, answer[4:]), scanned, answer[2] == 1, answer[3], meta)


def _frames(channel: ChannelRecord, flat: Sequence[bytes]) -> list[Frame]:
    return frames_of(channel.tag_letters, zip(flat[::3], flat[1::3], flat[2::3], strict=True))
