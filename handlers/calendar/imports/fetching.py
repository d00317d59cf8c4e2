"""Asking for a feed, and what the answer means (RFC 9110, 13). Pure.

What is known of the feed makes the question conditional, so one that did not change costs its server and us nothing
more. The answer is refused where it is not the whole feed, in the clear.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from broker.webclient import Answered, Call
from handlers.calendar.imports.subscription import Seen

ACCEPT = "text/calendar, text/plain;q=0.5, */*;q=0.1"
MOST_VALIDATOR = 512
_VISIBLE = re.compile(r"[\x20-\x7e]+", re.ASCII)


class Unchanged(NamedTuple):
    """The feed is as it was last merged, which is what was known of it."""

    seen: Seen


class Feed(NamedTuple):
    """The feed, and how its server calls this state of it."""

    body: bytes
    etag: str | None
    modified: str | None
    digest: str


class Failed(NamedTuple):
    """There is no feed, and why."""

    error: str


def call_of(url: str, seen: Seen | None, *, timeout_s: float, most_bytes: int) -> Call:
    """The question for a feed; conditional where something is known of it."""
    headers = {"Accept": ACCEPT}
    if seen is not None and seen.etag is not None:
        headers["If-None-Match"] = seen.etag
    if seen is not None and seen.modified is not None:
        headers["If-Modified-Since"] = seen.modified
    # One byte more than may be: so what is too long shows.
    return Call("GET", url, headers, b"", timeout_s, most_bytes + 1)


def read_answer(answered: Answered, seen: Seen | None, most_bytes: int) -> Unchanged | Feed | Failed:
    """What an answer means; `seen` is what was known when it was asked."""
    status = answered.status
    if status is None:
        return Failed(answered.error or "no answer")
    if status == 304 and seen is not None and (seen.etag or seen.modified):
        return Unchanged(seen)
    if 300 <= status < 400 and status != 304:
        return Failed(f"it was answered {status}: redirects are not followed, subscribe to where it leads")
    if status != 200:
        return Failed(f"it was answered {status}")
    encoding = answered.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return Failed("it was answered compressed, which was not asked for")
    if len(answered.body) > most_bytes:
        return Failed(f"it is over {most_bytes} bytes")
    if not answered.is_whole:
        return Failed("its answer did not end in time")
    digest = hashlib.sha256(answered.body).hexdigest()
    if seen is not None and digest == seen.digest:
        return Unchanged(seen)
    etag, modified = (_validator(answered.headers, name) for name in ("ETag", "Last-Modified"))
    return Feed(answered.body, etag, modified, digest)


def _validator(headers: Mapping[str, str], name: str) -> str | None:
    text = headers.get(name, "")
    return text if len(text) <= MOST_VALIDATOR and _VISIBLE.fullmatch(text) else None
