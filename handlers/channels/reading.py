"""Reading a page for a caller: the query of the request, and a page decided on the record of now."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from starlette.requests import HTTPConnection

from broker.channels import ChannelRecord
from broker.errors import CursorExpired, NotFound
from broker.pages import Page, Query, is_incomplete, parse_start, parse_types, render_page
from broker.storage.log import Stale
from handlers.auth import Access, read_grant, require_read, require_read_of_version
from handlers.broker import Broker, broker_of
from handlers.channels.spelling import spell_poll
from handlers.fresh_record import on_fresh_record
from handlers.requests import query_number, query_text

DEFAULT_LIMIT = 50
T = TypeVar("T")


class Read(NamedTuple):
    """A page with the access and the query that it was read for."""

    access: Access
    query: Query
    page: Page


def parse_query(connection: HTTPConnection, channel: ChannelRecord, default_limit: int = DEFAULT_LIMIT) -> Query:
    """The query of a poll: `cursor`, `since`, `type` (alias `types`), `limit`. Raises `Invalid`."""
    most = broker_of(connection).limits.page_events
    return Query(
        parse_start(channel, query_text(connection, "cursor"), query_text(connection, "since")),
        parse_types(query_text(connection, "type", "types")),
        query_number(connection, "limit", default=min(default_limit, most), lowest=1, highest=most),
    )


def spelled_query(connection: HTTPConnection, *, gap_is_error: bool = False) -> dict[str, str]:
    """The parameters of a query that `parse_query` took, each in the one spelling that a cache may keep it under."""
    return spell_poll(
        cursor=query_text(connection, "cursor"),
        since=query_text(connection, "since"),
        types=query_text(connection, "type", "types"),
        limit=query_text(connection, "limit"),
        gap_is_error=gap_is_error,
    )


async def read_page(connection: HTTPConnection, channel_id: str, query_of: Callable[[ChannelRecord], Query]) -> Read:
    """The page that the caller asks for; the right to read is checked on the very record that the page was read with.

    Raises `NotFound`, `Unauthorized`, `Forbidden`, `Invalid`, `Unavailable`.
    """
    broker = broker_of(connection)
    access = await require_read_of_version(connection, channel_id)
    while True:
        query = query_of(access.channel)
        try:
            return Read(access, query, await _fetch(broker, access.channel, query))
        except (Stale, NotFound):
            # Changed, or deleted and perhaps created again, since the record was cached.
            channel = await broker.channels.refresh(channel_id)
            access = Access(channel, read_grant(broker, connection, channel))


async def read_of_now(connection: HTTPConnection, act: Callable[[ChannelRecord], Awaitable[T]]) -> T:
    """What `act` reads of the channel of the path, on its record of now, that the caller may read.

    Raises `NotFound`, `Unauthorized`, `Forbidden`, what `act` raises but `Stale`, and `Unavailable` where that does not
    end.
    """
    channel_id = connection.path_params["channel_id"]
    return await on_fresh_record(broker_of(connection), channel_id, lambda: _on_record(connection, channel_id, act))


async def _on_record(connection: HTTPConnection, channel_id: str, act: Callable[[ChannelRecord], Awaitable[T]]) -> T:
    return await act((await require_read(connection, channel_id)).channel)


async def page_body(broker: Broker, read: Read, *, gap_is_error: bool) -> bytes:
    """The JSON of the page; raises `CursorExpired` for a page with a gap where the caller wants an error."""
    oldest = await oldest_kept(broker, read, gap_is_error=gap_is_error)
    return render_page(read.access.channel, read.query, read.page, oldest)


async def oldest_kept(broker: Broker, read: Read, *, gap_is_error: bool) -> str | None:
    """The first id still kept, for an incomplete page; None for a complete one, and where nothing is kept.

    Raises `CursorExpired` for an incomplete page where the caller wants an error.
    """
    if not is_incomplete(read.query, read.page):
        return None
    oldest = await _oldest(broker, read)
    if gap_is_error:
        raise CursorExpired("cursor_expired", reason="Events after the cursor are no longer kept", oldest=oldest)
    return oldest


async def _fetch(broker: Broker, channel: ChannelRecord, query: Query) -> Page:
    if query.start is None:
        return await broker.log.newest(channel, limit=query.limit, types=query.types)
    return await broker.log.after(channel, query.start.position, limit=query.limit, types=query.types)


async def _oldest(broker: Broker, read: Read) -> str | None:
    if read.query.types is None and read.page.frames:
        return read.page.frames[0].id
    first = await broker.log.after(read.access.channel, read.page.meta.trimmed, limit=1)
    return first.frames[0].id if first.frames else None
