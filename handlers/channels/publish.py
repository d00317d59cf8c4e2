"""`POST /channels/{c}/events`: one event or a batch, all or nothing (contract section 3)."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import ChannelRecord
from broker.errors import Forbidden, Invalid, NotFound, Unavailable
from broker.events import Draft, Frame, Stored, frame, parse_publish, store
from broker.schemas import CompiledTypes, compile_types
from broker.scopes import Grant, is_reserved
from broker.storage.appender import Appended, Idempotency
from broker.storage.log import Stale
from handlers.auth import NO_RIGHT, publish_grant
from handlers.broker import Broker, broker_of
from handlers.requests import read_body
from handlers.responses import json_bytes

KEPT_TYPES = 1_000
DECISIONS = 8


async def publish(request: Request) -> Response:
    """Append the events of the body; 201 with them as stored. The same Idempotency-Key answers the same again."""
    broker = broker_of(request)
    channel_id = request.path_params["channel_id"]
    grant = publish_grant(request, channel_id)
    channel = await broker.channels.find(channel_id)
    if is_reserved(channel_id):
        raise Forbidden(NO_RIGHT)
    body = await read_body(request, broker.limits.publish_body_bytes)
    key = idempotency_of(request, grant, body)
    parsed = parse_publish(body, broker.event_limits)
    await take_rates(broker, grant, channel, len(parsed.drafts))
    appended, frames = await _append(broker, channel, grant, parsed.drafts, key)
    wire = b",".join([event.wire for event in frames])
    headers = {"Idempotency-Replayed": "true"} if appended.replayed else None
    return json_bytes(b'{"events":[%b]}' % wire if parsed.batch else wire, 201, headers)


def idempotency_of(request: Request, grant: Grant, body: bytes) -> Idempotency | None:
    """The Idempotency-Key of a request, scoped to principal, method and path; raises `Invalid` for a bad one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    most = broker_of(request).limits.idempotency_key_chars
    if not 1 <= len(key) <= most or not key.isprintable():
        raise Invalid(f"Idempotency-Key must be 1 to {most} printable characters")
    scope = "\n".join((grant.principal, request.method, request.url.path, key))
    return Idempotency(hashlib.sha256(scope.encode()).hexdigest(), hashlib.sha256(body).hexdigest())


async def take_rates(broker: Broker, grant: Grant, channel: ChannelRecord, events: int) -> None:
    """Count a publish against the limits of its token and its channel; raises `TooMany` (reliability.md F)."""
    await broker.rate_limits.take("events-per-token", grant.principal, broker.rates.events_per_token, cost=events)
    await broker.rate_limits.take("events-per-channel", channel.id, broker.rates.events_per_channel, cost=events)


def check_types(broker: Broker, channel: ChannelRecord, drafts: tuple[Draft, ...]) -> None:
    """Check every event against the types of a strict channel; raises `Invalid` (contract section 7)."""
    if channel.is_strict:
        types = _compiled(broker, channel)
        for draft in drafts:
            types.check(draft.type, draft.data)


async def _append(
    broker: Broker, channel: ChannelRecord, grant: Grant, drafts: tuple[Draft, ...], key: Idempotency | None
) -> tuple[Appended, list[Frame]]:
    for _ in range(DECISIONS):
        try:
            check_types(broker, channel, drafts)
            stored = [store(draft, channel.id, grant.subject, grant.name) for draft in drafts]
            appended = await broker.log.append(channel, stored, key)
            return appended, _frames(channel, stored, appended)
        except (Stale, NotFound, Invalid) as error:
            # Changed, or deleted and perhaps created again, since the record was cached.
            known, channel = channel, await broker.channels.refresh(channel.id)
            if isinstance(error, Invalid) and (channel.tag, channel.version) == (known.tag, known.version):
                raise
    raise Unavailable("The channel is being changed by others", retry_after_s=1)


def _frames(channel: ChannelRecord, stored: list[Stored], appended: Appended) -> list[Frame]:
    letters = channel.tag_letters
    pairs = zip(appended.positions, stored, strict=True)
    return [frame(letters, position, event.type_json, event.tail) for position, event in pairs]


def _compiled(broker: Broker, channel: ChannelRecord) -> CompiledTypes:
    known = broker.types_by_record
    version = (channel.tag, channel.version)
    if version not in known:
        known[version] = compile_types(channel.config or {}, broker.limits.schema_bytes)
        if len(known) > KEPT_TYPES:
            del known[next(iter(known))]
    return known[version]
