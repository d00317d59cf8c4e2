"""The checks of what is called: URL, headers, payload, time (contract sections 2, 7 and 9). Pure.

Each gives back what it was given, and raises `ValueError` that says what is wrong. Where a name leads is judged when it
is connected to, not here.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from broker.strictjson import render_json

MAX_URL = 2_048
MAX_HEADERS = 50
MAX_HEADERS_BYTES = 8_192
MAX_PAYLOAD_BYTES = 262_144
"""What a webhook may carry out (reliability.md F)."""

_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?(?:[/?#]\S*)?", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = re.compile(
    r"host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*", re.I
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d{1,20}))?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime.fromtimestamp(0, UTC)


def check_url(value: str) -> str:
    """An absolute http or https URL in ASCII, without user and password."""
    match = _URL.fullmatch(value)
    if len(value) > MAX_URL or match is None or _UNPRINTABLE.search(value):
        raise ValueError(f"must be an absolute http:// or https:// URL of at most {MAX_URL} characters, escaped")
    if match[2] is not None and not 0 < int(match[2]) < 65_536:
        raise ValueError("has a port that there is not")
    return value


def check_headers(value: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Names and values that can be sent, and none that are the sender's own."""
    for name, text in (value or {}).items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"has the name {name[:50]!r}, which is no header's")
        if _OURS.fullmatch(name):
            raise ValueError(f"has {name}, which is not yours to set")
        if _CONTROL.search(text):
            raise ValueError(f"has a control character in {name}")
    if value and (len(value) > MAX_HEADERS or _size(value) > MAX_HEADERS_BYTES):
        raise ValueError(f"may be at most {MAX_HEADERS} and {MAX_HEADERS_BYTES} bytes")
    if value and len({name.lower() for name in value}) < len(value):
        raise ValueError("has a name twice, but for its case")
    return value


def check_payload(value: Any) -> Any:
    """Not longer than what is sent."""
    if len(render_json(value)) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"must be at most {MAX_PAYLOAD_BYTES} bytes as JSON")
    return value


def check_time(value: str) -> str:
    """A time as RFC 3339 has it; one without an offset would mean another moment for each reader."""
    parse_moment(value)
    return value


def parse_moment(value: str) -> int:
    """The Unix time in ms of such a text, rounded up, so that nothing is early; raises `ValueError`."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError("must be a time such as 2030-12-31T23:59:59Z, with its offset")
    fraction = match[1] or ""
    whole = value if match[1] is None else value[: match.start(1) - 1] + value[match.end(1) :]
    try:
        since = datetime.fromisoformat(whole.upper()) - _EPOCH
    except (ValueError, OverflowError):
        raise ValueError("is no time that there is") from None
    part_ms = -(-int(fraction) * 1000 // 10 ** len(fraction)) if fraction else 0
    at_ms = since // timedelta(milliseconds=1) + part_ms
    if not 0 <= at_ms < 253_402_300_800_000:
        raise ValueError("is no time between 1970 and 9999")
    return at_ms


def _size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(text.encode()) for name, text in headers.items())
