"""Sealed answers open with the key and the server's secret, and with nothing less."""

from broker.idempotency import IdempotencyKey
from broker.sealing import NONCE_BYTES, Sealer

KEY = IdempotencyKey("row", "body", "the key")
NONCE = bytes(range(NONCE_BYTES))
SEALER = Sealer(b"s" * 32)


def test_what_was_sealed_opens_and_does_not_show() -> None:
    sealed = SEALER.seal(KEY, b"a secret", NONCE)
    assert b"secret" not in sealed
    assert SEALER.open(KEY, sealed) == b"a secret"


def test_it_does_not_open_otherwise() -> None:
    sealed = SEALER.seal(KEY, b"a secret", NONCE)
    assert SEALER.open(KEY._replace(text="another"), sealed) is None
    assert SEALER.open(KEY._replace(row="another"), sealed) is None
    assert Sealer(b"t" * 32).open(KEY, sealed) is None
    assert SEALER.open(KEY, sealed[:-1]) is None
    assert SEALER.open(KEY, b"") is None
