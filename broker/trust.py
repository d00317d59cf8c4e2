"""Trusted keys: whose signatures count, how much they may grant, and under which name (contract channels.md section 5).

The keys are one small document, a list of objects in the form that `GET /keys` shows:

    {kid, kty: "OKP", crv: "Ed25519", x, max_scopes: [scope], issuer: text or null, jwks_url: null, created_at}

`add_key` and `remove_key` are pure steps from one document to the next, so that storage can repeat them when two
processes change it at once. The server's own key is not in the document; it stands beside it with no ceiling.
Stricter than the origin (contract section 14, row 21): no ceiling given means `sub:*`, a token over its ceiling is
refused whole, and an issuer that is set must be the token's `iss`. Keys are never fetched.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import OKPKey

from broker.claims import SYSTEM_PREFIX
from broker.curve import parse_public_key
from broker.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from broker.scopes import ADMIN, Grant, covers, parse_scope

MAX_KEYS = 16
"""How many keys a server trusts beside its own (contract section 5)."""

DEFAULT_CEILING = ("sub:*",)
"""What a key may grant whose adder did not say."""

Document = list[dict[str, Any]]

# Clients take . and .. out of a path, so a key of that name could never be removed.
_KID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~:@=+-]{1,128}")
_MAX_ISSUER = 256
_MAX_SCOPES = 64


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key whose signatures count. `max_scopes` is its ceiling, `key` is ready to verify."""

    kid: str
    x: str
    max_scopes: tuple[str, ...]
    issuer: str | None
    key: OKPKey

    def may_grant(self, scopes: Iterable[str]) -> bool:
        """Whether every one of `scopes` is under the ceiling."""
        return ADMIN in self.max_scopes or all(
            any(covers(ceiling, scope) for ceiling in self.max_scopes) for scope in scopes
        )

    def publisher_id(self, subject: str) -> str:
        """The name under which `subject` publishes: behind the issuer, where the key has one."""
        return f"{self.issuer}:{subject}" if self.issuer else subject


@dataclass(frozen=True, slots=True)
class NewKey:
    """A request to trust a key, checked but not yet added."""

    kid: str
    x: str
    max_scopes: tuple[str, ...]
    issuer: str | None


def own_key(kid: str, x: str) -> TrustedKey:
    """The server's own key, from its id and its raw public key in base64url: no ceiling, no issuer."""
    return TrustedKey(kid, x, (ADMIN,), None, parse_public_key(x))


def parse_key(body: Any) -> NewKey:
    """The key that the body of `POST /keys` asks to trust; raises Invalid. Unknown members are ignored."""
    if not isinstance(body, Mapping):
        raise Invalid("Request body must be a JSON object")
    if body.get("jwks_url") is not None:
        raise Invalid('jwks_url is not supported: keys are never fetched. Send the public key as "x"')
    if body.get("kty", "OKP") != "OKP" or body.get("crv", "Ed25519") != "Ed25519":
        raise Invalid('Only keys with kty "OKP" and crv "Ed25519" are supported')
    parse_public_key(body.get("x"))
    return NewKey(_parse_kid(body.get("kid")), body["x"], _parse_ceiling(body), _parse_issuer(body.get("issuer")))


def check_signer(document: Document, grant: Grant, own_kid: str) -> None:
    """Raises Unauthorized unless the key that verified `grant` is trusted by this very document.

    For changes of the document: a key that is being removed must not add another one, not even by a request that was
    under way, or through a process that has not heard of the removal.
    """
    signer = (grant.key_id, grant.key_x)
    if grant.key_id != own_kid and not any((row["kid"], row["x"]) == signer for row in document):
        raise Unauthorized("Invalid or expired token")


def add_key(document: Document, key: NewKey, created_at: str, own_kid: str) -> Document:
    """The document with `key` added, as it became trusted at `created_at` (ISO 8601).

    Raises Conflict when the id is taken, when there are `MAX_KEYS` already, or when the issuers of two keys could give
    the same publisher_id to different people.
    """
    if key.kid == own_kid or any(row["kid"] == key.kid for row in document):
        raise Conflict(f'Key "{key.kid}" already exists')
    if len(document) >= MAX_KEYS:
        raise Conflict(f"At most {MAX_KEYS} keys can be trusted")
    if any(_may_collide(key.issuer, row["issuer"]) for row in document):
        raise Conflict("The issuer begins like that of another key, so their publishers could not be told apart")
    return [*document, _render_key(key, created_at)]


def remove_key(document: Document, kid: str, *, signed_by: str, own_kid: str) -> Document:
    """The document without the key `kid`; `signed_by` is the key that signed the request.

    Raises Forbidden for the key that signed it and for the server's own, NotFound for one that is not there.
    """
    if kid == signed_by:
        raise Forbidden("Cannot revoke the key that signed this request")
    if kid == own_kid:
        raise Forbidden("Cannot revoke the server's own key")
    rest = [row for row in document if row["kid"] != kid]
    if len(rest) == len(document):
        raise NotFound("Key not found")
    return rest


def trusted_from(document: Document) -> dict[str, TrustedKey]:
    """The keys of the document by their id, ready to verify. `own_key` joins them at the caller."""
    return {
        row["kid"]: TrustedKey(
            row["kid"], row["x"], tuple(row["max_scopes"]), row["issuer"], parse_public_key(row["x"])
        )
        for row in document
    }


def _render_key(key: NewKey, created_at: str) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "kty": "OKP",
        "crv": "Ed25519",
        "x": key.x,
        "max_scopes": list(key.max_scopes),
        "issuer": key.issuer,
        "jwks_url": None,
        "created_at": created_at,
    }


def _parse_kid(value: Any) -> str:
    if isinstance(value, str) and _KID.fullmatch(value):
        return value
    raise Invalid("kid must be 1 to 128 letters, digits or any of . _ ~ : @ = + -, and not only dots")


def _parse_ceiling(body: Mapping[str, Any]) -> tuple[str, ...]:
    value = body.get("max_scopes")
    if value is None:
        return DEFAULT_CEILING
    if not isinstance(value, list) or len(value) > _MAX_SCOPES:
        raise Invalid(f"max_scopes must be a list of at most {_MAX_SCOPES} scopes")
    return tuple(parse_scope(scope) for scope in value)


def _parse_issuer(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_ISSUER or not value.isprintable():
        raise Invalid(f"issuer must be text of 1 to {_MAX_ISSUER} printable characters")
    if value.startswith(SYSTEM_PREFIX):
        raise Invalid(f'issuer must not begin with "{SYSTEM_PREFIX}"')
    return value


def _may_collide(one: str | None, other: str | None) -> bool:
    """Whether `one:sub` and `other:sub` of two issuers can be the same text (`a` with `b:c`, `a:b` with `c`)."""
    return (
        bool(one and other)
        and f"{one}:" != f"{other}:"
        and (f"{one}:".startswith(f"{other}:") or f"{other}:".startswith(f"{one}:"))
    )
