"""What a shared cache may keep: answers for everybody, under one spelling of their address (design section 6).

A CDN, nginx or Varnish keeps an answer under its URL. So a public answer may be kept only where the URL is the one
spelling of what it asks for: else each order, duplicate and unknown parameter would be a copy of its own, and each new
one a request to the origin. Other spellings are answered as well, with `no-store` and a Content-Location that names the
one to use. Nothing that a credential came with may be kept. Pure but for the hash.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from handlers.serving.http_scope import first_headers

PLAIN = ",:"
"""What clients write either as it is or as `%2C` and `%3A`; both count as the one spelling."""


def has_credential(scope: Scope) -> bool:
    """True when the answer is the sender's own: Authorization, Cookie, or a `token` in the query string as sent.

    Tidemark reads no cookies, but those who run a cache cannot know.
    """
    headers, query = first_headers(scope), scope["query_string"]
    if b"authorization" in headers or b"cookie" in headers:
        return True
    # Only a query that may have one is read: that costs more than all the rest.
    return (b"token" in query or b"%" in query) and "token" in QueryParams(query)


def public_answer(
    request: Request,
    body: bytes,
    *,
    channel_id: str,
    keep_s: int,
    parameters: Mapping[str, str],
    media_type: str = "application/json",
) -> Response:
    """The answer to a read of a public channel, or 304 where the client has it; a cache may keep either for `keep_s`.

    `parameters` are those that the answer depends on, each with the one spelling of its value. Purging by the channel's
    id (Surrogate-Key, Cache-Tag) removes every answer about it.
    """
    if has_credential(request.scope):
        return Response(body, media_type=media_type)
    if not _is_spelled_so(request.scope, parameters):
        return Response(body, headers=_uncacheable(request.scope["path"], parameters), media_type=media_type)
    etag = strong_etag(body)
    headers = {
        "Cache-Control": f"public, s-maxage={keep_s}",
        "ETag": etag,
        "Surrogate-Key": channel_id,
        "Cache-Tag": channel_id,
    }
    if is_known(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def spellings(parameters: Mapping[str, str]) -> tuple[str, str]:
    """The queries under which an answer may be kept: sorted by name, each once. They differ in `PLAIN` only."""
    pairs = sorted(parameters.items())
    return urlencode(pairs, safe=PLAIN), urlencode(pairs)


def strong_etag(body: bytes) -> str:
    """A validator of these very bytes, the same from every process."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def is_known(if_none_match: str, etag: str) -> bool:
    """True when the client has this answer, also where a cache has weakened its ETag by compressing (RFC 9110)."""
    return if_none_match.strip() == "*" or etag in (
        part.strip().removeprefix("W/") for part in if_none_match.split(",")
    )


def _is_spelled_so(scope: Scope, parameters: Mapping[str, str]) -> bool:
    path: str = scope["path"]
    return scope["raw_path"] == path.encode() and scope["query_string"].decode("latin-1") in spellings(parameters)


def _uncacheable(path: str, parameters: Mapping[str, str]) -> dict[str, str]:
    query = spellings(parameters)[0]
    return {"Cache-Control": "no-store", "Content-Location": f"{path}?{query}" if query else path}
