"""Pages of logs by plain commands, where the log's own word bounds what they may take.

A script that reads a page makes Lua values of every entry: 4.5 us of the engine's CPU an event, and a plain range 1.0
(pages of 1,000 events of 230 bytes, one process). But a plain range is bounded in number only. A log knows its largest
tail, so the number can be chosen such that the bytes are bounded too, for the events up to a top that was seen before.

Not one step: what the log says of itself is asked before and after, and where that is the same, but for events added
beyond that top, the entries between are those of the first moment. Else there is no page, and a script reads it.

A page that ends where the log ended when it was seen last is read once more with what the log says now: asked for again
after a publish, it has the new events.
"""

from collections import OrderedDict

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from broker.events import frames_of
from broker.ids import Position, parse_position
from broker.pages import Page
from broker.storage.channels import META_FIELDS, keys_of, parse_meta
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.entries import Entry, tail_of, type_of

MOST_LOGS = 10_000
FEWEST_EVENTS = 16
"""A page that may not hold more is for a script: a large event somewhere in the log makes the bound too careful."""

READS = 2
"""Of the engine for one page, at most."""


class PlainPages:
    """Reads such pages for one process, and keeps in mind what logs said of themselves, of so many logs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: OrderedDict[int, LogMeta] = OrderedDict()

    def learn(self, channel: ChannelRecord, meta: LogMeta) -> None:
        """What the log of this record says of itself."""
        self._known[channel.tag] = meta
        self._known.move_to_end(channel.tag)
        if len(self._known) > MOST_LOGS:
            self._known.popitem(last=False)

    async def after(self, channel: ChannelRecord, start: Position, limit: int, most_bytes: int) -> Page | None:
        """Up to `limit` events after a position, at most `most_bytes` of tails; None where it is not to be had so.

        Raises `Unavailable`.
        """
        page = None
        for _ in range(READS):
            known = self._known.get(channel.tag)
            if known is None or start >= known.top or not (count := _most_events(known, limit, most_bytes)):
                return None
            page = await self._read(channel, start, known.top, count)
            if page is None or len(page.frames) == count or not page.more:
                return page
        return page

    async def _read(self, channel: ChannelRecord, start: Position, until: Position, count: int) -> Page | None:
        """The first `count` events after a position, up to another."""
        keys = keys_of(channel)
        pipeline = self._engine.client.pipeline(transaction=False)
        pipeline.hmget(keys.meta, META_FIELDS)
        # One more, to know whether it is the end.
        pipeline.execute_command("XRANGE", keys.stream, f"({start.stream}", until.stream, "COUNT", count + 1)
        pipeline.hmget(keys.meta, META_FIELDS)
        before, entries, since = await answered(pipeline.execute())
        if before[0] is None or since[0] is None:
            return None
        meta = parse_meta(before)
        self.learn(channel, meta)
        return _page(channel, until, entries, count, meta) if is_undisturbed(meta, parse_meta(since)) else None


def is_undisturbed(before: LogMeta, since: LogMeta) -> bool:
    """Whether nothing happened to a log in between, but events that were added. All else makes a new revision."""
    is_same = (before.revision, before.record_version) == (since.revision, since.record_version)
    return is_same and before.top <= since.top


def _most_events(known: LogMeta, limit: int, most_bytes: int) -> int:
    """How many events are within the bytes, whichever they are; 0 where that is not known, or too few."""
    if not known.largest_bytes:
        return 0
    count = min(limit, most_bytes // known.largest_bytes)
    return count if count >= min(limit, FEWEST_EVENTS) else 0


def _page(channel: ChannelRecord, until: Position, entries: list[Entry], count: int, meta: LogMeta) -> Page:
    has_more = len(entries) > count
    entries = entries[:count]
    scanned = parse_position(entries[-1][0]) if has_more else min(until, meta.top)
    frames = frames_of(channel.tag_letters, [(place, type_of(words), tail_of(words)) for place, words in entries])
    return Page(frames, scanned, has_more or meta.top > until, len(entries), meta)
