"""One channel: create, show, change, delete (contract sections 1, 4, 6 and 7).

Changes are an admin's: credential and right first (401, 403), then the channel (404), then the body (400, 413).
Reserved channels belong to the other APIs: by hand nobody creates, publishes to or deletes them, and of their records
only the retention can be changed.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.channel_changes import apply_patch, merge_meta, parse_create
from broker.channels import ChannelRecord, render_record
from broker.errors import Forbidden
from broker.listing import render_listed
from broker.schemas import parse_types_config
from broker.scopes import is_reserved
from broker.tokens import MintRequest, mint
from handlers.auth import read_as_admin, read_grant, require_admin
from handlers.broker import Broker, broker_of
from handlers.idempotency import DONE, KEY_HEADER, Keeping, json_kept, once
from handlers.responses import json_answer

NOT_BY_HAND = "This channel belongs to another API and cannot be deleted by hand"


async def create_channel(request: Request) -> Response:
    """Create a channel with an empty log; 201 with a token that publishes to it and reads it, and never expires."""
    broker = broker_of(request)
    grant, body = await read_as_admin(request)
    new = parse_create(body, broker.channel_limits)
    parse_types_config(new.config, broker.limits.schema_bytes)

    async def act(keeping: Keeping) -> Answer:
        answer = json_kept({"id": new.id, "token": _channel_token(broker, new.id)}, 201, is_secret=True)
        await broker.channels.create(new, keeping.of(answer))
        return answer

    return await once(request, grant, body, broker.channels.partition(new.id), act, is_claimed=True)


async def get_channel(request: Request) -> Response:
    """The channel as it is now, with what its log says of itself and how many follow it at sockets and streams."""
    broker = broker_of(request)
    listed = await broker.channels.listed(request.path_params["channel_id"])
    read_grant(broker, request, listed.record)
    shown = render_listed(listed.record, listed.meta)
    return json_answer({**shown, "subscriber_count": await broker.presence.count(listed.record)})


async def patch_channel(request: Request) -> Response:
    """Change the named fields only: null clears, `config` is replaced whole, and an empty body changes nothing."""
    broker = broker_of(request)
    return await _change(request, lambda record, body: _patched(broker, record, body), render_record)


async def patch_channel_meta(request: Request) -> Response:
    """Merge the body into the channel's meta: null deletes a key, and a meta without keys becomes null."""
    limits = broker_of(request).channel_limits
    return await _change(
        request,
        lambda record, body: merge_meta(record, body, limits),
        lambda record: {"id": record.id, "meta": record.meta},
    )


async def delete_channel(request: Request) -> Response:
    """Delete the channel with its events and webhooks; its readers are told. The id can be used again."""
    grant = require_admin(request)
    channels, channel_id = broker_of(request).channels, request.path_params["channel_id"]
    if is_reserved(channel_id):
        raise Forbidden(NOT_BY_HAND)

    async def act(keeping: Keeping) -> Answer:
        await channels.delete(channel_id, keeping.of(DONE))
        return DONE

    return await once(request, grant, None, channels.partition(channel_id), act)


async def _change(
    request: Request,
    decide: Callable[[ChannelRecord, Any], ChannelRecord],
    render: Callable[[ChannelRecord], dict[str, Any]],
) -> Response:
    channels, channel_id = broker_of(request).channels, request.path_params["channel_id"]
    require_admin(request)
    if KEY_HEADER not in request.headers:
        # A channel that is not there is told before its body is read; a retry may be answered for one that is gone.
        await channels.refresh(channel_id)
    grant, body = await read_as_admin(request)

    async def act(keeping: Keeping) -> Answer:
        changed = await channels.change(
            channel_id, lambda record: decide(record, body), lambda record: keeping.of(json_kept(render(record)))
        )
        return json_kept(render(changed))

    return await once(request, grant, body, channels.partition(channel_id), act)


def _patched(broker: Broker, record: ChannelRecord, body: Any) -> ChannelRecord:
    changed = apply_patch(record, body, broker.channel_limits)
    # The types of a reserved channel are its API's own, and cannot have changed.
    if changed.config is not record.config and not is_reserved(record.id):
        parse_types_config(changed.config, broker.limits.schema_bytes)
    return changed


def _channel_token(broker: Broker, channel_id: str) -> str:
    asked = MintRequest((f"pub:{channel_id}", f"sub:{channel_id}"))
    return mint(asked, broker.signing_key, now_s=broker.now_s(), audience=broker.site.public_url or None)
