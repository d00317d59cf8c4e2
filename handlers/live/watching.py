"""What viewers do: look, prove that they may watch, and start to play (contract sections 1, 5 and 7).

No key is needed. One that comes along and is good shows its own tenant's `tenant_only` events; a bad one is as none.
What is answered to anonymous viewers may be kept by a cache, and nothing else.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from broker.addresses import host_of
from broker.change import DocumentKey
from broker.errors import Forbidden, NotFound, TooMany
from broker.rates import Rate
from broker.storage.commit import Decide
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.broker import broker_of
from handlers.caching import public_answer
from handlers.idempotency import tail_headers
from handlers.live import access, credentials, denials, slugs
from handlers.live.access import NO_EVENT, NewGrant, denied, watched_event
from handlers.live.callers import has_key, member_of
from handlers.live.channel_ids import watch_channel_id
from handlers.live.documents import event_key, grant_key, token_key
from handlers.live.events import team_channel
from handlers.live.live_event import LiveEvent, Visibility
from handlers.live.models import GrantConsumed, PasswordVerified, TokenVerified
from handlers.live.passwords import is_password
from handlers.live.settings import playback_of
from handlers.live.slugs import Claim
from handlers.live.wire import parse, render_watch
from handlers.requests import read_json
from handlers.responses import PRIVATE, json_bytes
from handlers.serving.client_address import client_address

Verify = Callable[[], Awaitable[Response]]

MOST_KEPT_S = 10
VARY = "Authorization, X-API-Key"
FAILURES = Rate(per_s=10 / 900, burst=10)
"""Failed verifications of one address for one event: ten at once, and so many in 15 minutes."""

LIMIT = "failed-verifications"


async def watch(request: Request) -> Response:
    """What there is to see now. `Tidemark-Channel` and `Tidemark-Cursor` say from where to be told what changes."""
    broker, found = broker_of(request), await _claim(request)
    try:
        channel = await broker.channels.find(watch_channel_id(request.path_params["slug"]))
    except NotFound:
        # Claimed and not made yet, or just deleted.
        raise NotFound(NO_EVENT) from None
    keys = [event_key(found.tenant, found.event_id)]
    loaded = (await broker.reader.read(found.partition, keys, logs=(channel,))).loaded
    event = watched_event(loaded, found.tenant, found.event_id).event
    has_access = event.visibility is Visibility.TENANT_ONLY and member_of(request) == event.tenant
    body = render_json(render_watch(event, loaded.now_ms, playback_of(broker.live), has_access=has_access))
    if has_key(request):
        response = json_bytes(body, headers={"Cache-Control": PRIVATE})
    else:
        keep_s = min(MOST_KEPT_S, broker.site.poll_interval_s)
        response = public_answer(request, body, channel_id=channel.id, keep_s=keep_s, parameters={})
    response.headers["Vary"] = VARY
    if loaded.tail is not None:
        response.headers.update(tail_headers(loaded.tail))
    return response


async def verify_password(request: Request) -> Response:
    """Give whoever knows the password a grant, and what there is to play. 403 with `verified: false` otherwise."""
    found, taken = await _claim(request), parse(PasswordVerified, await read_json(request))
    broker = broker_of(request)
    kept = access.watched_event(await _load(request, found), found.tenant, found.event_id)
    access.check_mode(kept, Visibility.PASSWORD)

    async def verify() -> Response:
        if not await _knows(request, kept.event, taken.password):
            raise denied("password")
        decide = partial(
            access.granting_password,
            *(found.tenant, found.event_id, kept.event.access_epoch, _fresh_grant(request), playback_of(broker.live)),
        )
        return await _decided(request, found, decide)

    return await _limited(request, found, verify, is_slow=True)


async def verify_token(request: Request) -> Response:
    """Give the bearer of a watch token a grant, and what there is to play. The token's uses are not counted here."""
    found, taken = await _claim(request), parse(TokenVerified, await read_json(request))
    kept = access.watched_event(await _load(request, found), found.tenant, found.event_id)
    access.check_mode(kept, Visibility.TOKEN)
    digest, playback = credentials.digest_of(taken.token), playback_of(broker_of(request).live)
    decide = partial(access.granting_token, found.tenant, found.event_id, digest, _fresh_grant(request), playback)
    key = token_key(found.event_id, digest)
    return await _limited(request, found, lambda: _decided(request, found, decide, key), is_slow=False)


async def consume_grant(request: Request) -> Response:
    """Use a grant up as playback starts; again with the same grant, it is answered alike and nothing is counted."""
    found, taken = await _claim(request), parse(GrantConsumed, await read_json(request))
    digest = credentials.digest_of(taken.access_grant)
    decide = partial(access.consuming, found.tenant, found.event_id, digest)
    return await _decided(request, found, decide, grant_key(found.event_id, digest))


async def _claim(request: Request) -> Claim:
    found = await slugs.find(broker_of(request), request.path_params["slug"])
    if found is None:
        raise NotFound(NO_EVENT)
    return found


async def _load(request: Request, found: Claim) -> Loaded:
    broker = broker_of(request)
    return (await broker.reader.read(found.partition, [event_key(found.tenant, found.event_id)])).loaded


async def _decided(request: Request, found: Claim, decide: Decide, *more: DocumentKey) -> Response:
    broker, keys = broker_of(request), [event_key(found.tenant, found.event_id), *more]
    committed = await broker.commits.execute(found.tenant, keys, decide, logs=(team_channel(found.tenant),))
    assert committed.answer is not None and committed.answer.body is not None  # noqa: S101 - it is answered here
    return json_bytes(committed.answer.body, headers={"Cache-Control": "no-store"})


async def _knows(request: Request, event: LiveEvent, password: str) -> bool:
    async with broker_of(request).hashing:
        return event.password_hash is not None and await asyncio.to_thread(is_password, password, event.password_hash)


async def _limited(request: Request, found: Claim, verify: Verify, *, is_slow: bool) -> Response:
    """Verify, and count failures by the viewer's address and the event, so that nobody can lock out others.

    Where it `is_slow` an attempt is counted before it is looked at, and given back where it was no failure: a password
    can be guessed, so that no more are tried at once than may fail. Else only failures are counted: a token cannot.
    """
    broker = broker_of(request)
    address = client_address(request.scope, broker.site.trusted_proxies)
    whose = f"{found.event_id} {'' if address is None else host_of(ip_address(address))}"
    if is_slow:
        await broker.rate_limits.take(LIMIT, whose, FAILURES)
    else:
        await broker.rate_limits.look(LIMIT, whose, FAILURES)
    is_failure = False
    try:
        return await verify()
    except Forbidden:
        is_failure = True
        await denials.note(broker, found.tenant, found.event_id, "password" if is_slow else "token")
        raise
    finally:
        if is_failure is not is_slow:
            with suppress(TooMany):
                await broker.rate_limits.take(LIMIT, whose, FAILURES, cost=1 if is_failure else -1)


def _fresh_grant(request: Request) -> NewGrant:
    text = credentials.make_grant(secrets.token_bytes(credentials.GRANT_BYTES))
    return NewGrant(text, credentials.digest_of(text), broker_of(request).live.grant_s * 1000)
