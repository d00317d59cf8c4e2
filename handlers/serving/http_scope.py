"""The ASGI scope of a request (HTTP, version 2.3), from the parts that the parser reads. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import httptools
from starlette.types import Scope

from handlers.serving.sockets import Ends

ASGI = {"version": "3.0", "spec_version": "2.3"}

_FIRST = "tidemark.first_headers"


def connection_scope(
    ends: Ends, scheme: str, root_path: str, state: Mapping[str, Any], extensions: Mapping[str, Any]
) -> dict[str, Any]:
    """What is the same for all requests of a connection."""
    return {**ends._asdict(), "scheme": scheme, "root_path": root_path, "state": state, "extensions": extensions}


def render_scope(
    connection: Mapping[str, Any], method: bytes, url: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> Scope:
    """The scope of one of its requests."""
    return {
        **connection,
        "type": "http",
        "asgi": ASGI,
        "http_version": version,
        "method": method.decode("ascii"),
        "headers": headers,
        _FIRST: first_of(headers),
        "state": {**connection["state"]},
        **render_target(connection["root_path"], url),
    }


def first_of(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first header of each name."""
    return dict(reversed(headers))


def first_headers(scope: Scope) -> dict[bytes, bytes]:
    """The first header of each name of a request; made once, as a dozen who are on its way look for one."""
    found: dict[bytes, bytes] | None = scope.get(_FIRST)
    if found is None:
        found = scope[_FIRST] = first_of(scope["headers"])
    return found


def render_target(root_path: str, url: bytes) -> dict[str, Any]:
    """What a scope says of a request's target; raises `httptools.HttpParserInvalidURLError`."""
    target = httptools.parse_url(url)
    raw_path: bytes = target.path
    path = raw_path.decode("ascii")
    return {
        "path": root_path + (unquote(path) if "%" in path else path),
        "raw_path": root_path.encode("ascii") + raw_path,
        "query_string": target.query or b"",
    }
