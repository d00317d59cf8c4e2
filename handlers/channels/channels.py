"""One channel: create, show, change, delete (contract sections 1, 4, 6 and 7).

Changes are an admin's: credential and right first (401, 403), then the channel (404), then the body (400, 413).
Reserved channels belong to the other APIs: by hand nobody creates, publishes to or deletes them, and of their records
only the retention can be changed.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.channel_changes import apply_patch, merge_meta, parse_create
from broker.channels import ChannelRecord, render_record
from broker.errors import Forbidden
from broker.listing import render_listed
from broker.schemas import parse_types_config
from broker.scopes import is_reserved
from broker.tokens import MintRequest, mint
from handlers.auth import read_as_admin, read_grant, require_admin
from handlers.broker import Broker, broker_of
from handlers.responses import json_answer, no_content

NOT_BY_HAND = "This channel belongs to another API and cannot be deleted by hand"


async def create_channel(request: Request) -> Response:
    """Create a channel with an empty log; 201 with a token that publishes to it and reads it, and never expires."""
    broker = broker_of(request)
    _, body = await read_as_admin(request)
    new = parse_create(body, broker.channel_limits)
    parse_types_config(new.config, broker.limits.schema_bytes)
    channel = await broker.channels.create(new)
    return json_answer({"id": channel.id, "token": _channel_token(broker, channel.id)}, 201)


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
    channel_id, body = await _change_of(request)
    changed = await broker.channels.change(channel_id, lambda record: _patched(broker, record, body))
    return json_answer(render_record(changed))


async def patch_channel_meta(request: Request) -> Response:
    """Merge the body into the channel's meta: null deletes a key, and a meta without keys becomes null."""
    broker = broker_of(request)
    channel_id, body = await _change_of(request)
    changed = await broker.channels.change(channel_id, lambda record: merge_meta(record, body, broker.channel_limits))
    return json_answer({"id": changed.id, "meta": changed.meta})


async def delete_channel(request: Request) -> Response:
    """Delete the channel with its events and webhooks; its readers are told. The id can be used again."""
    require_admin(request)
    channel_id = request.path_params["channel_id"]
    if is_reserved(channel_id):
        raise Forbidden(NOT_BY_HAND)
    await broker_of(request).channels.delete(channel_id)
    return no_content()


async def _change_of(request: Request) -> tuple[str, Any]:
    require_admin(request)
    channel = await broker_of(request).channels.refresh(request.path_params["channel_id"])
    _, body = await read_as_admin(request)
    return channel.id, body


def _patched(broker: Broker, record: ChannelRecord, body: Any) -> ChannelRecord:
    changed = apply_patch(record, body, broker.channel_limits)
    # The types of a reserved channel are its API's own, and cannot have changed.
    if changed.config is not record.config and not is_reserved(record.id):
        parse_types_config(changed.config, broker.limits.schema_bytes)
    return changed


def _channel_token(broker: Broker, channel_id: str) -> str:
    asked = MintRequest((f"pub:{channel_id}", f"sub:{channel_id}"))
    return mint(asked, broker.signing_key, now_s=broker.now_s(), audience=broker.site.public_url or None)
