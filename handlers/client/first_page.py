"""The first cursor of a reader, from a poll.

A reader needs a cursor before its first event: a connection can break before there is one, and without a cursor it
would begin again at what is the newest by then.
"""

import math
from typing import Any

from broker.ids import cursor_before
from handlers.client.api import Api, Call, member
from handlers.client.persistence import Say, persist


def cursor_of_newest(api: Api, channel_id: str, count: int, types: str | None, say: Say) -> str:
    """The cursor before the `count` newest events of these types; with 0 the one after everything so far.

    It waits for a server that is away. Raises `Refused`.
    """
    page = _page(api, channel_id, say, limit=max(1, count), types=types if count else None)
    return _before_first(page) if count else str(member(page, "cursor"))


def cursor_since(api: Api, channel_id: str, since: str, say: Say) -> str:
    """The cursor before the first event after a time; says so when some of those are no longer kept.

    It waits for a server that is away. Raises `Refused`.
    """
    page = _page(api, channel_id, say, limit=1, since=since)
    if not member(page, "complete"):
        say(f"There is a gap: not all events since {since} are still kept")
    return _before_first(page)


def _page(api: Api, channel_id: str, say: Say, **query: str | int | None) -> Any:
    path = api.url.path("channels", channel_id, "events", **query)
    return persist(api, Call("GET", path), patience_s=math.inf, say=say)


def _before_first(page: Any) -> str:
    events = member(page, "events")
    return cursor_before(events[0]["id"]) if events else str(member(page, "cursor"))
