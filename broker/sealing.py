"""Sealing: answers that show a secret are kept so that only who has the Idempotency-Key can have them again.

ChaCha20-Poly1305 (RFC 8439) under a key that HKDF-SHA256 (RFC 5869) makes of the server's own secret and the
Idempotency-Key. The engine has neither: of the latter it knows a digest. Pure; the nonce is an argument.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.idempotency import IdempotencyKey

NONCE_BYTES = 12
_PURPOSE = b"tidemark idempotency answer\n"


class Sealer:
    """Seals under a server's secret, 32 bytes or more that only the server has."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, key: IdempotencyKey, body: bytes, nonce: bytes) -> bytes:
        """The body, sealed; `nonce` is 12 fresh random bytes."""
        return nonce + self._cipher(key).encrypt(nonce, body, key.row.encode())

    def open(self, key: IdempotencyKey, sealed: bytes) -> bytes | None:
        """The body; None when it was sealed with another key or secret, or damaged."""
        try:
            return self._cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key.row.encode())
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, key: IdempotencyKey) -> ChaCha20Poly1305:
        derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE + key.text.encode())
        return ChaCha20Poly1305(derived.derive(self._secret))
