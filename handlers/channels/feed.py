"""What a feed shows of a channel and of an event, whatever its format (contract section 12). Pure."""

from typing import Any, NamedTuple

from broker.channels import ChannelRecord
from broker.events import Frame
from broker.readable import Format, render_readable
from broker.strictjson import parse_json
from broker.xmltext import one_line

UNTYPED = "event"
"""The title of an event whose type is missing or blank."""

_ANY = 1 << 31


class Feed(NamedTuple):
    """The channel: `home` and `address` are URLs of the channel and of this feed, `position` tells where to go on.

    `position` is what a poll says beside its events: `{cursor, has_more, complete}`, `oldest` where it is incomplete.
    """

    title: str
    description: str | None
    home: str
    address: str
    position: dict[str, Any]


class Entry(NamedTuple):
    """An event: `title` is one line, `text` its data for people, `event` its wire form as a value."""

    id: str
    title: str
    text: str
    created_ms: int
    event: dict[str, Any]


def feed_title(channel: ChannelRecord) -> str:
    """The channel's name on one line, its id where the name is blank."""
    return one_line(channel.name) or channel.id


def entry_of(frame: Frame, form: Format) -> Entry:
    """The entry of an event."""
    # Bounded when it was published.
    event = parse_json(frame.wire, depth=_ANY, keys=_ANY)
    title = one_line(event["type"] or "") or UNTYPED
    return Entry(frame.id, title, render_readable(event["data"], form), frame.position.ms, event)
