"""Where a socket or an SSE stream starts, and whether something is missing before it (contract section 16)."""

from typing import NamedTuple

from starlette.requests import HTTPConnection

from broker.channels import ChannelRecord
from broker.cursors import Start, has_gap, resume_from
from broker.errors import Unavailable
from broker.ids import render_ulid
from broker.pages import Types, parse_start, parse_types
from handlers.auth import Access, known_access, require_read
from handlers.broker import Broker, broker_of
from handlers.requests import query_text


class Following(NamedTuple):
    """What a held-open reader asked for. `start` is None for one that begins at the tip.

    `gap_cursor` is the cursor to go on from when events after the given one are gone, None when none are.
    """

    access: Access
    start: Start | None
    types: Types | None
    gap_cursor: str | None


async def parse_following(connection: HTTPConnection, last_event_id: str | None = None) -> Following:
    """Read the request of a held-open reader; raises what `require_read` does, and `Invalid`."""
    broker, channel_id = broker_of(connection), connection.path_params["channel_id"]
    known = broker.hub.known(channel_id)
    access = known_access(connection, known.record) if known else None
    access = access or await require_read(connection, channel_id)
    types = parse_types(query_text(connection, "types", "type"))
    asked = parse_start(access.channel, last_event_id or query_text(connection, "cursor"), None)
    if asked is None:
        return Following(access, None, types, None)
    if known is not None and asked.own and access.channel is known.record and known.holds(asked.position):
        return Following(access, asked, types, None)
    return await _from_cursor(broker, access, asked, types)


def cursor_text(channel: ChannelRecord, start: Start) -> str:
    """The cursor that names this start."""
    return render_ulid(channel.tag_letters, start.position)


async def _from_cursor(broker: Broker, access: Access, asked: Start, types: Types | None) -> Following:
    meta = (await broker.channels.metas([access.channel]))[0]
    if meta is None:
        await broker.channels.refresh(access.channel.id)
        raise Unavailable("The channel was deleted and created again", retry_after_s=1)
    start = Start(resume_from(asked, meta), own=True)
    gap_cursor = cursor_text(access.channel, start) if has_gap(asked, meta) else None
    return Following(access, start, types, gap_cursor)
