"""An event and a page of events, read from the JSON of the server. Pure."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tidemark_client.errors import Cut, Refused

NOT_OURS = "The answer is not that of a Tidemark server"


@dataclass(frozen=True)
class Event:
    """One event of a channel. `id` is its place: as a cursor it means "after this event"."""

    id: str
    channel_id: str | None
    type: str | None
    data: Any
    publisher_id: str | None
    publisher_name: str | None
    created_at: str | None
    meta: str | None
    reply_to: str | None
    fields: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The whole event as one line of JSON."""
        return json.dumps(self.fields, ensure_ascii=False, separators=(",", ":"))


_FROM_JSON = tuple(name for name in Event.__dataclass_fields__ if name != "fields")


@dataclass(frozen=True)
class Page:
    """Events after a cursor, and the `cursor` to go on from. Not `is_complete` where some before them are gone.

    `oldest` is the first id that is still kept, for a page that is not complete; None where nothing is kept.
    """

    events: list[Event]
    cursor: str
    has_more: bool
    is_complete: bool
    oldest: str | None


def event_of(fields: Any) -> Event:
    """The event with these members; raises `ValueError` for what is none."""
    if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
        raise ValueError("no event")
    named: dict[str, Any] = {name: fields.get(name) for name in _FROM_JSON}
    return Event(**named, fields=fields)


def parse_event(text: str | bytes) -> Event:
    """Read a frame; raises `Cut` for one that is no event, as from a server of another kind."""
    try:
        return event_of(json.loads(text))
    except ValueError:
        raise Cut("The server sent what is no event: is this a Tidemark server?") from None


def stored_event(told: Any) -> Event:
    """The event that a publish is answered with; raises `Refused` for what is none."""
    return stored_events({"events": [told]})[0]


def stored_events(told: Any) -> list[Event]:
    """The events that a batch is answered with; raises `Refused` for what has none."""
    try:
        return [event_of(fields) for fields in told["events"]]
    except (ValueError, KeyError, TypeError):
        raise Refused(200, NOT_OURS) from None


def page_of(body: Any) -> Page:
    """The page of an answer's JSON; raises `Refused` for what is none."""
    try:
        if not isinstance(body["cursor"], str):
            raise ValueError("no page")
        return Page(
            [event_of(fields) for fields in body["events"]],
            body["cursor"],
            bool(body["has_more"]),
            bool(body.get("complete", True)),
            body.get("oldest"),
        )
    except (ValueError, KeyError, TypeError):
        raise Refused(200, NOT_OURS) from None
