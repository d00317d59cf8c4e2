"""What a receiver is sent: body, headers, and an id that never changes."""

import hashlib
import hmac
import json
import re

import orjson

from broker.events import Frame
from broker.ids import Position, parse_ulid
from handlers.calendar.sent import body_of, delivery_id_of, headers_of, name_of

EVENT_ID, WEBHOOK = "01M8CPJVFVGMZ27ZK8GAD64M9J", "whk_01M8CJF0ENNXKZCCZT1X6BN149"
PAYLOAD = {"event": {"title": "ü\u2028", "metadata": {"n": 2**70, "f": 1.5}}, "calendar_id": "cal_1"}
WIRE = json.dumps({"data": {"subject": "evt_1", "payload": PAYLOAD}}, ensure_ascii=False).encode()
FRAME = Frame(Position(1, 0), EVENT_ID, b'"calendar.hold.expired"', WIRE)


def test_the_body_is_the_payload_and_nothing_else() -> None:
    assert json.loads(body_of(FRAME)) == PAYLOAD and b"1180591620717411303424" in body_of(FRAME)
    assert body_of(FRAME) == body_of(FRAME)


def test_the_name_is_the_vendors() -> None:
    assert name_of(FRAME) == "event.hold_expired"


def test_an_id_is_of_one_webhook_and_one_event_and_has_its_time() -> None:
    known = delivery_id_of(WEBHOOK, EVENT_ID)
    assert known == delivery_id_of(WEBHOOK, EVENT_ID) and re.fullmatch(r"whd_[0-7][0-9A-HJKMNP-TV-Z]{25}", known)
    assert parse_ulid(known.removeprefix("whd_")).ms == parse_ulid(EVENT_ID).ms
    assert len({known, delivery_id_of("whk_2", EVENT_ID), delivery_id_of(WEBHOOK, "01M8CPJVFVGMZ27ZK8GAD64M9K")}) == 3


def test_the_signature_is_over_the_seconds_and_the_very_body_under_the_whole_secret() -> None:
    body = orjson.dumps({"a": 1})
    headers = headers_of("whsec_abc", WEBHOOK, FRAME, body, 1_800_000_000_999)
    assert headers["X-Timestamp"] == "1800000000"
    expected = hmac.new(b"whsec_abc", b"1800000000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == f"sha256={expected}"
    later = headers_of("whsec_abc", WEBHOOK, FRAME, body, 1_800_000_001_000)
    assert later["X-Signature"] != headers["X-Signature"] and later["X-Delivery-Id"] == headers["X-Delivery-Id"]
