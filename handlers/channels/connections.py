"""The connections on which events come, for the AsyncAPI document: what is said on each, and how it ends."""

from typing import Any

from handlers.asyncapi import Command, Connection, Message
from handlers.channels.close_codes import codes_at
from handlers.channels.event_operations import CHANNEL, CURSOR, LAST_EVENT_ID, SOCKET_PATH, TOKEN, TYPE, TYPES
from handlers.channels.event_schemas import EVENT, ULID
from handlers.channels.multiplex.operations import MULTIPLEX_PATH
from handlers.channels.multiplex.schemas import COMMANDS, MESSAGES
from handlers.operations import Parameter

BEARER = Parameter("Authorization", "Bearer and a channel token.", place="header")

EVENT_MESSAGE = Message("event", "An event, as it is stored; known by its id", EVENT)

_GAP: dict[str, Any] = {
    "type": "object",
    "required": ["cursor"],
    "properties": {"cursor": {**ULID, "description": "The stream goes on after it."}},
}
_CLOSE: dict[str, Any] = {
    "type": "object",
    "required": ["code", "reason", "cursor"],
    "properties": {
        "code": {"type": "integer"},
        "reason": {"type": "string"},
        "cursor": {"anyOf": [ULID, {"type": "null"}]},
    },
}

_SAID = {
    name: Message(name, summary, MESSAGES[name])
    for name, summary in (
        ("subscribed", "The channel is followed; its events come next"),
        ("unsubscribed", "No more events of the channel"),
        ("published", "The events are stored"),
        ("authenticated", "The token is taken"),
        ("error", "The command did nothing"),
        ("ended", "A subscription ended by itself; the socket goes on"),
        ("position", "Where filtered subscriptions are that had no event for a while"),
        ("closing", "Where to resume each channel; the close frame comes next"),
    )
}
_ERROR = _SAID["error"]


def _command(name: str, summary: str, reply: str) -> Command:
    return Command(Message(name, summary, COMMANDS[name]), (_SAID[reply], _ERROR))


CHANNEL_SOCKET = Connection(
    "channelSocket",
    SOCKET_PATH,
    "ws",
    "The events of one channel, one a text frame",
    (EVENT_MESSAGE,),
    parameters=(CURSOR, TYPES, TYPE, TOKEN, BEARER),
    close_codes=codes_at("ws"),
)
CONNECTIONS: tuple[Connection, ...] = (
    CHANNEL_SOCKET,
    Connection(
        "channelStream",
        CHANNEL + "/sse",
        "http",
        "The events of one channel as Server-Sent Events; the payloads are those of `data:`",
        (
            EVENT_MESSAGE,
            Message("cursorExpired", "SSE event `cursor_expired`: what came before is no longer kept", _GAP),
            Message("close", "SSE event `close`: the server ends the stream", _CLOSE),
        ),
        parameters=(CURSOR, TYPES, TYPE, TOKEN, BEARER, LAST_EVENT_ID),
        close_codes=codes_at("sse"),
    ),
    Connection(
        "socket",
        MULTIPLEX_PATH,
        "ws",
        "Many channels on one socket: commands, their answers in order, and events as on a channel's socket",
        (EVENT_MESSAGE, _SAID["ended"], _SAID["position"], _SAID["closing"]),
        (
            _command("subscribe", "Follow a channel, or follow it from another place", "subscribed"),
            _command("unsubscribe", "Follow a channel no more", "unsubscribed"),
            _command("publish", "Publish one event or a batch, all or nothing", "published"),
            _command("token", "Speak with this token from now on", "authenticated"),
        ),
        parameters=(TOKEN, BEARER),
        close_codes=codes_at("many"),
    ),
)
