"""The headers by which a receiver knows a delivery: Zooid's and those of Standard Webhooks beside them. Pure.

Zooid's (contract channels.md section 10): Ed25519 over `{timestamp}.{raw body}` in standard base64; the timestamp is
ISO 8601 with milliseconds. Standard Webhooks: `v1` is an HMAC under the endpoint's own secret, `v1a` Ed25519 under the
server's key, both over `{id}.{Unix seconds}.{raw body}`.
"""

import base64
import hashlib
import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.ids import render_time
from broker.signing import SigningKey

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin, by the standard
_PURPOSE = b"tidemark webhook secret\n"


class Delivered(NamedTuple):
    """What is delivered, for the headers: an event's id, its channel and its body."""

    event_id: str
    channel_id: str
    body: bytes


def secret_of(key: SigningKey, endpoint_id: str) -> str:
    """The secret of an endpoint, `whsec_...`: made of the server's own key, so that nothing has to keep it."""
    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE + endpoint_id.encode())
    return SECRET_PREFIX + base64.b64encode(derived.derive(key.private_key.private_bytes_raw())).decode()


def headers_of(key: SigningKey, endpoint_id: str, server_url: str, delivered: Delivered, now_ms: int) -> dict[str, str]:
    """All headers of a delivery that is made at `now_ms`; `server_url` is left out where it is not known."""
    timestamp = render_time(now_ms)
    signed = key.sign(timestamp.encode() + b"." + delivered.body)
    headers = {
        "Content-Type": "application/json",
        "X-Zooid-Timestamp": timestamp,
        "X-Zooid-Channel": delivered.channel_id,
        "X-Zooid-Event-Id": delivered.event_id,
        "X-Zooid-Key-Id": key.kid,
        "X-Zooid-Signature": base64.b64encode(signed).decode(),
        **_standard(key, endpoint_id, delivered, now_ms // 1000),
    }
    return {"X-Zooid-Server": server_url, **headers} if server_url else headers


def _standard(key: SigningKey, endpoint_id: str, delivered: Delivered, now_s: int) -> dict[str, str]:
    content = b"%b.%d.%b" % (delivered.event_id.encode(), now_s, delivered.body)
    secret = base64.b64decode(secret_of(key, endpoint_id).removeprefix(SECRET_PREFIX))
    shared = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    own = base64.b64encode(key.sign(content)).decode()
    return {
        "webhook-id": delivered.event_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{shared} v1a,{own}",
    }
