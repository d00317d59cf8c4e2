"""Webhooks of a channel: register, list, remove (contract section 10, section 14 rows 14 and 20).

Whoever may read a channel may register an endpoint, on a public one also without a token where the configuration lets
them. A token owns what it registers; what was registered without one ends by itself, or by an admin.
"""

import secrets
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from broker.addresses import host_of
from broker.change import Answer
from broker.channels import ChannelRecord
from broker.delivery_signing import secret_of
from broker.endpoints import (
    ID_BITS,
    Endpoint,
    EndpointLimits,
    Owner,
    Registered,
    Registration,
    fresh_id,
    of_form,
    parse_registration,
    register,
    remove,
    render_endpoint,
)
from broker.scopes import Grant
from broker.storage.scripts import Keep
from handlers.auth import Access, require_read, require_token
from handlers.broker import Broker, broker_of
from handlers.fresh_record import on_fresh_record
from handlers.idempotency import DONE, Keeping, json_kept, once
from handlers.requests import query_text, read_json
from handlers.responses import json_answer
from handlers.serving.client_address import client_address


class Made(NamedTuple):
    """An endpoint that was registered, or renewed."""

    endpoint: Endpoint
    is_new: bool


T = TypeVar("T")


async def register_webhook(request: Request) -> Response:
    """Have the channel's events sent to a URL; the same URL of the same caller is renewed, under its id."""
    broker, channel_id = broker_of(request), request.path_params["channel_id"]
    await _registrant(request)
    body = await read_json(request)
    asked = parse_registration(body, allow=broker.site.outbound_allow, type_chars=broker.event_limits.type_chars)

    def answer(made: Made) -> Answer:
        shown = render_endpoint(channel_id, made.endpoint)
        if made.is_new:
            # To its maker, once: behind one address there may be several who register without a token.
            shown["secret"] = secret_of(broker.signing_key, made.endpoint.id)
        return json_kept(shown, 201, is_secret=made.is_new)

    async def act(keeping: Keeping) -> Answer:
        return answer(await decided(request, lambda: _register(request, asked, lambda each: keeping.of(answer(each)))))

    return await once(request, _present_grant(request), body, broker.channels.partition(channel_id), act)


async def list_webhooks(request: Request) -> Response:
    """The caller's own webhooks on the channel, all of them for an admin; oldest first."""
    registered, owner, is_admin = await decided(request, lambda: _list(request))
    shown = [each for each in of_form(registered) if is_admin or each.owner.is_same(owner)]
    return json_answer({"webhooks": [render_endpoint(request.path_params["channel_id"], each) for each in shown]})


async def remove_webhook(request: Request) -> Response:
    """End one of the caller's own webhooks, or anybody's for an admin."""
    grant, channels = require_token(request), broker_of(request).channels

    async def act(keeping: Keeping) -> Answer:
        await decided(request, lambda: _remove(request, keeping.of(DONE)))
        return DONE

    return await once(request, grant, None, channels.partition(request.path_params["channel_id"]), act)


async def _registrant(request: Request) -> tuple[ChannelRecord, Owner]:
    """The channel and who registers on it. A credential that is there must be good: it is to own something."""
    broker, access = broker_of(request), await require_read(request, request.path_params["channel_id"])
    grant = access.grant
    if grant is None and (_has_credential(request) or not broker.site.anonymous_webhooks):
        grant = _grant(broker, request)
    if grant is not None:
        return access.channel, owner_of(grant, access.channel)
    address = client_address(request.scope, broker.site.trusted_proxies)
    return access.channel, Owner("" if address is None else host_of(ip_address(address)), is_anonymous=True)


def owner_of(grant: Grant, channel: ChannelRecord) -> Owner:
    """The owner that registers with this grant."""
    if not grant.may_subscribe(channel.id):
        return Owner(grant.principal, is_anonymous=False)
    return Owner(grant.principal, is_anonymous=False, key_id=grant.key_id, key_x=grant.key_x)


async def _register(request: Request, asked: Registration, keep: Callable[[Made], Keep | None]) -> Made:
    broker = broker_of(request)
    # Again, as a body may be sent slowly, and the record may be another one by now.
    channel, owner = await _registrant(request)
    limits = EndpointLimits(broker.limits.endpoints_per_channel, broker.limits.endpoints_per_address)
    random_bits = secrets.randbits(ID_BITS)

    def decide(registered: Registered, now_ms: int) -> tuple[Registered, Made]:
        new_id = fresh_id(now_ms, random_bits)
        after, endpoint = register(registered, asked, owner, limits, new_id=new_id, now_ms=now_ms)
        return after, Made(endpoint, endpoint.id == new_id)

    return await broker.endpoints.change(channel, decide, keep)


async def _list(request: Request) -> tuple[Registered, Owner, bool]:
    broker = broker_of(request)
    access: Access = await require_read(request, request.path_params["channel_id"])
    grant = access.grant or _grant(broker, request)
    return await broker.endpoints.list(access.channel), owner_of(grant, access.channel), grant.is_admin


async def _remove(request: Request, keep: Keep | None) -> None:
    broker, endpoint_id = broker_of(request), request.path_params["webhook_id"]
    grant = require_token(request)
    channel = await broker.channels.find(request.path_params["channel_id"])
    owner = owner_of(grant, channel)

    def decide(registered: Registered, now_ms: int) -> tuple[Registered, None]:
        return remove(registered, endpoint_id, owner, is_admin=grant.is_admin, now_ms=now_ms), None

    await broker.endpoints.change(channel, decide, lambda _: keep)


async def decided(request: Request, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` answers, on the record of now: it is made again when the cached one was an old one."""
    return await on_fresh_record(broker_of(request), request.path_params["channel_id"], attempt)


def _present_grant(request: Request) -> Grant | None:
    return _grant(broker_of(request), request) if _has_credential(request) else None


def _has_credential(request: Request) -> bool:
    return "authorization" in request.headers or bool(query_text(request, "token"))


def _grant(broker: Broker, request: Request) -> Grant:
    return broker.verifier.grant(request.headers.get("authorization"), query_text(request, "token"))
