"""Idempotency-Key: whose a key is, what it came with, and what was answered to it (design section 6). Pure.

A key counts within its scope: the principal, the method and the path. It is kept as a digest, and so is the body that
came with it.
"""

import hashlib
from typing import NamedTuple

from broker.errors import Conflict, Invalid, KeyReused

UNKEPT = (401, 429)
"""Refusals below 500 that are not kept: the same call may be answered otherwise later."""


class IdempotencyKey(NamedTuple):
    """A key in its scope: the digest of both, the digest of the body it came with, and its text, to seal with."""

    row: str
    body: str
    text: str


class Kept(NamedTuple):
    """An answer as it was given. It shows the cursor of a channel, where these two are not None.

    `body` is None when it showed a secret and that is no longer kept.
    """

    digest: str
    status: int
    body: bytes | None
    channel_id: str | None = None
    cursor: str | None = None


def make_key(
    text: str | None, most_chars: int, *, principal: str, method: str, path: str, body: bytes
) -> IdempotencyKey | None:
    """The key of a request, None where the header is absent; raises `Invalid` for a bad one."""
    if text is None:
        return None
    if not 1 <= len(text) <= most_chars or not text.isprintable():
        raise Invalid(f"Idempotency-Key must be 1 to {most_chars} printable characters")
    scope = "\n".join((principal, method, path, text))
    return IdempotencyKey(_digest(scope.encode()), _digest(body), text)


def check_replay(key: IdempotencyKey, kept: Kept) -> Kept:
    """The answer to give again; raises `KeyReused` for another body, `Conflict` when its secret is no longer kept."""
    if kept.digest != key.body:
        raise KeyReused("This Idempotency-Key came with another body before")
    if kept.body is None:
        raise Conflict(
            "This Idempotency-Key was answered before, with a secret that is no longer kept; nothing was done now",
            code="idempotency_expired",
        )
    return kept


def is_kept(status: int) -> bool:
    """Whether an answer of this status is given again to the same key."""
    return status < 500 and status not in UNKEPT


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
