"""What a receiver is sent, and how it knows whose that is (contract 9.1 and 10). Pure.

The body is what the event says webhooks are sent, so it is the same at every attempt, and what was when it happened.
The signature is that of the `chronary` client: HMAC-SHA256 over the seconds of the attempt, a point and the very body,
under the whole secret.
"""

import hashlib
import hmac
from typing import Any

import orjson

from broker.events import Frame
from broker.ids import MAX_SEQ, SEQ_BITS, Position, parse_ulid, render_tag, render_ulid
from broker.strictjson import parse_stored, render_json
from handlers.calendar.events import VENDOR_NAMES

ID_BYTES = 10


def name_of(frame: Frame) -> str:
    """The vendor's name of an event's type."""
    return VENDOR_NAMES[orjson.loads(frame.type_json or b'""')]


def payload_of(frame: Frame) -> dict[str, Any]:
    """What of an event is sent."""
    payload: dict[str, Any] = parse_stored(frame.wire)["data"]["payload"]
    return payload


def body_of(frame: Frame) -> bytes:
    """The same as it is sent."""
    return render_json(payload_of(frame))


def delivery_id_of(webhook_id: str, event_id: str) -> str:
    """The id of the delivery of an event to a webhook: `whd_` and a ULID with the event's time, always the same."""
    digest = hashlib.blake2b(f"{webhook_id} {event_id}".encode(), digest_size=ID_BYTES).digest()
    bits = int.from_bytes(digest)
    return "whd_" + render_ulid(render_tag(bits >> SEQ_BITS), Position(parse_ulid(event_id).ms, bits & MAX_SEQ))


def headers_of(secret: str, webhook_id: str, frame: Frame, body: bytes, now_ms: int) -> dict[str, str]:
    """The headers of an attempt that is made at `now_ms`."""
    timestamp = str(now_ms // 1000)
    signature = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "X-Chronary-Event-Type": name_of(frame),
        "X-Timestamp": timestamp,
        "X-Signature": f"sha256={signature.hex()}",
        "X-Delivery-Id": delivery_id_of(webhook_id, frame.id),
    }
