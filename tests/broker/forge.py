"""Tokens as a forger, or an honest partner, would make them: any header, any payload, any key."""

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.trust import TrustedKey, own_key

NOW_S = 1_800_000_000


@dataclass(frozen=True)
class Key:
    """A signing key with its id, as `Signer` asks for."""

    kid: str
    private_key: Ed25519PrivateKey

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the public half."""
        return self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def x(self) -> str:
        """The public half as a JWK spells it."""
        return b64(self.raw)

    @property
    def trusted(self) -> TrustedKey:
        """The key as the server's own."""
        return own_key(self.kid, self.x)


def key_of(kid: str, seed: int) -> Key:
    """Always the same key for the same seed."""
    return Key(kid, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


SERVER = key_of("server", 1)
STRANGER = key_of("stranger", 2)


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def segment(value: Any) -> str:
    """A JSON value, or bytes as they are, as a part of a token."""
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def forge(payload: Any, key: Key = SERVER, header: Any = None, **members: Any) -> str:
    """A token with a true signature by `key` over any payload and header; `members` change the usual header."""
    usual = {"alg": "EdDSA", "typ": "JWT", "kid": key.kid} | members
    head = segment({k: v for k, v in usual.items() if v is not None} if header is None else header)
    signed = f"{head}.{segment(payload)}"
    return f"{signed}.{b64(key.private_key.sign(signed.encode()))}"


def forge_hs256(payload: Any, secret: bytes, kid: str | None = "server") -> str:
    """A token signed with a shared secret, such as the bytes of a public key."""
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{segment(payload)}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), 'sha256'))}"
