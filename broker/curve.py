"""Ed25519 public keys as they stand in a JWK: base64url of 32 bytes (RFC 8037, RFC 8032 section 5.1.3).

The libraries take any 32 bytes and only fail, or worse do not fail, when they verify: for a point of small order anyone
can forge signatures. So a key is judged once, when somebody asks to trust it.
"""

import base64
import re
from typing import Any

from joserfc.jwk import OKPKey

from broker.errors import Invalid

_PRIME = 2**255 - 19
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME
_SQUARE_ROOT_OF_MINUS_ONE = pow(2, (_PRIME - 1) // 4, _PRIME)
_X_FORM = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


def parse_public_key(x: Any) -> OKPKey:
    """The key whose raw bytes `x` spells in canonical base64url; raises Invalid unless it is a safe point."""
    if not isinstance(x, str) or not _X_FORM.fullmatch(x):
        raise Invalid('"x" must be the raw Ed25519 public key of a JWK: 32 bytes in base64url, 43 characters')
    if not _is_safe_point(base64.urlsafe_b64decode(x + "=")):
        raise Invalid('"x" is not a usable Ed25519 public key')
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})


def _is_safe_point(raw: bytes) -> bool:
    """Whether `raw` encodes a point of the curve, in the one proper way, that is not of small order."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _PRIME:
        return False
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    x = _square_root(x_squared)
    return x is not None and not _has_small_order(x, y)


def _square_root(square: int) -> int | None:
    root = pow(square, (_PRIME + 3) // 8, _PRIME)
    if root * root % _PRIME != square:
        root = root * _SQUARE_ROOT_OF_MINUS_ONE % _PRIME
    return root if root * root % _PRIME == square else None


def _has_small_order(x: int, y: int) -> bool:
    """Whether eight times the point is the neutral point (0, 1)."""
    for _ in range(3):
        product = _D * x * x * y * y % _PRIME
        x, y = (
            2 * x * y * pow(1 + product, -1, _PRIME) % _PRIME,
            (y * y + x * x) * pow(1 - product, -1, _PRIME) % _PRIME,
        )
    return (x, y) == (0, 1)
