"""Receivers verify deliveries with libraries that are not ours."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from standardwebhooks import Webhook, WebhookVerificationError

from broker.delivery_signing import Delivered, headers_of, secret_of
from broker.signing import SigningKey

KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
DELIVERED = Delivered("01HZQX5K9V", "news", b'{"data":1}')


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def headers(at_ms: int | None = None) -> dict[str, str]:
    return headers_of(KEY, "wh_1", "https://events.example.com", DELIVERED, at_ms or now_ms())


def test_the_public_library_verifies_it() -> None:
    Webhook(secret_of(KEY, "wh_1")).verify(DELIVERED.body.decode(), headers())


def test_it_refuses_another_body_another_id_an_old_time_and_another_endpoints_secret() -> None:
    verifier, good = Webhook(secret_of(KEY, "wh_1")), headers()
    for data, sent in (
        ('{"data":2}', good),
        (DELIVERED.body.decode(), {**good, "webhook-id": "01HZQX5K9W"}),
        (DELIVERED.body.decode(), headers(now_ms() - 600_000)),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(data, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(KEY, "wh_2")).verify(DELIVERED.body.decode(), good)


def public_key() -> Ed25519PublicKey:
    """The key as the discovery document shows it: base64url SPKI."""
    key = load_der_public_key(base64.urlsafe_b64decode(KEY.public_spki + "=="))
    assert isinstance(key, Ed25519PublicKey)
    return key


def test_zooids_headers_are_signed_over_timestamp_and_raw_body() -> None:
    sent = headers(1_800_000_000_123)
    assert sent["X-Zooid-Timestamp"] == "2027-01-15T08:00:00.123Z"
    names = ("X-Zooid-Server", "X-Zooid-Channel", "X-Zooid-Event-Id", "X-Zooid-Key-Id")
    assert [sent[name] for name in names] == ["https://events.example.com", "news", "01HZQX5K9V", KEY.kid]
    signature = base64.b64decode(sent["X-Zooid-Signature"])
    public_key().verify(signature, b'2027-01-15T08:00:00.123Z.{"data":1}')
    with pytest.raises(InvalidSignature):
        public_key().verify(signature, b'2027-01-15T08:00:00.123Z.{"data":2}')


def test_v1a_is_signed_by_the_servers_key() -> None:
    sent = headers(1_800_000_000_123)
    asymmetric = sent["webhook-signature"].split()[1].removeprefix("v1a,")
    public_key().verify(base64.b64decode(asymmetric), b'01HZQX5K9V.1800000000.{"data":1}')


def test_where_it_is_not_known_the_server_is_left_out() -> None:
    assert "X-Zooid-Server" not in headers_of(KEY, "wh_1", "", DELIVERED, now_ms())
