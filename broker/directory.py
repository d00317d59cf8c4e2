"""Claims for a directory of servers: which channels this server lists, signed (contract channels.md section 11). Pure.

A claim is the JSON object `{server_url, channels, timestamp, action?}`. The signature is over its bytes, and both are
told in base64url without padding, so that a directory verifies exactly what it was given.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.errors import Invalid
from broker.strictjson import render_json

MAX_CHANNELS = 100
"""How many channels one claim may name."""

_SHOWN_CHARS = 64


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a claim shall say: channels, each once and in their order, and whether they are to be removed."""

    channels: tuple[str, ...]
    action: str | None


def parse_claim_request(body: Any) -> ClaimRequest:
    """The body of `POST /directory/claim`, `{channels, action?: "delete"}`; raises Invalid. Others are ignored."""
    if not isinstance(body, Mapping):
        raise Invalid("Request body must be a JSON object")
    channels, action = body.get("channels"), body.get("action")
    if not isinstance(channels, list) or not 1 <= len(channels) <= MAX_CHANNELS:
        raise Invalid(f"channels must be a list of 1 to {MAX_CHANNELS} channel ids")
    if not all(isinstance(channel_id, str) for channel_id in channels):
        raise Invalid("channels must be a list of texts")
    if action not in (None, "delete"):
        raise Invalid('action must be "delete" where it is given')
    return ClaimRequest(tuple(dict.fromkeys(channels)), action)


def missing_channels(channel_ids: list[str]) -> Invalid:
    """The refusal that names these channels, which do not exist; ids that are too long to be one are cut."""
    return Invalid("Channels not found: " + ", ".join(channel_id[:_SHOWN_CHARS] for channel_id in channel_ids))


def render_claim(request: ClaimRequest, server_url: str, timestamp: str) -> bytes:
    """The bytes that are signed; `timestamp` is ISO 8601."""
    claim = {"server_url": server_url, "channels": list(request.channels), "timestamp": timestamp}
    return render_json(claim if request.action is None else {**claim, "action": request.action})


def render_signed(claim: bytes, signature: bytes) -> dict[str, str]:
    """The answer, `{claim, signature}`."""
    return {"claim": _base64url(claim), "signature": _base64url(signature)}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
