"""The calls about events (contract section 1): a team's key, its events, and nothing of anybody else's.

What a call does is one commit: the event, its timer, the channel event that tells of it, and the answer to an
Idempotency-Key.
"""

import uuid
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from handlers.auth import read_as_tenant, require_tenant
from handlers.broker import broker_of
from handlers.cuey import decisions
from handlers.cuey.documents import EVENT, event_index, event_key
from handlers.cuey.documents import parse_event as parse_kept
from handlers.cuey.listing import parse_events_query, render_page
from handlers.cuey.machine import Status
from handlers.cuey.serving import API, execute, id_of, read_one, read_page
from handlers.cuey.wire import parse_event, render_event
from handlers.requests import asked_or_refusal


async def schedule_webhook(request: Request) -> Response:
    """Have a webhook called at a time."""
    caller, body = await read_as_tenant(request, API)
    asked, broker, tenant = parse_event(body), broker_of(request), caller.tenant
    waiting = event_index(tenant, Status.PENDING)
    page = await broker.reader.page(broker.engine.partition(tenant), EVENT, waiting, limit=1)
    decide = partial(decisions.creating, tenant, asked, str(uuid.uuid4()), page.total)
    return await execute(request, caller, body, [], decide)


async def list_scheduled_webhooks(request: Request) -> Response:
    """A page of events, the latest first, with how many there are in all."""
    tenant = require_tenant(request, API).tenant
    asked = parse_events_query(request.query_params)
    index = event_index(tenant, asked.status, asked.cron_id)
    return await read_page(
        request,
        tenant,
        (EVENT, index),
        asked,
        lambda page: render_page(
            asked, page.total, [render_event(parse_kept(each.body), tenant) for _, each in page.documents]
        ),
    )


async def read_scheduled_webhook(request: Request) -> Response:
    """An event. `Tidemark-Channel` and `Tidemark-Cursor` say from where to follow what happens to it next."""
    tenant = require_tenant(request, API).tenant
    event_id = id_of(request, "cuey_event_id", "Event not found")
    return await read_one(
        request,
        tenant,
        event_key(tenant, event_id),
        lambda loaded: {"data": render_event(decisions.find(tenant, event_id, loaded).webhook, tenant)},
    )


async def update_scheduled_webhook(request: Request) -> Response:
    """Change an event that is pending; what is left out stays as it is."""
    require_tenant(request, API)
    event_id = id_of(request, "cuey_event_id", "Event not found")
    body, asked = await asked_or_refusal(request, parse_event)
    caller = require_tenant(request, API)
    decide = partial(decisions.updating, caller.tenant, event_id, asked)
    return await execute(request, caller, body, [event_key(caller.tenant, event_id)], decide)


async def delete_scheduled_webhook(request: Request) -> Response:
    """Take an event back that is pending: it is not called."""
    caller = require_tenant(request, API)
    event_id = id_of(request, "cuey_event_id", "Event not found")
    decide = partial(decisions.deleting, caller.tenant, event_id)
    return await execute(request, caller, None, [event_key(caller.tenant, event_id)], decide)
