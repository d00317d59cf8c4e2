"""API keys: what tenants call the domain APIs with (design sections 3 and 6). Pure.

A key is a form, the number of its tenant's partition, and 40 random letters: `tm_07...`; for the calendar
`chr_sk_07...` for an organisation and `chr_ak_07...` for one agent. It is shown once; kept is its SHA-256, under an id
that is made of the first half of it, and the beginning of the key, by which people tell theirs apart.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from broker.errors import Invalid
from broker.ids import render_time
from broker.scopes import Grant
from broker.tenants import APIS, parse_tenant

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_LETTERS = 40
SHOWN_LETTERS = 4
"""How many of the random letters a prefix shows, 24 of 238 bits."""

CALENDAR = "calendar"
_ORGANISATION, _AGENT, _OTHERS = "chr_sk_", "chr_ak_", "tm_"
_KEY = re.compile(rf"({_ORGANISATION}|{_AGENT}|{_OTHERS})([0-9]{{2}})[0-9A-Za-z]{{{SECRET_LETTERS}}}")
_ID = re.compile(r"key_([0-9]{2})([0-9a-f]{32})")
_AGENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. `apis` are its scopes, `agent` is who of the tenant it is for, None for all of it."""

    id: str
    digest: str
    prefix: str
    tenant: str
    apis: tuple[str, ...]
    agent: str | None
    created_ms: int
    revoked_ms: int | None = None

    def is_of(self, text: str) -> bool:
        """Whether this is the key with that text, as long as it is not revoked."""
        return self.revoked_ms is None and hmac.compare_digest(self.digest, digest_of(text))


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new key shall be good for, checked."""

    tenant: str
    apis: tuple[str, ...]
    agent: str | None = None


def parse_request(tenant: Any, scopes: Any, agent: Any = None) -> KeyRequest:
    """What is asked for; raises `Invalid`. A calendar key has a form of its own, so it is for nothing else."""
    if not isinstance(tenant, str):
        raise Invalid("tenant must be a tenant's name")
    if not isinstance(scopes, list | tuple) or not scopes or not all(scope in APIS for scope in scopes):
        raise Invalid(f"scopes must be a list of at least one of {', '.join(APIS)}")
    apis = tuple(api for api in APIS if api in scopes)
    if CALENDAR in apis and len(apis) > 1:
        raise Invalid("A calendar key has no other scopes: make two keys")
    if agent is not None and (apis != (CALENDAR,) or not isinstance(agent, str) or not _AGENT_NAME.fullmatch(agent)):
        raise Invalid("agent is the id of a calendar agent, for a key with the scope calendar only")
    return KeyRequest(parse_tenant(tenant), apis, agent)


def make_key(request: KeyRequest, partition: int, letters: str, now_ms: int) -> tuple[str, ApiKey]:
    """The text of a new key, to be shown once, and what is kept of it; `letters` are 40 random ones of `LETTERS`."""
    form = _OTHERS
    if request.apis == (CALENDAR,):
        form = _ORGANISATION if request.agent is None else _AGENT
    head = f"{form}{partition:02d}"
    text = head + letters
    kept = ApiKey(
        id=id_of(text),
        digest=digest_of(text),
        prefix=head + letters[:SHOWN_LETTERS],
        tenant=request.tenant,
        apis=request.apis,
        agent=request.agent,
        created_ms=now_ms,
    )
    return text, kept


def is_api_key(text: str) -> bool:
    """Whether a credential has the form of an API key."""
    return _KEY.fullmatch(text) is not None


def digest_of(text: str) -> str:
    """The SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(text: str) -> str:
    """The id of the key with this text, which has the form of one. It tells nothing that helps to guess the key."""
    match = _KEY.fullmatch(text)
    if match is None:
        raise Invalid("not an API key")
    return f"key_{match[2]}{digest_of(text)[:32]}"


def place_of(key_id: str) -> tuple[int, str] | None:
    """The partition and the document of the key with this id; None for what is no id of a key."""
    match = _ID.fullmatch(key_id)
    return None if match is None else (int(match[1]), match[2])


def grant_of(key: ApiKey) -> Grant:
    """What the bearer of a key may do: the APIs of its scopes for its tenant, and reading the tenant's channels."""
    return Grant(
        scopes=(),
        subject=None,
        name=None,
        groups=(),
        issued_at_s=key.created_ms // 1000,
        expires_at_s=None,
        key_id=key.id,
        principal=f"#{key.id}",
        tenant=key.tenant,
        apis=key.apis,
        agent=key.agent,
    )


def render_stored(key: ApiKey) -> bytes:
    """The document that is kept."""
    return orjson.dumps({name: getattr(key, name) for name in ApiKey.__slots__})


def parse_stored(body: bytes) -> ApiKey:
    """The key of a kept document; trusts its input."""
    fields: Mapping[str, Any] = orjson.loads(body)
    return ApiKey(**{**fields, "apis": tuple(fields["apis"])})


def render_key(key: ApiKey) -> dict[str, Any]:
    """A key as its owner and operators see it: never the key itself."""
    return {
        "id": key.id,
        "prefix": key.prefix,
        "tenant": key.tenant,
        "scopes": list(key.apis),
        "agent": key.agent,
        "created_at": render_time(key.created_ms),
        "revoked_at": None if key.revoked_ms is None else render_time(key.revoked_ms),
    }


def newest_first(keys: Iterable[ApiKey]) -> list[ApiKey]:
    """In the order of lists."""
    return sorted(keys, key=lambda key: (-key.created_ms, key.id))
