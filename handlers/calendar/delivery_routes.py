"""`/v1/webhooks/:id`: the deliveries that were made and are to be made, and making them again (D19, D20)."""

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Change, Put
from broker.channels import DAY_MS
from broker.errors import Conflict, Invalid, NotFound, Unavailable
from broker.ids import Position, parse_ulid
from broker.pages import parse_start
from broker.progress import Progress, parse_progress, render_progress, rewound
from broker.storage.deliveries import name_of
from broker.storage.state import Loaded
from broker.strictjson import render_json
from broker.webhooks import state_of
from handlers.broker import Broker, broker_of
from handlers.calendar.delivery_rows import KIND, Row, index_of, parse_row, show_row
from handlers.calendar.sent import payload_of
from handlers.calendar.webhook_models import ReplayTaken
from handlers.calendar.webhook_serving import Own, loaded_of, own_webhook, progress_of
from handlers.calendar.webhooks import show_webhook
from handlers.calendar.wire import one_of, parse_body, parse_list
from handlers.committing import refused_on
from handlers.fresh_record import on_fresh_record
from handlers.idempotency import committed_answer, json_kept, key_of, state_answer
from handlers.requests import read_json


async def list_calendar_deliveries(request: Request) -> Response:
    """Deliveries to a webhook, newest first, and how many of all time came to what."""
    own, broker, query = await own_webhook(request), broker_of(request), request.query_params.multi_items()
    asked = parse_list(query, default=20, most=100)
    status = one_of(query, "status", ("pending", "delivered", "failed"))
    is_whole = one_of(query, "include_payload", ("true", "false")) == "true"
    # Before the rows: none of them is older than the counts, and what comes after the cursor is not missed.
    loaded = await loaded_of(broker, own.channel, [own.endpoint])
    counts = progress_of(own.channel, own.endpoint, loaded)
    page = await broker.reader.page(
        own.channel.partition,
        KIND,
        index_of(own.subject, status),
        skip=asked.offset,
        limit=asked.limit,
        is_descending=True,
    )
    rows = [parse_row(document) for _, document in page.documents]
    payloads = await asyncio.gather(*(_payload(broker, own, each) for each in rows)) if is_whole else []
    data = [show_row(own.endpoint.id, row) for row in rows]
    shown = {
        "data": [{**row, "payload": payload} for row, payload in zip(data, payloads, strict=True)]
        if is_whole
        else data,
        "total": page.total,
        "limit": asked.limit,
        "offset": asked.offset,
        "stats": {"pending": counts.pending, "delivered": counts.delivered, "failed": counts.given_up},
    }
    return state_answer(shown, loaded.tail)


async def replay_calendar_webhook(request: Request) -> Response:
    """Deliver everything after a cursor, also what was delivered before; what waits goes on being tried."""
    await own_webhook(request)
    body = await read_json(request)
    own, broker = await own_webhook(request), broker_of(request)
    position = await _position(broker, own, parse_body(ReplayTaken, body).cursor)
    key = state_of(own.subject)
    committed = await broker.commits.execute(
        own.caller.tenant,
        [key],
        partial(replaying, own, position),
        key=key_of(request, own.caller.grant, render_json(body)),
        refuse=partial(refused_on, request.scope),
    )
    # Also for an answer that is given again: who was killed before this asks again.
    await broker.deliveries.mark(name_of(own.channel, own.endpoint.id))
    return committed_answer(committed)


def replaying(own: Own, position: Position, loaded: Loaded) -> Change:
    """Go on from an earlier place.

    Raises `Conflict` for a webhook that is not active, `Unavailable` for one whose activation was not carried out yet.
    """
    endpoint, document = own.endpoint, loaded.documents[state_of(own.subject)]
    found = parse_progress(document.body) if document else None
    known = found or Progress(own.following.cursor, activation=endpoint.activation)
    if not endpoint.is_active or (known.paused == "off" and known.activation == endpoint.activation):
        raise Conflict("The webhook is not active", code="webhook_inactive")
    if known.activation != endpoint.activation:
        raise Unavailable("The webhook was made active this moment", retry_after_s=1)
    after = rewound(known, position)
    version = document.version if document else 0
    put = Put(state_of(own.subject), version, render_progress(after), (), endpoint.expires_ms + DAY_MS)
    return Change((put,), answer=json_kept(show_webhook(own.caller.tenant, endpoint, after)))


async def _position(broker: Broker, own: Own, cursor: str) -> Position:
    try:
        start = parse_start(own.channel, cursor, None)
    except Invalid as invalid:
        raise Invalid(invalid.message, param="cursor") from None
    [meta] = await broker.channels.metas([own.channel])
    if meta is None or start is None:
        raise NotFound("Webhook not found")
    return max(own.channel.start, min(start.position, meta.top))


async def _payload(broker: Broker, own: Own, row: Row) -> dict[str, Any] | None:
    """What was sent, None when its event is gone."""
    channel_id, cursor = own.channel.id, parse_ulid(row["event_id"])

    async def look() -> dict[str, Any] | None:
        channel = await broker.channels.find(channel_id)
        return payload_of(await broker.log.get(channel, cursor))

    try:
        return await on_fresh_record(broker, channel_id, look)
    except NotFound:
        return None
