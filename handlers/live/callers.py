"""Who calls the live events API: a tenant's key in either header, and viewers without one (contract section 1)."""

from typing import Any

from starlette.requests import Request

from broker.errors import Forbidden, Unauthorized
from broker.scopes import Grant
from handlers.auth import NO_RIGHT, Tenancy
from handlers.broker import broker_of
from handlers.requests import read_json

API = "live"
HEADERS = ("authorization", "x-api-key")


def tenancy(request: Request) -> Tenancy:
    """The tenant of the caller's key, which either header may have; raises `Unauthorized`, `Forbidden`."""
    grants = _grants(request)
    for grant in grants:
        if grant.tenant is not None and grant.may_call(API):
            return Tenancy(grant.tenant, grant)
    if grants:
        raise Forbidden(NO_RIGHT)
    raise Unauthorized("An API key is required: Authorization: Bearer or X-API-Key")


def member_of(request: Request) -> str | None:
    """The tenant whose key came with a viewer's request, None where none did: a bad one is as none."""
    return next((grant.tenant for grant in _grants(request) if grant.tenant and grant.may_call(API)), None)


def has_key(request: Request) -> bool:
    """Whether the answer is its sender's own."""
    return any(name in request.headers for name in HEADERS)


async def read_body(request: Request) -> tuple[Tenancy, Any]:
    """The caller and the JSON of the body; the key is checked before and after it is read."""
    tenancy(request)
    body = await read_json(request)
    return tenancy(request), body


def _grants(request: Request) -> list[Grant]:
    verifier, found = broker_of(request).verifier, []
    key = request.headers.get("x-api-key")
    for header in (request.headers.get("authorization"), key and f"Bearer {key}"):
        try:
            if header is not None:
                found.append(verifier.grant(header))
        except Unauthorized:
            continue
    return found
