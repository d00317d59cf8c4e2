"""Who may do what: the checks at the head of a route, in the order that the contract fixes (section 1).

Writes: credential (401), scope (403), then the channel (404). Reads: the channel (404), then credential and scope.
"""

from typing import Any, NamedTuple

from starlette.requests import HTTPConnection, Request

from broker.channels import ChannelRecord
from broker.errors import Forbidden, Unauthorized
from broker.scopes import Grant
from handlers.broker import Broker, broker_of
from handlers.requests import header_of, query_text, read_json

NO_RIGHT = "Insufficient permissions"


class Access(NamedTuple):
    """A channel that the caller may read, and the grant that says so (None where it is public)."""

    channel: ChannelRecord
    grant: Grant | None


def require_token(connection: HTTPConnection) -> Grant:
    """The caller's grant, from the Authorization header only; raises `Unauthorized`."""
    return broker_of(connection).verifier.grant(header_of(connection.scope, b"authorization"))


def require_admin(connection: HTTPConnection) -> Grant:
    """The caller's grant, which must be an admin's; raises `Unauthorized`, `Forbidden`."""
    grant = require_token(connection)
    if not grant.is_admin:
        raise Forbidden(NO_RIGHT)
    return grant


def require_metrics(connection: HTTPConnection) -> Grant:
    """The caller's grant, which must allow to read metrics; raises `Unauthorized`, `Forbidden`."""
    grant = require_token(connection)
    if not grant.may_read_metrics:
        raise Forbidden(NO_RIGHT)
    return grant


async def read_as_admin(request: Request) -> tuple[Grant, Any]:
    """The caller's grant, which must be an admin's, and the JSON of the body.

    The right is checked before anything is read, and again afterwards: a body may be sent slowly, and what a token or
    its key may do ends with it. Raises `Unauthorized`, `Forbidden`, `Invalid`, `TooLarge`.
    """
    require_admin(request)
    body = await read_json(request)
    return require_admin(request), body


class Tenancy(NamedTuple):
    """A tenant, and the grant of the API key by which one of its programs calls a domain API."""

    tenant: str
    grant: Grant


def require_tenant(connection: HTTPConnection, api: str) -> Tenancy:
    """The tenant of the caller's API key, which must have the scope of this API; raises `Unauthorized`, `Forbidden`."""
    grant = require_token(connection)
    if grant.tenant is None or not grant.may_call(api):
        raise Forbidden(NO_RIGHT)
    return Tenancy(grant.tenant, grant)


async def read_as_tenant(request: Request, api: str) -> tuple[Tenancy, Any]:
    """The tenant of the caller's API key and the JSON of the body; the key is checked before and after it is read.

    Raises `Unauthorized`, `Forbidden`, `Invalid`, `TooLarge`.
    """
    require_tenant(request, api)
    body = await read_json(request)
    return require_tenant(request, api), body


def publish_grant(connection: HTTPConnection, channel_id: str) -> Grant:
    """The caller's grant, which must allow to publish to this channel; raises `Unauthorized`, `Forbidden`."""
    grant = require_token(connection)
    if not grant.may_publish(channel_id):
        raise Forbidden(NO_RIGHT)
    return grant


async def require_publish(connection: HTTPConnection, channel_id: str) -> tuple[Grant, ChannelRecord]:
    """The caller's grant and the channel that it may publish to, as the engine has it now.

    Raises `Unauthorized`, `Forbidden`, `NotFound`.
    """
    grant = publish_grant(connection, channel_id)
    return grant, await broker_of(connection).channels.refresh(channel_id)


async def require_read(connection: HTTPConnection, channel_id: str) -> Access:
    """The channel as the engine has it now, and the grant to read it; raises `NotFound`, `Unauthorized`, `Forbidden`.

    Another process may have made it private, so a record of the cache does not do.
    """
    broker = broker_of(connection)
    channel = await broker.channels.refresh(channel_id)
    return Access(channel, read_grant(broker, connection, channel))


async def require_read_of_version(connection: HTTPConnection, channel_id: str) -> Access:
    """The same on a record that may be an old one: for readers who have the engine check its version.

    Only good news may be old: nobody is refused because of what a channel was.
    """
    channel = await broker_of(connection).channels.find(channel_id)
    return known_access(connection, channel) or await require_read(connection, channel_id)


def known_access(connection: HTTPConnection, channel: ChannelRecord) -> Access | None:
    """The right to read a channel by what is known of it, None where it gives none: then it is to be asked for."""
    try:
        return Access(channel, read_grant(broker_of(connection), connection, channel))
    except (Unauthorized, Forbidden):
        return None


def read_grant(broker: Broker, connection: HTTPConnection, channel: ChannelRecord) -> Grant | None:
    """The grant by which the caller reads this channel; a bad token is ignored where none is needed (contract 1)."""
    header, token = header_of(connection.scope, b"authorization"), query_text(connection, "token")
    if channel.is_public:
        return optional_grant(broker, header, token)
    if header is None and not token:
        raise Unauthorized("Subscribe token required for private channel")
    grant = broker.verifier.grant(header, token)
    if not grant.may_subscribe(channel.id):
        raise Forbidden(NO_RIGHT)
    return grant


def optional_grant(broker: Broker, header: str | None, token: str | None) -> Grant | None:
    """The grant of a credential where there is a good one."""
    try:
        return broker.verifier.grant(header, token)
    except Unauthorized:
        return None
