"""Feeds for everybody: what a shared cache may keep, and the answer 304 (contract section 8, design section 6)."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response


def public_answer(
    request: Request,
    body: bytes,
    *,
    channel_id: str,
    keep_s: int,
    parameters: Mapping[str, str],
    media_type: str,
) -> Response:
    """A public answer, or 304 where the client has it; a cache may keep either for `keep_s`.

    Only under the one spelling of its URL: `parameters` are those that the answer depends on. With a credential, or
    under another spelling, it is not kept. Purging by `channel_id` (Surrogate-Key, Cache-Tag) removes it.
    """
    query = request.scope["query_string"].decode("latin-1")
    if "authorization" in request.headers or query not in _spellings(parameters):
        return Response(body, media_type=media_type)
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {
        "Cache-Control": f"public, s-maxage={keep_s}",
        "ETag": etag,
        "Surrogate-Key": channel_id,
        "Cache-Tag": channel_id,
    }
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in asked.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _spellings(parameters: Mapping[str, str]) -> tuple[str, str]:
    pairs = sorted(parameters.items())
    return urlencode(pairs, safe=",:"), urlencode(pairs)
