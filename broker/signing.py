"""The server's own Ed25519 key: it signs channel tokens, claims and webhooks (contract channels.md sections 5, 10, 11).

The public half is shown in three spellings: raw (`x` of a JWK, RFC 8037), SPKI (RFC 8410), and by its thumbprint
(RFC 7638), which is the key id. The file that keeps the secret half is in `broker.signing_file`.
"""

import base64
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from broker.errors import Invalid


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its public spellings. Make one with `of` or `from_jwk`."""

    private_key: Ed25519PrivateKey
    kid: str
    """RFC 7638 SHA-256 thumbprint, base64url: 43 characters."""
    public_x: str
    """The 32 raw bytes, base64url without padding: 43 characters."""
    public_spki: str
    """The 44 bytes of the DER SubjectPublicKeyInfo, base64url without padding: 59 characters."""

    @classmethod
    def of(cls, private_key: Ed25519PrivateKey) -> Self:
        """The key with its public spellings worked out."""
        public_key = private_key.public_key()
        spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(
            private_key=private_key,
            kid=OKPKey.import_key(public_key).thumbprint(),
            public_x=_base64url(public_key.public_bytes_raw()),
            public_spki=_base64url(spki),
        )

    @classmethod
    def from_jwk(cls, document: Any) -> Self:
        """The key in a private JWK, `{kty: OKP, crv: Ed25519, x, d}`; raises Invalid, also when x is not d's."""
        try:
            private_key = OKPKey.import_key(document).private_key
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Invalid("not a JWK") from error
        if not isinstance(private_key, Ed25519PrivateKey):
            raise Invalid("not a private Ed25519 key")
        key = cls.of(private_key)
        if key.public_x != document.get("x"):
            raise Invalid("its public half x is not that of its private half d")
        return key

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature over the message."""
        return self.private_key.sign(message)

    def jwk(self) -> dict[str, str]:
        """The public key as a member of a JWKS (RFC 7517)."""
        return {**self._public_members(), "kid": self.kid, "alg": "EdDSA", "use": "sig"}

    def private_jwk(self) -> dict[str, str]:
        """The whole key as a JWK, for its file only."""
        return {**self._public_members(), "d": _base64url(self.private_key.private_bytes_raw())}

    def _public_members(self) -> dict[str, str]:
        return {"kty": "OKP", "crv": "Ed25519", "x": self.public_x}


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
