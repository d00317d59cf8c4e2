"""Reading requests: bodies within their bound, strict JSON, and query parameters. All failures are refusals."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

from broker.errors import Invalid, Refusal, TooLarge
from broker.strictjson import parse_json
from handlers.broker import broker_of
from handlers.serving.http_scope import first_headers

T = TypeVar("T")


def header_of(scope: Scope, name: bytes) -> str | None:
    """The first header of this name (in lower case)."""
    value = first_headers(scope).get(name)
    return None if value is None else value.decode("latin-1")


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body; raises `TooLarge` before more than `most_bytes` were read, by its length where it says so."""
    declared = header_of(request.scope, b"content-length") or "0"
    if not declared.isdecimal() or int(declared) > most_bytes:
        raise TooLarge(f"The body is over {most_bytes} bytes")
    chunks: list[bytes] = []
    total = 0
    # Not by Request.stream, which costs as much again as the receiving.
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The body ended early")
        chunk: bytes = message.get("body", b"")
        total += len(chunk)
        if total > most_bytes:
            raise TooLarge(f"The body is over {most_bytes} bytes")
        if not message.get("more_body", False):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


async def read_json(request: Request) -> Any:
    """The JSON value of the body; raises `Invalid` or `TooLarge`."""
    limits = broker_of(request).limits
    body = await read_body(request, limits.body_bytes)
    return parse_json(body, depth=limits.json_depth, keys=limits.json_keys)


async def asked_or_refusal(request: Request, parse: Callable[[Any], T]) -> tuple[Any, T | Refusal]:
    """The JSON of the body and what it asks for, or why it asks for nothing.

    For APIs in which what is not there comes before what is wrong with the body: a decision raises the refusal.
    """
    body: Any = None
    try:
        body = await read_json(request)
        return body, parse(body)
    except Refusal as refusal:
        return body, refusal


def query_text(connection: HTTPConnection, *names: str) -> str | None:
    """The one value of a query parameter under any of its names; raises `Invalid` when it is given twice."""
    # Reading a query costs 20 us and more, and most that is asked for is not there.
    if not may_have(connection.scope["query_string"], names):
        return None
    values = [value for name in names for value in connection.query_params.getlist(name)]
    if len(values) > 1:
        raise Invalid(f"{names[0]} is given more than once")
    return values[0] if values else None


def may_have(query: bytes, names: Iterable[str]) -> bool:
    """Whether a query string, as sent, may have one of these parameters; one with escapes may have any."""
    return bool(query) and (b"%" in query or any(name.encode() in query for name in names))


def query_number(connection: HTTPConnection, name: str, *, default: int, lowest: int, highest: int) -> int:
    """A whole number within bounds; raises `Invalid`."""
    text = query_text(connection, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and lowest <= int(text) <= highest):
        raise Invalid(f"{name} must be a whole number from {lowest} to {highest}")
    return int(text)
