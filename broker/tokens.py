"""Channel tokens: a grant to a signed JWT and back (contract channels.md section 5, RFC 7519, RFC 8725, RFC 9864).

A token is read in this order, so that nothing of a stranger is interpreted before it has to be: length, alphabet,
header (`alg`, `kid` and `typ`, and nothing else), key by `kid` among the trusted ones, signature, claims. Every failure
is the same Unauthorized, so that an answer does not tell which check failed.

Signed with Ed25519 only. `EdDSA` is the name issued, as older clients know no other; `Ed25519` is read as well. The
origin's shared secret (HS256) is not supported: this server has none.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

from broker.claims import Claims, check_parties, check_times, parse_claims, parse_groups, parse_name, parse_subject
from broker.durations import parse_duration
from broker.errors import Invalid, Unauthorized
from broker.scopes import Grant, parse_scope
from broker.strictjson import parse_json, render_json
from broker.trust import TrustedKey

MAX_TOKEN = 4_096
"""How long a token may be, in characters, before any of it is decoded (reliability.md section E)."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})
_TYPES = frozenset({"jwt", "at+jwt"})
_MAX_LIST = 64


def _only_ed25519() -> jws.JWSRegistry:
    """Both names of the algorithm, bound to the one curve; the library's own `EdDSA` would take Ed448 and warn."""
    registry = jws.JWSRegistry(algorithms=["EdDSA", "Ed25519"])
    ed25519 = jws.JWSRegistry.algorithms["Ed25519"]
    registry.algorithms = {"EdDSA": ed25519, "Ed25519": ed25519}
    return registry


_REGISTRY = _only_ed25519()


class Signer(Protocol):
    """The server's own key: its id, and what it signs with."""

    @property
    def kid(self) -> str:
        """The id under which verifiers find the public half."""

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The secret half."""


@dataclass(frozen=True, slots=True)
class MintRequest:
    """What a token shall say; `expires_in_s` is None for one that never expires."""

    scopes: tuple[str, ...]
    sub: str | None = None
    name: str | None = None
    groups: tuple[str, ...] = ()
    expires_in_s: int | None = None


def parse_mint(body: Any) -> MintRequest:
    """The body of `POST /tokens`, `{scopes, sub?, name?, expires_in?, groups?}`; raises Invalid. Others are ignored."""
    if not isinstance(body, Mapping):
        raise Invalid("Request body must be a JSON object")
    for claim in ("scopes", "groups"):
        if len(_list(body, claim)) > _MAX_LIST:
            raise Invalid(f"{claim} must have at most {_MAX_LIST} entries")
    if not _list(body, "scopes"):
        raise Invalid("scopes must be a list of at least one scope")
    return MintRequest(
        scopes=tuple(dict.fromkeys(parse_scope(scope) for scope in body["scopes"])),
        sub=parse_subject(body.get("sub")),
        name=parse_name("name", body.get("name")),
        groups=parse_groups(body.get("groups")),
        expires_in_s=parse_duration(body["expires_in"]) if "expires_in" in body else None,
    )


def mint(request: MintRequest, signer: Signer, *, now_s: float, audience: str | None) -> str:
    """A signed token that says what `request` asks, for the server `audience` (its URL, None when it has none).

    Raises Invalid when it would be longer than a token may be.
    """
    issued_s = int(now_s)
    expires_s = None if request.expires_in_s is None else issued_s + request.expires_in_s
    claims = {
        "scopes": list(request.scopes),
        "sub": request.sub,
        "name": request.name,
        "groups": list(request.groups) or None,
        "aud": audience,
        "iat": issued_s,
        "exp": expires_s,
    }
    payload = render_json({name: value for name, value in claims.items() if value is not None})
    header = {"alg": "EdDSA", "typ": "JWT", "kid": signer.kid}
    token = jws.serialize_compact(header, payload, OKPKey.import_key(signer.private_key), registry=_REGISTRY)
    if len(token) > MAX_TOKEN:
        raise Invalid(f"The token would be longer than {MAX_TOKEN} characters")
    return token


def read_claims(
    token: str, keys: Mapping[str, TrustedKey], *, audiences: Collection[str], now_s: float, leeway_s: float = 0
) -> tuple[Claims, TrustedKey]:
    """What `token` says and the key that signed it; raises Unauthorized, and nothing else.

    `audiences` are the URLs of this server; a token that names none is for everyone, and so is refused by none.
    """
    try:
        key, payload = _verified(token, keys)
        claims = parse_claims(payload)
        check_times(payload, now_s, leeway_s)
        check_parties(payload, audiences, key.issuer)
        if not key.may_grant(claims.scopes):
            raise Invalid("over the ceiling of its key")
    except (Invalid, JoseError, ValueError) as error:
        raise Unauthorized("Invalid or expired token") from error
    return claims, key


def read_token(
    token: str, keys: Mapping[str, TrustedKey], *, audiences: Collection[str], now_s: float, leeway_s: float = 0
) -> Grant:
    """The grant that `token` gives; raises Unauthorized, and nothing else. See `read_claims` for the arguments."""
    claims, key = read_claims(token, keys, audiences=audiences, now_s=now_s, leeway_s=leeway_s)
    subject = None if claims.sub is None else key.publisher_id(claims.sub)
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Grant(
        scopes=claims.scopes,
        subject=subject,
        name=claims.name,
        groups=claims.groups,
        issued_at_s=claims.issued_at_s,
        expires_at_s=claims.expires_at_s,
        key_id=key.kid,
        # Neither a blank nor a # can stand in a kid, so the two forms cannot be mistaken for one another.
        principal=f"#{digest}" if subject is None else f"{key.kid} {subject}",
        key_x=key.x,
        key_issuer=key.issuer,
    )


def _verified(token: str, keys: Mapping[str, TrustedKey]) -> tuple[TrustedKey, Any]:
    """The key and the decoded payload of a token with a good signature; raises Invalid, JoseError or ValueError."""
    if len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
        raise Invalid("not a compact JWS")
    header = parse_json(urlsafe_b64decode(token.partition(".")[0].encode()), depth=1, keys=len(_HEADER_MEMBERS))
    if not isinstance(header, dict) or not header.keys() <= _HEADER_MEMBERS:
        raise Invalid("a header that is not ours")
    kid, media_type = header.get("kid"), header.get("typ", "JWT")
    if not isinstance(media_type, str) or media_type.lower() not in _TYPES:
        raise Invalid("another kind of token")
    if not isinstance(kid, str) or kid not in keys:
        raise Invalid("an unknown key")
    signed = jws.deserialize_compact(token, keys[kid].key, registry=_REGISTRY)
    return keys[kid], parse_json(signed.payload or b"", depth=8, keys=64)


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise Invalid(f"{name} must be a list")
    return value or []
