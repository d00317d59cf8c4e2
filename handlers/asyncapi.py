"""The AsyncAPI 3.0 document: every connection on which events come, made of a table like the OpenAPI document.

The schemas are those of the OpenAPI document, and those that the tests hold every message against that is really sent.
Actions are the server's: it sends events and receives commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from handlers.broker import broker_of
from handlers.openapi import VERSION
from handlers.operations import Answer, Operation, Parameter, Schema
from handlers.responses import json_answer

VERSION_OF_FORM = "3.0.0"


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message: its name in the document, and the schema of its JSON."""

    name: str
    summary: str
    payload: Schema


def typed(frame: Schema, name: str, summary: str, data: Schema) -> Message:
    """An event of a domain: a channel's event (`frame`) of this type, with data of this schema."""
    return Message(
        name, summary, {**frame, "properties": {**frame["properties"], "type": {"const": name}, "data": data}}
    )


@dataclass(frozen=True, slots=True)
class Command:
    """A message that the server receives, and those that may answer it."""

    message: Message
    replies: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """A path on which events come: what is sent on it by itself, and the commands that it takes."""

    name: str
    path: str
    protocol: Literal["ws", "http"]
    summary: str
    sends: tuple[Message, ...]
    commands: tuple[Command, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    close_codes: Sequence[dict[str, object]] = field(default_factory=list)


def render_asyncapi(connections: Sequence[Connection], public_url: str) -> dict[str, Any]:
    """The whole document; `public_url` is the server's, '' when it is not configured."""
    messages = {message.name: message for connection in connections for message in _messages(connection)}
    document: dict[str, Any] = {
        "asyncapi": VERSION_OF_FORM,
        "info": {
            "title": "Tidemark",
            "version": VERSION,
            "description": "A realtime channel broker: a channel is a log, every reader is a cursor that moves. "
            "Its HTTP operations are in /openapi.json.",
        },
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each) for each in connections},
        "operations": {name: body for each in connections for name, body in _operations(each)},
        "components": {"messages": {name: _message(message) for name, message in messages.items()}},
    }
    return {**document, "servers": _servers(public_url)} if public_url else document


def asyncapi_operations(connections: Sequence[Connection]) -> tuple[Operation, ...]:
    """The operation that serves the document of these connections."""

    async def asyncapi(request: Request) -> Response:
        return json_answer(document(broker_of(request).site.public_url))

    @cache
    def document(public_url: str) -> dict[str, Any]:
        return render_asyncapi(connections, public_url)

    return (
        Operation(
            "GET",
            "/asyncapi.json",
            asyncapi,
            "The document of sockets and streams",
            "none",
            {200: Answer("AsyncAPI 3.0", {"type": "object"})},
            tag="operation",
        ),
    )


def _messages(connection: Connection) -> list[Message]:
    commands = [message for command in connection.commands for message in (command.message, *command.replies)]
    return [*connection.sends, *commands]


def _channel(connection: Connection) -> dict[str, Any]:
    names = [part[1:-1] for part in connection.path.split("/") if part.startswith("{")]
    channel: dict[str, Any] = {
        "address": connection.path,
        "summary": connection.summary,
        "messages": {each.name: {"$ref": f"#/components/messages/{each.name}"} for each in _messages(connection)},
    }
    if names:
        channel["parameters"] = {name: {"description": f"The {name.removesuffix('_id')}."} for name in names}
    if connection.protocol == "ws":
        channel["bindings"] = {"ws": {"method": "GET", **_asked(connection)}}
    if connection.close_codes:
        channel["x-close-codes"] = list(connection.close_codes)
    return channel


def _operations(connection: Connection) -> list[tuple[str, dict[str, Any]]]:
    send: dict[str, Any] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{connection.name}"},
        "summary": connection.summary,
        "messages": [_in_channel(connection, each) for each in connection.sends],
    }
    if connection.protocol == "http":
        query = _parameters(connection, "query")
        send["bindings"] = {"http": {"method": "GET", "query": query, "bindingVersion": "0.3.0"}}
    return [(f"{connection.name}Send", send), *(_receive(connection, command) for command in connection.commands)]


def _receive(connection: Connection, command: Command) -> tuple[str, dict[str, Any]]:
    name = command.message.name
    channel = {"$ref": f"#/channels/{connection.name}"}
    replies = [_in_channel(connection, each) for each in command.replies]
    return f"{connection.name}{name[0].upper()}{name[1:]}", {
        "action": "receive",
        "channel": channel,
        "summary": command.message.summary,
        "messages": [_in_channel(connection, command.message)],
        "reply": {"channel": channel, "messages": replies},
    }


def _in_channel(connection: Connection, message: Message) -> dict[str, str]:
    return {"$ref": f"#/channels/{connection.name}/messages/{message.name}"}


def _message(message: Message) -> dict[str, Any]:
    return {"name": message.name, "summary": message.summary, "payload": dict(message.payload)}


def _asked(connection: Connection) -> dict[str, Any]:
    asked = {"query": _parameters(connection, "query"), "headers": _parameters(connection, "header")}
    return {**{name: schema for name, schema in asked.items() if schema["properties"]}, "bindingVersion": "0.1.0"}


def _parameters(connection: Connection, place: str) -> dict[str, Any]:
    properties = {
        each.name: {"description": each.description, **each.schema}
        for each in connection.parameters
        if each.place == place
    }
    return {"type": "object", "properties": properties}


def _servers(public_url: str) -> dict[str, Any]:
    url = urlsplit(public_url)
    is_secure = url.scheme == "https"
    at = {"host": url.netloc, **({"pathname": url.path} if url.path else {})}
    return {
        "sockets": {**at, "protocol": "wss" if is_secure else "ws"},
        "streams": {**at, "protocol": "https" if is_secure else "http"},
    }
