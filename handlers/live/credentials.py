"""Stream keys, watch tokens and access grants: how they look, and what is kept of them (contract section 2). Pure.

Each is shown once; kept are its SHA-256, by which it is found, and its beginning. A stream key carries the number of
its partition, and so does the public name of its stream: media servers say nothing else.
"""

import base64
import hashlib
import re

from handlers.live.live_event import StreamKey

KEY_BYTES = GRANT_BYTES = 32
TOKEN_BYTES = 24
STREAM_BYTES = 16
SHOWN_CHARS = 9
MOST_CHARS = 100
_STREAM_KEY = re.compile(r"sk_([0-9]{2})[A-Za-z0-9_-]{43}")
_STREAM = re.compile(r"([0-9]{2})[A-Za-z0-9_-]{22}")


def digest_of(text: str) -> str:
    """The SHA-256 of a credential, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def make_stream_key(partition: int, key_bytes: bytes, stream_bytes: bytes) -> tuple[str, StreamKey]:
    """The text of a new stream key, and what is kept of it; `stream_bytes` make the public name of what is streamed."""
    text = f"sk_{partition:02d}{_letters(key_bytes)}"
    return text, StreamKey(digest_of(text), text[:SHOWN_CHARS], f"{partition:02d}{_letters(stream_bytes)}")


def partition_of(text: str) -> int | None:
    """The partition that a stream key, or the public name of a stream, tells; None for what is neither."""
    match = _STREAM_KEY.fullmatch(text) or _STREAM.fullmatch(text)
    return None if match is None else int(match[1])


def make_token(random_bytes: bytes) -> str:
    """The text of a new watch token."""
    return f"wt_{_letters(random_bytes)}"


def make_grant(random_bytes: bytes) -> str:
    """The text of a new access grant."""
    return f"ag_{_letters(random_bytes)}"


def masked(prefix: str) -> str:
    """How a credential is shown after its first time."""
    return f"{prefix}..."


def _letters(random_bytes: bytes) -> str:
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode()
